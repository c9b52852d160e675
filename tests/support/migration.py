"""Exports of Google Authenticator, as the app writes them."""

import base64
from typing import Any
from urllib.parse import quote


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
    usual: dict[str, Any] = {
        "secret": b"Hello!\xde\xad\xbe\xef",
        "name": "alice",
        "issuer": "Example",
        "algorithm": 1,
        "digits": 1,
    }
    fields = usual | {"digits": 1, "type": 2} | changes
    numbers = {"secret": 1, "name": 2, "issuer": 3, "algorithm": 4, "digits": 5, "type": 6, "counter": 7, "id": 8}
    message = b"".join(field(numbers[key], value) for key, value in fields.items() if value is not None)
    return field(1, message)


def uri_of(payload: bytes) -> str:
    """Return the URI of an export, as the app writes it."""
    return f"otpauth-migration://offline?data={quote(base64.b64encode(payload).decode(), safe='')}"
