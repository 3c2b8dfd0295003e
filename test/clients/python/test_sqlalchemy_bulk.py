"""SQLAlchemy's deletes that go round the ORM's cascades: bulk deletes, Core, text, inheritance, many-to-many."""

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, bindparam, delete, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import declarative_base, relationship

from twin import RESTRICT, both, orgs, users
from twin_sqlalchemy import Models, SqlalchemyTest

models = Models(cascade='all, delete', passive_deletes=True)
Org, User, Post = models.Org, models.User, models.Post

Base = declarative_base()


class Person(Base):
    __tablename__ = 'people'
    id = Column(Integer, primary_key=True)
    kind = Column(Text)
    __mapper_args__ = {'polymorphic_on': kind, 'polymorphic_identity': 'person', 'passive_deletes': True}


class Manager(Person):
    __tablename__ = 'managers'
    id = Column(ForeignKey('people.id'), primary_key=True)
    bonus = Column(Integer)
    __mapper_args__ = {'polymorphic_identity': 'manager'}


members = Table(
    'members',
    Base.metadata,
    Column('team_id', ForeignKey('teams.id'), primary_key=True),
    Column('player_id', ForeignKey('players.id'), primary_key=True),
)


class Player(Base):
    __tablename__ = 'players'
    id = Column(Integer, primary_key=True)


class Team(Base):
    __tablename__ = 'teams'
    id = Column(Integer, primary_key=True)
    players = relationship(Player, secondary=members, backref='teams', passive_deletes=True)


class BulkDeletes(SqlalchemyTest):
    """Bulk deletes"""

    def test_of_a_query_cascade_with_every_way_to_synchronize_the_session(self):
        for way in (False, 'fetch', 'evaluate'):
            self.setUp()

            def steps(session):
                loaded = session.get(Org, 1), session.get(Org, 3)
                query = session.query(Org).filter(Org.id.in_([1, 2, 99]))
                count = query.delete(synchronize_session=way)
                known = [org in session for org in loaded]
                session.commit()
                return count, known

            self.expect(steps, (2, [way is False, True]), orgs(1, 2))

    def test_as_statements_cascade_with_every_way_to_synchronize_the_session(self):
        for way in (False, 'fetch', 'evaluate'):
            self.setUp()

            def steps(session):
                loaded = session.get(Org, 1)
                statement = delete(Org).where(Org.id == 1).execution_options(synchronize_session=way)
                count = session.execute(statement).rowcount
                known = loaded in session
                session.commit()
                return count, known

            self.expect(steps, (1, way is False), orgs(1))

    def test_leave_children_in_the_session_until_they_are_looked_at_again(self):
        def steps(session):
            user = session.get(User, 11)
            session.query(Org).filter_by(id=1).delete()
            known = user in session
            session.expire(user)
            return known, session.query(User).filter_by(id=11).one_or_none(), session.commit()

        self.expect(steps, (True, None, None), orgs(1))

    def test_of_a_middle_level_count_its_rows_only(self):
        def steps(session):
            count = session.query(User).filter(User.org_id == 1).delete()
            session.commit()
            return count

        self.expect(steps, 2, users(11, 12))

    def test_that_break_a_rule_delete_nothing(self):
        def steps(session):
            with self.assertRaises(IntegrityError) as caught:
                session.query(Org).filter(Org.id.in_([1, 5])).delete()
            session.rollback()
            return self.diagnostics(caught.exception)

        self.expect(steps, RESTRICT, {})

    def test_of_nothing_count_nothing(self):
        def steps(session):
            count = session.query(Org).filter(Org.name == 'nobody').delete()
            session.commit()
            return count

        self.expect(steps, 0, {})

    def test_by_a_subquery_of_children_see_them_before_they_go(self):
        def steps(session):
            authors = select(User.org_id).join(Post).where(Post.id.in_([111, 311]))
            result = session.execute(
                delete(Org).where(Org.id.in_(authors)), execution_options={'synchronize_session': False}
            )
            session.commit()
            return result.rowcount

        self.expect(steps, 2, orgs(1, 3))

    def test_using_another_table_delete_a_parent_once(self):
        def steps(session):
            statement = delete(Org).where(Org.id == User.org_id, User.name == 'user 1', Org.id < 3)
            result = session.execute(statement, execution_options={'synchronize_session': False})
            session.commit()
            return result.rowcount

        self.expect(steps, 2, orgs(1, 2))


