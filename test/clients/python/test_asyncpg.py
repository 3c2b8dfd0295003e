"""asyncpg: the extended protocol in binary, with named statements that it keeps in a cache."""

import asyncio
import uuid

from asyncpg import exceptions as errors

from twin import NO_ACTION, OTHER_TYPES, RESTRICT, both, orgs, users
from twin_asyncpg import AsyncpgTest, diagnostics


class Deletes(AsyncpgTest):
    """Deletes"""

    def test_by_primary_key_report_the_rows_of_the_parent_only(self):
        async def steps(connection):
            return await connection.execute('DELETE FROM orgs WHERE id = $1', 1)

        self.expect(steps, 'DELETE 1', orgs(1))

    def test_without_parameters_cascade(self):
        async def steps(connection):
            return await connection.execute('DELETE FROM orgs WHERE id < 3')

        self.expect(steps, 'DELETE 2', orgs(1, 2))

    def test_by_an_array_count_the_parents(self):
        async def steps(connection):
            return await connection.execute('DELETE FROM orgs WHERE id = ANY($1::int[])', [1, 2, 99])

        self.expect(steps, 'DELETE 2', orgs(1, 2))

    def test_by_several_statements_in_one_string_all_cascade(self):
        async def steps(connection):
            return await connection.execute('DELETE FROM orgs WHERE id = 1; DELETE FROM users WHERE id = 21;')

        self.expect(steps, 'DELETE 1', both(orgs(1), users(21)))

    def test_return_rows_of_the_parent_with_their_columns(self):
        async def steps(connection):
            command = 'DELETE FROM orgs WHERE id <= $1 RETURNING id, name AS called, version + $2 AS sum, orgs'
            rows = await connection.fetch(command, 2, 10)
            return sorted((*row.items(),) for row in rows)

        rows = [
            (('id', i), ('called', f'org {i}'), ('sum', 11), ('orgs', (i, f'org {i}', 1))) for i in (1, 2)
        ]
        self.expect(steps, rows, orgs(1, 2))

    def test_return_one_row_or_one_value(self):
        async def steps(connection):
            row = await connection.fetchrow('DELETE FROM orgs WHERE id = $1 RETURNING *', 1)
            value = await connection.fetchval('DELETE FROM orgs WHERE id = $1 RETURNING name', 2)
            nothing = await connection.fetchval('DELETE FROM orgs WHERE id = $1 RETURNING name', 99)
            return tuple(row), value, nothing

        self.expect(steps, ((1, 'org 1', 1), 'org 2', None), orgs(1, 2))

    def test_prepared_before_columns_changed_return_the_columns_that_there_are(self):
        async def steps(connection):
            command = 'DELETE FROM orgs WHERE id = $1 RETURNING *'
            before = await connection.fetchrow(command, 1)
            # Without the index the proxy finds posts in another way: it has to send another text.
            await connection.execute(
                'DROP INDEX posts_user_id_idx; ALTER TABLE orgs ADD COLUMN price float8 DEFAULT 1.5'
            )
            try:
                after = await connection.fetchrow(command, 2)
            finally:
                await connection.execute(
                    'ALTER TABLE orgs DROP COLUMN price; CREATE INDEX posts_user_id_idx ON posts (user_id)'
                )
            return [tuple(row.items()) for row in (before, after)]

        rows = [
            (('id', 1), ('name', 'org 1'), ('version', 1)),
            (('id', 2), ('name', 'org 2'), ('version', 1), ('price', 1.5)),
        ]
        self.expect(steps, rows, orgs(1, 2))

    def test_by_bigint_uuid_and_text_compare_as_the_server_does(self):
        async def steps(connection):
            tags = [await connection.execute('DELETE FROM accounts WHERE id = $1', 2**53 + 1)]
            document = uuid.UUID('00000000-0000-4000-8000-000000000002')
            tags.append(await connection.execute('DELETE FROM documents WHERE id = $1', document))
            command = 'DELETE FROM topics WHERE code = ANY($1)'
            tags.append(await connection.execute(command, ["it's", 'back\\slash', 'größe']))
            return tags

        self.expect(steps, ['DELETE 1', 'DELETE 1', 'DELETE 3'], OTHER_TYPES)

    def test_of_the_wrong_type_are_refused_by_the_client_who_knows_the_parameters(self):
        async def steps(connection):
            with self.assertRaises(errors.DataError) as caught:
                await connection.execute('DELETE FROM orgs WHERE id = $1', 'one')
            return str(caught.exception)

        message = "invalid input for query argument $1: 'one' ('str' object cannot be interpreted as an integer)"
        self.expect(steps, message, {})


class WithoutCache(Deletes):
    """Deletes without a cache of statements"""

    options = {'statement_cache_size': 0}


