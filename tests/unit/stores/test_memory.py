"""The store in memory, besides what every store promises."""

from dataclasses import dataclass
from typing import ClassVar

from pytest_totphog.stores.memory import MemoryRepository, MemoryStore


@dataclass(frozen=True)
class Note:
    """A record."""

    collection: ClassVar = "note"
    id: str


def test_repository_needs_no_store() -> None:
    """One alone works as well, and shares nothing with another."""
    notes: MemoryRepository[Note] = MemoryRepository()
    notes.add(Note("a"))

    assert notes.find() == [Note("a")]
    assert MemoryRepository().find() == []


def test_stores_share_nothing() -> None:
    """Each test may have its own."""
    MemoryStore().repository(Note).add(Note("a"))

    assert MemoryStore().repository(Note).find() == []
