"""The database under a store: its URL, its transactions, and what it says when it fails."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.exc import IntegrityError

from pytest_totphog.errors import InvalidInput, MissingExtra, StoreError
from pytest_totphog.stores import database as module
from pytest_totphog.stores.database import Database
from tests.support.threads import in_threads
from tests.unit.stores.conftest import OwnDatabase

NOTES = sqlalchemy.Table(
    "notes",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("id", sqlalchemy.Text, primary_key=True),
    sqlalchemy.Column("text", sqlalchemy.Text),
)


def add(database: Database, *ids: str, text: str = "") -> None:
    """Add notes, all or none."""
    with database.transaction() as connection:
        connection.execute(NOTES.insert(), [{"id": each, "text": text} for each in ids])


def found(database: Database) -> list[str]:
    """Return the ids of the notes."""
    with database.transaction() as connection:
        return list(connection.execute(sqlalchemy.select(NOTES.c.id).order_by(NOTES.c.id)).scalars())


@pytest.fixture
def database(database_url: str, query: Callable[..., list[Any]]) -> Iterator[Database]:
    """Either database, with a table that is empty."""
    with closing(Database(database_url)) as database:
        database.create(NOTES)
        yield database
    query("DROP TABLE notes")


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://store.db",
        "sqlite+aiosqlite:///store.db",
        "sqlite:///store.db?mode=memory",
        "sqlite:///store\0.db",
        "sqlite:///store\ud800.db",
        "mysql://tests:hunter2@localhost/tests",
        "postgresql://tests:hunter2@localhost/tests",
        "postgresql+asyncpg://tests:hunter2@localhost/tests",
        "postgresql+psycopg:tests:hunter2@localhost/tests",
        "postgresql+psycopg://tests:hunter2@localhost",
        "postgresql+psycopg://tests:hunter2@localhost/",
        "postgresql+psycopg://tests:hunter2@localhost:port/tests",
        "postgresql+psycopg://tests:hunter2@localhost:123456/tests",
        "postgresql+psycopg://tests:hunter@2@localhost/tests",
        "postgresql+psycopg://tests:hunter/2@localhost/tests",
        "postgresql+psycopg://tests:hunter:2@localhost/tests",
        "postgresql+psycopg://tests:hunter?2@localhost/tests",
        "postgresql+psycopg://tests:hunter#2@localhost/tests",
        "postgresql+psycopg://tests:hunter 2@localhost/tests",
        "postgresql+psycopg://tests:hunter2@localhost/tests#fragment",
        "postgresql+psycopg://tests:hunter2@[localhost/tests",
        "postgresql+psycopg://tests:hunter2@localhost/te\0sts",
        b"postgresql+psycopg://tests:hunter2@localhost/tests",
        None,
    ],
)
def test_other_urls_are_refused(url: Any) -> None:
    """The message says what is accepted and how to write a password, and shows nothing of the one it was given."""
    with pytest.raises(InvalidInput) as caught:
        Database(url)

    assert str(caught.value) == (
        "the database's URL is none of those accepted: sqlite:///PATH and "
        "postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME; in user and password write %40 for @, %3A for :, "
        "%2F for /, %3F for ? and %23 for #"
    )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_database_in_memory_is_refused() -> None:
    """Every connection would have another one."""
    with pytest.raises(InvalidInput, match="a database in memory cannot be shared between connections; name a file"):
        Database("sqlite:///:memory:")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///store.db", "store.db"),
        ("sqlite:////var/lib/store.db", "/var/lib/store.db"),
        ("postgresql+psycopg://tests:hunter2@db.example:5433/accounts", "accounts on db.example:5433"),
        ("postgresql+psycopg://tests:hunter%402@[::1]/accounts?sslmode=disable", "accounts on [::1]"),
        ("postgresql+psycopg://tests@/accounts?host=/run/postgresql&password=hunter2", "accounts on localhost"),
    ],
)
def test_name_tells_which_database_it_is(url: str, shown: str) -> None:
    """User and password stay hidden, and nothing connects before it must."""
    assert Database(url).name == shown
    assert not Path("store.db").exists()


def test_dialect(sqlite_url: str, postgresql_url: str) -> None:
    """What the two do in ways of their own goes by it."""
    assert Database(sqlite_url).dialect == "sqlite"
    assert Database(postgresql_url).dialect == "postgresql"


# Packages that may be missing


def test_missing_sqlalchemy_names_the_extra(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """The reader can copy the command from the message."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)

    with pytest.raises(MissingExtra) as caught:
        Database(database_url)

    assert str(caught.value) == "a database needs SQLAlchemy; install it with: pip install 'pytest-totphog[sql]'"


