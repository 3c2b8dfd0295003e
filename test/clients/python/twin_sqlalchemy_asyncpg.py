"""How SQLAlchemy connects with its dialect for asyncpg: the steps are the same, and run by its greenlets."""

import asyncio

import greenlet  # noqa: F401 - without it SQLAlchemy fails only when it is asked
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

import twin_asyncpg
from twin import TwinTest


class AsyncpgDialect(TwinTest):
    """Mixed into a class of SqlalchemyTest, it makes its sessions asynchronous ones."""

    @classmethod
    def create_engine(cls, side):
        return create_async_engine(side.url.replace('postgres:', 'postgresql+asyncpg:'), poolclass=NullPool)

    @staticmethod
    def dispose(engine):
        """It keeps no connection: an event loop takes its own along."""

    def connect(self, side):
        """Nothing yet: a session belongs to the event loop that made it."""

    def close(self, session):
        pass

    def run_on(self, side, steps):
        async def asynchronously():
            async with AsyncSession(self.engines[side]) as session:
                return await session.run_sync(steps)

        return super().run_on(side, lambda _: asyncio.run(asynchronously()))

    def diagnostics(self, error):
        # The dialect raises an error of its own from the one that asyncpg raised.
        return twin_asyncpg.diagnostics(error.orig.__cause__)
