"""Where records live: one small repository protocol, implemented by the modules of this package."""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = ["Record", "Repository"]


class Record(Protocol):
    """What a repository keeps: an immutable value with an id."""

    @property
    def id(self) -> str:
        """The key, unique in its repository."""
        ...


RecordType = TypeVar("RecordType", bound=Record)


class Repository(Protocol[RecordType]):
    """Records by id, in the order they were added; every method is atomic."""

    def add(self, record: RecordType) -> bool:
        """Keep a new record; False, and nothing changed, when its id is taken."""
        ...

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        ...

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none."""
        ...

    def all(self) -> list[RecordType]:
        """Return all records, oldest first."""
        ...

    def clear(self) -> int:
        """Forget all records and return how many there were."""
        ...
