"""Records in this process."""

from __future__ import annotations

import threading
from typing import Generic

from pytest_totphog.stores import RecordType

__all__ = ["MemoryRepository"]


class MemoryRepository(Generic[RecordType]):
    """A repository in this process; see `Repository` for what its methods promise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, RecordType] = {}

    def add(self, record: RecordType) -> bool:
        """Keep a new record; False, and nothing changed, when its id is taken."""
        with self._lock:
            return self._records.setdefault(record.id, record) is record

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        return self._records.get(id)

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none."""
        with self._lock:
            return self._records.pop(id, None)

    def all(self) -> list[RecordType]:
        """Return all records, oldest first."""
        with self._lock:
            return list(self._records.values())

    def clear(self) -> int:
        """Forget all records and return how many there were."""
        with self._lock:
            count = len(self._records)
            self._records.clear()
            return count
