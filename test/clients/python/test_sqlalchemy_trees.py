"""SQLAlchemy's adjacency lists: a table that references itself."""

from sqlalchemy import Column, ForeignKey, Integer, Text, bindparam, delete, text
from sqlalchemy.orm import backref, declarative_base, relationship, selectinload
from sqlalchemy.orm.exc import StaleDataError

from twin_sqlalchemy import SqlalchemyTest


def node(**options):
    """Node, mapped anew with these options of its collection of children."""

    class Node(declarative_base()):
        __tablename__ = 'nodes'
        id = Column(Integer, primary_key=True)
        name = Column(Text)
        parent_id = Column(ForeignKey('nodes.id'))
        children = relationship('Node', backref=backref('parent', remote_side=id), **options)

    Node.registry.configure()
    return Node


LOADING = node(cascade='all, delete')
PASSIVE = node(cascade='all, delete', passive_deletes=True)

# The tree: 1 has 2 and 3, 2 has 4 and 5, 4 has 6; 7 has 8; 9 is its own parent.
WHOLE = {'nodes': {1, 2, 3, 4, 5, 6}, 'roots': {1}}
BRANCH = {'nodes': {2, 4, 5, 6}}


class Trees(SqlalchemyTest):
    """Trees"""

    def test_that_the_orm_loads_are_deleted_from_their_leaves_up(self):
        def steps(session):
            session.delete(session.get(LOADING, 1))
            with self.sent(session) as statements, self.warned() as warnings:
                session.commit()
            return set(statements), warnings

        self.expect(steps, ({'DELETE nodes'}, []), WHOLE)

    def test_with_passive_deletes_go_by_their_root(self):
        def steps(session):
            root = session.get(PASSIVE, 1)
            with self.sent(session) as statements, self.warned() as warnings:
                session.delete(root)
                session.commit()
            return statements, warnings

        self.expect(steps, (['DELETE nodes'], []), WHOLE)

    def test_with_passive_deletes_and_a_loaded_level_go_whole(self):
        def steps(session):
            root = session.get(PASSIVE, 1, options=[selectinload(PASSIVE.children)])
            session.delete(root)
            with self.warned() as warnings:
                session.commit()
            return warnings

        self.expect(steps, [], WHOLE)

    def test_with_passive_deletes_all_go_by_their_root_even_if_they_are_loaded(self):
        passive = node(passive_deletes='all')

        def steps(session):
            root = session.get(passive, 1, options=[selectinload(passive.children)])
            session.delete(root)
            with self.sent(session) as statements:
                session.commit()
            return statements

        self.expect(steps, ['DELETE nodes'], WHOLE)

    def test_without_a_cascade_leave_their_children_as_roots(self):
        nulling = node()

        def steps(session):
            session.delete(session.get(nulling, 2))
            session.commit()

        self.expect(steps, None, {'nodes': {2}, 'roots': {4, 5}})

    def test_lose_a_branch_that_is_taken_out_as_an_orphan(self):
        orphans = node(cascade='all, delete-orphan', passive_deletes=True, single_parent=True)

        def steps(session):
            root = session.get(orphans, 1)
            root.children.remove(session.get(orphans, 2))
            session.commit()
            return [child.id for child in root.children]

        self.expect(steps, [3], BRANCH)

    def test_lose_the_branch_of_a_bulk_delete_and_its_count_is_of_direct_rows(self):
        def steps(session):
            count = session.query(PASSIVE).filter(PASSIVE.id == 2).delete()
            session.commit()
            return count

        self.expect(steps, 1, BRANCH)

    def test_of_which_a_bulk_delete_names_parents_and_children_count_what_it_named(self):
        def steps(session):
            statement = delete(PASSIVE).where(PASSIVE.id.in_([1, 2, 6, 7]))
            count = session.execute(statement.execution_options(synchronize_session='fetch')).rowcount
            session.commit()
            return count

        self.expect(steps, 4, {'nodes': {1, 2, 3, 4, 5, 6, 7, 8}, 'roots': {1, 7}})

    def test_of_one_row_that_is_its_own_parent_end(self):
        def steps(session):
            with session.begin_nested():
                first = session.execute(text('DELETE FROM nodes WHERE id = 9')).rowcount
            session.commit()
            return first

        self.expect(steps, 1, {'nodes': {9}})

    def test_of_rows_that_return_are_those_that_were_named(self):
        def steps(session):
            table = PASSIVE.__table__
            statement = delete(table).where(table.c.parent_id == bindparam('parent')).returning(table.c.id)
            rows = sorted(session.execute(statement, {'parent': 1}).scalars())
            session.commit()
            return rows

        self.expect(steps, [2, 3], {'nodes': {2, 3, 4, 5, 6}})

    def test_come_back_with_a_savepoint(self):
        def steps(session):
            nested = session.begin_nested()
            session.delete(session.get(PASSIVE, 1))
            session.flush()
            during = session.query(PASSIVE).count()
            nested.rollback()
            session.delete(session.get(PASSIVE, 7))
            session.commit()
            return during

        self.expect(steps, 3, {'nodes': {7, 8}, 'roots': {7}})

    def test_lose_many_roots_in_one_flush(self):
        def steps(session):
            for id in (3, 5, 7):
                session.delete(session.get(PASSIVE, id))
            with self.warned() as warnings:
                session.commit()
            return warnings

        self.expect(steps, [], {'nodes': {3, 5, 7, 8}, 'roots': {7}})

    def test_tell_by_the_row_count_that_a_branch_is_gone_already(self):
        def steps(session):
            leaf = session.get(PASSIVE, 6)
            session.delete(session.get(PASSIVE, 1))
            session.flush()
            leaf.name = 'late'
            with self.assertRaises(StaleDataError):
                session.flush()
            session.rollback()

        self.expect(steps, None, {})
