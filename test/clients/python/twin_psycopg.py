"""How psycopg 3 connects and asks, for the suites that use it."""

import psycopg

from twin import TwinTest


class PsycopgTest(TwinTest):
    def connect(self, side):
        return psycopg.connect(side.url)

    @classmethod
    def open_asker(cls, side):
        connection = psycopg.connect(side.url, autocommit=True)
        cls.addClassCleanup(connection.close)
        return lambda sql: connection.execute(sql).fetchone()[0]
