"""Records as JSON: what goes over the wire comes back as it was, and nothing else is taken for a record."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest

from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores.wire import RecordWire


@dataclass(frozen=True)
class Member:
    """A record with a field of every type."""

    collection: ClassVar = "member"
    id: str
    failures: int = 0
    locked_until: float = 0.0
    enabled: bool = True
    names: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    created_at: datetime = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    secret: str | None = None


ALICE = Member("alice", 3, 0.1 + 0.2, False, ["a", "ü"], {"x": [1, None]}, secret="hunter2")
WRITTEN = {
    "id": "alice",
    "failures": 3,
    "locked_until": 0.30000000000000004,
    "enabled": False,
    "names": '["a","\\u00fc"]',
    "details": '{"x":[1,null]}',
    "created_at": "2024-01-15T10:30:00+00:00",
    "secret": "hunter2",
}


@pytest.fixture
def wire() -> RecordWire[Member]:
    """The wire of members."""
    return RecordWire(Member)


def test_collection_is_the_name_of_the_type(wire: RecordWire[Member]) -> None:
    """In lower case, as it stands in the URL."""
    assert wire.collection == "member"


def test_record_is_an_object_of_its_fields(wire: RecordWire[Member]) -> None:
    """Arrays and objects inside are text, because what is equal in Python must be equal as JSON."""
    assert wire.encode(ALICE) == WRITTEN


@pytest.mark.parametrize(
    "record",
    [
        ALICE,
        Member(""),
        Member("a", -(2**63), 2.0**1023),
        Member("a", 2**63 - 1, float("inf")),
        Member("a", 0, float("-inf")),
        Member("a", created_at=datetime(2024, 1, 15, 16, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
        Member('\u2028 "\U0001f511"\n'),
    ],
)
def test_record_comes_back_as_it_was(wire: RecordWire[Member], record: Member) -> None:
    """Through JSON as RFC 8259 has it, without the infinity that Python's adds."""
    text = json.dumps(wire.encode(record), allow_nan=False)

    assert wire.decode(json.loads(text)) == record


def test_token_comes_back_as_it_was() -> None:
    """The token's own checks are passed on the way; it is in its namespace again."""
    token = Token("1", "alice", "Shop", "JBSWY3DPEHPK3PXP", 8, 60, "sha256", datetime(2024, 1, 15, tzinfo=UTC), "job-7")

    decoded = RecordWire(Token).decode(RecordWire(Token).encode(token))

    assert (decoded, decoded.namespace) == (token, "job-7")


@pytest.mark.parametrize("given", [None, [], "alice", 7, {}, {"id": "alice"}, {**WRITTEN, "password": "hunter2"}])
def test_other_objects_are_no_records(wire: RecordWire[Member], given: object) -> None:
    """All fields and no others; a server of another version may have more of them."""
    with pytest.raises(InvalidInput) as caught:
        wire.decode(given)

    assert str(caught.value) == (
        "no member; accepted is an object with id, failures, locked_until, enabled, names, details, created_at, secret"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("id", 7),
        ("id", "hunter2\0"),
        ("failures", "7"),
        ("failures", 7.5),
        ("failures", 2**63),
        ("locked_until", "soon"),
        ("locked_until", "nan"),
        ("locked_until", []),
        ("locked_until", 10**400),
        ("enabled", 1),
        ("names", ["hunter2"]),
        ("names", "hunter2"),
        ("names", '{"a":"hunter2"}'),
        ("details", '["hunter2"]'),
        ("details", "[" * 100_000),
        ("created_at", 1_705_314_600),
        ("created_at", "2024-01-15"),
        ("created_at", "2024-01-15T10:30:00"),
        ("secret", 7),
    ],
)
def test_value_of_another_type_is_no_records(wire: RecordWire[Member], name: str, value: object) -> None:
    """The message names the field and, because it may be a secret, not the value."""
    with pytest.raises(InvalidInput, match=f"^Member\\.{name} ") as caught:
        wire.decode({**WRITTEN, name: value})

    assert "hunter2" not in str(caught.value)


def test_token_that_no_door_lets_in() -> None:
    """What validates itself does so here as well."""
    token = {
        **RecordWire(Token).encode(
            Token.from_uri("otpauth://totp/alice?secret=JBSWY3DPEHPK3PXP", created_at=datetime(2024, 1, 15, tzinfo=UTC))
        ),
        "digits": 5,
    }

    with pytest.raises(InvalidInput, match="digits is 5; accepted are 6, 7 and 8"):
        RecordWire(Token).decode(token)


def test_values_of_some_fields_come_back(wire: RecordWire[Member]) -> None:
    """As they are looked for, or expected."""
    values = {"details": {"b": 1, "a": 2}, "secret": None, "locked_until": float("inf"), "failures": 7}

    encoded = wire.encode_values(values)

    assert encoded == {"details": '{"a":2,"b":1}', "secret": None, "locked_until": "inf", "failures": 7}
    assert wire.decode_values(encoded) == values
    assert wire.encode_values({}) == wire.decode_values({}) == {}


@pytest.mark.parametrize("value", ["hunter2\0", "\ud800", 7, None])
def test_values_that_no_record_has(wire: RecordWire[Member], value: object) -> None:
    """They are looked for in vain, which is no error."""
    assert wire.encode_values({"id": value}) is None


@pytest.mark.parametrize("given", [None, [], "id", {"password": "hunter2"}])
def test_values_of_other_fields_are_refused(wire: RecordWire[Member], given: object) -> None:
    """Whoever asks for a field that is not there would find everything."""
    with pytest.raises(InvalidInput) as caught:
        wire.decode_values(given)

    assert str(caught.value) == (
        "no values of a member; it has id, failures, locked_until, enabled, names, details, created_at, secret"
    )


def test_type_that_cannot_be_kept_is_refused() -> None:
    """As every store does."""

    @dataclass(frozen=True)
    class Pair:
        collection: ClassVar = "pair"
        id: str
        both: tuple[int, int]

    with pytest.raises(InvalidInput, match=r"^Pair\.both is of a type that a database does not keep"):
        RecordWire(Pair)
