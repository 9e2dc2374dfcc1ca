"""The way to PostgreSQL: one pool of connections for each process, and transactions that end as they should.

    with database.transaction() as cursor:
        cursor.execute("SELECT name FROM tracks WHERE track_id = %s", [track_id])

A request takes one transaction at a time. What goes wrong is one of three things: `Busy` (no connection came free in
time), `psycopg2.OperationalError` or `psycopg2.InterfaceError` (the server is away, or ended the statement), or a mistake.
"""

import os
import re
import selectors
import threading
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import parse_dsn
from psycopg2.extras import NamedTupleCursor
from psycopg2.pool import ThreadedConnectionPool

SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}


class Busy(Exception):
    """Every connection was in use for as long as a request may wait."""


class Database:
    """A `ThreadedConnectionPool` that waits.

    The pool itself raises at once when its connections are all in use. So each connection is asked for through a
    semaphore with as many slots as the pool has connections: who holds a slot gets a connection.
    """

    def __init__(self, url, *, minimum=2, maximum=10, acquire_timeout=5.0, statement_timeout=5.0):
        if not 1 <= minimum <= maximum:
            raise ValueError(f"a pool of at least {minimum} and at most {maximum} connections cannot be")
        try:
            parameters = parse_dsn(url)
        except psycopg2.ProgrammingError:
            # What libpq says of it may hold the password.
            raise ValueError("the database's URL is not one that libpq understands") from None
        self._acquire_timeout = acquire_timeout
        self._slots = threading.BoundedSemaphore(maximum)
        self._bounds = minimum, maximum
        self._settings = {
            "dsn": url,
            "application_name": "music-time-machine",
            # Beside what the URL itself sets, such as a search_path.
            "options": f"{parameters.get('options', '')} -c statement_timeout={round(statement_timeout * 1000)}",
            "connect_timeout": max(2, round(acquire_timeout)),
            "cursor_factory": NamedTupleCursor,
        }
        # Made at the first request: the site starts without the server, and no connection is shared by forked workers.
        self._pool = None
        self._making_pool = threading.Lock()

    @classmethod
    def from_environment(cls):
        """The pool that DATABASE_URL and the MTM_ variables describe."""
        url = os.environ.get("DATABASE_URL")
        if not url:
            raise RuntimeError("DATABASE_URL is not set; it looks like postgresql://user:password@host:5432/database")
        return cls(
            url,
            minimum=int(os.environ.get("MTM_POOL_MIN", "2")),
            maximum=int(os.environ.get("MTM_POOL_MAX", "10")),
            acquire_timeout=seconds("MTM_POOL_ACQUIRE_TIMEOUT", "5s"),
            statement_timeout=seconds("MTM_STATEMENT_TIMEOUT", "5s"),
        )

    @contextmanager
    def transaction(self):
        """Lends a cursor for one transaction: committed at the end, rolled back after an error.

        A connection that cannot even be rolled back is thrown away. Where the commit's answer was lost, nobody knows
        whether it happened: whatever is written should bear to be written again.
        """
        if not self._slots.acquire(timeout=self._acquire_timeout):
            raise Busy(f"no connection came free within {self._acquire_timeout:g} s")
        try:
            connection = self._take()
            sound = False
            try:
                with connection.cursor() as cursor:
                    yield cursor
                connection.commit()
                sound = True
            except BaseException:
                sound = rolled_back(connection)
                raise
            finally:
                self._pool.putconn(connection, close=not sound)
        finally:
            self._slots.release()

    def _take(self):
        """A connection that is alive. After the server's restart, none of those that were idle is."""
        with self._making_pool:
            if self._pool is None:
                self._pool = ThreadedConnectionPool(*self._bounds, **self._settings)
        for _ in range(self._bounds[1]):
            connection = self._pool.getconn()
            if not has_ended(connection):
                return connection
            self._pool.putconn(connection, close=True)
        return self._pool.getconn()


def has_ended(connection):
    """Whether an idle connection's server has hung up; asks the socket, not the server.

    A server says nothing to an idle connection but that it ends, so there is something to read only then.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))


def rolled_back(connection):
    """Ends the transaction that failed, if the connection still can."""
    try:
        connection.rollback()
    except psycopg2.Error:
        return False
    return True


def seconds(variable, default):
    """A duration out of the environment, such as 500ms, 5s or 10min."""
    text = os.environ.get(variable, default)
    match = re.fullmatch(r"(\d+) ?(ms|s|min|h)", text)
    if not match:
        raise ValueError(f"{variable} is {text!r}; it should be a number with ms, s, min or h after it, such as {default}")
    return int(match[1]) * SECONDS[match[2]]
