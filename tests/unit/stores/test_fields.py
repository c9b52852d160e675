"""The fields of records: which types are kept, and which of their values."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores.fields import StoredField, stored_fields


@dataclass(frozen=True)
class Account:
    """A record."""

    id: str
    failures: int
    locked_until: float
    enabled: bool
    names: list[str]
    details: dict[str, Any]
    created_at: datetime
    secret: str | None
    phone: Optional[str]  # noqa: UP045 -- people write it either way


FIELDS = {field.name: field for field in stored_fields(Account)}


def test_every_type_has_its_column() -> None:
    """JSON and instants are kept as text, which every database has."""
    assert {name: field.column for name, field in FIELDS.items()} == {
        "id": "Text",
        "failures": "BigInteger",
        "locked_until": "Double",
        "enabled": "Boolean",
        "names": "Text",
        "details": "Text",
        "created_at": "Text",
        "secret": "Text",
        "phone": "Text",
    }


def test_only_optional_fields_may_be_none() -> None:
    """Either spelling of the type says so."""
    assert [name for name, field in FIELDS.items() if field.optional] == ["secret", "phone"]
    assert FIELDS["secret"].encode(None) is None
    assert FIELDS["phone"].decode(None) is None


@dataclass(frozen=True)
class Pair:
    """A record with a field that is a tuple."""

    id: str
    both: tuple[int, int]


@dataclass(frozen=True)
class Either:
    """A record with a field of two types."""

    id: str
    one: int | str


@pytest.mark.parametrize(("record_type", "name"), [(Pair, "Pair.both"), (Either, "Either.one")])
def test_other_types_are_refused(record_type: type, name: str) -> None:
    """The message names the field, and the types to choose from."""
    with pytest.raises(InvalidInput) as caught:
        stored_fields(record_type)

    assert str(caught.value) == (
        f"{name} is of a type that a database does not keep; accepted are str, int, float, bool, dict, list, datetime, "
        "each alone or with None"
    )


NESTED: list[Any] = []
for _ in range(100_000):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("id", "nul \0", "text without NUL and lone surrogates"),
        ("id", "surrogate \ud800", "text without NUL and lone surrogates"),
        ("id", b"bytes", "text without NUL and lone surrogates"),
        ("id", None, "text without NUL and lone surrogates"),
        ("secret", 5, "text without NUL and lone surrogates or None"),
        ("failures", 2**63, "a whole number of 64 bits"),
        ("failures", -(2**63) - 1, "a whole number of 64 bits"),
        ("failures", 1.0, "a whole number of 64 bits"),
        ("locked_until", float("nan"), "a number of double precision"),
        ("locked_until", 2**53 + 1, "a number of double precision"),
        ("locked_until", 10**400, "a number of double precision"),
        ("enabled", 1, "True or False"),
        ("names", ("a", "b"), "a JSON array"),
        ("names", [("a", "b")], "a JSON array"),
        ("names", [float("nan")], "a JSON array"),
        ("names", [b"bytes"], "a JSON array"),
        ("names", NESTED, "a JSON array"),
        ("details", {1: "number as a key"}, "a JSON object"),
        ("details", {1: "two", "a": "kinds of keys"}, "a JSON object"),
        ("details", [], "a JSON object"),
        ("created_at", datetime.fromisoformat("2024-01-15"), "a datetime with a time zone"),
        ("created_at", "2024-01-15T00:00:00Z", "a datetime with a time zone"),
    ],
    ids=lambda value: "nested" if value is NESTED else None,
)
def test_value_that_does_not_come_back_the_same_is_refused(name: str, value: object, accepted: str) -> None:
    """The message names the field and what it keeps, and not the value, which may be a secret."""
    with pytest.raises(InvalidInput) as caught:
        FIELDS[name].encode(value)

    assert str(caught.value) == (
        f"Account.{name} is a {type(value).__name__} that a database does not keep there; accepted is {accepted}"
    )


class Hidden(str):
    """A text that is not only a text."""

    __slots__ = ()


def test_text_of_a_subclass_is_kept_as_text() -> None:
    """Drivers look at the type, and do not know each."""
    assert type(FIELDS["secret"].encode(Hidden("OZSXE6JAONSWG4TF"))) is str


def test_what_is_equal_is_kept_alike() -> None:
    """Databases compare what is kept, so it must not tell how it was written."""
    assert FIELDS["details"].encode({"b": 1, "a": 2}) == FIELDS["details"].encode({"a": 2, "b": 1})
    assert FIELDS["created_at"].encode(datetime.fromisoformat("2024-01-15T12:00:00+02:00")) == (
        "2024-01-15T10:00:00+00:00"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=5) | st.dictionaries(st.text(), children, max_size=5),
    max_leaves=10,
)
VALUES = {
    "id": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "failures": st.integers(-(2**63), 2**63 - 1),
    "locked_until": st.floats(allow_nan=False),
    "enabled": st.booleans(),
    "names": st.lists(JSON, max_size=5),
    "details": st.dictionaries(st.text(), JSON, max_size=5),
    "created_at": st.datetimes(timezones=st.just(UTC)),
    "secret": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
}


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(FIELDS[name]), VALUES[name])))
def test_every_other_value_comes_back(drawn: tuple[StoredField, Any]) -> None:
    """It equals what was kept, and keeping it again makes no difference."""
    field, value = drawn
    kept = field.encode(value)

    assert field.decode(kept) == value
    assert field.encode(field.decode(kept)) == kept
