"""What is done to records alike in every store."""

from __future__ import annotations

from collections.abc import Callable

from pytest_totphog.stores import RecordType, Repository

__all__ = ["put"]


def put(repository: Repository[RecordType], id: str, make: Callable[[RecordType | None], RecordType]) -> RecordType:
    """Keep, and return, the record that is made of the one kept so far; nobody's change in between is lost.

    Args:
        repository: where it is kept.
        id: the record's id.
        make: returns the new record for the old one, or for None where there is none; it is called again when somebody
            else was faster.
    """
    while True:
        old = repository.get(id)
        new = make(old)
        if repository.add(new) if old is None else repository.replace(old, new):
            return new