class Core(SqlalchemyTest):
    """Core"""

    def test_deletes_return_rows(self):
        def steps(session):
            table = Org.__table__
            result = session.execute(delete(table).where(table.c.id < 3).returning(table.c.id, table.c.name))
            rows = sorted(map(tuple, result))
            session.commit()
            return list(result.keys()), rows

        self.expect(steps, (['id', 'name'], [(1, 'org 1'), (2, 'org 2')]), orgs(1, 2))

    def test_deletes_with_a_common_table_expression_cascade(self):
        def steps(session):
            table = Org.__table__
            chosen = select(table.c.id).where(table.c.id < 3).cte('chosen')
            result = session.execute(delete(table).where(table.c.id.in_(select(chosen.c.id))).add_cte(chosen))
            session.commit()
            return result.rowcount

        self.expect(steps, 2, orgs(1, 2))

    def test_deletes_whose_rows_are_inserted_elsewhere_cascade(self):
        def steps(session):
            table = Org.__table__
            gone = delete(table).where(table.c.id < 3).returning(table.c.id).cte('gone')
            result = session.execute(insert(Player).from_select(['id'], select(gone.c.id + 10)))
            session.commit()
            return result.rowcount

        self.expect(steps, 2, both(orgs(1, 2), {'players': {11, 12}}))

    def test_deletes_with_many_sets_of_parameters_cascade_each(self):
        def steps(session):
            table = Org.__table__
            statement = delete(table).where(table.c.id == bindparam('gone'))
            session.connection().execute(statement, [{'gone': i} for i in (1, 2, 3)])
            session.commit()

        self.expect(steps, None, orgs(1, 2, 3))

    def test_text_with_parameters_cascades(self):
        def steps(session):
            one = session.execute(text('DELETE FROM orgs WHERE id = :id'), {'id': 1}).rowcount
            several = text('DELETE FROM orgs WHERE id IN :ids RETURNING id')
            several = several.bindparams(bindparam('ids', expanding=True))
            rows = sorted(session.execute(several, {'ids': [2, 3]}).scalars())
            session.commit()
            return one, rows

        self.expect(steps, (1, [2, 3]), orgs(1, 2, 3))

    def test_tables_that_are_reflected_know_their_keys_and_cascade(self):
        def steps(session):
            metadata = MetaData()
            metadata.reflect(session.connection(), only=['users'])
            keys = [(key.name, key.ondelete) for key in metadata.tables['users'].foreign_key_constraints]
            session.execute(delete(metadata.tables['orgs']).where(metadata.tables['orgs'].c.id == 1))
            session.commit()
            return keys

        self.expect(steps, [('users_org_fkey', 'CASCADE')], orgs(1))

    def test_rows_that_are_streamed_stay_while_a_cascade_deletes_them(self):
        def steps(session):
            result = session.execute(select(User.id).order_by(User.id).execution_options(yield_per=2))
            first = next(result)
            session.execute(delete(Org.__table__).where(Org.__table__.c.id < 3))
            rest = [id for (id,) in result]
            session.commit()
            return tuple(first), rest

        self.expect(steps, ((11,), [12, 21, 22, 31, 32, 41, 42, 51, 52]), orgs(1, 2))

    def test_autocommit_deletes_at_once(self):
        def steps(session):
            session.connection(execution_options={'isolation_level': 'AUTOCOMMIT'})
            session.execute(text('DELETE FROM orgs WHERE id = 1'))
            with self.assertRaises(IntegrityError):
                session.execute(text('DELETE FROM orgs WHERE id IN (2, 5)'))
            count = session.execute(text('DELETE FROM users WHERE id = 21')).rowcount
            session.rollback()
            return count

        self.expect(steps, 1, both(orgs(1), users(21)))


class Mappings(SqlalchemyTest):
    """Inheritance and many-to-many"""

    def test_a_subclass_is_left_to_the_database_with_its_base(self):
        def steps(session):
            session.delete(session.get(Manager, 1))
            with self.sent(session) as statements:
                session.commit()
            return statements

        self.expect(steps, ['DELETE people'], {'people': {1}, 'managers': {1}})

    def test_a_bulk_delete_of_the_base_takes_the_subclass_along(self):
        def steps(session):
            count = session.query(Person).delete(synchronize_session=False)
            session.commit()
            return count

        self.expect(steps, 4, {'people': {1, 2, 3, 4}, 'managers': {1, 2}})

    def test_members_of_a_team_are_left_to_the_database(self):
        def steps(session):
            session.delete(session.get(Team, 1))
            with self.sent(session) as statements:
                session.commit()
            return statements

        self.expect(steps, ['DELETE teams'], {'teams': {1}, 'members': {11, 12, 13}})

    def test_members_from_both_sides_go_in_one_flush(self):
        def steps(session):
            session.delete(session.get(Team, 1))
            session.delete(session.get(Player, 2))
            session.commit()

        gone = {'teams': {1}, 'players': {2}, 'members': {11, 12, 13, 22}}
        self.expect(steps, None, gone)
