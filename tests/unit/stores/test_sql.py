"""The store in a database, besides what every store promises."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy

from pytest_totphog.authenticator.namespaces import Namespace
from pytest_totphog.backends.access_tokens import SigningKey
from pytest_totphog.backends.email_mfa import model as email_mfa
from pytest_totphog.backends.login_demo import model as login_demo
from pytest_totphog.backends.simple import model as simple
from pytest_totphog.backends.vault import model as vault
from pytest_totphog.backends.verifier import Attempts, LastStep
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput, StoreError
from pytest_totphog.stores.leases import Lease
from pytest_totphog.stores.sql import SqlStore
from tests.unit.stores.conftest import Children, OwnDatabase


@dataclass(frozen=True)
class Note:
    """A record."""

    collection: ClassVar = "note"
    id: str
    text: str = ""


@dataclass(frozen=True)
class Letter(Note):
    """A record whose text came with a later version."""

    collection: ClassVar = "letter"


def record_type(name: str, collection: str, **types: type) -> Any:
    """Return a type of record."""
    return make_dataclass(name, [("id", str), *types.items()], frozen=True, namespace={"collection": collection})


def test_store_shows_which_database_it_is() -> None:
    """User and password stay hidden, and nothing connects before a repository is asked for."""
    store = SqlStore("postgresql+psycopg://tests:hunter2@db.example:5433/accounts")

    assert repr(store) == "<SqlStore accounts on db.example:5433>"


def test_import_does_not_import_sqlalchemy() -> None:
    """Who has no database can import every module."""
    program = (
        "import sys; import pytest_totphog.stores.sql; print('sqlalchemy' in sys.modules, 'psycopg' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False False\n"


# Tables


def tables(folder: Path) -> list[str]:
    """Return the names of the tables of the SQLite file in a folder, in alphabetical order."""
    with closing(sqlite3.connect(folder / "store.db")) as connection:
        return [
            name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        ]


def test_each_type_has_a_table_named_after_its_collection(sqlite_url: str, tmp_path: Path) -> None:
    """Two apps with an `Account` each can share a database."""
    with closing(SqlStore(sqlite_url)) as store:
        store.repository(LastStep)
        store.repository(record_type("Account", "a_account"))
        store.repository(record_type("Account", "b_account"))

    assert tables(tmp_path) == ["a_account", "b_account", "verifier_laststep"]


@pytest.mark.parametrize(
    ("record_type", "table"),
    [
        (SigningKey, "access_tokens_signingkey"),
        (email_mfa.MailAccount, "backends_email_mfa_model_account"),
        (email_mfa.MailedCode, "backends_email_mfa_model_mailedcode"),
        (email_mfa.Registration, "backends_email_mfa_model_registration"),
        (email_mfa.ResetLink, "backends_email_mfa_model_resetlink"),
        (login_demo.DemoAccount, "backends_login_demo_model_account"),
        (login_demo.PasswordReset, "backends_login_demo_model_passwordreset"),
        (login_demo.SecondFactor, "backends_login_demo_model_secondfactor"),
        (simple.User, "backends_simple_model_user"),
        (vault.Access, "backends_vault_model_access"),
        (vault.VaultAccount, "backends_vault_model_account"),
        (vault.Totp, "backends_vault_model_totp"),
        (Lease, "leases_lease"),
        (Namespace, "namespaces_namespace"),
        (Token, "tokens_token"),
        (Attempts, "verifier_attempts"),
        (LastStep, "verifier_laststep"),
    ],
)
def test_tables_keep_the_names_of_the_first_release(
    sqlite_url: str, tmp_path: Path, record_type: type, table: str
) -> None:
    """A database that is there already is read on, wherever a class has moved since."""
    with closing(SqlStore(sqlite_url)) as store:
        store.repository(record_type)

    assert tables(tmp_path) == [table]


def test_prefix_keeps_apps_apart(sqlite_url: str, tmp_path: Path) -> None:
    """Two apps that use the same records, such as the verifier's, each see their own."""
    with (
        closing(SqlStore(sqlite_url, prefix="simple")) as one,
        closing(SqlStore(sqlite_url, prefix="vault")) as other,
    ):
        one.repository(LastStep).add(LastStep("alice", 57))

        assert other.repository(LastStep).find() == []
        assert tables(tmp_path) == ["simple_verifier_laststep", "vault_verifier_laststep"]


def test_type_that_cannot_be_kept_is_refused(sql_store: SqlStore) -> None:
    """No table is made for it."""
    with pytest.raises(InvalidInput, match=r"Pair\.both is of a type that a database does not keep; accepted are str,"):
        sql_store.repository(record_type("Pair", "pairs", both=tuple))


