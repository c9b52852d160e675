"""What texts, mail addresses, passwords, numbers and URLs may be, in one place."""

from __future__ import annotations

import math
import re
from typing import Final, TypeGuard
from urllib.parse import urlsplit

from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = ["as_email", "as_password", "as_text", "base_url", "is_number", "is_whole", "shape"]

# Values may be passwords.
__tracebackhide__ = hidden_in_reports

MAX_EMAIL: Final = 254
MAX_PASSWORD: Final = 1024

# ASCII's control characters, and halves of surrogate pairs, which no encoding can write.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

# Of RFC 5321's addresses those without quotes and literals: what stands in a mail's header as it is.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?")


def as_text(field: str, value: object, *, least: int = 1, most: int = 200) -> str:
    """Return a printable text, with a visible character unless it may be, and is, empty.

    Args:
        field: what the error calls it.
        value: the text.
        least: how many characters it must have.
        most: how many it may have.

    Raises:
        InvalidInput: when it is anything else; the message shows a character that is not printable.
    """
    text = _string(field, value)
    if not text.strip() and (text or least):
        raise InvalidInput(f"{field} is empty; accepted is a string with a visible character")
    _check_length(field, text, least, most)
    if found := _UNPRINTABLE.search(text):
        raise InvalidInput(f"{field} contains the character {found[0]!a}; accepted is printable text")
    return text


def as_email(value: object) -> str:
    """Return a mail address as it is: ASCII around one `@`, at most 254 characters.

    Raises:
        InvalidInput: when it is anything else.
    """
    text = _string("email", value)
    if len(text) > MAX_EMAIL or _EMAIL.fullmatch(text) is None:
        raise InvalidInput(
            f"email is {shown(text)}; accepted is an address of at most {MAX_EMAIL} characters "
            "such as alice@example.com"
        )
    return text


def as_password(value: object) -> str:
    """Return a password as it is: 1 to 1,024 characters, spaces as well.

    Raises:
        InvalidInput: when it is anything else; the message shows no part of it.
    """
    text = _string("password", value)
    _check_length("password", text, 1, MAX_PASSWORD)
    if _UNPRINTABLE.search(text):
        raise InvalidInput("password contains a control character or half a surrogate pair; accepted is printable text")
    return text


def is_whole(value: object, least: int, most: float = math.inf) -> TypeGuard[int]:
    """Return whether a value is a whole number within two bounds; True and False are none."""
    return isinstance(value, int) and is_number(value, least, most)


def is_number(value: object, least: float, most: float = math.inf) -> TypeGuard[float]:
    """Return whether a value is a finite number within two bounds; True and False are none."""
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most and value < math.inf
    )


def base_url(url: str) -> str:
    """Return a server's base URL without a slash at the end.

    Raises:
        InvalidInput: when it is none of http or https, or has a password, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        accepted = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        accepted = False
    if not accepted or parts.query or parts.fragment or "@" in parts.netloc or not url.isprintable():
        # Not the URL when it may hold a password.
        raise InvalidInput(
            f"the server's URL is {'one with a password' if '@' in url else shown(url)}; "
            "accepted is one such as http://127.0.0.1:8045"
        )
    return url.rstrip("/")


def shape(value: object) -> str:
    """Say what kind of thing a value is, where the value itself may be a secret."""
    return "missing" if value is None else f"of type {type(value).__name__}"


def _string(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{field} is {shape(value)}; accepted is a string")
    return value


def _check_length(field: str, text: str, least: int, most: int) -> None:
    if not least <= len(text) <= most:
        raise InvalidInput(f"{field} has {len(text)} characters; accepted are {least} to {most}")
