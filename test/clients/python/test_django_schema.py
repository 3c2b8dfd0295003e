"""Django's migrations, its flush and its introspection, beside deletes that cascade."""

from django.core.management.color import no_style
from django.db import connections, migrations, models, transaction
from django.db.migrations.state import ProjectState

from twin import NATIVE, orgs
from twin_django import DjangoTest, Org


def migration(alias):
    """Makes albums and songs, with a key in SQL as Django knows neither ON DELETE nor NOT ENFORCED."""
    keys = '' if alias == NATIVE.name else 'NOT ENFORCED'
    made = migrations.Migration('0001', 'music')
    made.operations = [
        migrations.CreateModel('Album', [('id', models.AutoField(primary_key=True)), ('title', models.TextField())]),
        migrations.CreateModel(
            'Song',
            [
                ('id', models.AutoField(primary_key=True)),
                ('album', models.ForeignKey('music.Album', models.DO_NOTHING, db_constraint=False)),
            ],
        ),
        migrations.RunSQL(
            'ALTER TABLE music_song ADD CONSTRAINT song_album_fkey '
            f'FOREIGN KEY (album_id) REFERENCES music_album ON DELETE CASCADE {keys}',
            'ALTER TABLE music_song DROP CONSTRAINT song_album_fkey',
        ),
    ]
    return made


class Migrations(DjangoTest):
    """Migrations"""

    def migrated(self, use):
        """Steps that migrate forward, use the models, and migrate back."""

        def steps(alias):
            made = migration(alias)
            before, after = ProjectState(), made.mutate_state(ProjectState())
            with connections[alias].schema_editor(atomic=True) as editor:
                made.apply(before.clone(), editor)
            try:
                album, song = (after.apps.get_model('music', name) for name in ('Album', 'Song'))
                return use(alias, album, song)
            finally:
                with connections[alias].schema_editor(atomic=True) as editor:
                    made.unapply(before.clone(), editor)

        return steps

    def test_make_keys_that_the_next_delete_follows(self):
        def use(alias, album, song):
            first, second = (album.objects.using(alias).create(title=title) for title in ('one', 'two'))
            song.objects.using(alias).bulk_create([song(album=each) for each in (first, first, second)])
            return album.objects.using(alias).filter(title='one').delete()[0], song.objects.using(alias).count()

        self.expect(self.migrated(use), (1, 1), {})

    def test_in_a_transaction_make_keys_that_its_own_deletes_follow(self):
        def steps(alias):
            with transaction.atomic(using=alias):
                with connections[alias].cursor() as cursor:
                    cursor.execute('ALTER TABLE posts DROP CONSTRAINT posts_user_fkey')
                    cursor.execute('DELETE FROM users WHERE id = 11')
                    cursor.execute('SELECT count(*) FROM posts WHERE user_id = 11')
                    left = cursor.fetchone()
                transaction.set_rollback(True, using=alias)
            return left, Org.objects.using(alias).filter(pk=1).delete()[0]

        self.expect(steps, ((2,), 1), orgs(1))


class Maintenance(DjangoTest):
    """Maintenance"""

    def test_flush_empties_all_tables_at_once(self):
        def steps(alias):
            connection = connections[alias]
            with transaction.atomic(using=alias):
                tables = connection.introspection.table_names()
                connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))
                left = Org.objects.using(alias).count()
                transaction.set_rollback(True, using=alias)
            return left, Org.objects.using(alias).count()

        self.expect(steps, (0, 5), {})

    def test_introspection_knows_the_keys(self):
        def steps(alias):
            connection = connections[alias]
            with connection.cursor() as cursor:
                constraints = connection.introspection.get_constraints(cursor, 'users')
            return {name: each['foreign_key'] for name, each in constraints.items() if each['foreign_key']}

        self.expect(steps, {'users_org_fkey': ('orgs', 'id')}, {})
