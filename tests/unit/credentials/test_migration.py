"""The export of Google Authenticator: accounts as protobuf, in base64, in a URI."""

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.credentials.migration import parse_migration_uri
from pytest_totphog.credentials.otpauth import NotTotp
from tests.support.migration import account, field, uri_of, varint

# Of https://github.com/dim13/otpauth: 'Hello!' and 0xdeadbeef, named Example:alice@google.com.
PUBLISHED = "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC"


# Reading


def test_published_example() -> None:
    """Its name has the issuer before it; algorithm and digits are left out."""
    assert parse_migration_uri(PUBLISHED).accounts == [
        {
            "name": "alice@google.com",
            "issuer": "Example",
            "secret": "JBSWY3DPEHPK3PXP",
            "algorithm": "sha1",
            "digits": 6,
        }
    ]


def test_several_accounts_in_their_order() -> None:
    """Each with its own algorithm and digits; and which part of the export it is."""
    bob = account(name="bob", issuer="Harbour", secret=b"12345678901234567890", algorithm=3, digits=2)
    batch = field(2, 1) + field(3, 4) + field(4, 2) + field(5, 2**64 - 3)

    export = parse_migration_uri(uri_of(account() + bob + batch))

    assert (export.size, export.index, export.batch) == (4, 2, 2**64 - 3)
    assert export.accounts == [
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
    [found] = parse_migration_uri(uri_of(account(**fields))).accounts

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

    [found] = parse_migration_uri(f" OTPAUTH-MIGRATION://offline?data={spelled(data)}\n").accounts

    assert found["secret"] == base64.b32encode(bytes(range(200, 256))).decode().rstrip("=")


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
    refused: Any
    try:
        [refused] = parse_migration_uri(uri_of(payload)).accounts
    except InvalidInput as error:
        refused = error

    assert str(refused) == message


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
        account() + field(4, "two"),
    ],
    ids=[
        "cut short",
        "not UTF-8",
        "number for a name",
        "no length",
        "endless number",
        "group",
        "short fixed32",
        "text for a number",
    ],
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
        accounts = parse_migration_uri(uri_of(payload)).accounts
    except InvalidInput:
        return
    assert all(isinstance(each, NotTotp) or each["secret"] for each in accounts)