def test_missing_psycopg_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed for PostgreSQL only."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingExtra) as caught:
        Database("postgresql+psycopg://tests@localhost/tests")

    assert str(caught.value) == "PostgreSQL needs psycopg; install it with: pip install 'pytest-totphog[sql]'"
    assert Database("sqlite:///store.db").name == "store.db"


# Transactions


def test_what_was_done_is_kept(database: Database, query: Callable[..., list[Any]]) -> None:
    """It is committed at the end, and everybody sees it."""
    add(database, "a", "b")

    assert query("SELECT id FROM notes ORDER BY id") == [("a",), ("b",)]


def test_nothing_is_kept_of_what_fails(database: Database) -> None:
    """All or nothing, whatever the failure was."""

    def fail() -> None:
        with database.transaction() as connection:
            connection.execute(NOTES.insert(), [{"id": "a"}])
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert found(database) == []


def test_taken_key_is_the_callers_to_handle(database: Database) -> None:
    """It is how a store learns that somebody else was faster."""
    add(database, "a")

    with pytest.raises(IntegrityError):
        add(database, "b", "a")

    assert found(database) == ["a"]


def test_statement_that_is_wrong_is_an_error(database: Database) -> None:
    """The database's own words, in one line."""
    with pytest.raises(StoreError) as caught, database.transaction() as connection:
        connection.exec_driver_sql("SELECT nothing FROM notes")

    assert str(caught.value).startswith(f"the database {database.name} failed: ")
    assert "nothing" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_table_that_is_there_is_left_alone(database: Database) -> None:
    """Every process creates it, and only the first one finds nothing."""
    add(database, "a")

    database.create(NOTES)

    assert found(database) == ["a"]


def test_table_is_created_by_one_of_many_at_the_same_time(database_url: str, query: Callable[..., list[Any]]) -> None:
    """Eight connections find no table and all have it afterwards; ten times."""
    for _ in range(10):
        with ExitStack() as cleanup:
            databases = [cleanup.enter_context(closing(Database(database_url))) for _ in range(8)]

            def create(which: int, databases: list[Database] = databases) -> None:
                databases[which].create(NOTES)
                add(databases[which], str(which))

            in_threads(8, create)

        assert query("SELECT count(*) FROM notes") == [(8,)]
        query("DROP TABLE notes")


def test_closed_database_can_be_used_again(database: Database) -> None:
    """It connects anew."""
    database.close()

    add(database, "a")
    assert found(database) == ["a"]


# SQLite


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A SQLite file with a note in it."""
    with closing(Database(sqlite_url)) as database:
        database.create(NOTES)
        add(database, "a")
        yield database


@pytest.fixture
def writer(sqlite_database: Database) -> Iterator[sqlite3.Connection]:
    """Another process's connection to that file."""
    with closing(sqlite3.connect(sqlite_database.name, isolation_level=None)) as connection:
        yield connection


def test_sqlite_reads_while_another_connection_writes(sqlite_database: Database, writer: sqlite3.Connection) -> None:
    """What is not committed is not seen, and nobody waits for it."""
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("DELETE FROM notes")

    assert found(sqlite_database) == ["a"]


def test_sqlite_is_opened_while_another_connection_writes(
    sqlite_database: Database, writer: sqlite3.Connection
) -> None:
    """SQLite refuses to change a file's mode then, and that is nobody's error."""
    sqlite_database.close()
    writer.execute("PRAGMA journal_mode = DELETE")
    writer.execute("BEGIN IMMEDIATE")

    assert found(sqlite_database) == ["a"]


