"""asyncpg: transactions, cursors, COPY and pools."""

import asyncio
import io

import asyncpg
from asyncpg import exceptions as errors

from twin import orgs, users
from twin_asyncpg import AsyncpgTest


class Transactions(AsyncpgTest):
    """Transactions"""

    def test_nested_blocks_are_savepoints_and_undo_what_failed_in_them(self):
        async def steps(connection):
            async with connection.transaction():
                await connection.execute('DELETE FROM orgs WHERE id = $1', 1)
                with self.assertRaises(errors.RestrictViolationError):
                    async with connection.transaction():
                        await connection.execute('DELETE FROM orgs WHERE id = $1', 2)
                        await connection.execute('DELETE FROM orgs WHERE id = $1', 5)
                return await connection.execute('DELETE FROM orgs WHERE id = $1', 3)

        self.expect(steps, 'DELETE 1', orgs(1, 3))

    def test_rollback_brings_parent_and_children_back(self):
        async def steps(connection):
            transaction = connection.transaction(isolation='serializable')
            await transaction.start()
            await connection.execute('DELETE FROM orgs WHERE id = $1', 1)
            during = await connection.fetchval('SELECT count(*) FROM users')
            await transaction.rollback()
            return during, await connection.fetchval('SELECT count(*) FROM users'), connection.is_in_transaction()

        self.expect(steps, (8, 10, False), {})

    def test_cursors_keep_their_rows_while_a_cascade_deletes_them(self):
        async def steps(connection):
            async with connection.transaction():
                cursor = await connection.cursor('SELECT id FROM users WHERE id > $1 ORDER BY id', 0)
                first = await cursor.fetch(3)
                await connection.execute('DELETE FROM orgs WHERE id = ANY($1::int[])', [1, 2])
                return [row['id'] for row in first + await cursor.fetch(100)]

        self.expect(steps, [11, 12, 21, 22, 31, 32, 41, 42, 51, 52], orgs(1, 2))

    def test_cursors_over_a_delete_give_its_rows_in_parts(self):
        async def steps(connection):
            async with connection.transaction():
                command = 'DELETE FROM orgs WHERE id < $1 RETURNING id'
                return sorted([row['id'] async for row in connection.cursor(command, 4, prefetch=2)])

        self.expect(steps, [1, 2, 3], orgs(1, 2, 3))


class Copies(AsyncpgTest):
    """COPY"""

    def test_gives_the_rows_of_a_delete(self):
        async def steps(connection):
            rows = io.BytesIO()
            tag = await connection.copy_from_query('DELETE FROM orgs WHERE id < $1 RETURNING id', 3, output=rows)
            return tag, sorted(rows.getvalue().split())

        self.expect(steps, ('COPY 2', [b'1', b'2']), orgs(1, 2))

    def test_brings_back_what_a_cascade_deleted(self):
        async def steps(connection):
            async with connection.transaction():
                await connection.execute('DELETE FROM orgs WHERE id = $1', 1)
                return await connection.copy_records_to_table('orgs', records=[(1, 'back', 2)])

        self.expect(steps, 'COPY 1', users(11, 12))


class Pools(AsyncpgTest):
    """Pools"""

    async def open(self, side):
        return await asyncpg.create_pool(side.url, min_size=2, max_size=2)

    def test_give_their_connections_to_one_delete_after_the_other(self):
        async def steps(pool):
            deletes = (pool.execute('DELETE FROM orgs WHERE id = $1', org) for org in (1, 2, 3, 98, 99))
            return await asyncio.gather(*deletes), await pool.fetchval('SELECT count(*) FROM orgs')

        self.expect(steps, (['DELETE 1'] * 3 + ['DELETE 0'] * 2, 2), orgs(1, 2, 3))
