"""How asyncpg connects and asks, for the suites that use it."""

import asyncio

import asyncpg

from twin import NO_ACTION, TwinTest

# Of the fields that an error has, those that asyncpg names otherwise.
NAMES = {
    'message_primary': 'message',
    'message_detail': 'detail',
    'message_hint': 'hint',
    'statement_position': 'position',
}


def diagnostics(error):
    """What an error tells a program, by the names of libpq."""
    return {field: getattr(error, NAMES.get(field, field), None) for field in NO_ACTION}


class AsyncpgTest(TwinTest):
    """Steps are coroutines here, and each side's run in an event loop of their own."""

    #: What `asyncpg.connect` takes beside the URL.
    options = {}

    async def open(self, side):
        return await asyncpg.connect(side.url, **self.options)

    def run_on(self, side, steps):
        async def asynchronously():
            connection = await self.open(side)
            try:
                return await steps(connection)
            finally:
                await connection.close()

        return super().run_on(side, lambda _: asyncio.run(asynchronously()))

    def connect(self, side):
        """Nothing yet: a connection belongs to the event loop that made it."""

    def close(self, connection):
        pass

    @classmethod
    def open_asker(cls, side):
        loop = asyncio.new_event_loop()
        connection = loop.run_until_complete(asyncpg.connect(side.url))
        cls.addClassCleanup(loop.close)
        cls.addClassCleanup(lambda: loop.run_until_complete(connection.close()))
        return lambda sql: loop.run_until_complete(connection.fetchval(sql))
