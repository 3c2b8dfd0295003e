"""psycopg 3: the ways to delete beside a plain DELETE, and what changes under a statement that is prepared already."""

import psycopg

from twin import PROXIED, both, orgs
from twin_psycopg import PsycopgTest


class Forms(PsycopgTest):
    """Ways to delete"""

    def test_rows_move_to_an_archive_in_one_statement(self):
        def steps(connection):
            with connection:
                connection.execute('CREATE TEMP TABLE archive (LIKE orgs)')
                moved = connection.execute(
                    'WITH gone AS (DELETE FROM orgs WHERE id < %s RETURNING *) INSERT INTO archive SELECT * FROM gone', (3,)
                )
                kept = connection.execute('SELECT id FROM archive ORDER BY id').fetchall()
                return moved.rowcount, moved.statusmessage, kept

        self.expect(steps, (2, 'INSERT 0 2', [(1,), (2,)]), orgs(1, 2))

    def test_a_child_takes_its_parent_along(self):
        def steps(connection):
            with connection:
                return connection.execute(
                    'WITH gone AS (DELETE FROM users WHERE id = %s RETURNING org_id) '
                    'DELETE FROM orgs USING gone WHERE orgs.id = gone.org_id RETURNING orgs.id',
                    (11,),
                ).fetchall()

        self.expect(steps, [(1,)], orgs(1))

    def test_the_next_row_of_a_queue_is_taken(self):
        def steps(connection):
            with connection:
                return connection.execute(
                    'DELETE FROM orgs WHERE id = (SELECT id FROM orgs ORDER BY id FOR UPDATE SKIP LOCKED LIMIT %s) '
                    'RETURNING id, name',
                    (1,),
                    prepare=True,
                ).fetchall()

        self.expect(steps, [(1, 'org 1')], orgs(1))

    def test_merge_deletes_updates_and_inserts(self):
        def steps(connection):
            with connection:
                cursor = connection.execute(
                    'MERGE INTO orgs AS o USING (VALUES (1), (2), (9)) AS v (id) ON o.id = v.id '
                    'WHEN MATCHED AND o.id = %s THEN DELETE WHEN MATCHED THEN UPDATE SET version = 2 '
                    "WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, 'new') RETURNING merge_action(), v.id",
                    (1,),
                    prepare=True,
                )
                return cursor.statusmessage, sorted(cursor)

        actions = [('DELETE', 1), ('INSERT', 9), ('UPDATE', 2)]
        self.expect(steps, ('MERGE 3', actions), both(orgs(1), {'orgs': {9}}))

    def test_copy_gives_the_rows_of_a_delete(self):
        def steps(connection):
            with connection, connection.cursor() as cursor:
                with cursor.copy('COPY (DELETE FROM orgs WHERE id < %s RETURNING id) TO STDOUT', (3,)) as copy:
                    return sorted(copy.rows())

        self.expect(steps, [('1',), ('2',)], orgs(1, 2))

    def test_a_statement_that_sql_prepared_cascades(self):
        def steps(connection):
            with connection:
                connection.execute('PREPARE remove (int) AS DELETE FROM orgs WHERE id = $1 RETURNING name')
                rows = [connection.execute(f'EXECUTE remove ({org})').fetchall() for org in (1, 2, 99)]
                connection.execute('DEALLOCATE remove')
                return rows

        self.expect(steps, [[('org 1',)], [('org 2',)], []], orgs(1, 2))


class Changes(PsycopgTest):
    """Under a prepared DELETE"""

    def execute(self, connection, id):
        return connection.execute('DELETE FROM orgs WHERE id = %s', (id,), prepare=True)

    def test_a_temporary_table_of_the_same_name_comes_and_goes(self):
        def steps(connection):
            with connection:
                counts = [self.execute(connection, 1).rowcount]
                connection.execute('CREATE TEMP TABLE orgs AS SELECT 2 AS id')
                counts.append(self.execute(connection, 2).rowcount)
                connection.execute('ALTER TABLE pg_temp.orgs RENAME TO others')
                counts.append(self.execute(connection, 3).rowcount)
                return counts

        self.expect(steps, [1, 1, 1], orgs(1, 3))

    def test_the_search_path_turns_to_another_table_and_back(self):
        def steps(connection):
            with connection:
                connection.execute('CREATE SCHEMA tenant; CREATE TABLE tenant.orgs AS SELECT 2 AS id')
                counts = []
                for id, path in ((1, 'public'), (2, 'tenant'), (3, 'public')):
                    connection.execute(f'SET LOCAL search_path = {path}')
                    counts.append(self.execute(connection, id).rowcount)
                connection.execute('DROP SCHEMA tenant CASCADE')
                return counts

        self.expect(steps, [1, 1, 1], orgs(1, 3))

    def test_a_key_goes_in_the_same_pipeline(self):
        def steps(connection):
            with connection.pipeline():
                self.execute(connection, 1)
                connection.execute('ALTER TABLE users DROP CONSTRAINT users_org_fkey')
                self.execute(connection, 2)
                left = connection.execute('SELECT count(*) FROM users WHERE org_id < 3').fetchone()
                connection.rollback()
                count = self.execute(connection, 3).rowcount, connection.commit()
            return left, count

        self.expect(steps, ((2,), (-1, None)), orgs(3))


class Switch(PsycopgTest):
    """The switch for a session"""

    def gone(self, steps, **options):
        def connect(side):
            return psycopg.connect(side.url, **options)

        self.connect = connect
        return self.run_on(PROXIED, steps)[1]

    def test_in_the_options_of_a_connection_leaves_children_alone(self):
        def steps(connection):
            with connection:
                connection.execute('DELETE FROM orgs WHERE id = %s', (1,))

        self.assertEqual(self.gone(steps, options='-c pgcascade.mode=off'), {'orgs': {1}})

    def test_for_a_transaction_ends_with_it(self):
        def steps(connection):
            connection.autocommit = True
            for org in (1, 2, 3):
                with connection.transaction():
                    if org == 2:
                        connection.execute('SET LOCAL pgcascade.mode = off')
                    connection.execute('DELETE FROM orgs WHERE id = %s', (org,), prepare=True)

        self.assertEqual(self.gone(steps), both(orgs(1, 3), {'orgs': {2}}))

    def test_in_a_pipeline_counts_from_where_it_stands(self):
        def steps(connection):
            with connection, connection.pipeline():
                connection.execute('DELETE FROM orgs WHERE id = %s', (1,))
                connection.execute('SET LOCAL pgcascade.mode = off')
                connection.execute('DELETE FROM orgs WHERE id = %s', (2,))
                connection.execute('SET LOCAL pgcascade.mode = on')
                connection.execute('DELETE FROM orgs WHERE id = %s', (3,))

        self.assertEqual(self.gone(steps), both(orgs(1, 3), {'orgs': {2}}))
