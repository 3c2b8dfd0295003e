"""psycopg2: the simple protocol, with parameters put into the text by the client."""

import uuid

import psycopg2
import psycopg2.extras
from psycopg2 import errors, sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_INTRANS

from twin import NO_ACTION, OTHER_TYPES, RESTRICT, both, diagnostics, orgs, users
from twin_psycopg2 import Psycopg2Test


class Deletes(Psycopg2Test):
    """Deletes"""

    def test_by_primary_key_reports_the_rows_of_the_parent_only(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = %s', (1,))
                return cursor.rowcount, cursor.statusmessage, cursor.description

        self.expect(steps, (1, 'DELETE 1', None), orgs(1))

    def test_in_bulk_count_the_parents(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = ANY(%s)', ([1, 2, 99],))
                return cursor.rowcount

        self.expect(steps, 2, orgs(1, 2))

    def test_of_nothing_count_nothing(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id IN %s', ((98, 99),))
                return cursor.rowcount, cursor.statusmessage

        self.expect(steps, (0, 'DELETE 0'), {})

    def test_return_rows_of_the_parent_with_their_columns(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id <= %s RETURNING id, name AS called, version + 1', (2,))
                columns = [(column.name, column.type_code) for column in cursor.description]
                return cursor.rowcount, columns, sorted(cursor.fetchall())

        columns = [('id', 23), ('called', 25), ('?column?', 23)]
        self.expect(steps, (2, columns, [(1, 'org 1', 2), (2, 'org 2', 2)]), orgs(1, 2))

    def test_composed_with_identifiers_cascade(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                command = sql.SQL('DELETE FROM {} WHERE {} = {}')
                names = sql.Identifier('public', 'orgs'), sql.Identifier('id'), sql.Literal(3)
                cursor.execute(command.format(*names))
                return cursor.rowcount

        self.expect(steps, 1, orgs(3))

    def test_by_bigint_uuid_and_text_compare_as_the_server_does(self):
        psycopg2.extras.register_uuid()

        def steps(connection):
            counts = []
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM accounts WHERE id = %s', (2**53 + 1,))
                counts.append(cursor.rowcount)
                document = uuid.UUID('00000000-0000-4000-8000-000000000002')
                cursor.execute('DELETE FROM documents WHERE id = %s', (document,))
                counts.append(cursor.rowcount)
                for code in ("it's", 'back\\slash', 'größe'):
                    cursor.execute('DELETE FROM topics WHERE code = %s', (code,))
                    counts.append(cursor.rowcount)
            return counts

        self.expect(steps, [1, 1, 1, 1, 1], OTHER_TYPES)

    def test_of_several_statements_in_one_string_all_cascade(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = %s; DELETE FROM users WHERE id = %s', (1, 21))
                return cursor.rowcount

        self.expect(steps, 1, both(orgs(1), users(21)))


class ManyDeletes(Psycopg2Test):
    """Deletes of many"""

    def test_executemany_cascades_each(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.executemany('DELETE FROM orgs WHERE id = %s', [(1,), (2,), (3,)])
                return cursor.rowcount

        self.expect(steps, 3, orgs(1, 2, 3))

    def test_execute_batch_cascades_each_of_its_pages(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                parameters = [(1,), (2,), (3,)]
                psycopg2.extras.execute_batch(cursor, 'DELETE FROM orgs WHERE id = %s', parameters, page_size=2)
                return cursor.rowcount

        self.expect(steps, 1, orgs(1, 2, 3))

    def test_execute_batch_cascades_hundreds_in_one_string(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                parameters = [(id % 4,) for id in range(300)]
                psycopg2.extras.execute_batch(cursor, 'DELETE FROM orgs WHERE id = %s', parameters, page_size=300)

        self.expect(steps, None, orgs(1, 2, 3))

    def test_execute_batch_with_a_restricted_parent_deletes_nothing(self):
        def steps(connection):
            with connection.cursor() as cursor:
                try:
                    psycopg2.extras.execute_batch(cursor, 'DELETE FROM orgs WHERE id = %s', [(1,), (5,), (2,)])
                except errors.RestrictViolation as error:
                    connection.rollback()
                    return diagnostics(error.diag)

        self.expect(steps, RESTRICT, {})

    def test_execute_values_deletes_using_them(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                command = 'DELETE FROM orgs USING (VALUES %s) AS v (id) WHERE orgs.id = v.id RETURNING orgs.id'
                rows = psycopg2.extras.execute_values(cursor, command, [(1,), (3,), (3,)], fetch=True)
                return sorted(rows)

        self.expect(steps, [(1,), (3,)], orgs(1, 3))


class Transactions(Psycopg2Test):
    """Transactions"""

    def test_rollback_brings_parent_and_children_back(self):
        def steps(connection):
            with connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = 1')
                cursor.execute('SELECT count(*) FROM users')
                (during,) = cursor.fetchone()
                status = connection.info.transaction_status
                connection.rollback()
                return during, status, connection.info.transaction_status

        self.expect(steps, (8, TRANSACTION_STATUS_INTRANS, TRANSACTION_STATUS_IDLE), {})

    def test_savepoint_brings_back_what_went_after_it(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = 1')
                cursor.execute('SAVEPOINT here')
                cursor.execute('DELETE FROM orgs WHERE id = 2')
                cursor.execute('ROLLBACK TO SAVEPOINT here')
                cursor.execute('DELETE FROM orgs WHERE id = 3')
                return cursor.rowcount

        self.expect(steps, 1, orgs(1, 3))

    def test_an_error_is_undone_by_a_savepoint_and_the_transaction_goes_on(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = 1')
                cursor.execute('SAVEPOINT here')
                with self.assertRaises(errors.RestrictViolation):
                    cursor.execute('DELETE FROM orgs WHERE id = 5')
                cursor.execute('ROLLBACK TO SAVEPOINT here')
                cursor.execute('DELETE FROM orgs WHERE id = 2')
                return cursor.rowcount

        self.expect(steps, 1, orgs(1, 2))

    def test_after_an_error_the_transaction_takes_nothing_more(self):
        def steps(connection):
            with connection.cursor() as cursor:
                with self.assertRaises(errors.ForeignKeyViolation):
                    cursor.execute('DELETE FROM orgs WHERE id = 4')
                status = connection.info.transaction_status
                with self.assertRaises(errors.InFailedSqlTransaction):
                    cursor.execute('DELETE FROM orgs WHERE id = 1')
                connection.rollback()
                return status

        self.expect(steps, TRANSACTION_STATUS_INERROR, {})

    def test_autocommit_deletes_at_once_and_leaves_no_transaction(self):
        def steps(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = 1')
                return cursor.rowcount, connection.info.transaction_status

        self.expect(steps, (1, TRANSACTION_STATUS_IDLE), orgs(1))

    def test_autocommit_error_deletes_nothing_and_the_connection_goes_on(self):
        def steps(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                with self.assertRaises(errors.RestrictViolation):
                    cursor.execute('DELETE FROM orgs WHERE id IN (1, 5)')
                status = connection.info.transaction_status
                cursor.execute('DELETE FROM orgs WHERE id = 2')
                return status, cursor.rowcount

        self.expect(steps, (TRANSACTION_STATUS_IDLE, 1), orgs(2))

    def test_two_phase_commit_keeps_the_cascade(self):
        def steps(connection):
            connection.tpc_begin(f'psycopg2 {connection.info.dbname}')
            with connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = 1')
            connection.tpc_prepare()
            connection.tpc_commit()

        self.expect(steps, None, orgs(1))


class Errors(Psycopg2Test):
    """Errors"""

    def raised(self, command, error):
        def steps(connection):
            with connection.cursor() as cursor:
                with self.assertRaises(error) as caught:
                    cursor.execute(command)
                connection.rollback()
                cursor.execute('DELETE FROM orgs WHERE id = 1')
                connection.commit()
                return diagnostics(caught.exception.diag)

        return steps

    def test_no_action_raises_ForeignKeyViolation_with_every_field(self):
        self.expect(self.raised('DELETE FROM orgs WHERE id = 4', errors.ForeignKeyViolation), NO_ACTION, orgs(1))

    def test_restrict_below_the_parent_raises_RestrictViolation_with_every_field(self):
        self.expect(self.raised('DELETE FROM orgs WHERE id = 5', errors.RestrictViolation), RESTRICT, orgs(1))

    def test_a_broken_rule_is_an_integrity_error(self):
        steps = self.raised('DELETE FROM users WHERE id = 52', psycopg2.IntegrityError)
        self.expect(steps, RESTRICT, orgs(1))

    def test_of_the_servers_own_point_into_the_text_that_was_sent(self):
        def steps(connection):
            with connection.cursor() as cursor:
                with self.assertRaises(errors.UndefinedColumn) as caught:
                    cursor.execute('DELETE FROM orgs WHERE missing = 1')
                return caught.exception.diag.statement_position

        self.expect(steps, '24', {})

    def test_of_a_division_undo_the_whole_cascade(self):
        self.expect(lambda connection: self.divided(connection), '22012', {})

    def divided(self, connection):
        with connection.cursor() as cursor:
            with self.assertRaises(errors.DivisionByZero) as caught:
                cursor.execute('DELETE FROM orgs WHERE id < 3 RETURNING 1 / (id - 2)')
            connection.rollback()
            return caught.exception.pgcode
