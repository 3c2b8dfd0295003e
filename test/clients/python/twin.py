"""One schema made twice: with enforced keys, asked directly, and NOT ENFORCED, asked through the proxy.

The first is the oracle for the second: a test runs its steps on both, and what it saw and what is left must be equal.
"""

import os
import unittest
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Side:
    name: str
    variable: str

    @property
    def url(self):
        return os.environ[self.variable]

    @property
    def parts(self):
        """The connection data for clients that do not take a URL."""
        url = urlsplit(self.url)
        return {'host': url.hostname, 'port': url.port, 'user': url.username, 'database': url.path[1:]}


NATIVE = Side('native', 'PGCASCADE_TEST_DIRECT_URL')
PROXIED = Side('proxied', 'PGCASCADE_TEST_PROXY_URL')
SIDES = (NATIVE, PROXIED)


def parse(contents):
    """What contents() of twin.sql says, as sets by table."""
    lines = (line.split(' ') for line in contents.splitlines())
    return {name: set(map(int, ids)) for name, *ids in lines}


def difference(before, after):
    """The rows that are gone by table; `nulled` and `parentless` are those whose reference became NULL."""
    changed = {name: before[name] ^ after[name] for name in before}
    return {name: ids for name, ids in changed.items() if ids}


def users(*ids):
    """All that goes with these users."""
    posts = {10 * id + j for id in ids for j in (1, 2)}
    return {'users': set(ids), 'posts': posts, 'nulled': set(ids)}


def orgs(*ids):
    """All that goes with these orgs."""
    return {'orgs': set(ids), **users(*(10 * id + j for id in ids for j in (1, 2)))}


def both(one, other):
    """All that is gone with the one or the other."""
    return {name: one.get(name, set()) | other.get(name, set()) for name in {**one, **other}}


#: What goes with account 0, document 2 and topics 2 to 4, whose keys are bigint, uuid and text.
OTHER_TYPES = {
    'accounts': {0},
    'entries': {0},
    'documents': {2},
    'pages': {2},
    'topics': {2, 3, 4},
    'labels': {2, 3, 4},
}

# What an error of each rule tells a program: org 4 has an invoice, user 52 a badge.
NO_ACTION = {
    'severity': 'ERROR',
    'sqlstate': '23503',
    'message_primary': 'update or delete on table "orgs" violates foreign key constraint "invoices_org_fkey" on table '
    '"invoices"',
    'message_detail': 'Key (id)=(4) is still referenced from table "invoices".',
    'message_hint': None,
    'statement_position': None,
    'schema_name': 'public',
    'table_name': 'invoices',
    'column_name': None,
    'constraint_name': 'invoices_org_fkey',
}
RESTRICT = {
    **NO_ACTION,
    'sqlstate': '23001',
    'message_primary': 'update or delete on table "users" violates RESTRICT setting of foreign key constraint '
    '"badges_user_fkey" on table "badges"',
    'message_detail': 'Key (id)=(52) is referenced from table "badges".',
    'table_name': 'badges',
    'constraint_name': 'badges_user_fkey',
}


def diagnostics(diag):
    """The same of an error that psycopg2 or psycopg 3 raised."""
    return {field: getattr(diag, field) for field in NO_ACTION}


class TwinTest(unittest.TestCase):
    """What every suite of a client begins with. A subclass says how its client connects and asks."""

    maxDiff = None

    def connect(self, side):
        """A connection of the client's; what gives it back is `close`."""
        raise NotImplementedError

    def close(self, connection):
        connection.close()

    @classmethod
    def open_asker(cls, side):
        """Opens a connection for as long as the class, beside the one of a test, that commits each statement.

        It gives a function from a query to the one value that it answers.
        """
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.ask = {side: cls.open_asker(side) for side in SIDES}

    def setUp(self):
        for side in SIDES:
            self.ask[side]('SELECT refill()')

    def run_on(self, side, steps):
        before = parse(self.ask[side]('SELECT contents()'))
        connection = self.connect(side)
        try:
            seen = steps(connection)
        except Exception as error:
            error.add_note(f'(on the {side.name} side)')
            raise
        finally:
            self.close(connection)
        return seen, difference(before, parse(self.ask[side]('SELECT contents()')))

    def expect(self, steps, seen, gone):
        """Runs the steps on both sides, a new connection each, and looks at what is committed afterwards.

        :param steps: takes a connection and gives what the client saw
        :param seen: what it has to see
        :param gone: what has to be gone, by table; the helpers `orgs` and `users` know what goes with them
        """
        native, proxied = (self.run_on(side, steps) for side in SIDES)
        self.assertEqual(proxied, native, 'the proxy (first) is not as the enforced keys (second)')
        self.assertEqual(proxied, (seen, gone))
