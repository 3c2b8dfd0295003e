"""How SQLAlchemy connects and asks with its dialect for psycopg2, and the classes that its suites map."""

import warnings
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Column, ForeignKey, Integer, Text, create_engine, event
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import Session, backref, declarative_base, relationship

from twin import SIDES, diagnostics
from twin_psycopg2 import Psycopg2Test


class Models:
    """Org, User and Post, mapped anew.

    :param on: whether the relationship is declared on the `parent`, or on the `child` with a backref
    :param versioned: whether the classes have a `version_id_col`
    :param options: those of the collections Org.users and User.posts
    """

    def __init__(self, on='parent', versioned=False, **options):
        base = declarative_base()

        def collection(of, name):
            return {name: relationship(of, back_populates='parent', **options)} if on == 'parent' else {}

        def reference(to, name):
            ends = {'back_populates': name} if on == 'parent' else {'backref': backref(name, **options)}
            return {'parent': relationship(to, **ends)}

        def mapped(called, table, **columns):
            attributes = {'__tablename__': table, 'id': Column(Integer, primary_key=True), **columns}
            if versioned and table != 'posts':
                attributes['version'] = Column(Integer, nullable=False)
                attributes['__mapper_args__'] = {'version_id_col': attributes['version']}
            return type(called, (base,), attributes)

        self.Org = mapped('Org', 'orgs', name=Column(Text), **collection('User', 'users'))
        self.User = mapped(
            'User',
            'users',
            name=Column(Text),
            org_id=Column(ForeignKey('orgs.id')),
            **reference('Org', 'users'),
            **collection('Post', 'posts'),
        )
        self.Post = mapped('Post', 'posts', user_id=Column(ForeignKey('users.id')), **reference('User', 'posts'))
        # A backref is known only when the classes have been put together.
        base.registry.configure()


class SqlalchemyTest(Psycopg2Test):
    """Steps take a session here."""

    #: What the dialect's function that makes an engine takes beside the URL.
    engine_options = {}

    @classmethod
    def create_engine(cls, side):
        url = side.url.replace('postgres:', 'postgresql+psycopg2:')
        return create_engine(url, future=True, **cls.engine_options)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # An engine asks the server what it can do, and keeps the connections that a session gives back.
        cls.engines = {side: cls.create_engine(side) for side in SIDES}
        for engine in cls.engines.values():
            cls.addClassCleanup(cls.dispose, engine)

    @staticmethod
    def dispose(engine):
        engine.dispose()

    def connect(self, side):
        return Session(self.engines[side], future=True)

    def diagnostics(self, error):
        """The server's fields of an error that SQLAlchemy has wrapped."""
        assert isinstance(error.orig, psycopg2.Error)
        return diagnostics(error.orig.diag)

    @contextmanager
    def sent(self, session):
        """Gives the list of the statements that are sent meanwhile, without what stands after the table."""
        statements = []
        engine = session.get_bind()

        def note(connection, cursor, statement, parameters, context, executemany):
            words = statement.split()
            named = words[words.index('FROM') + 1] if 'FROM' in words else words[1]
            statements.append(f'{words[0]} {named}')

        event.listen(engine, 'before_cursor_execute', note)
        try:
            yield statements
        finally:
            event.remove(engine, 'before_cursor_execute', note)

    @contextmanager
    def warned(self):
        """Gives the list of what SQLAlchemy warns of meanwhile."""
        told = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always', SAWarning)
            yield told
        told.extend(str(each.message) for each in caught if issubclass(each.category, SAWarning))
