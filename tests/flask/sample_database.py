"""Databases with the demo's sample, each a copy of one that `mtm apply` has filled, on the server of MTM_TEST_SERVER."""

import atexit
import functools
import itertools
import os
import sqlite3
import subprocess
from pathlib import Path

import psycopg2
from psycopg2.extras import NamedTupleCursor

ROOT = Path(__file__).parents[2]
NUMBERS = itertools.count()


def url_of(database):
    """The server's URL with this database in it."""
    head, _, settings = os.environ["MTM_TEST_SERVER"].partition("?")
    return f"{head.rstrip('/')}/{database}?{settings}"


def administer(*statements):
    """Runs statements that no database can run on itself."""
    connection = psycopg2.connect(url_of("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def create(name, template="template1"):
    """Makes a database, which goes when the tests end."""
    administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {template}")
    atexit.register(administer, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@functools.cache
def migrated_sample():
    """The name of the database that the others are copies of."""
    name = f"mtm_test_flask_{os.getpid()}"
    create(name)
    source = ["--source", os.environ["MTM_SAMPLE"], "--mapping", "mappings/types.yaml"]
    subprocess.run(
        [os.environ["MTM"], "apply", *source, "--target", url_of(name), "--yes", "--quiet"], cwd=ROOT, check=True
    )
    return name


def of_the_source(sql):
    """What the SQLite file answers."""
    with sqlite3.connect(os.environ["MTM_SAMPLE"]) as connection:
        return connection.execute(sql).fetchall()


class SampleDatabase:
    """A copy of the migrated sample."""

    def __init__(self):
        self.name = f"{migrated_sample()}_{next(NUMBERS)}"
        create(self.name, template=migrated_sample())
        self.url = url_of(self.name)
        self._connection = psycopg2.connect(self.url, cursor_factory=NamedTupleCursor)
        self._connection.autocommit = True

    def rows(self, sql, parameters=None):
        """What PostgreSQL answers."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, parameters=None):
        """The one value of the one row."""
        return self.rows(sql, parameters)[0][0]

    def locking_connection(self):
        """A session beside the site's, that has locked the tracks."""
        connection = psycopg2.connect(self.url)
        connection.cursor().execute("LOCK TABLE tracks IN ACCESS EXCLUSIVE MODE")
        return connection

    def backends(self, condition="true"):
        """The processes on the server that serve the site."""
        sql = f"""SELECT pid FROM pg_stat_activity
                  WHERE datname = current_database() AND application_name = 'music-time-machine' AND {condition}"""
        return {row.pid for row in self.rows(sql)}

    def terminate_backends(self):
        """Ends the site's sessions, as a server's restart would; returns how many there were."""
        sql = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'music-time-machine'"""
        return len(self.rows(sql))

    def allow_connections(self, allowed):
        """Whether anybody may connect anew."""
        administer(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS {allowed}")
