"""The database under a store: SQLite or PostgreSQL, through SQLAlchemy Core."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.errors import InvalidInput, MissingExtra, StoreError, hidden_in_reports

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table
    from sqlalchemy.exc import DBAPIError

__all__ = ["Database"]

# Records hold secrets.
__tracebackhide__ = hidden_in_reports

# Strict, because of a URL read another way than it was meant an error would show a piece of the password.
SQLITE_URL: Final = re.compile(r"sqlite:///(?P<path>[^?\0]+)")
POSTGRESQL_URL: Final = re.compile(
    r"postgresql\+psycopg://(?:[^\s@:/?#]*(?::[^\s@:/?#]*)?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s@:/?#\[\]]*)(?::(?P<port>[0-9]{1,5}))?/(?P<name>[^\s@/?#]+)(?:\?[^\s#]*)?"
)

# What those who create a table in PostgreSQL take turns by: any number that nobody else has chosen.
CREATION_LOCK: Final = int.from_bytes(b"totphog", "big")

# How long a database may keep a caller waiting: for a connection, for another writer, for an answer.
TIMEOUT: Final = 10
PATIENCE: Final = {
    "connect_timeout": f"{TIMEOUT}",
    "options": f"-c statement_timeout={TIMEOUT}s",
    # A host that is gone answers nothing, not even that.
    "tcp_user_timeout": f"{TIMEOUT * 1000}",
}

# Seconds until a database that is away is looked for again.
RETRY_AFTER: Final = 1
# What says that it is: SQLite's busy, locked and cannot open (https://sqlite.org/rescode.html); PostgreSQL's connection
# exceptions, rollbacks, interventions of its operator and too many connections (appendix A of its manual).
SQLITE_AWAY: Final = frozenset({5, 6, 14})
POSTGRESQL_AWAY: Final = ("08", "40", "57", "53300")


class Database:
    """Connections to a database, and what it says when it fails as one kind of error.

    Args:
        url: `sqlite:///PATH` or `postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME`.

    Raises:
        InvalidInput: when the URL is another one; the message does not show it.
        MissingExtra: where SQLAlchemy or psycopg is not installed.
    """

    def __init__(self, url: str) -> None:
        self.name, self._engine = _open(url)

    @property
    def dialect(self) -> str:
        """`"sqlite"` or `"postgresql"`."""
        return self._engine.name

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection; what was done on it is committed at the end, all or nothing.

        Raises:
            StoreError: when the database fails.
            sqlalchemy.exc.IntegrityError: when a unique key is taken.
        """
        from sqlalchemy.exc import DBAPIError, IntegrityError
        from sqlalchemy.exc import TimeoutError as NoConnectionInTime

        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (DBAPIError, NoConnectionInTime) as error:
            away = isinstance(error, NoConnectionInTime) or _is_away(error)
            reason = f"the database {self.name} failed: {_reason(error)}"
            raise StoreError(reason, retry_after=RETRY_AFTER if away else None) from None

    def create(self, table: Table) -> None:
        """Create a table unless it is there."""
        from sqlalchemy.schema import CreateTable

        with self.transaction() as connection:
            if self.dialect == "postgresql":
                # `IF NOT EXISTS` alone fails there when two connections create the table at the same time.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CREATION_LOCK})")
            connection.execute(CreateTable(table, if_not_exists=True))

    def close(self) -> None:
        """Let go of connections and files."""
        self._engine.dispose()


def _open(url: str) -> tuple[str, Engine]:
    """Return how errors call the database, and the engine that connects to it when it is first used."""
    text = url if isinstance(url, str) and url.isprintable() else ""
    if match := SQLITE_URL.fullmatch(text):
        return _open_sqlite(match["path"])
    if match := POSTGRESQL_URL.fullmatch(text):
        place = f" on {match['host'] or 'localhost'}" + (f":{match['port']}" if match["port"] else "")
        return f"{match['name']}{place}", _open_postgresql(text)
    raise InvalidInput(
        "the database's URL is none of those accepted: sqlite:///PATH and "
        "postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME; in user and password write %40 for @, %3A for :, "
        "%2F for /, %3F for ? and %23 for #"
    )


def _open_sqlite(path: str) -> tuple[str, Engine]:
    if path == ":memory:":
        raise InvalidInput("a database in memory cannot be shared between connections; name a file: sqlite:///PATH")
    import sqlite3

    try:
        from sqlalchemy import URL, create_engine, event
    except ImportError:
        raise MissingExtra("a database", "SQLAlchemy", "sql") from None

    # The timeout is how long to wait while another process writes.
    engine = create_engine(
        URL.create("sqlite", database=path),
        connect_args={"timeout": TIMEOUT},
        pool_timeout=TIMEOUT,
        hide_parameters=True,
    )

    creating = Lock()

    @event.listens_for(engine, "do_connect")
    def create(*_: object) -> None:
        # Secrets are for the owner alone; the files beside it, -wal and -shm, take its mode over. One that is there is
        # not opened: closing it would give up the locks that this process has on it (https://sqlite.org/howtocorrupt.html).
        with creating, suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        # Readers do not wait for the writer. The mode stays with the file; where another process is writing it cannot
        # be set, whatever the timeout, and the next connection sets it.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        # What is committed outlives this process, if not a power cut.
        connection.execute("PRAGMA synchronous = NORMAL")

    return path, engine


def _open_postgresql(url: str) -> Engine:
    try:
        from sqlalchemy import create_engine, make_url
    except ImportError:
        raise MissingExtra("a database", "SQLAlchemy", "sql") from None
    try:
        import psycopg  # noqa: F401 -- SQLAlchemy imports it where nobody can say which extra is missing
    except ImportError:
        raise MissingExtra("PostgreSQL", "psycopg", "sql") from None

    options = make_url(url)
    return create_engine(
        options.update_query_dict({"client_encoding": "utf8", **PATIENCE, **options.query}),
        # Replaces and removals read a row again that another transaction has just changed.
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=TIMEOUT,
        hide_parameters=True,
    )


def _is_away(error: DBAPIError) -> bool:
    """Return whether the same may succeed after a while, without anybody's doing."""
    from sqlalchemy.exc import OperationalError

    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in SQLITE_AWAY
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:  # of a server that was not reached
        return error.connection_invalidated or isinstance(error, OperationalError)
    return state.startswith(POSTGRESQL_AWAY)


def _reason(error: Any) -> str:
    """Return what the driver says, in one line and without the row that PostgreSQL puts below."""
    origin = getattr(error, "orig", None) or error
    primary = getattr(getattr(origin, "diag", None), "message_primary", None)
    # What follows below are the driver's guesses.
    reason = " ".join(str(primary or origin).strip().partition("\n")[0].split())
    if reason == "unable to open database file":
        reason += "; its folder must be there, and this process must be allowed to write to it"
    return reason
