"""SQLAlchemy again, all of it, with its dialect for asyncpg."""

import test_sqlalchemy
import test_sqlalchemy_bulk
import test_sqlalchemy_trees
from twin_sqlalchemy_asyncpg import AsyncpgDialect


class Relationships(AsyncpgDialect, test_sqlalchemy.Relationships):
    """Relationships"""


class Sessions(AsyncpgDialect, test_sqlalchemy.Sessions):
    """Sessions"""


class RowCounts(AsyncpgDialect, test_sqlalchemy.RowCounts):
    """Row counts"""

    counts_each = False


class BulkDeletes(AsyncpgDialect, test_sqlalchemy_bulk.BulkDeletes):
    """Bulk deletes"""


class Core(AsyncpgDialect, test_sqlalchemy_bulk.Core):
    """Core"""


class Mappings(AsyncpgDialect, test_sqlalchemy_bulk.Mappings):
    """Inheritance and many-to-many"""


class Trees(AsyncpgDialect, test_sqlalchemy_trees.Trees):
    """Trees"""
