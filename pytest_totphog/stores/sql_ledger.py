"""A ledger in a database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.real_clock import RealClock
from pytest_totphog.errors import StoreError
from pytest_totphog.stores.database import Database
from pytest_totphog.stores.ledger import KEPT_SECONDS, KEPT_STEPS, PRUNE_INTERVAL, Claim

if TYPE_CHECKING:
    from sqlalchemy import Table

__all__ = ["SqlLedger"]

TABLE: Final = "totphog_claims"


class _NotFree(Exception):
    """No step can be spent now; ends the transaction."""


class SqlLedger:
    """A ledger in a database's table; see `Ledger` for what its methods promise.

    That a step is claimed once is the table's unique key, so any number of processes and machines may share it.

    Args:
        database: where the table is; it is created unless it is there.
        clock: real time.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = RealClock() if clock is None else clock
        self._prune_at = 0.0
        self._table = _table()
        database.create(self._table)

    def claim(
        self,
        fingerprint: str,
        earliest: int,
        latest: int,
        *,
        holder: str,
        claimed_at: float,
        also: Sequence[str] = (),
    ) -> Claim | None:
        """Claim the first free step; see `Ledger.claim`."""
        keys = tuple(dict.fromkeys((fingerprint, *also)))
        claim = None
        while claim is None:
            with suppress(_NotFree):
                claim = self._insert(keys, earliest, latest, holder, claimed_at)
                break
            # Either there is none up to `latest`, or somebody else was faster.
            last = self._first(self._table.c.fingerprint.in_(keys))
            if max(earliest, earliest if last is None else last.step + 1) > latest:
                return None
        if (now := Clock.monotonic()) >= self._prune_at:
            self._prune_at = now + PRUNE_INTERVAL
            with suppress(StoreError):  # the claim stands, and the next one may have more luck
                self._prune()
        return claim

    def give_back(self, claim: Claim) -> None:
        """Forget a claim whose code nobody was given; see `Ledger.give_back`."""
        columns = self._table.c
        own = (columns.fingerprint == claim.fingerprint, columns.step == claim.step, columns.holder == claim.holder)
        with self._database.transaction() as connection:
            connection.execute(self._table.delete().where(*own))

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        return self._first(self._table.c.fingerprint == fingerprint)

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        return self._first(self._table.c.fingerprint == fingerprint, self._table.c.step == step)

    def _prune(self) -> None:
        """Forget what is old by the database's clock and by real time; either may be days off."""
        recorded_at, kept_from = self._table.c.recorded_at, self._clock.time() - KEPT_SECONDS
        with self._database.transaction() as connection:
            old = (recorded_at < kept_from, recorded_at < self._database.now - KEPT_SECONDS)
            connection.execute(self._table.delete().where(*old))

    def _insert(self, keys: tuple[str, ...], earliest: int, latest: int, holder: str, claimed_at: float) -> Claim:
        """Spend the first free step under all keys, or change nothing.

        Raises:
            _NotFree: when it is later than `latest`, or somebody else was faster.
        """
        from sqlalchemy import BigInteger, Double, bindparam, case, func, literal, select
        from sqlalchemy.dialects import postgresql, sqlite

        columns = self._table.c
        real_time = bindparam("real_time", self._clock.time(), Double)
        last = func.max(columns.step)
        free = (
            select(case((last >= earliest, last + 1), else_=earliest).label("step"))
            .where(columns.fingerprint.in_(keys))
            .subquery()
        )
        # The later one, so that it is old by neither before its time.
        recorded_at = case((self._database.now > real_time, self._database.now), else_=real_time)
        insert: Any = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        names = ["fingerprint", "step", "holder", "claimed_at", "recorded_at"]
        with self._database.transaction() as connection:
            step: Any = free.c.step
            taken = -1
            for key in keys:
                row = select(
                    bindparam("fingerprint", key),
                    step,
                    bindparam("holder", holder),
                    bindparam("claimed_at", claimed_at, Double),
                    recorded_at,
                ).where(step <= latest)
                spent = insert(self._table).from_select(names, row).on_conflict_do_nothing().returning(columns.step)
                if (row_step := connection.execute(spent).scalar_one_or_none()) is None:
                    raise _NotFree
                taken, step = row_step, literal(row_step, BigInteger)
            forgotten = (columns.fingerprint.in_(keys), columns.step < taken - KEPT_STEPS)
            connection.execute(self._table.delete().where(*forgotten))
        return Claim(keys[0], taken, holder, claimed_at)

    def _first(self, *conditions: Any) -> Claim | None:
        from sqlalchemy import select

        columns = self._table.c
        query = (
            select(columns.fingerprint, columns.step, columns.holder, columns.claimed_at)
            .where(*conditions)
            .order_by(columns.step.desc())
            .limit(1)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Claim(*row)


def _table() -> Table:
    from sqlalchemy import BigInteger, Column, Double, MetaData, Table, Text

    return Table(
        TABLE,
        MetaData(),
        Column("fingerprint", Text, primary_key=True),
        Column("step", BigInteger, primary_key=True, autoincrement=False),
        Column("holder", Text, nullable=False),
        Column("claimed_at", Double, nullable=False),
        Column("recorded_at", Double, nullable=False),
    )
