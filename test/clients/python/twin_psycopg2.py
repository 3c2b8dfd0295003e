"""How psycopg2 connects and asks, for the suites that use it."""

import psycopg2

from twin import TwinTest


class Psycopg2Test(TwinTest):
    def connect(self, side):
        return psycopg2.connect(side.url)

    @classmethod
    def open_asker(cls, side):
        connection = psycopg2.connect(side.url)
        connection.autocommit = True
        cls.addClassCleanup(connection.close)

        def ask(sql):
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0]

        return ask
