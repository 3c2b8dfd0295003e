"""SQLAlchemy's unit of work: what the ORM deletes itself, and what it leaves to the database."""

from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from twin import NO_ACTION, RESTRICT, both, orgs, users
from twin_sqlalchemy import Models, SqlalchemyTest

DELETE = {'cascade': 'all, delete'}
PASSIVE = {'cascade': 'all, delete', 'passive_deletes': True}
ORPHANS = {'cascade': 'all, delete-orphan', 'passive_deletes': True}


class Relationships(SqlalchemyTest):
    """Relationships"""

    def delete(self, models, id=1, load=False):
        """Steps that delete an org, its users loaded or not, and give the statements that this takes."""

        def steps(session):
            options = [selectinload(models.Org.users)] if load else []
            org = session.get(models.Org, id, options=options)
            with self.sent(session) as statements:
                session.delete(org)
                session.commit()
            return statements

        return steps

    def test_that_cascade_in_the_orm_find_nothing_left_for_the_database(self):
        statements = ['SELECT users', 'SELECT posts', 'SELECT posts', 'DELETE posts', 'DELETE users', 'DELETE orgs']
        self.expect(self.delete(Models(**DELETE)), statements, orgs(1))

    def test_declared_on_the_child_with_a_backref_cascade_likewise(self):
        statements = ['SELECT users', 'SELECT posts', 'SELECT posts', 'DELETE posts', 'DELETE users', 'DELETE orgs']
        self.expect(self.delete(Models(on='child', **DELETE)), statements, orgs(1))

    def test_with_passive_deletes_leave_children_that_are_not_loaded_to_the_database(self):
        for on in ('parent', 'child'):
            self.setUp()
            self.expect(self.delete(Models(on=on, **PASSIVE)), ['DELETE orgs'], orgs(1))

    def test_with_passive_deletes_delete_loaded_children_and_leave_the_rest_to_the_database(self):
        steps = self.delete(Models(**PASSIVE), load=True)
        self.expect(steps, ['DELETE users', 'DELETE orgs'], orgs(1))

    def test_with_passive_deletes_all_touch_no_child_even_if_it_is_loaded(self):
        for on in ('parent', 'child'):
            self.setUp()
            steps = self.delete(Models(on=on, passive_deletes='all'), load=True)
            self.expect(steps, ['DELETE orgs'], orgs(1))

    def test_by_default_null_the_children_first_which_then_stay(self):
        steps = self.delete(Models())
        self.expect(steps, ['SELECT users', 'UPDATE users', 'DELETE orgs'], {'orgs': {1}, 'parentless': {11, 12}})

    def test_by_default_with_passive_deletes_null_only_what_is_loaded(self):
        steps = self.delete(Models(passive_deletes=True), load=True)
        self.expect(steps, ['UPDATE users', 'DELETE orgs'], {'orgs': {1}, 'parentless': {11, 12}})
        self.setUp()
        self.expect(self.delete(Models(passive_deletes=True)), ['DELETE orgs'], orgs(1))

    def test_with_delete_orphan_delete_the_child_that_is_taken_out(self):
        models = Models(**ORPHANS)

        def steps(session):
            org = session.get(models.Org, 1)
            org.users.remove(session.get(models.User, 11))
            with self.sent(session) as statements:
                session.commit()
            return statements

        self.expect(steps, ['DELETE users'], users(11))

    def test_with_delete_orphan_delete_what_a_new_collection_replaces(self):
        models = Models(**ORPHANS)

        def steps(session):
            org = session.get(models.Org, 1)
            org.users = []
            session.get(models.Org, 2).users = [models.User(id=29)]
            session.commit()
            return [user.id for user in session.get(models.Org, 2).users]

        gone = users(11, 12, 21, 22)
        self.expect(steps, [29], both(gone, {'users': {29}}))