class Prepared(AsyncpgTest):
    """Prepared statements"""

    def test_tell_parameters_and_columns_of_the_clients_delete(self):
        async def steps(connection):
            statement = await connection.prepare('DELETE FROM orgs WHERE id = $1 AND name > $2 RETURNING id, name')
            parameters = [each.name for each in statement.get_parameters()]
            columns = [(each.name, each.type.name) for each in statement.get_attributes()]
            return parameters, columns, await statement.fetch(1, ''), statement.get_statusmsg()

        seen = (['int4', 'text'], [('id', 'int4'), ('name', 'text')], [(1, 'org 1')], 'DELETE 1')
        self.expect(steps, seen, orgs(1))

    def test_cascade_each_time_they_run(self):
        async def steps(connection):
            statement = await connection.prepare('DELETE FROM users WHERE id = $1')
            tags = []
            for user in (11, 12, 21, 22, 31, 32, 99):
                await statement.fetch(user)
                tags.append(statement.get_statusmsg())
            return tags

        self.expect(steps, ['DELETE 1'] * 6 + ['DELETE 0'], users(11, 12, 21, 22, 31, 32))

    def test_run_many_times_in_one_pipeline(self):
        async def steps(connection):
            statement = await connection.prepare('DELETE FROM users WHERE id = $1')
            await statement.executemany([(user,) for user in (11, 12, 21, 22)])

        self.expect(steps, None, users(11, 12, 21, 22))

    def test_go_on_after_a_broken_rule(self):
        async def steps(connection):
            statement = await connection.prepare('DELETE FROM orgs WHERE id = $1 RETURNING id')
            seen = []
            for org in (1, 4, 2, 5, 3):
                try:
                    seen.append(await statement.fetchval(org))
                except errors.IntegrityConstraintViolationError as error:
                    seen.append(diagnostics(error))
            return seen

        self.expect(steps, [1, NO_ACTION, 2, RESTRICT, 3], orgs(1, 2, 3))

    def test_explain_themselves(self):
        async def steps(connection):
            statement = await connection.prepare('SELECT count(*) FROM users WHERE org_id = $1')
            await connection.execute('DELETE FROM orgs WHERE id = $1', 1)
            return (await statement.explain(1))[0]['Plan']['Node Type'], await statement.fetchval(1)

        self.expect(steps, ('Aggregate', 0), orgs(1))

    def test_in_the_cache_are_used_again_and_pushed_out(self):
        async def steps(connection):
            tags = []
            for column in ('id', 'id + 0', 'id'):
                for org in (1, 2, 3):
                    tags.append(await connection.execute(f'DELETE FROM orgs WHERE {column} = $1', org))
            return tags, await connection.fetchval('SELECT count(*) FROM pg_prepared_statements')

        self.options = {'statement_cache_size': 1}
        self.expect(steps, (['DELETE 1'] * 3 + ['DELETE 0'] * 6, 1), orgs(1, 2, 3))

    def test_in_the_cache_cascade_by_the_keys_of_a_changed_schema(self):
        async def steps(connection):
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute('DELETE FROM users WHERE id = $1', 11)
            await connection.execute('ALTER TABLE posts DROP CONSTRAINT posts_user_fkey')
            await connection.execute('DELETE FROM users WHERE id = $1', 21)
            left = await connection.fetchval('SELECT count(*) FROM posts WHERE user_id = 21')
            await transaction.rollback()
            return left, await connection.execute('DELETE FROM users WHERE id = $1', 22)

        self.expect(steps, (2, 'DELETE 1'), users(22))

    def test_in_the_cache_are_prepared_again_after_discard(self):
        async def steps(connection):
            await connection.execute('DELETE FROM orgs WHERE id = $1', 1)
            await connection.reset()
            await connection.reload_schema_state()
            return await connection.execute('DELETE FROM orgs WHERE id = $1', 2)

        self.expect(steps, 'DELETE 1', orgs(1, 2))


class ExecuteMany(AsyncpgTest):
    """executemany"""

    def test_cascades_each(self):
        async def steps(connection):
            await connection.executemany('DELETE FROM orgs WHERE id = $1', [(1,), (2,), (99,), (3,)])

        self.expect(steps, None, orgs(1, 2, 3))

    def test_cascades_more_than_fit_into_one_buffer(self):
        async def steps(connection):
            command = 'DELETE FROM orgs WHERE id = $1 AND name <> $2'
            await connection.executemany(command, [(i % 4, 'x' * 1000) for i in range(1, 2000)])

        self.expect(steps, None, orgs(1, 2, 3))

    def test_is_atomic_where_one_of_them_is_restricted(self):
        async def steps(connection):
            with self.assertRaises(errors.RestrictViolationError) as caught:
                await connection.executemany('DELETE FROM orgs WHERE id = $1', [(1,), (5,), (2,)])
            return diagnostics(caught.exception), await connection.execute('DELETE FROM orgs WHERE id = $1', 3)

        self.expect(steps, (RESTRICT, 'DELETE 1'), orgs(3))


class Errors(AsyncpgTest):
    """Errors"""

    def test_no_action_raises_ForeignKeyViolationError_with_every_attribute(self):
        async def steps(connection):
            with self.assertRaises(errors.ForeignKeyViolationError) as caught:
                await connection.execute('DELETE FROM orgs WHERE id = $1', 4)
            tag = await connection.execute('DELETE FROM orgs WHERE id = $1', 1)
            return diagnostics(caught.exception), tag

        self.expect(steps, (NO_ACTION, 'DELETE 1'), orgs(1))

    def test_restrict_raises_RestrictViolationError_in_the_simple_protocol_too(self):
        async def steps(connection):
            with self.assertRaises(errors.RestrictViolationError) as caught:
                await connection.execute('DELETE FROM orgs WHERE id = 5')
            return diagnostics(caught.exception), str(caught.exception)

        text = f'{RESTRICT["message_primary"]}\nDETAIL:  {RESTRICT["message_detail"]}'
        self.expect(steps, (RESTRICT, text), {})

    def test_of_the_servers_own_point_into_the_text_that_was_sent(self):
        async def steps(connection):
            with self.assertRaises(errors.UndefinedColumnError) as caught:
                await connection.execute('DELETE FROM orgs WHERE missing = $1', 1)
            return caught.exception.position

        self.expect(steps, '24', {})

    def test_a_timeout_cancels_the_cascade_and_the_connection_goes_on(self):
        async def steps(connection):
            with self.assertRaises(asyncio.TimeoutError):
                await connection.fetch('DELETE FROM orgs WHERE id = $1 RETURNING pg_sleep(60)', 1, timeout=0.1)
            return await connection.execute('DELETE FROM orgs WHERE id = $1', 2)

        self.expect(steps, 'DELETE 1', orgs(2))
