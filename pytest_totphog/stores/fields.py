"""The fields of records, and what is kept of their values outside Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["StoredField", "stored_fields"]

# Values may be secrets.
__tracebackhide__ = hidden_in_reports


class _Kind(NamedTuple):
    """How the values of one Python type are kept.

    Attributes:
        column: the name of SQLAlchemy's type for it.
        accepted: what is kept, for errors.
        encode: returns what goes into the column; fails for what is not kept.
        decode: returns the value again.
    """

    column: str
    accepted: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


class StoredField(NamedTuple):
    """One field of a record type.

    Attributes:
        record: the name of the record type.
        name: the field's own name.
        type: its type, without None.
        optional: whether it may be None.
        default: what it is where a record does not say, as a column keeps it; None where a record has to say it.
    """

    record: str
    name: str
    type: type
    optional: bool
    default: Any = None

    @property
    def column(self) -> str:
        """The name of SQLAlchemy's type for it."""
        return _KINDS[self.type].column

    def encode(self, value: Any) -> Any:
        """Return what goes into the column.

        Raises:
            InvalidInput: when the value is not of the field's type, or is none that a database keeps.
        """
        if value is None and self.optional:
            return None
        kind = _KINDS[self.type]
        if isinstance(value, (int, float) if self.type is float else self.type):
            try:
                return kind.encode(value)
            except (TypeError, ValueError, OverflowError, RecursionError):
                pass
        # Not the value: it may be a secret.
        raise InvalidInput(
            f"{self.record}.{self.name} is a {type(value).__name__} that a database does not keep there; "
            f"accepted is {kind.accepted}{' or None' if self.optional else ''}"
        )

    def decode(self, stored: Any) -> Any:
        """Return the value again."""
        return None if stored is None else _KINDS[self.type].decode(stored)


def stored_fields(record_type: type) -> list[StoredField]:
    """Return the fields of a record type.

    Raises:
        InvalidInput: when one is of a type that a database does not keep.
    """
    hints = get_type_hints(record_type)
    found = []
    for field in fields(record_type):
        hint = hints[field.name]
        alternatives = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
        types = [_real(get_origin(other) or other) for other in alternatives if other is not NoneType]
        if len(types) != 1 or types[0] not in _KINDS:
            raise InvalidInput(
                f"{record_type.__name__}.{field.name} is of a type that a database does not keep; accepted are "
                f"{', '.join(kind.__name__ for kind in _KINDS)}, each alone or with None"
            )
        stored = StoredField(record_type.__name__, field.name, types[0], NoneType in alternatives)
        default = None if field.default is MISSING else stored.encode(field.default)
        found.append(stored._replace(default=default))
    return found


def _real(annotated: Any) -> Any:
    """Return a field's type; frozen time puts a class of its own in the place of datetime."""
    if isinstance(annotated, type) and issubclass(annotated, datetime):
        return next(kind for kind in _KINDS if issubclass(kind, datetime))
    return annotated


def _as_text(value: str) -> str:
    if "\0" in value:  # PostgreSQL cannot keep it
        raise ValueError
    value.encode()  # fails for lone surrogates
    return str(value)  # drivers do not know subclasses


def _as_integer(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise OverflowError
    return int(value)


def _as_double(value: float) -> float:
    double = float(value)
    if double != value:  # an integer that it would round, or not a number, which equals nothing
        raise ValueError
    return double


def _as_json(value: Any) -> str:
    # Keys in order, because what is equal in Python must be equal as text.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    if json.loads(text) != value:  # a tuple, or a number as a key, would come back as something else
        raise ValueError
    return text


def _as_iso(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError
    # In one time zone, because what is equal in Python must be equal as text.
    return value.astimezone(UTC).isoformat()


def _unchanged(value: Any) -> Any:
    return value


_KINDS: Final[dict[Any, _Kind]] = {
    str: _Kind("Text", "text without NUL and lone surrogates", _as_text, _unchanged),
    int: _Kind("BigInteger", "a whole number of 64 bits", _as_integer, _unchanged),
    float: _Kind("Double", "a number of double precision", _as_double, _unchanged),
    bool: _Kind("Boolean", "True or False", _unchanged, _unchanged),
    dict: _Kind("Text", "a JSON object", _as_json, json.loads),
    list: _Kind("Text", "a JSON array", _as_json, json.loads),
    datetime: _Kind("Text", "a datetime with a time zone", _as_iso, datetime.fromisoformat),
}