def test_table_of_another_version_is_an_error(database_url: str, query: Callable[..., list[Any]]) -> None:
    """The message names the database and what is missing there."""
    query("CREATE TABLE old_note (_position INTEGER PRIMARY KEY, id TEXT)")
    with closing(SqlStore(database_url)) as store:
        notes = store.repository(record_type("Note", "old_note", text=str))
        with pytest.raises(StoreError, match=r"the database .+ failed: .*column.*text"):
            notes.find()

    query("DROP TABLE old_note")


def test_columns_of_a_later_version_are_added(database_url: str, query: Callable[..., list[Any]]) -> None:
    """What was written before has the field's default there."""
    query("CREATE TABLE letter (_position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)")
    query("INSERT INTO letter (_position, id) VALUES (1, 'a')")
    for _ in range(2):
        with closing(SqlStore(database_url)) as store:
            assert store.repository(Letter).find() == [Letter("a", "")]

    query("DROP TABLE letter")


# Values that no database keeps


@pytest.mark.parametrize("text", ["hunter2 \0", "hunter2 \ud800"], ids=["nul", "surrogate"])
def test_value_that_cannot_be_kept_is_refused(sql_store: SqlStore, text: str) -> None:
    """It is the same error in both databases, and nothing is stored, not even the records beside it."""
    notes = sql_store.repository(Note)
    notes.add(Note("a"))

    changes: list[Callable[[], object]] = [
        lambda: notes.add(Note("b"), Note("c", text)),
        lambda: notes.replace(Note("a"), Note("a", text)),
    ]
    for change in changes:
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


# PostgreSQL


def test_postgresql_error_shows_no_row(own_database: OwnDatabase) -> None:
    """The server puts the row below its message, and the row may have a secret in it."""
    with closing(SqlStore(own_database.url)) as store:
        notes = store.repository(Note)
        engine = sqlalchemy.create_engine(own_database.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'refused' USING DETAIL = NEW.text; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION refuse()"
            )

        with pytest.raises(StoreError) as caught:
            notes.add(Note("a", "hunter2"))

    assert str(caught.value) == "the database own on localhost failed: refused"


def test_postgresql_needs_no_encoding_of_its_own(own_database: OwnDatabase) -> None:
    """A server that was set up without a locale keeps bytes; they are UTF-8 all the same."""
    own_database.administrate("DROP DATABASE own")
    own_database.administrate("CREATE DATABASE own ENCODING 'SQL_ASCII' TEMPLATE template0")
    with closing(SqlStore(own_database.url)) as store:
        notes = store.repository(Note)

        assert notes.add(Note("Zoë \U0001f511")) is True
        assert notes.get("Zoë \U0001f511") == Note("Zoë \U0001f511")


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_postgresql_is_right_whatever_isolation_is_its_default(own_database: OwnDatabase, isolation: str) -> None:
    """Who waited for somebody faster is told so, and gets no serialization failure."""
    own_database.administrate(f"ALTER DATABASE own SET default_transaction_isolation = '{isolation}'")
    with closing(SqlStore(own_database.url)) as store, ThreadPoolExecutor() as pool:
        notes = store.repository(Note)
        notes.add(Note("a"), Note("b"))

        with own_database.connect() as faster:
            faster.execute("UPDATE note SET text = 'faster'")
            replaced = pool.submit(notes.replace, Note("a"), Note("a", "slower"))
            removed = pool.submit(notes.remove, "b")
            own_database.wait_until_blocked(2)

        assert replaced.result(10) is False
        assert removed.result(10) == Note("b", "faster")
        assert notes.find() == [Note("a", "faster")]


def test_postgresql_adds_several_records_without_a_deadlock(own_database: OwnDatabase) -> None:
    """Two bring the same ids in another order, and both wait for a third: one adds, and the other is refused."""
    with closing(SqlStore(own_database.url)) as store, ThreadPoolExecutor() as pool:
        notes = store.repository(Note)

        with own_database.connect() as third:
            third.execute("INSERT INTO note (id, text) VALUES ('c', '')")
            forwards = pool.submit(notes.add, Note("a"), Note("c"), Note("b"))
            own_database.wait_until_blocked(1)
            backwards = pool.submit(notes.add, Note("b"), Note("a"))
            own_database.wait_until_blocked(2)
            third.rollback()

        assert sorted([forwards.result(10), backwards.result(10)]) == [False, True]
