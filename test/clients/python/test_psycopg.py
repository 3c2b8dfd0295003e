"""psycopg 3: the extended protocol, in its formats and its ways to prepare."""

import uuid

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from twin import NO_ACTION, OTHER_TYPES, RESTRICT, both, diagnostics, orgs, users
from twin_psycopg import PsycopgTest


class TextResults(PsycopgTest):
    """Deletes with results as text"""

    binary = False
    prepare = None

    def execute(self, connection, command, *parameters):
        cursor = connection.cursor(binary=self.binary)
        return cursor.execute(command, parameters, prepare=self.prepare)

    def test_by_primary_key_report_the_rows_of_the_parent_only(self):
        def steps(connection):
            with connection:
                cursor = self.execute(connection, 'DELETE FROM orgs WHERE id = %s', 1)
                return cursor.rowcount, cursor.statusmessage, cursor.description

        self.expect(steps, (1, 'DELETE 1', None), orgs(1))

    def test_by_an_array_count_the_parents(self):
        def steps(connection):
            with connection:
                return self.execute(connection, 'DELETE FROM orgs WHERE id = ANY(%s)', [1, 2, 99]).rowcount

        self.expect(steps, 2, orgs(1, 2))

    def test_return_rows_of_the_parent_with_their_columns(self):
        def steps(connection):
            with connection:
                command = 'DELETE FROM orgs WHERE id <= %s RETURNING id, name AS called, version + 1, ARRAY[id]'
                cursor = self.execute(connection, command, 2)
                columns = [(column.name, column.type_code) for column in cursor.description]
                return cursor.rowcount, cursor.pgresult.fformat(0), columns, sorted(cursor)

        columns = [('id', 23), ('called', 25), ('?column?', 23), ('array', 1007)]
        rows = [(1, 'org 1', 2, [1]), (2, 'org 2', 2, [2])]
        self.expect(steps, (2, int(self.binary), columns, rows), orgs(1, 2))

    def test_by_bigint_uuid_and_text_compare_as_the_server_does(self):
        def steps(connection):
            with connection:
                counts = [self.execute(connection, 'DELETE FROM accounts WHERE id = %s', 2**53 + 1).rowcount]
                document = uuid.UUID('00000000-0000-4000-8000-000000000002')
                counts.append(self.execute(connection, 'DELETE FROM documents WHERE id = %s', document).rowcount)
                for code in ("it's", 'back\\slash', 'größe'):
                    counts.append(self.execute(connection, 'DELETE FROM topics WHERE code = %s', code).rowcount)
                return counts

        self.expect(steps, [1, 1, 1, 1, 1], OTHER_TYPES)

    def test_with_parameters_in_text_and_in_binary_cascade(self):
        def steps(connection):
            with connection:
                command = 'DELETE FROM orgs WHERE id = %t OR id = %b'
                return self.execute(connection, command, 1, 3).rowcount

        self.expect(steps, 2, orgs(1, 3))

    def test_repeated_cascade_each_time(self):
        def steps(connection):
            counts = []
            with connection:
                for user in (11, 12, 21, 22, 31, 32, 99):
                    counts.append(self.execute(connection, 'DELETE FROM users WHERE id = %s', user).rowcount)
            return counts

        self.expect(steps, [1, 1, 1, 1, 1, 1, 0], users(11, 12, 21, 22, 31, 32))

    def test_repeated_go_on_after_a_broken_rule(self):
        def steps(connection):
            told = []
            for org in (1, 4, 2, 5, 3):
                try:
                    told.append(self.execute(connection, 'DELETE FROM orgs WHERE id = %s', org).rowcount)
                    connection.commit()
                except psycopg.IntegrityError as error:
                    connection.rollback()
                    told.append((type(error), diagnostics(error.diag)))
            return told

        broken = (errors.ForeignKeyViolation, NO_ACTION), (errors.RestrictViolation, RESTRICT)
        self.expect(steps, [1, broken[0], 1, broken[1], 1], orgs(1, 2, 3))

    def test_after_the_schema_changed_cascade_by_its_new_keys(self):
        def steps(connection):
            for user in (11, 12):
                self.execute(connection, 'DELETE FROM users WHERE id = %s', user)
            connection.execute('ALTER TABLE posts DROP CONSTRAINT posts_user_fkey')
            self.execute(connection, 'DELETE FROM users WHERE id = %s', 21)
            left = connection.execute('SELECT count(*) FROM posts WHERE user_id = 21').fetchone()
            connection.rollback()
            return left, self.execute(connection, 'DELETE FROM users WHERE id = %s', 22).rowcount, connection.commit()

        self.expect(steps, ((2,), 1, None), users(22))


