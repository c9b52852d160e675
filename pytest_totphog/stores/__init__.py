"""Where records live: one small repository protocol, implemented by the modules of this package."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar

from pytest_totphog.stores.ledger import Ledger

__all__ = ["Record", "Repository", "Store"]


class Record(Protocol):
    """What a repository keeps: a frozen dataclass with an id.

    Attributes:
        collection: what tables and URLs call all records of the type. A name that has been released stays, wherever the
            class goes, because databases keep it.
    """

    collection: ClassVar[str]

    @property
    def id(self) -> str:
        """The key, unique in its repository."""
        ...


RecordType = TypeVar("RecordType", bound=Record)


class Repository(Protocol[RecordType]):
    """Records by id, in the order they were added; every method is atomic."""

    def add(self, *records: RecordType) -> bool:
        """Keep new records, all or none; False, and nothing changed, when an id is taken."""
        ...

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        ...

    def find(self, **equal: Any) -> list[RecordType]:
        """Return the records whose fields have these values, oldest first; all of them without any."""
        ...

    def replace(self, old: RecordType, new: RecordType) -> bool:
        """Put a new record in the place of an old one of the same id; False when somebody else was faster."""
        ...

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none, so only one caller gets it."""
        ...

    def clear(self, **equal: Any) -> int:
        """Forget the records whose fields have these values, all of them without any; return how many there were."""
        ...


class Store(Protocol):
    """A place for the repositories of one app, and for a ledger."""

    @property
    def ledger(self) -> Ledger:
        """The ledger of what was handed out; the same one each time."""
        ...

    def repository(self, record_type: type[RecordType]) -> Repository[RecordType]:
        """Return the repository of a type of record; the same one each time."""
        ...

    def time(self) -> float:
        """Return the time by the store's own clock, in seconds since the epoch."""
        ...

    def clear(self) -> None:
        """Forget all records of all repositories; what was handed out stays in the ledger."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
