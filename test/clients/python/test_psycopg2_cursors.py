"""psycopg2's named cursors, notices, notifications and COPY beside deletes that cascade."""

import io

import psycopg2
from psycopg2 import errors

from twin import orgs
from twin_psycopg2 import Psycopg2Test


class NamedCursors(Psycopg2Test):
    """Named cursors"""

    def test_keep_their_rows_while_a_cascade_deletes_them(self):
        def steps(connection):
            with connection, connection.cursor('reader') as reader, connection.cursor() as writer:
                reader.itersize = 2
                reader.execute('SELECT id FROM users ORDER BY id')
                first = next(reader)
                writer.execute('DELETE FROM orgs WHERE id IN (1, 2)')
                return first, [id for (id,) in reader]

        self.expect(steps, ((11,), [12, 21, 22, 31, 32, 41, 42, 51, 52]), orgs(1, 2))

    def test_with_hold_outlive_the_commit_of_a_cascade(self):
        def steps(connection):
            reader = connection.cursor('held', withhold=True)
            reader.execute('SELECT id FROM orgs ORDER BY id')
            with connection.cursor() as writer:
                writer.execute('DELETE FROM orgs WHERE id = 1')
            connection.commit()
            seen = reader.fetchmany(2)
            reader.close()
            connection.commit()
            return seen

        self.expect(steps, [(1,), (2,)], orgs(1))

    def test_say_where_current_is(self):
        def steps(connection):
            with connection, connection.cursor('place') as place, connection.cursor() as writer:
                place.execute('SELECT id FROM orgs ORDER BY id FOR UPDATE')
                place.fetchmany(3)
                writer.execute('DELETE FROM orgs WHERE CURRENT OF place')
                return writer.rowcount

        self.expect(steps, 1, orgs(3))

    def test_over_a_delete_are_refused_by_the_server(self):
        def steps(connection):
            with self.assertRaises(errors.SyntaxError):
                connection.cursor('writer').execute('DELETE FROM orgs WHERE id = 1 RETURNING id')
            connection.rollback()

        self.expect(steps, None, {})


class Beside(Psycopg2Test):
    """Beside a cascade"""

    def test_notices_and_notifications_arrive(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('LISTEN gone')
                cursor.execute('DELETE FROM orgs WHERE id = 1; NOTIFY gone, $$org 1$$')
                cursor.execute("DO 'BEGIN RAISE NOTICE ''deleted''; END'")
            connection.poll()
            return connection.notices, [(each.channel, each.payload) for each in connection.notifies]

        self.expect(steps, (['NOTICE:  deleted\n'], [('gone', 'org 1')]), orgs(1))

    def test_copy_reads_what_is_left_and_brings_rows_back(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id < 5 AND id <> 4')
                left = io.StringIO()
                cursor.copy_expert('COPY (SELECT id FROM users ORDER BY id) TO STDOUT', left)
                cursor.copy_expert('COPY posts FROM STDIN', io.StringIO('111\t\\N\n'))
                return left.getvalue()

        gone = orgs(1, 2, 3)
        gone['posts'].discard(111)
        self.expect(steps, '41\n42\n51\n52\n', gone)

    def test_a_statement_timeout_undoes_the_cascade(self):
        def steps(connection):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '50ms'")
                with self.assertRaises(psycopg2.extensions.QueryCanceledError):
                    cursor.execute('DELETE FROM orgs WHERE id = 1 RETURNING pg_sleep(60)')
                connection.rollback()
                cursor.execute('DELETE FROM orgs WHERE id = 2')
                connection.commit()

        self.expect(steps, None, orgs(2))

    def test_an_encoding_of_the_clients_keeps_its_letters(self):
        def steps(connection):
            connection.set_client_encoding('LATIN1')
            with connection, connection.cursor() as cursor:
                cursor.execute('SELECT id FROM topics WHERE code = %s', ('größe',))
                found = cursor.fetchall()
                cursor.execute('DELETE FROM orgs WHERE id = %s', (1,))
                return found, cursor.rowcount

        self.expect(steps, ([(4,)], 1), orgs(1))
