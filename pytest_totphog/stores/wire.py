"""Records as JSON, for stores that speak HTTP with each other."""

from __future__ import annotations

import math
from typing import Any, Generic

from pytest_totphog.errors import InvalidInput, hidden_in_reports
from pytest_totphog.stores import RecordType
from pytest_totphog.stores.fields import StoredField, stored_fields

__all__ = ["RecordWire"]

# Records hold secrets.
__tracebackhide__ = hidden_in_reports


class RecordWire(Generic[RecordType]):
    """The JSON objects of a type of record.

    Args:
        record_type: a frozen dataclass with an id.

    Raises:
        InvalidInput: when one of its fields is of a type that a store does not keep.
    """

    def __init__(self, record_type: type[RecordType]) -> None:
        self.collection = record_type.collection
        self._record_type = record_type
        self._fields = {field.name: field for field in stored_fields(record_type)}

    def encode(self, record: RecordType) -> dict[str, Any]:
        """Return a record as a JSON object.

        Raises:
            InvalidInput: when it has a value that no store keeps.
        """
        return {name: _as_json(field.encode(getattr(record, name))) for name, field in self._fields.items()}

    def encode_values(self, equal: dict[str, Any]) -> dict[str, Any] | None:
        """Return the values of some fields as a JSON object; None when there is one that no record can have."""
        try:
            return {name: _as_json(self._fields[name].encode(value)) for name, value in equal.items()}
        except InvalidInput:
            return None

    def decode(self, values: Any) -> RecordType:
        """Return the record of a JSON object.

        Raises:
            InvalidInput: when it is no object with this record's fields and values of their types.
        """
        if not isinstance(values, dict) or values.keys() != self._fields.keys():
            raise InvalidInput(f"no {self.collection}; accepted is an object with {', '.join(self._fields)}")
        record = self._record_type(**self.decode_values(values))
        self.encode(record)  # checks the types
        return record

    def decode_values(self, values: Any) -> dict[str, Any]:
        """Return the values of some fields.

        Raises:
            InvalidInput: when it is no object, or one with other fields.
        """
        if not isinstance(values, dict) or not values.keys() <= self._fields.keys():
            raise InvalidInput(f"no values of a {self.collection}; it has {', '.join(self._fields)}")
        return {name: _from_json(self._fields[name], value) for name, value in values.items()}


def _as_json(value: Any) -> Any:
    # JSON has no infinity.
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _from_json(field: StoredField, value: Any) -> Any:
    try:
        return field.decode(float(value) if field.type is float and isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidInput(f"{field.record}.{field.name} cannot be read") from None
