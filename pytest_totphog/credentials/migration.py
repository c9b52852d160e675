"""The `otpauth-migration://` URI: accounts that Google Authenticator exports, several in one QR code.

Source: https://github.com/qistoph/otp_export/blob/master/OtpMigration.proto
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from pytest_totphog.credentials.otp import encode_secret
from pytest_totphog.credentials.otpauth import NotTotp, as_uri
from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["Migration", "check_batches", "parse_migration_uri"]

__tracebackhide__ = hidden_in_reports

_PREFIX: Final = "otpauth-migration://"
# What the export writes for them; 0 is "unspecified", which means the usual.
_ALGORITHMS: Final = {0: "sha1", 1: "sha1", 2: "sha256", 3: "sha512", 4: "md5"}
_DIGITS: Final = {0: 6, 1: 6, 2: 8}
_TOTP: Final = 2
_KINDS: Final = {1: "hotp", _TOTP: "totp"}


@dataclass(frozen=True)
class Migration:
    """One QR code of an export.

    Attributes:
        accounts: the token parameters of every account, in its order, or why an account is none.
        batch: what the codes of one export have in common.
        index: the place of this one among them, from 0.
        size: how many there are.
    """

    accounts: list[dict[str, Any] | NotTotp]
    batch: int
    index: int
    size: int


def parse_migration_uri(uri: str) -> Migration:
    """Return what is in one QR code of an export; an export of many accounts is several.

    Args:
        uri: an `otpauth-migration://offline?data=…` URI.

    Raises:
        InvalidInput: when it is broken or empty.
    """
    _, _, query = as_uri(uri).partition("?")
    data = next((value for name, _, value in (pair.partition("=") for pair in query.split("&")) if name == "data"), "")
    # A form decoder makes spaces of '+'; padding is lost where somebody took it for decoration.
    bare = unquote(data).replace(" ", "+").rstrip("=").replace("-", "+").replace("_", "/")
    try:
        payload = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError for characters beyond ASCII
        raise InvalidInput("the data of the otpauth-migration:// URI is not base64") from None
    fields = list(_fields(payload))
    accounts = [_account(value) for field, value in fields if field == 1 and isinstance(value, bytes)]
    if not accounts:
        raise InvalidInput(f"the {_PREFIX} URI holds no account; accepted is {_PREFIX}offline?data=BASE64")
    size, index, batch = (next((value for field, value in fields if field == wanted), 0) for wanted in (3, 4, 5))
    if not all(isinstance(number, int) for number in (size, index, batch)):
        _broken()
    return Migration(accounts, batch, index, size)


def check_batches(migrations: Collection[Migration]) -> None:
    """See to it that several QR codes of an export are all of it; one alone is read by itself.

    Raises:
        InvalidInput: when one is missing; it says which.
    """
    given: dict[int, set[int]] = {}
    for each in migrations:
        given.setdefault(each.batch, set()).add(each.index)
    for first in {each.batch: each for each in migrations if len(migrations) > 1}.values():
        # No app shows a hundred, and a broken one may say any number.
        missing = [str(index + 1) for index in range(min(first.size, 100)) if index not in given[first.batch]]
        if missing:
            numbers = f"QR code{'s' if len(missing) > 1 else ''} {', '.join(missing)} of {first.size}"
            raise InvalidInput(f"{numbers} of the export is missing; give all of them, or one at a time")


def _account(message: bytes) -> dict[str, Any] | NotTotp:
    fields = dict(_fields(message))
    name, issuer = _text(fields.get(2, b"")), _text(fields.get(3, b""))
    if issuer and name.startswith(f"{issuer}:"):
        name = name[len(issuer) + 1 :].lstrip(" ")
    elif not issuer and ":" in name:
        issuer, _, name = name.partition(":")
    name = name.lstrip(" ") or issuer or "account"
    kind, algorithm, digits = fields.get(6, 0), fields.get(4, 0), fields.get(5, 0)
    whose, account = f"the account {name!a} of the export", f"{issuer}:{name}" if issuer else name
    if kind != _TOTP:
        kind = _KINDS.get(kind, "of an unknown type")
        return NotTotp(f"{whose} is {kind}; accepted is totp", account, kind)
    if algorithm not in _ALGORITHMS or _ALGORITHMS[algorithm] == "md5":
        named = _ALGORITHMS.get(algorithm, "unknown")
        accepted = "accepted are sha1, sha256 and sha512"
        return NotTotp(f"{whose} has the algorithm {named}; {accepted}", account, f"with the algorithm {named}")
    if digits not in _DIGITS:
        raise InvalidInput(f"{whose} has an unknown number of digits; an export knows 6 and 8")
    secret = fields.get(1)
    if not isinstance(secret, bytes) or not secret:
        raise InvalidInput(f"{whose} has no secret")
    return {
        "name": name,
        "issuer": issuer,
        "secret": encode_secret(secret),
        "algorithm": _ALGORITHMS[algorithm],
        "digits": _DIGITS[digits],
    }


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of every field of a protobuf message: integers, and bytes.

    Source: https://protobuf.dev/programming-guides/encoding/
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        wire_type = tag & 7
        if wire_type == 0:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        if wire_type == 2:
            length, position = _varint(message, position)
        else:
            length = {1: 8, 5: 4}.get(wire_type) or _broken()
        if position + length > len(message):
            _broken()
        if wire_type == 2:
            yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the integer at a position, seven bits a byte, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    return _broken()


def _text(value: Any) -> str:
    try:
        return str(value, "utf-8")
    except (TypeError, UnicodeDecodeError):
        return _broken()


def _broken() -> NoReturn:
    raise InvalidInput(f"the {_PREFIX} URI is cut short or broken; accepted is {_PREFIX}offline?data=BASE64")
