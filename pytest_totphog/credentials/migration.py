"""The `otpauth-migration://` URI: accounts that Google Authenticator exports, several in one QR code.

Source: https://github.com/qistoph/otp_export/blob/master/OtpMigration.proto
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from pytest_totphog.credentials.otp import encode_secret
from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["is_migration_uri", "parse_migration_uri"]

__tracebackhide__ = hidden_in_reports

_PREFIX: Final = "otpauth-migration://"
# What the export writes for them; 0 is "unspecified", which means the usual.
_ALGORITHMS: Final = {0: "sha1", 1: "sha1", 2: "sha256", 3: "sha512", 4: "md5"}
_DIGITS: Final = {0: 6, 1: 6, 2: 8}
_TOTP: Final = 2
_KINDS: Final = {1: "hotp", _TOTP: "totp"}


def is_migration_uri(text: str) -> bool:
    """Return whether a text is meant as an `otpauth-migration://` URI."""
    return text.lstrip()[: len(_PREFIX)].lower() == _PREFIX


def parse_migration_uri(uri: str) -> list[dict[str, Any]]:
    """Return the token parameters of every account in an export, in its order.

    An export of many accounts is several QR codes; each one is read by itself.

    Args:
        uri: an `otpauth-migration://offline?data=…` URI.

    Raises:
        InvalidInput: when it is broken or empty, or has an account that is no TOTP or has an algorithm or a number
            of digits that no token may have.
    """
    _, _, query = uri.strip().replace("&amp;", "&").partition("?")
    data = next((value for name, _, value in (pair.partition("=") for pair in query.split("&")) if name == "data"), "")
    # A form decoder makes spaces of '+'; padding is lost where somebody took it for decoration.
    bare = unquote(data).replace(" ", "+").rstrip("=").replace("-", "+").replace("_", "/")
    try:
        payload = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError for characters beyond ASCII
        raise InvalidInput("the data of the otpauth-migration:// URI is not base64") from None
    accounts = [_account(value) for field, value in _fields(payload) if field == 1 and isinstance(value, bytes)]
    if not accounts:
        raise InvalidInput(f"the {_PREFIX} URI holds no account; accepted is {_PREFIX}offline?data=BASE64")
    return accounts


def _account(message: bytes) -> dict[str, Any]:
    fields = dict(_fields(message))
    name, issuer = _text(fields.get(2, b"")), _text(fields.get(3, b""))
    if issuer and name.startswith(f"{issuer}:"):
        name = name[len(issuer) + 1 :].lstrip(" ")
    elif not issuer and ":" in name:
        issuer, _, name = name.partition(":")
    kind, algorithm, digits = fields.get(6, 0), fields.get(4, 0), fields.get(5, 0)
    whose = f"the account {name!a} of the export"
    if kind != _TOTP:
        raise InvalidInput(f"{whose} is {_KINDS.get(kind, 'of an unknown type')}; accepted is totp")
    if algorithm not in _ALGORITHMS or _ALGORITHMS[algorithm] == "md5":
        raise InvalidInput(
            f"{whose} has the algorithm {_ALGORITHMS.get(algorithm, 'unknown')}; accepted are sha1, sha256 and sha512"
        )
    if digits not in _DIGITS:
        raise InvalidInput(f"{whose} has an unknown number of digits; an export knows 6 and 8")
    secret = fields.get(1)
    if not isinstance(secret, bytes) or not secret:
        raise InvalidInput(f"{whose} has no secret")
    return {
        "name": name.lstrip(" "),
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
