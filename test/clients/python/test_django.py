"""Django: its collector, its deletes that go round it, and its transactions."""

from django.db import IntegrityError, connections, transaction
from django.db.models import ProtectedError, RestrictedError
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext

from twin import NO_ACTION, RESTRICT, both, diagnostics, orgs, users
from twin_django import CollectedOrg, CollectedUser, DjangoTest, Org, User


def sent(alias, deletes):
    """What the deletes gave, and which statements they sent, without what stands after the table."""
    with CaptureQueriesContext(connections[alias]) as captured:
        result = deletes()
    return result, [' '.join(query['sql'].split('WHERE')[0].split()) for query in captured.captured_queries]


class Collector(DjangoTest):
    """Django's collector, with on_delete=CASCADE"""

    def test_deletes_the_children_itself_and_counts_them_all(self):
        def steps(alias):
            return CollectedOrg.objects.using(alias).get(pk=1).delete()

        counts = {'collected.CollectedPost': 4, 'collected.CollectedUser': 2, 'collected.CollectedOrg': 1}
        self.expect(steps, (7, counts), orgs(1))

    def test_deletes_those_of_a_queryset(self):
        def steps(alias):
            return CollectedOrg.objects.using(alias).filter(pk__in=[1, 2]).delete()[0]

        self.expect(steps, 14, orgs(1, 2))

    def test_sends_signals_for_the_children(self):
        def steps(alias):
            deleted = []

            def note(instance, **_):
                deleted.append(instance.pk)

            post_delete.connect(note, sender=CollectedUser)
            try:
                CollectedOrg.objects.using(alias).get(pk=1).delete()
            finally:
                post_delete.disconnect(note, sender=CollectedUser)
            return sorted(deleted)

        self.expect(steps, [11, 12], orgs(1))

    def test_stops_before_it_sends_anything_at_what_is_protected_or_restricted(self):
        def steps(alias):
            with self.assertRaises(ProtectedError):
                CollectedOrg.objects.using(alias).get(pk=4).delete()
            with self.assertRaises(RestrictedError):
                CollectedOrg.objects.using(alias).get(pk=5).delete()

        self.expect(steps, None, {})


class DoNothing(DjangoTest):
    """Deletes that are left to the database, with on_delete=DO_NOTHING"""

    def test_of_an_object_send_one_statement_and_count_its_row_only(self):
        def steps(alias):
            org = Org.objects.using(alias).get(pk=1)
            return sent(alias, org.delete)

        self.expect(steps, ((1, {'left.Org': 1}), ['DELETE FROM "orgs"']), orgs(1))

    def test_of_a_queryset_take_the_fast_path_and_count_the_parents(self):
        def steps(alias):
            return sent(alias, Org.objects.using(alias).filter(pk__in=[1, 2, 99]).delete)

        self.expect(steps, ((2, {'left.Org': 2}), ['DELETE FROM "orgs"']), orgs(1, 2))

    def test_of_a_queryset_over_its_children_see_them_before_they_go(self):
        def steps(alias):
            chosen = Org.objects.using(alias).filter(user__name='user 1', user__post__in=[111, 211]).distinct()
            return Org.objects.using(alias).filter(pk__in=chosen).delete()

        self.expect(steps, (2, {'left.Org': 2}), orgs(1, 2))

    def test_raw_count_the_parents(self):
        def steps(alias):
            queryset = Org.objects.using(alias).filter(pk__lt=3)
            return queryset._raw_delete(using=alias), queryset.count()

        self.expect(steps, (2, 0), orgs(1, 2))

    def test_of_nothing_count_nothing(self):
        self.expect(lambda alias: Org.objects.using(alias).filter(name='nobody').delete(), (0, {}), {})

    def test_of_a_middle_level_null_and_cascade_below_it(self):
        self.expect(lambda alias: User.objects.using(alias).filter(org=1).delete()[0], 2, users(11, 12))

    def test_in_sql_return_rows_and_count(self):
        def steps(alias):
            with connections[alias].cursor() as cursor:
                cursor.execute('DELETE FROM orgs WHERE id = %s RETURNING name', [1])
                rows = cursor.fetchall()
                cursor.execute('DELETE FROM orgs WHERE id = ANY(%s)', [[2, 99]])
                count = cursor.rowcount
                cursor.executemany('DELETE FROM users WHERE id = %s', [(31,), (32,)])
                return rows, count, cursor.rowcount

        self.expect(steps, ([('org 1',)], 1, 2), both(orgs(1, 2), users(31, 32)))

    def test_by_a_raw_queryset_give_objects(self):
        def steps(alias):
            deleted = Org.objects.using(alias).raw('DELETE FROM orgs WHERE id < %s RETURNING *', [3])
            return sorted(org.name for org in deleted)

        self.expect(steps, ['org 1', 'org 2'], orgs(1, 2))

    def test_while_rows_are_iterated_in_a_cursor_of_the_server_leave_them_to_it(self):
        def steps(alias):
            with transaction.atomic(using=alias):
                rows = User.objects.using(alias).order_by('pk').values_list('pk', flat=True).iterator(chunk_size=2)
                first = next(rows)
                Org.objects.using(alias).filter(pk__in=[1, 2]).delete()
                return first, list(rows)

        self.expect(steps, (11, [12, 21, 22, 31, 32, 41, 42, 51, 52]), orgs(1, 2))

    def test_of_rows_that_are_locked_first_cascade(self):
        def steps(alias):
            with transaction.atomic(using=alias):
                org = Org.objects.using(alias).select_for_update().get(pk=1)
                return org.delete()[0]

        self.expect(steps, 1, orgs(1))


