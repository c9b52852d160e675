"""What freezegun leaves behind: its types, in modules that were first imported while it had stopped the time.

At its end it gives the names in each module back what they stood for. It does not look into what these hold: tables of
types, default arguments, attributes and annotations of classes, subclasses.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from types import FunctionType, GenericAlias, MethodType, ModuleType, UnionType
from typing import Any, Final

__all__ = ["fake_type_in", "leftovers", "suspects", "warning"]

# How deep to look, and at how many entries of a table: those of types are small.
DEPTH: Final = 4
ENTRIES: Final = 1000
SHOWN: Final = 10

_FAKE = re.compile(r"\b(Fake(?:Datetime|Date))\b")
_QUALIFIED_FAKE = re.compile(r"\bfreezegun\.api\.(Fake\w+)")


def leftovers(before: Collection[str]) -> list[str]:
    """Return the names of what holds freezegun's types: `"yaml.representer.SafeRepresenter.yaml_representers"`.

    Args:
        before: the names of the modules that are not looked at.
    """
    fakes = [each for name, each in vars(sys.modules["freezegun.api"]).items() if name.lower().startswith("fake")]
    search = _Search(fakes)
    return [
        name
        for place, module in list(sys.modules.items())
        if place not in before and isinstance(module, ModuleType) and not place.startswith("freezegun")
        for name in search.names_in(place, module)
    ]


def warning(names: Collection[str]) -> str:
    """Return what there is to say about leftovers, and to do."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        f"freezegun's types stay in {', '.join(list(names)[:SHOWN])}{more}: these modules were first imported while it "
        "had stopped the time, and what uses them later may fail. Import them before that, for example in conftest.py, "
        "or take time-machine, which leaves nothing behind: pip install 'pytest-totphog[time-machine]'"
    )


def fake_type_in(error: BaseException) -> str:
    """Return the name of freezegun's type that an error is about; empty where it is about none.

    Values of it are no sign in an assertion, which shows everything that it compares.
    """
    text = str(error)
    found = _QUALIFIED_FAKE.search(text) if isinstance(error, AssertionError) else _FAKE.search(text)
    return "" if found is None else found[1]


def suspects(names: Collection[str], error: BaseException, fake_type: str) -> list[str]:
    """Return the leftovers that an error may have come of.

    Args:
        names: the leftovers.
        error: the error. Where it came out of freezegun, what ran before counts, else the package that raised it.
        fake_type: what `fake_type_in` has found in it; then all may be it.
    """
    packages = []
    traceback = error.__traceback__
    while traceback is not None:
        packages.append(str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        traceback = traceback.tb_next
    of_freezegun = bool(fake_type) or packages[-1:] == ["freezegun"]
    if not of_freezegun:
        packages = [] if isinstance(error, AssertionError) else packages[-1:]
    found = [name for name in names if name.partition(".")[0] in packages]
    return found or (list(names) if of_freezegun else [])


class _Search:
    """Looks for some objects in others; none of these is called or asked: some import, or connect, when they are."""

    def __init__(self, wanted: Iterable[object]) -> None:
        self._wanted = {id(each) for each in wanted}
        self._seen: dict[int, object] = {}  # they are kept, because another object may get the id of one that is gone

    def names_in(self, place: str, owner: ModuleType | type) -> Iterator[str]:
        """Yield the names under which a module holds them, or a class and what is in it."""
        module = place if isinstance(owner, ModuleType) else owner.__module__
        for name, value in list(vars(owner).items()):
            if name in {"__builtins__", "__dict__"} or (name == "__annotations__" and owner is sys.modules.get(place)):
                continue
            kind, found = type(value), self._is_wanted(value)
            if issubclass(kind, (type, FunctionType)) and value.__module__ not in {module, "freezegun.api"}:
                continue  # looked at where it is defined
            if issubclass(kind, type) and not found:
                if id(value) not in self._seen:
                    self._seen[id(value)] = value
                    yield from self.names_in(f"{place}.{name}", value)
            elif found or self._holds(value, DEPTH):
                yield f"{place}.{name}"

    def _is_wanted(self, value: Any) -> bool:
        # A subclass holds its class.
        classes = type.mro(value) if issubclass(type(value), type) and value is not type else [value]
        return any(id(each) in self._wanted for each in classes)

    def _holds(self, value: object, depth: int) -> bool:
        if self._is_wanted(value):
            return True
        if depth == 0 or id(value) in self._seen:
            return False
        self._seen[id(value)] = value
        with suppress(Exception):  # any object, in any state
            return any(self._holds(part, depth - 1) for part in islice(_parts(value), ENTRIES))
        return False


def _parts(value: Any) -> Iterator[object]:
    """Yield what an object is made of; nothing for a class or a module."""
    kind = type(value)
    if issubclass(kind, dict):
        for item in list(dict.items(value)):
            yield from item
    elif issubclass(kind, (list, tuple, set, frozenset)):
        yield from list(value)
    elif issubclass(kind, FunctionType):  # its annotations do no harm
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        for cell in value.__closure__ or ():
            with suppress(ValueError):  # an empty one
                yield cell.cell_contents
    elif issubclass(kind, (MethodType, staticmethod, classmethod)):
        yield from (getattr(value, "__self__", None), value.__func__)
    elif issubclass(kind, partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif issubclass(kind, (GenericAlias, UnionType)):
        yield from value.__args__
    elif not issubclass(kind, (type, ModuleType)):
        yield from object.__getattribute__(value, "__dict__").values()
