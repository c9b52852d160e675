"""Records in this process."""

from __future__ import annotations

import threading
from typing import Any, Generic

from pytest_totphog.clocks.real_clock import RealClock
from pytest_totphog.stores import RecordType, Repository
from pytest_totphog.stores.ledger import Ledger, MemoryLedger

__all__ = ["MemoryRepository", "MemoryStore"]


class MemoryRepository(Generic[RecordType]):
    """A repository in this process; see `Repository` for what its methods promise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, RecordType] = {}

    def add(self, *records: RecordType) -> bool:
        """Keep new records, all or none; False, and nothing changed, when an id is taken."""
        new = {record.id: record for record in records}
        with self._lock:
            if len(new) < len(records) or not self._records.keys().isdisjoint(new):
                return False
            self._records.update(new)
            return True

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        return self._records.get(id)

    def find(self, **equal: Any) -> list[RecordType]:
        """Return the records whose fields have these values, oldest first; all of them without any."""
        with self._lock:
            records = list(self._records.values())
        return [record for record in records if _has(record, equal)]

    def replace(self, old: RecordType, new: RecordType) -> bool:
        """Put a new record in the place of an old one of the same id; False when somebody else was faster."""
        with self._lock:
            if new.id != old.id or self._records.get(old.id) != old:
                return False
            self._records[old.id] = new
            return True

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none, so only one caller gets it."""
        with self._lock:
            return self._records.pop(id, None)

    def clear(self, **equal: Any) -> int:
        """Forget the records whose fields have these values, all of them without any; return how many there were."""
        with self._lock:
            forgotten = [record for record in self._records.values() if _has(record, equal)]
            for record in forgotten:
                del self._records[record.id]
            return len(forgotten)


class MemoryStore:
    """Repositories in this process, and a ledger; see `Store` for what its methods promise.

    Args:
        ledger: the ledger; one in this process unless given.
    """

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger: Ledger = MemoryLedger() if ledger is None else ledger
        self._clock = RealClock()
        self._lock = threading.Lock()
        self._repositories: dict[type, MemoryRepository[Any]] = {}

    def repository(self, record_type: type[RecordType]) -> Repository[RecordType]:
        """Return the repository of a type of record; the same one each time."""
        with self._lock:
            return self._repositories.setdefault(record_type, MemoryRepository())

    def time(self) -> float:
        """Return real time, in seconds since the epoch."""
        return self._clock.time()

    def clear(self) -> None:
        """Forget all records of all repositories; what was handed out stays in the ledger."""
        with self._lock:
            for repository in self._repositories.values():
                repository.clear()

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def _has(record: object, equal: dict[str, Any]) -> bool:
    return all(getattr(record, name) == value for name, value in equal.items())
