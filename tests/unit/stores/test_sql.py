"""The store in a database, besides what every store promises."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
import sqlalchemy

from pytest_totphog.errors import InvalidInput, MissingExtra, StoreError
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.verifier import Attempts, LastStep
from tests.threads import in_threads


@dataclass(frozen=True)
class Note:
    """A record."""

    id: str
    text: str = ""


@dataclass(frozen=True)
class ARecordWhoseNameIsLongerThanPostgresqlTakes:
    """A record."""

    id: str


@dataclass(frozen=True)
class ARecordWhoseNameIsLongerThanPostgresqlTakesToo:
    """A record."""

    id: str


def record_type(module: str, name: str, **types: type) -> type:
    """Return a type of record as another module would define it."""
    made = make_dataclass(name, [("id", str), *types.items()], frozen=True)
    made.__module__ = module
    return made


@pytest.fixture
def query(database_url: str) -> Callable[..., list[Any]]:
    """Asks the database something, over a connection of its own."""

    def ask(statement: str) -> list[Any]:
        engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    return ask


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
def test_other_urls_are_refused(url: object) -> None:
    """The message says what is accepted and how to write a password, and shows nothing of the one it was given."""
    with pytest.raises(InvalidInput) as caught:
        SqlStore(url)

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
        SqlStore("sqlite:///:memory:")


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
def test_store_shows_which_database_it_is(url: str, shown: str) -> None:
    """User and password stay hidden, and nothing connects before a repository is asked for."""
    store = SqlStore(url)

    assert repr(store) == f"<SqlStore {shown}>"
    assert not Path("store.db").exists()


# Packages that may be missing


def test_missing_sqlalchemy_names_the_extra(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """The reader can copy the command from the message."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)

    with pytest.raises(MissingExtra) as caught:
        SqlStore(database_url)

    assert str(caught.value) == "a database needs SQLAlchemy; install it with: pip install 'pytest-totphog[sql]'"


def test_missing_psycopg_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed for PostgreSQL only."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingExtra) as caught:
        SqlStore("postgresql+psycopg://tests@localhost/tests")

    assert str(caught.value) == "PostgreSQL needs psycopg; install it with: pip install 'pytest-totphog[sql]'"
    assert repr(SqlStore("sqlite:///store.db")) == "<SqlStore store.db>"


