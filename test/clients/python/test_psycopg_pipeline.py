"""psycopg 3: executemany, pipelines, server-side cursors, COPY and the asynchronous connection."""

import asyncio
import contextlib
import unittest

import psycopg
from psycopg import errors

from twin import RESTRICT, both, diagnostics, orgs, users
from twin_psycopg import PsycopgTest


class ExecuteMany(PsycopgTest):
    """executemany"""

    def test_cascades_each_and_adds_their_counts_up(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.executemany('DELETE FROM orgs WHERE id = %s', [(1,), (2,), (99,), (3,)])
                return cursor.rowcount

        self.expect(steps, 3, orgs(1, 2, 3))

    def test_returning_gives_a_result_for_each(self):
        def steps(connection):
            results = []
            with connection, connection.cursor(binary=True) as cursor:
                command = 'DELETE FROM users WHERE org_id = %s RETURNING id, org_id'
                cursor.executemany(command, [(1,), (99,), (2,)], returning=True)
                while True:
                    results.append((cursor.pgresult.command_tuples, sorted(cursor.fetchall())))
                    if not cursor.nextset():
                        return results

        results = [(2, [(11, 1), (12, 1)]), (0, []), (2, [(21, 2), (22, 2)])]
        self.expect(steps, results, users(11, 12, 21, 22))

    def test_with_a_restricted_parent_deletes_nothing_in_autocommit_too(self):
        def steps(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                with self.assertRaises(errors.RestrictViolation) as caught:
                    cursor.executemany('DELETE FROM orgs WHERE id = %s', [(1,), (5,), (2,)])
            return diagnostics(caught.exception.diag)

        self.expect(steps, RESTRICT, {})


@unittest.skipUnless(psycopg.Pipeline.is_supported(), 'libpq has no pipeline mode before 14')
class Pipelines(PsycopgTest):
    """Pipelines"""

    def test_answer_in_order(self):
        def steps(connection):
            with connection, connection.pipeline():
                cursors = [connection.execute('DELETE FROM orgs WHERE id = %s', (org,)) for org in (1, 99, 2)]
                rows = connection.execute('DELETE FROM users WHERE id = %s RETURNING id', (31,)).fetchall()
                left = connection.execute('SELECT count(*) FROM users').fetchone()
                return [cursor.rowcount for cursor in cursors], rows, left

        self.expect(steps, ([1, 0, 1], [(31,)], (5,)), both(orgs(1, 2), users(31)))

    def test_with_statements_that_prepare_themselves_cascade_each(self):
        def steps(connection):
            with connection, connection.pipeline():
                ids = (11, 12, 21, 22, 31, 32, 41, 42)
                cursors = [connection.execute('DELETE FROM users WHERE id = %s', (user,)) for user in ids]
                connection.execute('SELECT 1').fetchone()
                return [cursor.rowcount for cursor in cursors]

        self.expect(steps, [1] * 8, users(11, 12, 21, 22, 31, 32, 41, 42))

    def test_in_autocommit_are_one_transaction_up_to_a_sync(self):
        def steps(connection):
            connection.autocommit = True
            with connection.pipeline() as pipeline:
                connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
                pipeline.sync()
                connection.execute('DELETE FROM orgs WHERE id = %s', (2,))
                connection.execute('DELETE FROM orgs WHERE id = %s', (3,))
                # The last one: psycopg raises an error as soon as it has come, from the next call.
                connection.execute('DELETE FROM orgs WHERE id = %s', (5,))
                with self.assertRaises(errors.RestrictViolation) as caught:
                    pipeline.sync()
            return diagnostics(caught.exception.diag)

        self.expect(steps, RESTRICT, orgs(1))

    def test_abort_what_stands_after_an_error_and_go_on_after_a_sync(self):
        def steps(connection):
            connection.autocommit = True
            with connection.pipeline() as pipeline:
                cursor = connection.cursor()
                # From whichever call: psycopg raises an error as soon as it has come.
                with self.assertRaises(errors.ForeignKeyViolation):
                    connection.execute('DELETE FROM orgs WHERE id = %s', (4,))
                    cursor.execute('DELETE FROM orgs WHERE id = %s', (1,))
                    pipeline.sync()
                with contextlib.suppress(errors.PipelineAborted):
                    pipeline.sync()
                self.assertIsNone(cursor.pgresult)
                return connection.execute('DELETE FROM orgs WHERE id = %s RETURNING id', (2,)).fetchall()

        self.expect(steps, [(2,)], orgs(2))

    def test_with_a_transaction_inside_roll_back(self):
        def steps(connection):
            connection.autocommit = True
            with connection.pipeline():
                with self.assertRaises(errors.RestrictViolation), connection.transaction():
                    connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
                    connection.execute('DELETE FROM orgs WHERE id = %s', (5,))
                with connection.transaction():
                    connection.execute('DELETE FROM orgs WHERE id = %s', (2,))

        self.expect(steps, None, orgs(2))

    def test_run_executemany(self):
        def steps(connection):
            with connection, connection.pipeline() as pipeline:
                with connection.cursor() as counted, connection.cursor() as returning:
                    counted.executemany('DELETE FROM orgs WHERE id = %s', [(1,), (2,)])
                    command = 'DELETE FROM users WHERE id = %s RETURNING id'
                    returning.executemany(command, [(31,), (32,)], returning=True)
                    pipeline.sync()
                    return counted.rowcount, returning.fetchall(), returning.nextset(), returning.fetchall()

        self.expect(steps, (2, [(31,)], True, [(32,)]), both(orgs(1, 2), users(31, 32)))


class ServerCursors(PsycopgTest):
    """Server-side cursors"""

    def test_keep_their_rows_while_a_cascade_deletes_them(self):
        def steps(connection):
            with connection, connection.cursor('reader', binary=True) as reader:
                reader.execute('SELECT id FROM users WHERE id > %s ORDER BY id', (0,))
                first = reader.fetchone()
                connection.execute('DELETE FROM orgs WHERE id = ANY(%s)', ([1, 2],))
                return first, reader.fetchmany(2), [id for (id,) in reader]

        self.expect(steps, ((11,), [(12,), (21,)], [22, 31, 32, 41, 42, 51, 52]), orgs(1, 2))

    def test_with_hold_outlive_the_commit_of_a_cascade(self):
        def steps(connection):
            with connection.cursor('held', withhold=True, scrollable=True) as reader:
                reader.execute('SELECT id FROM orgs ORDER BY id')
                connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
                connection.commit()
                reader.scroll(1)
                return reader.fetchmany(2)

        self.expect(steps, [(2,), (3,)], orgs(1))

    def test_say_where_current_is(self):
        def steps(connection):
            with connection, connection.cursor('place') as place:
                place.execute('SELECT id FROM orgs ORDER BY id FOR UPDATE')
                place.fetchmany(3)
                return connection.execute('DELETE FROM orgs WHERE CURRENT OF place').rowcount

        self.expect(steps, 1, orgs(3))

    def test_stream_the_rows_of_a_delete(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                return sorted(cursor.stream('DELETE FROM orgs WHERE id < %s RETURNING id', (4,)))

        self.expect(steps, [(1,), (2,), (3,)], orgs(1, 2, 3))

    def test_copy_reads_what_a_cascade_left_and_brings_rows_back(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = ANY(%s)', ([1, 2, 3],))
                with cursor.copy('COPY (SELECT id FROM users ORDER BY id) TO STDOUT') as copy:
                    left = [row[0] for row in copy.rows()]
                with cursor.copy('COPY posts (id, user_id) FROM STDIN') as copy:
                    copy.write_row((111, None))
                return left

        gone = orgs(1, 2, 3)
        gone['posts'].discard(111)
        self.expect(steps, ['41', '42', '51', '52'], gone)


class Asynchronous(PsycopgTest):
    """The asynchronous connection"""

    def run_on(self, side, steps):
        async def asynchronously():
            async with await psycopg.AsyncConnection.connect(side.url) as connection:
                return await steps(connection)

        return super().run_on(side, lambda _: asyncio.run(asynchronously()))

    def test_deletes_and_cascades(self):
        async def steps(connection):
            cursor = await connection.execute('DELETE FROM orgs WHERE id = %s RETURNING name', (1,))
            return cursor.rowcount, await cursor.fetchall()

        self.expect(steps, (1, [('org 1',)]), orgs(1))

    def test_raises_what_a_rule_says_and_goes_on(self):
        async def steps(connection):
            with self.assertRaises(errors.RestrictViolation) as caught:
                async with connection.transaction():
                    await connection.execute('DELETE FROM orgs WHERE id = %s', (5,))
            await connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
            return diagnostics(caught.exception.diag)

        self.expect(steps, RESTRICT, orgs(1))
