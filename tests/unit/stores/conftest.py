"""Databases to keep records in."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
import sqlalchemy

from pytest_totphog.api.store import store_app
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.server import Server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Either database; each test leaves it as empty as it was."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sql_store(database_url: str) -> Iterator[SqlStore]:
    """A store in either database."""
    store = SqlStore(database_url)
    yield store
    store.clear()
    store.close()


@contextmanager
def served(store: Store, *record_types: type, api_key: str = "sesame") -> Iterator[str]:
    """Serve a store over HTTP, for those who have the key, and give the server's URL."""
    server = Server(store_app(store, Gate(api_key=api_key), *record_types))
    server.start()
    yield server.url
    server.stop()


def execute(url: str, statement: str) -> list[Any]:
    """Ask a database something, over a connection of its own."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture(params=["memory", "sqlite", "postgresql", "remote"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind; a remote one serves the module's RECORD_TYPES."""
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "remote":
        with served(MemoryStore(), *getattr(request.module, "RECORD_TYPES", ())) as url:
            remote = RemoteStore(url, api_key="sesame")
            yield remote
            remote.close()
        return
    sql = SqlStore(request.getfixturevalue(f"{request.param}_url"))
    yield sql
    sql.clear()
    sql.close()
    execute(request.getfixturevalue(f"{request.param}_url"), "DROP TABLE IF EXISTS totphog_claims")


@pytest.fixture
def query(database_url: str) -> Callable[..., list[Any]]:
    """Asks the database something, over a connection of its own."""
    return partial(execute, database_url)


class OwnDatabase:
    """A PostgreSQL database that one test has to itself.

    Attributes:
        url: its URL.
        administrate: executes a statement from outside.
    """

    def __init__(self, url: str, administrator: psycopg.Connection) -> None:
        self.url = url
        self.administrate = administrator.execute

    def connect(self) -> psycopg.Connection:
        """Return a connection of the test's own."""
        return psycopg.connect(self.url.replace("+psycopg", ""))

    def disconnect(self) -> None:
        """End everybody's connections, as a server that is restarted does."""
        self.administrate("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'own'")

    def wait_until_blocked(self, count: int) -> None:
        """Return when so many transactions wait for another one."""
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'own' AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 10
        while self.administrate(blocked).fetchall() != [(count,)]:
            assert time.monotonic() < deadline


@pytest.fixture
def own_database(postgresql_url: str) -> Iterator[OwnDatabase]:
    """A PostgreSQL database of the test's own, which may do with it whatever it likes."""
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as administrator:
        administrator.execute("CREATE DATABASE own")
        yield OwnDatabase(postgresql_url.replace("/postgres?", "/own?"), administrator)
        administrator.execute("DROP DATABASE own WITH (FORCE)")


# The record types are the package's, so that parent and child call the table the same.
PROGRAM = """
import sys
from dataclasses import replace
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.backends.verifier import Attempts

store = SqlStore(sys.argv[1])

def say(*words):
    print(*words, flush=True)
    sys.stdin.readline()
"""


class Children:
    """Python programs that talk with the test by lines."""

    def __init__(self) -> None:
        """Start none yet."""
        self._running: list[subprocess.Popen[str]] = []

    def start(self, program: str, url: str) -> tuple[IO[str], IO[str]]:
        """Start a program, and return where to write to it and where to read what it says."""
        command = [sys.executable, "-W", "error", "-c", PROGRAM + program, url]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self._running.append(child)
        assert child.stdin is not None
        assert child.stdout is not None
        return child.stdin, child.stdout

    def kill(self) -> None:
        """Kill them all with SIGKILL, which no program can prepare for."""
        for child in self._running:
            child.kill()
            child.communicate()


@pytest.fixture
def children() -> Iterator[Children]:
    """Starts programs, and ends them with the test."""
    children = Children()
    yield children
    children.kill()