def test_import_does_not_import_sqlalchemy() -> None:
    """Who has no database can import every module."""
    program = (
        "import sys; import pytest_totphog.stores.sql; print('sqlalchemy' in sys.modules, 'psycopg' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False False\n"


# Tables


def test_each_type_has_a_table_named_after_it(sqlite_url: str, tmp_path: Path) -> None:
    """Module and class, so that two apps with an `Account` each can share a database."""
    with closing(SqlStore(sqlite_url)) as store:
        store.repository(LastStep)
        store.repository(record_type("a.model", "Account"))
        store.repository(record_type("b.model", "Account"))

    assert tables(tmp_path) == ["a_model_account", "b_model_account", "verifier_laststep"]


def test_prefix_keeps_apps_apart(sqlite_url: str, tmp_path: Path) -> None:
    """Two apps that use the same records, such as the verifier's, each see their own."""
    with (
        closing(SqlStore(sqlite_url, prefix="simple")) as simple,
        closing(SqlStore(sqlite_url, prefix="vault")) as vault,
    ):
        simple.repository(LastStep).add(LastStep("alice", 57))

        assert vault.repository(LastStep).find() == []
        assert tables(tmp_path) == ["simple_verifier_laststep", "vault_verifier_laststep"]


def test_long_names_of_types_stay_apart(sql_store: SqlStore) -> None:
    """PostgreSQL would cut both off to the same."""
    sql_store.repository(ARecordWhoseNameIsLongerThanPostgresqlTakes).add(
        ARecordWhoseNameIsLongerThanPostgresqlTakes("a")
    )

    assert sql_store.repository(ARecordWhoseNameIsLongerThanPostgresqlTakesToo).find() == []


def test_table_is_created_by_one_of_many_at_the_same_time(database_url: str, query: Callable[..., list[Any]]) -> None:
    """Eight stores, each with a connection of its own, find no table and all have it afterwards; ten times."""
    for number in range(10):
        race = record_type("race", f"Race{number}")
        with ExitStack() as cleanup:
            stores = [cleanup.enter_context(closing(SqlStore(database_url))) for _ in range(8)]

            def add(which: int, stores: list[SqlStore] = stores, race: Any = race) -> bool:
                return stores[which].repository(race).add(race(str(which)))

            assert in_threads(8, add) == [True] * 8

        assert query(f"SELECT count(*) FROM race_race{number}") == [(8,)]
        query(f"DROP TABLE race_race{number}")


def test_type_that_cannot_be_kept_is_refused(sql_store: SqlStore) -> None:
    """No table is made for it."""
    with pytest.raises(InvalidInput, match=r"Pair\.both is of a type that a database does not keep; accepted are str,"):
        sql_store.repository(record_type("pairs", "Pair", both=tuple))


def test_table_of_another_version_is_an_error(database_url: str, query: Callable[..., list[Any]]) -> None:
    """The message names the database and what is missing there."""
    query("CREATE TABLE old_note (_position INTEGER PRIMARY KEY, id TEXT)")
    with closing(SqlStore(database_url)) as store:
        notes = store.repository(record_type("old", "Note", text=str))
        with pytest.raises(StoreError, match=r"the database .+ failed: .*column.*text"):
            notes.find()

    query("DROP TABLE old_note")


# Values that no database keeps


@pytest.mark.parametrize("text", ["hunter2 \0", "hunter2 \ud800"], ids=["nul", "surrogate"])
def test_value_that_cannot_be_kept_is_refused(sql_store: SqlStore, text: str) -> None:
    """It is the same error in both databases, and nothing is stored, not even the records beside it."""
    notes = sql_store.repository(Note)
    notes.add(Note("a"))

    for change in (lambda: notes.add(Note("b"), Note("c", text)), lambda: notes.replace(Note("a"), Note("a", text))):
        with pytest.raises(InvalidInput, match=r"^Note\.text is a str that a database does not keep there"):
            change()

    assert notes.find() == [Note("a")]


def test_long_id_is_refused(sql_store: SqlStore) -> None:
    """PostgreSQL's index could not take it; counted are bytes."""
    notes = sql_store.repository(Note)

    assert notes.add(Note("é" * 1000)) is True
    with pytest.raises(InvalidInput, match=r"^Note\.id is longer than 2,000 bytes$"):
        notes.add(Note("é" * 1000 + "e"))

    assert notes.get("é" * 1000) == Note("é" * 1000)


# What is kept is there afterwards


def test_records_are_there_when_the_store_is_opened_again(database_url: str, sql_store: SqlStore) -> None:
    """Also those that have been changed, in their places."""
    notes = sql_store.repository(Note)
    notes.add(Note("b"), Note("a"))
    notes.replace(Note("b"), Note("b", "changed"))

    sql_store.close()

    with closing(SqlStore(database_url)) as again:
        assert again.repository(Note).find() == [Note("b", "changed"), Note("a")]


# The record types are the package's, so that parent and child call the table the same.
PROGRAM = """
import sys
from dataclasses import replace
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.verifier import Attempts

store = SqlStore(sys.argv[1])

def say(word):
    print(word, flush=True)
    sys.stdin.readline()
"""


class Children:
    """Python programs that talk with the test by lines."""

    def __init__(self) -> None:
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


def test_record_outlives_the_process_that_was_killed_after_adding_it(
    database_url: str, sql_store: SqlStore, children: Children
) -> None:
    """What a method has answered is kept, whatever comes then: kill -9, for one."""
    _, said = children.start('store.repository(Attempts).add(Attempts("alice", 3, 0.5)); say("added")', database_url)
    assert said.readline() == "added\n"

    children.kill()

    attempts = sql_store.repository(Attempts)
    assert attempts.get("alice") == Attempts("alice", 3, 0.5)
    assert attempts.add(Attempts("bob")) is True


def test_processes_share_a_database(database_url: str, sql_store: SqlStore, children: Children) -> None:
    """Four create the table at the same time, one of them adds the record, and none of their changes is lost."""
    program = """
say("ready")
attempts = store.repository(Attempts)
added = attempts.add(Attempts("alice"))
for _ in range(25):
    while not attempts.replace(old := attempts.get("alice"), replace(old, failures=old.failures + 1)): pass
store.close()
say(added)
"""
    started = [children.start(program, database_url) for _ in range(4)]
    assert [said.readline() for _, said in started] == ["ready\n"] * 4
    for told, _ in started:
        told.write("go\n")

    assert sorted(said.readline() for _, said in started) == ["False\n", "False\n", "False\n", "True\n"]
    assert sql_store.repository(Attempts).find() == [Attempts("alice", 100)]


# SQLite


def tables(folder: Path) -> list[str]:
    """Return the names of the tables of the SQLite file in a folder, in alphabetical order."""
    with closing(sqlite3.connect(folder / "store.db")) as connection:
        return [
            name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        ]


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[SqlStore]:
    """A store in a SQLite file."""
    with closing(SqlStore(sqlite_url)) as store:
        yield store


def test_sqlite_reads_while_another_connection_writes(sqlite_store: SqlStore, tmp_path: Path) -> None:
    """What is not committed is not seen, and nobody waits for it."""
    notes = sqlite_store.repository(Note)
    notes.add(Note("a"))

    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("DELETE FROM tests_unit_stores_test_sql_note")

        assert notes.find() == [Note("a")]


def test_sqlite_is_opened_while_another_connection_writes(sqlite_store: SqlStore, tmp_path: Path) -> None:
    """SQLite refuses to change a file's mode then, and that is nobody's error."""
    notes = sqlite_store.repository(Note)
    notes.add(Note("a"))
    sqlite_store.close()

    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("BEGIN IMMEDIATE")

        assert notes.find() == [Note("a")]


def test_sqlite_file_in_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """The message says what to do; the folder is not made, because its name may be a slip."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/missing/store.db")) as store, pytest.raises(StoreError) as caught:
        store.repository(Note)

    assert str(caught.value) == (
        f"the database {tmp_path}/missing/store.db failed: unable to open database file; "
        "its folder must be there, and this process must be allowed to write to it"
    )
    assert not (tmp_path / "missing").exists()


def test_file_that_is_no_database_is_an_error(sqlite_store: SqlStore, tmp_path: Path) -> None:
    """It stays as it is."""
    (tmp_path / "store.db").write_text("Dear diary, " * 100)

    with pytest.raises(StoreError, match=r"failed: file is not a database$"):
        sqlite_store.repository(Note)

    assert (tmp_path / "store.db").read_text() == "Dear diary, " * 100


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("PRAGMA max_page_count = 1", "database or disk is full"),
        ("PRAGMA query_only = ON", "attempt to write a readonly database"),
    ],
    ids=["full", "read-only"],
)
def test_sqlite_that_takes_no_more_is_an_error(
    sqlite_store: SqlStore, tmp_path: Path, setting: str, reason: str
) -> None:
    """What is there can be read on; SQLite is told to behave as on a full disk, or with a read-only file."""
    notes = sqlite_store.repository(Note)
    notes.add(Note("a"))
    sqlite_store.close()

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(setting)

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", limit)
    try:
        with pytest.raises(StoreError) as caught:
            notes.add(Note("b", "hunter2" * 1000))
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", limit)

    assert str(caught.value) == f"the database {tmp_path}/store.db failed: {reason}"
    assert "hunter2" not in f"{caught.value.__context__}"
    assert notes.find() == [Note("a")]
    sqlite_store.close()
    assert notes.add(Note("b")) is True


# PostgreSQL


@pytest.fixture
def own_database(postgresql_url: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A PostgreSQL database for one test: its URL, and what executes a statement from outside."""
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as administrator:
        administrator.execute("CREATE DATABASE own")
        yield postgresql_url.replace("/postgres?", "/own?"), administrator.execute
        administrator.execute("DROP DATABASE own WITH (FORCE)")


DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'own'"


def test_postgresql_connection_that_was_lost_is_made_again(own_database: tuple[str, Callable[[str], None]]) -> None:
    """A server that was restarted meanwhile costs nobody an error."""
    url, administrate = own_database
    with closing(SqlStore(url)) as store:
        notes = store.repository(Note)
        notes.add(Note("a"))

        administrate(DISCONNECT)

        assert notes.add(Note("b")) is True
        assert notes.find() == [Note("a"), Note("b")]


def test_postgresql_that_is_not_there_for_a_moment_is_an_error(
    own_database: tuple[str, Callable[[str], None]],
) -> None:
    """One for each call, without the password; afterwards everything works again."""
    url, administrate = own_database
    with closing(SqlStore(url.replace("tests@", "tests:hunter2@"))) as store:
        notes = store.repository(Note)
        notes.add(Note("a"))
        administrate("ALTER DATABASE own ALLOW_CONNECTIONS false")
        administrate(DISCONNECT)

        with pytest.raises(StoreError) as caught:
            notes.add(Note("b"))

        assert str(caught.value).startswith("the database own on localhost failed: connection failed: ")
        assert str(caught.value).endswith('FATAL: database "own" is not currently accepting connections')
        assert "hunter2" not in f"{caught.value}{caught.value.__context__}"
        administrate("ALTER DATABASE own ALLOW_CONNECTIONS true")
        assert notes.add(Note("b")) is True


def test_postgresql_that_nobody_runs_is_an_error(tmp_path: Path) -> None:
    """It names the database and says what the driver says."""
    url = f"postgresql+psycopg://tests:hunter2@/accounts?host={tmp_path}"

    with closing(SqlStore(url)) as store, pytest.raises(StoreError) as caught:
        store.repository(Note)

    assert str(caught.value).startswith("the database accounts on localhost failed: connection ")
    assert "hunter2" not in f"{caught.value}{caught.value.__context__}"


def test_postgresql_error_shows_no_row(own_database: tuple[str, Callable[[str], None]]) -> None:
    """The server puts the row below its message, and the row may have a secret in it."""
    url, _ = own_database
    with closing(SqlStore(url)) as store:
        notes = store.repository(Note)
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'refused' USING DETAIL = NEW.text; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON tests_unit_stores_test_sql_note "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )

        with pytest.raises(StoreError) as caught:
            notes.add(Note("a", "hunter2"))

    assert str(caught.value) == "the database own on localhost failed: refused"


def test_postgresql_needs_no_encoding_of_its_own(own_database: tuple[str, Callable[[str], None]]) -> None:
    """A server that was set up without a locale keeps bytes; they are UTF-8 all the same."""
    url, administrate = own_database
    administrate("DROP DATABASE own")
    administrate("CREATE DATABASE own ENCODING 'SQL_ASCII' TEMPLATE template0")
    with closing(SqlStore(url)) as store:
        notes = store.repository(Note)

        assert notes.add(Note("Zoë \U0001f511")) is True
        assert notes.get("Zoë \U0001f511") == Note("Zoë \U0001f511")


def wait_until_blocked(connection: psycopg.Connection, count: int) -> None:
    """Return when so many transactions wait for another one."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'own' AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 10
    while connection.execute(blocked).fetchall() != [(count,)]:
        assert time.monotonic() < deadline


@pytest.fixture
def administrator(own_database: tuple[str, Callable[[str], None]]) -> Iterator[psycopg.Connection]:
    """A connection to look at the test's own database."""
    with psycopg.connect(own_database[0].replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_postgresql_is_right_whatever_isolation_is_its_default(
    own_database: tuple[str, Callable[[str], None]], administrator: psycopg.Connection, isolation: str
) -> None:
    """Who waited for somebody faster is told so, and gets no serialization failure."""
    url, administrate = own_database
    administrate(f"ALTER DATABASE own SET default_transaction_isolation = '{isolation}'")
    with closing(SqlStore(url)) as store, ThreadPoolExecutor() as pool:
        notes = store.repository(Note)
        notes.add(Note("a"), Note("b"))

        with psycopg.connect(url.replace("+psycopg", "")) as faster:
            faster.execute("UPDATE tests_unit_stores_test_sql_note SET text = 'faster'")
            replaced = pool.submit(notes.replace, Note("a"), Note("a", "slower"))
            removed = pool.submit(notes.remove, "b")
            wait_until_blocked(administrator, 2)

        assert replaced.result(10) is False
        assert removed.result(10) == Note("b", "faster")
        assert notes.find() == [Note("a", "faster")]


def test_postgresql_adds_several_records_without_a_deadlock(
    own_database: tuple[str, Callable[[str], None]], administrator: psycopg.Connection
) -> None:
    """Two bring the same ids in another order, and both wait for a third: one adds, and the other is refused."""
    url, _ = own_database
    with closing(SqlStore(url)) as store, ThreadPoolExecutor() as pool:
        notes = store.repository(Note)

        with psycopg.connect(url.replace("+psycopg", "")) as third:
            third.execute("INSERT INTO tests_unit_stores_test_sql_note (id, text) VALUES ('c', '')")
            forwards = pool.submit(notes.add, Note("a"), Note("c"), Note("b"))
            wait_until_blocked(administrator, 1)
            backwards = pool.submit(notes.add, Note("b"), Note("a"))
            wait_until_blocked(administrator, 2)
            third.rollback()

        assert sorted([forwards.result(10), backwards.result(10)]) == [False, True]