def test_sqlite_that_somebody_else_keeps_writing_to(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever: after the time-out the caller hears of it, and later everything works again."""
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    with closing(Database(sqlite_url)) as database:
        database.create(NOTES)
        with closing(sqlite3.connect(database.name, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")

            with pytest.raises(StoreError) as caught:
                add(database, "a")

        assert str(caught.value) == f"the database {database.name} failed: database is locked"
        assert caught.value.retry_after == 1
        add(database, "a")


def test_sqlite_files_are_the_owners_alone(tmp_path: Path) -> None:
    """There are secrets in them, and in the two beside; one that was there before stays as its owner wants it."""
    (tmp_path / "old.db").touch(0o644)
    for name in ("new", "old"):
        with closing(Database(f"sqlite:///{tmp_path}/{name}.db")) as database:
            database.create(NOTES)
            add(database, "a")
            modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.glob(f"{name}.*")}
        mode = 0o600 if name == "new" else 0o644
        assert modes == {f"{name}.db": mode, f"{name}.db-wal": mode, f"{name}.db-shm": mode}


def test_sqlite_file_in_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """The message says what to do; the folder is not made, because its name may be a slip."""
    with closing(Database(f"sqlite:///{tmp_path}/missing/store.db")) as database, pytest.raises(StoreError) as caught:
        found(database)

    assert str(caught.value) == (
        f"the database {tmp_path}/missing/store.db failed: unable to open database file; "
        "its folder must be there, and this process must be allowed to write to it"
    )
    assert not (tmp_path / "missing").exists()


def test_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    """It stays as it is."""
    (tmp_path / "diary.txt").write_text("Dear diary, " * 100)

    with (
        closing(Database(f"sqlite:///{tmp_path}/diary.txt")) as database,
        pytest.raises(StoreError, match=r"diary\.txt failed: file is not a database$"),
    ):
        database.create(NOTES)

    assert (tmp_path / "diary.txt").read_text() == "Dear diary, " * 100


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("PRAGMA max_page_count = 1", "database or disk is full"),
        ("PRAGMA query_only = ON", "attempt to write a readonly database"),
    ],
    ids=["full", "read-only"],
)
def test_sqlite_that_takes_no_more_is_an_error(sqlite_database: Database, setting: str, reason: str) -> None:
    """What is there can be read on; SQLite is told to behave as on a full disk, or with a read-only file."""
    sqlite_database.close()

    def limit(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute(setting)

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", limit)
    try:
        with pytest.raises(StoreError) as caught:
            add(sqlite_database, "b", text="hunter2" * 1000)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", limit)

    assert str(caught.value) == f"the database {sqlite_database.name} failed: {reason}"
    assert "hunter2" not in f"{caught.value.__context__}"
    assert found(sqlite_database) == ["a"]
    sqlite_database.close()
    add(sqlite_database, "b")


# PostgreSQL


def test_postgresql_connection_that_was_lost_is_made_again(own_database: OwnDatabase) -> None:
    """A server that was restarted meanwhile costs nobody an error."""
    with closing(Database(own_database.url)) as database:
        database.create(NOTES)
        add(database, "a")

        own_database.disconnect()

        add(database, "b")
        assert found(database) == ["a", "b"]


def test_postgresql_that_is_not_there_for_a_moment_is_an_error(own_database: OwnDatabase) -> None:
    """One for each call, without the password; afterwards everything works again."""
    with closing(Database(own_database.url.replace("tests@", "tests:hunter2@"))) as database:
        database.create(NOTES)
        own_database.administrate("ALTER DATABASE own ALLOW_CONNECTIONS false")
        own_database.disconnect()

        with pytest.raises(StoreError) as caught:
            add(database, "a")

        assert str(caught.value).startswith("the database own on localhost failed: connection failed: ")
        assert str(caught.value).endswith('FATAL: database "own" is not currently accepting connections')
        assert "hunter2" not in f"{caught.value}{caught.value.__context__}"
        own_database.administrate("ALTER DATABASE own ALLOW_CONNECTIONS true")
        add(database, "a")
        assert found(database) == ["a"]


def test_postgresql_that_nobody_runs_is_an_error(tmp_path: Path) -> None:
    """It names the database and says what the driver says."""
    url = f"postgresql+psycopg://tests:hunter2@/accounts?host={tmp_path}"

    with closing(Database(url)) as database, pytest.raises(StoreError) as caught:
        found(database)

    assert str(caught.value).startswith("the database accounts on localhost failed: connection ")
    assert "hunter2" not in f"{caught.value}{caught.value.__context__}"


@pytest.mark.parametrize("given", ["", "&options=-c%20statement_timeout%3D40ms"], ids=["ours", "the user's"])
def test_postgresql_that_takes_too_long_is_an_error(
    own_database: OwnDatabase, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """Nobody waits for ever for an answer; what the URL says goes before."""
    monkeypatch.setitem(module.PATIENCE, "options", f"-c statement_timeout={'10min' if given else '40ms'}")

    with (
        closing(Database(own_database.url + given)) as database,
        pytest.raises(StoreError) as caught,
        database.transaction() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(60)")

    assert str(caught.value) == ("the database own on localhost failed: canceling statement due to statement timeout")