class Sessions(SqlalchemyTest):
    """Sessions"""

    def test_delete_parents_and_children_of_one_flush_in_their_order(self):
        models = Models(**PASSIVE)

        def steps(session):
            for loaded in (session.get(models.Org, 1), session.get(models.User, 11), session.get(models.User, 21)):
                session.delete(loaded)
            with self.warned() as warnings:
                session.commit()
            return warnings

        self.expect(steps, [], both(orgs(1), users(21)))

    def test_delete_many_objects_of_a_class_in_one_flush(self):
        models = Models(**PASSIVE)

        def steps(session):
            for org in session.query(models.Org).filter(models.Org.id < 4):
                session.delete(org)
            with self.sent(session) as statements, self.warned() as warnings:
                session.commit()
            return statements, warnings

        self.expect(steps, (['DELETE orgs'], []), orgs(1, 2, 3))

    def test_delete_nothing_of_many_where_one_is_restricted(self):
        models = Models(**PASSIVE)

        def steps(session):
            for org in session.query(models.Org).filter(models.Org.id != 4):
                session.delete(org)
            with self.assertRaises(IntegrityError) as caught:
                session.flush()
            session.rollback()
            return self.diagnostics(caught.exception), session.query(models.User).count()

        self.expect(steps, (RESTRICT, 10), {})

    def test_raise_IntegrityError_with_the_fields_of_no_action_and_go_on_after_rollback(self):
        models = Models(**PASSIVE)

        def steps(session):
            session.delete(session.get(models.Org, 4))
            with self.assertRaises(IntegrityError) as caught:
                session.commit()
            session.rollback()
            session.delete(session.get(models.Org, 1))
            session.commit()
            return self.diagnostics(caught.exception)

        self.expect(steps, NO_ACTION, orgs(1))

    def test_roll_back_to_a_savepoint_and_go_on(self):
        models = Models(**PASSIVE)

        def steps(session):
            session.delete(session.get(models.Org, 1))
            with self.assertRaises(IntegrityError), session.begin_nested():
                session.delete(session.get(models.Org, 2))
                session.flush()
                session.delete(session.get(models.Org, 5))
            nested = session.begin_nested()
            session.delete(session.get(models.Org, 3))
            session.flush()
            nested.rollback()
            session.delete(session.get(models.User, 21))
            session.commit()
            return [org.id for org in session.query(models.Org).order_by(models.Org.id)]

        self.expect(steps, [2, 3, 4, 5], both(orgs(1), users(21)))

    def test_find_what_the_database_deleted_gone_once_they_look(self):
        models = Models(**PASSIVE)

        def steps(session):
            user = session.get(models.User, 11)
            session.delete(session.get(models.Org, 1))
            session.flush()
            known = session.get(models.User, 11) is user
            session.expire_all()
            self.assertRaises(ObjectDeletedError, getattr, user, 'name')
            return known, session.get(models.User, 12), session.commit()

        self.expect(steps, (True, None, None), orgs(1))

    def test_call_events_for_what_the_orm_deletes_only(self):
        models = Models(**PASSIVE)

        def steps(session):
            deleted = []
            for each in (models.Org, models.User):
                event.listen(each, 'after_delete', lambda mapper, connection, target: deleted.append(target.id))
            session.delete(session.get(models.Org, 1))
            session.commit()
            for each in (models.Org, models.User):
                each.__mapper__.dispatch.after_delete.clear()
            return deleted

        self.expect(steps, [1], orgs(1))


class RowCounts(SqlalchemyTest):
    """Row counts"""

    #: Whether the rows of each of many deletes are known, or only those of the last.
    counts_each = True

    def test_of_a_version_that_is_the_right_one_let_the_delete_be(self):
        models = Models(versioned=True, **PASSIVE)

        def steps(session):
            session.delete(session.get(models.Org, 1))
            session.commit()

        self.expect(steps, None, orgs(1))

    def test_of_a_version_that_has_moved_on_raise_StaleDataError(self):
        models = Models(versioned=True, **PASSIVE)

        def steps(session):
            org = session.get(models.Org, 1)
            session.connection().exec_driver_sql('UPDATE orgs SET version = 2 WHERE id = 1')
            session.delete(org)
            with self.assertRaises(StaleDataError) as caught:
                session.flush()
            session.rollback()
            return str(caught.exception)

        message = "DELETE statement on table 'orgs' expected to delete 1 row(s); 0 were matched.  Please set "
        message += 'confirm_deleted_rows=False within the mapper configuration to prevent this warning.'
        self.expect(steps, message, {})

    def test_of_many_versions_of_which_one_has_moved_on_are_checked_where_the_driver_counts_each(self):
        models = Models(versioned=True, **PASSIVE)

        def steps(session):
            loaded = session.query(models.Org).filter(models.Org.id < 4).all()
            session.connection().exec_driver_sql('UPDATE orgs SET version = 2 WHERE id = 2')
            for org in loaded:
                session.delete(org)
            try:
                session.commit()
            except StaleDataError:
                session.rollback()
                return 'stale'

        self.expect(steps, *(('stale', {}) if self.counts_each else (None, orgs(1, 3))))

    def test_of_a_versioned_child_that_the_database_deleted_raise_StaleDataError(self):
        models = Models(versioned=True, **PASSIVE)

        def steps(session):
            user = session.get(models.User, 11)
            session.delete(session.get(models.Org, 1))
            session.flush()
            session.delete(user)
            with self.assertRaises(StaleDataError):
                session.flush()
            session.rollback()

        self.expect(steps, None, {})

    def test_of_a_child_that_the_database_deleted_give_a_warning(self):
        models = Models(**PASSIVE)

        def steps(session):
            user = session.get(models.User, 11)
            session.delete(session.get(models.Org, 1))
            session.flush()
            session.delete(user)
            with self.warned() as warnings:
                session.commit()
            return [each.partition('  Please')[0] for each in warnings]

        warning = "DELETE statement on table 'users' expected to delete 1 row(s); 0 were matched."
        self.expect(steps, [warning], orgs(1))

    def test_of_an_update_of_a_versioned_child_that_is_gone_raise_StaleDataError(self):
        models = Models(versioned=True, **PASSIVE)

        def steps(session):
            user = session.get(models.User, 11)
            session.delete(session.get(models.Org, 1))
            session.flush()
            user.name = 'late'
            with self.assertRaises(StaleDataError):
                session.flush()
            session.rollback()

        self.expect(steps, None, {})


class SessionsInBatches(Sessions):
    """Sessions that send many deletes in one string"""

    engine_options = {'executemany_mode': 'values_plus_batch', 'executemany_batch_page_size': 2}


class RowCountsInBatches(RowCounts):
    """Row counts of many deletes in one string"""

    engine_options = SessionsInBatches.engine_options
    counts_each = False