class Transactions(DjangoTest):
    """Transactions"""

    def test_that_fail_bring_parent_and_children_back(self):
        def steps(alias):
            during = None
            with self.assertRaises(RuntimeError), transaction.atomic(using=alias):
                Org.objects.using(alias).filter(pk=1).delete()
                during = User.objects.using(alias).count()
                raise RuntimeError('the application gives up')
            return during, User.objects.using(alias).count()

        self.expect(steps, (8, 10), {})

    def test_that_are_nested_are_savepoints(self):
        def steps(alias):
            with transaction.atomic(using=alias):
                Org.objects.using(alias).filter(pk=1).delete()
                with self.assertRaises(IntegrityError), transaction.atomic(using=alias):
                    Org.objects.using(alias).filter(pk=2).delete()
                    Org.objects.using(alias).filter(pk=5).delete()
                with transaction.atomic(using=alias):
                    return Org.objects.using(alias).filter(pk=3).delete()[0]

        self.expect(steps, 1, orgs(1, 3))

    def test_are_rolled_back_to_savepoints_by_hand(self):
        def steps(alias):
            with transaction.atomic(using=alias):
                point = transaction.savepoint(using=alias)
                Org.objects.using(alias).filter(pk=1).delete()
                transaction.savepoint_rollback(point, using=alias)
                Org.objects.using(alias).filter(pk=2).delete()

        self.expect(steps, None, orgs(2))

    def test_call_what_waits_for_their_commit(self):
        def steps(alias):
            called = []
            with transaction.atomic(using=alias):
                Org.objects.using(alias).filter(pk=1).delete()
                transaction.on_commit(lambda: called.append('committed'), using=alias)
                before = list(called)
            return before, called

        self.expect(steps, ([], ['committed']), orgs(1))

    def test_are_broken_by_an_error_until_their_end(self):
        def steps(alias):
            with transaction.atomic(using=alias):
                with self.assertRaises(IntegrityError):
                    Org.objects.using(alias).filter(pk=4).delete()
                with self.assertRaises(transaction.TransactionManagementError):
                    User.objects.using(alias).count()
                transaction.set_rollback(True, using=alias)
            return User.objects.using(alias).count()

        self.expect(steps, 10, {})


class Errors(DjangoTest):
    """Errors"""

    def raised(self, **chosen):
        def steps(alias):
            with self.assertRaises(IntegrityError) as caught:
                Org.objects.using(alias).filter(**chosen).delete()
            Org.objects.using(alias).filter(pk=1).delete()
            return diagnostics(caught.exception.__cause__.diag)

        return steps

    def test_of_no_action_are_IntegrityError_in_autocommit_and_the_connection_goes_on(self):
        self.expect(self.raised(pk=4), NO_ACTION, orgs(1))

    def test_of_restrict_are_IntegrityError_in_autocommit_and_nothing_is_deleted(self):
        self.expect(self.raised(pk__in=[1, 2, 5]), RESTRICT, orgs(1))
