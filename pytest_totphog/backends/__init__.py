"""The practice backends, and how mistakes are planted in one."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import TypeVar, cast

from pytest_totphog.errors import InvalidInput, shown

__all__ = ["with_flaws"]

Class = TypeVar("Class")


def with_flaws(honest: type[Class], backend: str, flaws: Collection[str]) -> type[Class]:
    """Return a class of a backend with those of the flaws that are its own; the class itself where there are none.

    Args:
        honest: the class that does it right.
        backend: the name of the backend; its module `flaws` has a table `FLAWS` of names and their subclasses.
        flaws: the names of the flaws.

    Raises:
        InvalidInput: for a flaw that the backend cannot have.
    """
    if not flaws:
        return honest
    accepted: dict[str, tuple[type, ...]] = import_module(f"{__name__}.{backend.replace('-', '_')}.flaws").FLAWS
    if isinstance(flaws, str) or not isinstance(flaws, Collection):
        raise InvalidInput(f"flaws is {shown(flaws)}; accepted is a set of names, such as {{'{next(iter(accepted))}'}}")
    if unknown := [flaw for flaw in flaws if flaw not in list(accepted)]:
        raise InvalidInput(f"{backend} has no flaw {shown(unknown[0])}; accepted: {', '.join(accepted)}")
    subclasses = dict.fromkeys(
        cls for name in accepted if name in flaws for cls in accepted[name] if issubclass(cls, honest)
    )
    return cast("type[Class]", type(honest.__name__, (*subclasses, honest), {}))
