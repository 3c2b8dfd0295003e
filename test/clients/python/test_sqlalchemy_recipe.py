"""The recipe of docs/orms.md for SQLAlchemy: the classes declare that the database does it."""

from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base, relationship, selectinload

from twin import orgs, users
from twin_sqlalchemy import SqlalchemyTest

Base = declarative_base()


class Org(Base):
    __tablename__ = 'orgs'
    id = Column(Integer, primary_key=True)
    users = relationship('User', back_populates='org', passive_deletes='all')


class User(Base):
    __tablename__ = 'users'
    id = Column(Integer, primary_key=True)
    org_id = Column(ForeignKey('orgs.id', ondelete='CASCADE'))
    org = relationship('Org', back_populates='users')
    posts = relationship('Post', viewonly=True)


class Post(Base):
    __tablename__ = 'posts'
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey('users.id', ondelete='CASCADE'))


class Recipe(SqlalchemyTest):
    """The recipe"""

    def deleted(self, of, load=()):
        """Steps that delete the first object of a class, these children loaded, and give the statements this takes."""

        def steps(session):
            first = session.query(of).options(*map(selectinload, load)).order_by(of.id).first()
            with self.sent(session) as statements, self.warned() as warnings:
                session.delete(first)
                session.commit()
            return statements, warnings

        return steps

    def test_sends_one_delete_whether_children_are_loaded_or_not(self):
        for load in ((), (Org.users,)):
            self.setUp()
            self.expect(self.deleted(Org, load), (['DELETE orgs'], []), orgs(1))

    def test_touches_no_child_that_is_only_viewed(self):
        for load in ((), (User.posts,)):
            self.setUp()
            self.expect(self.deleted(User, load), (['DELETE users'], []), users(11))

    def test_finds_the_children_gone_when_the_session_looks_again(self):
        def steps(session):
            user = session.get(User, 11)
            session.delete(session.get(Org, 1))
            session.flush()
            session.expire_all()
            return session.query(User).filter_by(id=11).one_or_none(), user in session, session.commit()

        self.expect(steps, (None, True, None), orgs(1))
