"""How Django connects and asks: settings without a project, and two sets of models over the tables of twin.sql."""

import sys

import django
from django.apps import AppConfig
from django.conf import settings
from django.db import connections, models

from twin import SIDES
from twin_psycopg2 import Psycopg2Test

if not settings.configured:
    # An app has to be installed for its models to know who references them; this file is both of them.
    apps = [AppConfig(label, sys.modules[__name__]) for label in ('left', 'collected')]
    settings.configure(DATABASES={'default': {}}, INSTALLED_APPS=apps, USE_TZ=True)
    django.setup()


class Org(models.Model):
    """Django is told nothing of what the database does with its children."""

    name = models.TextField()

    class Meta:
        app_label = 'left'
        db_table = 'orgs'


class User(models.Model):
    name = models.TextField(null=True)
    org = models.ForeignKey(Org, models.DO_NOTHING, null=True)

    class Meta:
        app_label = 'left'
        db_table = 'users'


class Post(models.Model):
    user = models.ForeignKey(User, models.DO_NOTHING, null=True)

    class Meta:
        app_label = 'left'
        db_table = 'posts'


class CollectedOrg(models.Model):
    """Django's collector does all that is to do."""

    class Meta:
        app_label = 'collected'
        db_table = 'orgs'


class CollectedUser(models.Model):
    org = models.ForeignKey(CollectedOrg, models.CASCADE)

    class Meta:
        app_label = 'collected'
        db_table = 'users'


class CollectedPost(models.Model):
    user = models.ForeignKey(CollectedUser, models.CASCADE)

    class Meta:
        app_label = 'collected'
        db_table = 'posts'


class CollectedNote(models.Model):
    user = models.ForeignKey(CollectedUser, models.SET_NULL, null=True)

    class Meta:
        app_label = 'collected'
        db_table = 'notes'


class CollectedBadge(models.Model):
    user = models.ForeignKey(CollectedUser, models.RESTRICT, null=True)

    class Meta:
        app_label = 'collected'
        db_table = 'badges'


class CollectedInvoice(models.Model):
    org = models.ForeignKey(CollectedOrg, models.PROTECT, null=True)

    class Meta:
        app_label = 'collected'
        db_table = 'invoices'


class DjangoTest(Psycopg2Test):
    """Steps take the alias of a database here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for side in SIDES:
            parts = {name.upper(): value for name, value in side.parts.items()}
            parts['NAME'] = parts.pop('DATABASE')
            connections.databases[side.name] = {'ENGINE': 'django.db.backends.postgresql', **parts}
            connections.ensure_defaults(side.name)
            connections.prepare_test_settings(side.name)

    def connect(self, side):
        return side.name

    def close(self, alias):
        connections[alias].close()
