"""Records in a database."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic

from pytest_totphog.errors import InvalidInput, hidden_in_reports
from pytest_totphog.stores import RecordType, Repository
from pytest_totphog.stores.database import Database
from pytest_totphog.stores.fields import StoredField, stored_fields
from pytest_totphog.stores.ledger import Ledger
from pytest_totphog.stores.sql_ledger import SqlLedger

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Table

__all__ = ["SqlRepository", "SqlStore"]

# Records hold secrets.
__tracebackhide__ = hidden_in_reports

# PostgreSQL's index does not take keys of more than 2,704 bytes.
MAX_ID_BYTES: Final = 2000

# The column that keeps the order of adding.
POSITION: Final = "_position"


class SqlStore:
    """Repositories in a database; see `Store` for what its methods promise.

    Each type of record has a table of its own, which is created when the type is first asked for. What a method has
    changed is committed before it returns.

    Args:
        url: `sqlite:///PATH` or `postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME`.
        prefix: what the names of the tables begin with; give each app its own where several share a database.

    Raises:
        InvalidInput: when the URL is another one; the message does not show it.
        MissingExtra: where SQLAlchemy or psycopg is not installed.
        StoreError: from every method, when the database fails.
    """

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self._database = Database(url)
        self._prefix = re.sub(r"\W+", "_", prefix, flags=re.ASCII).lower()
        self._repositories: dict[type, SqlRepository[Any]] = {}
        self._ledger: SqlLedger | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<SqlStore {self._database.name}>"

    @property
    def ledger(self) -> Ledger:
        """The ledger of what was handed out, in a table that all apps of the database share."""
        # Neither here a lock while the database is asked.
        made = SqlLedger(self._database) if self._ledger is None else self._ledger
        with self._lock:
            self._ledger = self._ledger or made
            return self._ledger

    def repository(self, record_type: type[RecordType]) -> Repository[RecordType]:
        """Return the repository of a type of record; the same one each time."""
        if record_type not in self._repositories:
            # Without a lock, under which everybody else would wait for a database that does not answer.
            self._repositories.setdefault(record_type, self._create(record_type))
        return self._repositories[record_type]

    def time(self) -> float:
        """Return the time by the database's clock, in seconds since the epoch."""
        from sqlalchemy import select

        with self._database.transaction() as connection:
            return float(connection.execute(select(self._database.now)).scalar_one())

    def clear(self) -> None:
        """Forget all records of all repositories that have been asked for; the ledger keeps what was handed out."""
        for repository in list(self._repositories.values()):
            repository.clear()

    def close(self) -> None:
        """Let go of connections and files."""
        self._database.close()

    def _create(self, record_type: type[RecordType]) -> SqlRepository[RecordType]:
        stored = stored_fields(record_type)
        name = f"{self._prefix}_{record_type.collection}" if self._prefix else record_type.collection
        table = _table(name, stored)
        self._database.create(table)
        return SqlRepository(record_type, stored, table, self._database.transaction)


class SqlRepository(Generic[RecordType]):
    """A repository in a database's table; see `Repository` for what its methods promise."""

    def __init__(
        self,
        record_type: type[RecordType],
        stored: list[StoredField],
        table: Table,
        transaction: Callable[[], Any],
    ) -> None:
        self._record_type = record_type
        self._fields = {field.name: field for field in stored}
        self._table = table
        self._columns = [table.c[field.name] for field in stored]
        self._transaction = transaction

    def add(self, *records: RecordType) -> bool:
        """Keep new records, all or none; False, and nothing changed, when an id is taken."""
        from sqlalchemy.exc import IntegrityError

        rows = [self._row(record) for record in records]
        if not rows:
            return True
        try:
            with self._transaction() as connection:
                if len(rows) > 1:
                    self._take_turns(connection)
                connection.execute(self._table.insert().inline(), rows)
        except IntegrityError:  # the unique id: nothing else can be broken by a row
            return False
        return True

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        return next(iter(self.find(id=id)), None)

    def find(self, **equal: Any) -> list[RecordType]:
        """Return the records whose fields have these values, oldest first; all of them without any."""
        from sqlalchemy import select

        condition = self._condition(equal)
        if condition is None:
            return []
        query = select(*self._columns).where(*condition).order_by(self._table.c[POSITION])
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [self._record(row) for row in rows]

    def replace(self, old: RecordType, new: RecordType) -> bool:
        """Put a new record in the place of an old one of the same id; False when somebody else was faster."""
        row = self._row(new)
        condition = self._condition({name: getattr(old, name) for name in self._fields})
        if condition is None or new.id != old.id:
            return False
        with self._transaction() as connection:
            replaced: int = connection.execute(self._table.update().where(*condition).values(row)).rowcount
        return replaced == 1

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none, so only one caller gets it."""
        condition = self._condition({"id": id})
        if condition is None:
            return None
        with self._transaction() as connection:
            row = connection.execute(self._table.delete().where(*condition).returning(*self._columns)).one_or_none()
        return None if row is None else self._record(row)

    def clear(self, **equal: Any) -> int:
        """Forget the records whose fields have these values, all of them without any; return how many there were."""
        condition = self._condition(equal)
        if condition is None:
            return 0
        with self._transaction() as connection:
            self._take_turns(connection)
            count: int = connection.execute(self._table.delete().where(*condition)).rowcount
        return count

    def _take_turns(self, connection: Connection) -> None:
        # Two transactions that change several rows in another order would wait for each other for ever. SQLite has
        # one writer at a time anyway.
        if connection.dialect.name == "postgresql":
            name = connection.dialect.identifier_preparer.format_table(self._table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")

    def _row(self, record: RecordType) -> dict[str, Any]:
        """Return what is kept of a record, by column."""
        row = {name: field.encode(getattr(record, name)) for name, field in self._fields.items()}
        if len(row["id"].encode()) > MAX_ID_BYTES:
            raise InvalidInput(f"{self._record_type.__name__}.id is longer than {MAX_ID_BYTES:,} bytes")
        return row

    def _record(self, row: Row[Any]) -> RecordType:
        return self._record_type(
            **{name: field.decode(value) for (name, field), value in zip(self._fields.items(), row, strict=True)}
        )

    def _condition(self, equal: dict[str, Any]) -> list[ColumnElement[bool]] | None:
        """Return what a row must meet to have these values; None when there is a value that no row can have."""
        try:
            return [self._table.c[name] == self._fields[name].encode(value) for name, value in equal.items()]
        except InvalidInput:
            return None


def _table(name: str, stored: list[StoredField]) -> Table:
    import sqlalchemy

    # Only SQLite's own INTEGER counts up by itself.
    position = sqlalchemy.BigInteger().with_variant(sqlalchemy.Integer(), "sqlite")
    return sqlalchemy.Table(
        name,
        sqlalchemy.MetaData(),
        sqlalchemy.Column(POSITION, position, primary_key=True),
        *(
            sqlalchemy.Column(
                field.name,
                getattr(sqlalchemy, field.column),
                nullable=field.optional,
                unique=field.name == "id",
                server_default=None if field.default is None else sqlalchemy.literal(field.default),
            )
            for field in stored
        ),
    )