class BinaryResults(TextResults):
    """Deletes with results in binary"""

    binary = True


class Prepared(TextResults):
    """Deletes that are prepared at once"""

    prepare = True


class PreparedBinary(TextResults):
    """Deletes that are prepared at once, with results in binary"""

    binary = True
    prepare = True


class NeverPrepared(TextResults):
    """Deletes that are never prepared"""

    prepare = False


class Preparing(PsycopgTest):
    """Preparing"""

    def test_comes_by_itself_with_the_sixth_execution_and_goes_on_cascading(self):
        def steps(connection):
            prepared = []
            with connection:
                for user in (11, 12, 21, 22, 31, 32, 41, 42):
                    cursor = connection.execute('DELETE FROM users WHERE id = %s', (user,))
                    names = connection.execute('SELECT count(*) FROM pg_prepared_statements').fetchone()[0]
                    prepared.append((cursor.rowcount, names))
            return prepared

        # The question itself is prepared as well, the execution after the DELETE.
        counts = [(1, 0)] * 5 + [(1, 2)] * 3
        self.expect(steps, counts, users(11, 12, 21, 22, 31, 32, 41, 42))

    def test_is_undone_by_deallocate_which_the_client_does_not_notice(self):
        def steps(connection):
            connection.autocommit = True
            connection.execute('DELETE FROM orgs WHERE id = %s', (1,), prepare=True)
            connection.execute('DEALLOCATE ALL')
            with self.assertRaises(errors.InvalidSqlStatementName) as caught:
                connection.execute('DELETE FROM orgs WHERE id = %s', (2,), prepare=True)
            count = connection.execute('DELETE FROM orgs WHERE id = %s', (3,), prepare=False).rowcount
            return caught.exception.diag.message_primary, count

        self.expect(steps, ('prepared statement "_pg3_0" does not exist', 1), orgs(1, 3))

    def test_is_undone_by_the_client_itself_after_a_rollback(self):
        def steps(connection):
            connection.execute('DELETE FROM orgs WHERE id = %s', (1,), prepare=True)
            connection.rollback()
            count = connection.execute('DELETE FROM orgs WHERE id = %s', (2,), prepare=True).rowcount
            names = connection.execute('SELECT name FROM pg_prepared_statements').fetchall()
            return count, names, connection.commit()

        self.expect(steps, (1, [('_pg3_1',)], None), orgs(2))

    def refused(self, connection, again):
        """Prepares, has the columns changed, and executes again: what is refused, and then what `again` gives."""
        command = 'DELETE FROM orgs WHERE id = %s RETURNING *'
        connection.prepare_threshold = 0
        before = connection.execute(command, (1,)).fetchall()
        connection.commit()
        # Without the index the proxy finds posts in another way: it has to send another text. (psycopg looks for DROP.)
        connection.execute("DO 'BEGIN DROP INDEX posts_user_id_idx; END'", prepare=False)
        connection.execute('ALTER TABLE orgs ADD COLUMN price float8 DEFAULT 1.5', prepare=False)
        connection.commit()
        try:
            with self.assertRaises(errors.FeatureNotSupported) as caught:
                connection.execute(command, (2,))
            error = (caught.exception.sqlstate, caught.exception.diag.message_primary)
            after = again(command, (2,))
            connection.commit()
        finally:
            connection.rollback()
            connection.execute('ALTER TABLE orgs DROP COLUMN price', prepare=False)
            connection.execute('CREATE INDEX posts_user_id_idx ON posts (user_id)', prepare=False)
            connection.commit()
        return before, error, after

    result = [(1, 'org 1', 1)], ('0A000', 'cached plan must not change result type'), [(2, 'org 2', 1, 1.5)]

    def test_before_columns_changed_is_refused_and_done_again_after_a_rollback(self):
        def steps(connection):
            def again(command, parameters):
                connection.rollback()
                return connection.execute(command, parameters).fetchall()

            return self.refused(connection, again)

        self.expect(steps, self.result, orgs(1, 2))

    def test_before_columns_changed_is_refused_and_done_again_after_deallocate(self):
        def steps(connection):
            def again(command, parameters):
                connection.execute('DEALLOCATE ALL', prepare=False)
                return connection.execute(command, parameters, prepare=False).fetchall()

            connection.autocommit = True
            return self.refused(connection, again)

        self.expect(steps, self.result, orgs(1, 2))

    def test_many_statements_drops_the_oldest_of_them(self):
        def steps(connection):
            connection.prepared_max = 2
            with connection:
                for column in ('id', 'id + 0', 'id * 1', 'id'):
                    for org in (1, 2, 3):
                        connection.execute(f'DELETE FROM orgs WHERE {column} = %s', (org,), prepare=True)
                return connection.execute('SELECT count(*) FROM pg_prepared_statements').fetchone()[0]

        self.expect(steps, 2, orgs(1, 2, 3))


