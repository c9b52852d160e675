"""The export of Google Authenticator: accounts as protobuf, in base64, in a URI."""

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.credentials.migration import is_migration_uri, parse_migration_uri

# Of https://github.com/dim13/otpauth: 'Hello!' and 0xdeadbeef, named Example:alice@google.com.
PUBLISHED = "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC"


def varint(number: int) -> bytes:
    """Return an integer as protobuf writes it."""
    head, tail = number & 0x7F, number >> 7
    return bytes([head | 0x80]) + varint(tail) if tail else bytes([head])


def field(number: int, value: int | bytes | str) -> bytes:
    """Return a field as protobuf writes it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def account(**changes: Any) -> bytes:
    """Return an account of an export: alice at Example, with some fields changed; None leaves one out."""
    usual = {"secret": b"Hello!\xde\xad\xbe\xef", "name": "alice", "issuer": "Example", "algorithm": 1, "digits": 1}
    fields = usual | {"type": 2} | changes
    numbers = {"secret": 1, "name": 2, "issuer": 3, "algorithm": 4, "digits": 5, "type": 6, "counter": 7, "id": 8}
    message = b"".join(field(numbers[key], value) for key, value in fields.items() if value is not None)
    return field(1, message)


def uri_of(payload: bytes) -> str:
    """Return the URI of an export, as the app writes it."""
    return f"otpauth-migration://offline?data={quote(base64.b64encode(payload).decode(), safe='')}"


# Reading


def test_published_example() -> None:
    """Its name has the issuer before it; algorithm and digits are left out."""
    assert parse_migration_uri(PUBLISHED) == [
        {
            "name": "alice@google.com",
            "issuer": "Example",
            "secret": "JBSWY3DPEHPK3PXP",
            "algorithm": "sha1",
            "digits": 6,
        }
    ]


def test_several_accounts_in_their_order() -> None:
    """Each with its own algorithm and digits; the numbers of the batch are passed over."""
    bob = account(name="bob", issuer="Harbour", secret=b"12345678901234567890", algorithm=3, digits=2)
    batch = field(2, 1) + field(3, 4) + field(4, 2) + field(5, 2**64 - 3)

    accounts = parse_migration_uri(uri_of(account() + bob + batch))

    assert accounts == [
        {"name": "alice", "issuer": "Example", "secret": "JBSWY3DPEHPK3PXP", "algorithm": "sha1", "digits": 6},
        {
            "name": "bob",
            "issuer": "Harbour",
            "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "algorithm": "sha512",
            "digits": 8,
        },
    ]


@pytest.mark.parametrize(
    ("fields", "read"),
    [
        ({"algorithm": None, "digits": None}, {"algorithm": "sha1", "digits": 6}),
        ({"algorithm": 0, "digits": 0}, {"algorithm": "sha1", "digits": 6}),
        ({"algorithm": 2}, {"algorithm": "sha256"}),
        ({"name": "Example: alice"}, {"name": "alice", "issuer": "Example"}),
        ({"name": "Harbour:alice", "issuer": None}, {"name": "alice", "issuer": "Harbour"}),
        ({"name": "Other:alice"}, {"name": "Other:alice", "issuer": "Example"}),
        ({"name": "Zoë", "issuer": "日本"}, {"name": "Zoë", "issuer": "日本"}),
        ({"id": "b0a1"}, {"name": "alice"}),
    ],
)
def test_what_accounts_may_say(fields: dict[str, Any], read: dict[str, Any]) -> None:
    """What is left out is the usual; the name may have the issuer before it; newer fields are passed over."""
    [found] = parse_migration_uri(uri_of(account(**fields)))

    assert {key: found[key] for key in read} == read


@pytest.mark.parametrize(
    "spelled",
    [
        lambda data: quote(data, safe=""),
        lambda data: data,
        lambda data: data.rstrip("="),
        lambda data: data.replace("+", " "),
        lambda data: data.replace("+", "-").replace("/", "_"),
        lambda data: f"{quote(data)}&amp;source=app",
    ],
    ids=["escaped", "as it is", "without padding", "form-decoded", "base64url", "from HTML"],
)
def test_ways_to_spell_the_data(spelled: Any) -> None:
    """As the app writes it, and what pages and shells make of it."""
    data = base64.b64encode(account(secret=bytes(range(200, 256)))).decode()
    assert {"+", "/"} <= set(data)

    [found] = parse_migration_uri(f" OTPAUTH-MIGRATION://offline?data={spelled(data)}\n")

    assert found["secret"] == base64.b32encode(bytes(range(200, 256))).decode().rstrip("=")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("otpauth-migration://offline?data=AA", True),
        (" OTPAuth-Migration://", True),
        ("otpauth://totp/a?secret=AA", False),
        ("", False),
    ],
)
def test_which_text_is_meant_as_one(text: str, answer: bool) -> None:
    """The scheme tells."""
    assert is_migration_uri(text) is answer


# Refusals


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (account(type=1, counter=7), "the account 'alice' of the export is hotp; accepted is totp"),
        (account(type=None), "the account 'alice' of the export is of an unknown type; accepted is totp"),
        (account(type=9), "the account 'alice' of the export is of an unknown type; accepted is totp"),
        (
            account(algorithm=4),
            "the account 'alice' of the export has the algorithm md5; accepted are sha1, sha256 and sha512",
        ),
        (
            account(algorithm=99),
            "the account 'alice' of the export has the algorithm unknown; accepted are sha1, sha256 and sha512",
        ),
        (
            account(digits=3),
            "the account 'alice' of the export has an unknown number of digits; an export knows 6 and 8",
        ),
        (account(secret=None), "the account 'alice' of the export has no secret"),
        (account(secret=b""), "the account 'alice' of the export has no secret"),
        (account(secret=5), "the account 'alice' of the export has no secret"),
        (b"", "the otpauth-migration:// URI holds no account; accepted is otpauth-migration://offline?data=BASE64"),
        (
            field(2, 1),
            "the otpauth-migration:// URI holds no account; accepted is otpauth-migration://offline?data=BASE64",
        ),
    ],
)
def test_refused_account(payload: bytes, message: str) -> None:
    """The sentence says whose, and never the secret."""
    with pytest.raises(InvalidInput) as caught:
        parse_migration_uri(uri_of(payload))

    assert str(caught.value) == message


BROKEN = "the otpauth-migration:// URI is cut short or broken; accepted is otpauth-migration://offline?data=BASE64"


@pytest.mark.parametrize(
    "payload",
    [
        account()[:-3],
        field(1, field(2, b"\xff\xfe")),
        field(1, field(2, 5)),
        b"\x0a",
        b"\xff" * 20,
        b"\x0b",
        varint(1 << 3 | 5) + b"\0",
    ],
    ids=["cut short", "not UTF-8", "number for a name", "no length", "endless number", "group", "short fixed32"],
)
def test_broken_message(payload: bytes) -> None:
    """A URI that lost its end, or never was one."""
    with pytest.raises(InvalidInput) as caught:
        parse_migration_uri(uri_of(payload))

    assert str(caught.value) == BROKEN


@pytest.mark.parametrize("data", ["a", "!!!!", "%ff", "é"])
def test_not_base64(data: str) -> None:
    """A sentence of its own, because a browser's address bar may have changed it."""
    with pytest.raises(InvalidInput, match=r"^the data of the otpauth-migration:// URI is not base64$"):
        parse_migration_uri(f"otpauth-migration://offline?data={data}")


@given(st.binary(max_size=60))
def test_any_bytes_are_accounts_or_a_sentence(payload: bytes) -> None:
    """Nothing else comes out, whatever goes in."""
    try:
        accounts = parse_migration_uri(uri_of(payload))
    except InvalidInput:
        accounts = [{"secret": "none"}]
    assert all(each["secret"] for each in accounts)