class ClientCursors(PsycopgTest):
    """Client cursors, which put parameters into the text"""

    def connect(self, side):
        return psycopg.connect(side.url, cursor_factory=psycopg.ClientCursor)

    def test_delete_and_cascade(self):
        def steps(connection):
            with connection:
                return connection.execute('DELETE FROM orgs WHERE id = ANY(%s)', ([1, 2],)).rowcount

        self.expect(steps, 2, orgs(1, 2))

    def test_delete_by_several_statements_in_one_string(self):
        def steps(connection):
            with connection:
                command = 'DELETE FROM orgs WHERE id = %s RETURNING id; DELETE FROM users WHERE id = %s'
                cursor = connection.execute(command, (1, 21))
                rows = cursor.fetchall()
                return rows, cursor.rowcount, cursor.nextset(), cursor.rowcount, cursor.statusmessage

        self.expect(steps, ([(1,)], 1, True, 1, 'DELETE 1'), both(orgs(1), users(21)))


class Transactions(PsycopgTest):
    """Transactions"""

    def test_nested_blocks_are_savepoints_and_undo_what_failed_in_them(self):
        def steps(connection):
            with connection.transaction():
                connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
                with self.assertRaises(errors.RestrictViolation), connection.transaction():
                    connection.execute('DELETE FROM orgs WHERE id = %s', (2,))
                    connection.execute('DELETE FROM orgs WHERE id = %s', (5,))
                with connection.transaction():
                    connection.execute('DELETE FROM orgs WHERE id = %s', (3,))
                    raise psycopg.Rollback()
                with connection.transaction('named'):
                    return connection.execute('DELETE FROM users WHERE id = %s', (21,)).rowcount

        self.expect(steps, 1, both(orgs(1), users(21)))

    def test_in_autocommit_every_delete_is_one_of_its_own(self):
        def steps(connection):
            connection.autocommit = True
            count = connection.execute('DELETE FROM orgs WHERE id = %s', (1,)).rowcount
            with self.assertRaises(errors.ForeignKeyViolation):
                connection.execute('DELETE FROM orgs WHERE id = ANY(%s)', ([2, 4],))
            return count, connection.info.transaction_status

        self.expect(steps, (1, TransactionStatus.IDLE), orgs(1))

    def test_a_failed_one_takes_nothing_more_until_rollback(self):
        def steps(connection):
            with self.assertRaises(errors.RestrictViolation):
                connection.execute('DELETE FROM orgs WHERE id = %s', (5,), prepare=True)
            status = connection.info.transaction_status
            with self.assertRaises(errors.InFailedSqlTransaction):
                connection.execute('DELETE FROM orgs WHERE id = %s', (1,), prepare=True)
            connection.rollback()
            return status, connection.execute('DELETE FROM orgs WHERE id = %s', (1,), prepare=True).rowcount

        self.expect(steps, (TransactionStatus.INERROR, 1), {})

    def test_two_phase_commit_keeps_the_cascade(self):
        def steps(connection):
            connection.tpc_begin(f'psycopg {connection.info.dbname}')
            connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
            connection.tpc_prepare()
            connection.tpc_commit()

        self.expect(steps, None, orgs(1))
