"""Enrolment: what a set-up page shows, as the parameters of tokens."""

from __future__ import annotations

import os
import re
from typing import Any, Final, TypeAlias

from pytest_totphog.credentials.migration import is_migration_uri, parse_migration_uri
from pytest_totphog.credentials.otpauth import parse_uri
from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["Source", "accounts_in"]

__tracebackhide__ = hidden_in_reports

# A text, the bytes of a picture, or the path of one.
Source: TypeAlias = str | bytes | bytearray | memoryview | os.PathLike[str]

_FILE_NAME = re.compile(r"[^<>\n]+\.(png|jpe?g|webp|svg)", re.IGNORECASE)
_LINK = re.compile(r"(https?)://([a-z0-9.-]{1,60})(?=(?::\d{1,5})?(?:[/?#]|$))", re.IGNORECASE | re.ASCII)
_SCHEMES: Final = ("otpauth://", "otpauth-migration://")


def accounts_in(source: Source, name: str) -> list[dict[str, Any]]:
    """Return the token parameters of every account that a source shows.

    Args:
        source: an `otpauth://totp/` or `otpauth-migration://` URI, a secret in base32 as printed, a picture with QR
            codes (its bytes, its path, a `data:` URL, or an SVG document), which the extra `qr` reads.
        name: what to call the account of a bare secret.

    Raises:
        InvalidInput: when it is none of them, or its picture has no QR code with an `otpauth://` URI.
        MissingExtra: for a picture, without zxing-cpp or Pillow.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        from pytest_totphog.enrolment.pictures.reader import read_picture

        return _accounts_of_codes(read_picture(bytes(source)))
    if isinstance(source, os.PathLike) or (isinstance(source, str) and _names_a_file(source)):
        from pytest_totphog.enrolment.pictures.reader import read_file

        return _accounts_of_codes(read_file(source))
    if not isinstance(source, str):
        raise InvalidInput(
            f"cannot enrol from {type(source).__name__}; accepted are an otpauth:// URI, a base32 secret, "
            "and a picture of a QR code as bytes, path, data: URL or SVG"
        )
    start = source.lstrip()[:5].lower()
    if start == "data:":
        from pytest_totphog.enrolment.pictures.reader import read_data_url

        return _accounts_of_codes(read_data_url(source))
    if start.startswith("<"):
        from pytest_totphog.enrolment.pictures.reader import read_picture

        return _accounts_of_codes(read_picture(source))
    return _accounts_of_uri(source) if "://" in source else [{"name": name, "secret": source}]


def _names_a_file(text: str) -> bool:
    # A link or data: URL may end like one.
    return not re.match(r"\s*(data:|[\w-]+://)", text, re.IGNORECASE) and _FILE_NAME.fullmatch(text) is not None


def _accounts_of_uri(uri: str) -> list[dict[str, Any]]:
    return parse_migration_uri(uri) if is_migration_uri(uri) else [parse_uri(uri)]


def _accounts_of_codes(texts: list[str]) -> list[dict[str, Any]]:
    # A page may show other codes beside the one to enrol with, such as a link to an authenticator.
    uris = [text for text in texts if text.strip().lower().startswith(_SCHEMES)]
    if not uris:
        raise InvalidInput(
            f"the picture has no QR code to enrol with, but {', '.join(map(_kind, texts))}; "
            "accepted is one that holds an otpauth://totp/ URI"
        )
    accounts: list[dict[str, Any]] = []
    for account in (account for uri in uris for account in _accounts_of_uri(uri)):
        if account not in accounts:
            accounts.append(account)
    return accounts


def _kind(text: str) -> str:
    """Say what a QR code holds, without what may be a secret."""
    link = _LINK.match(text)
    return f"one with a link to {link[1]}://{link[2]}" if link else f"one with a text of {len(text)} characters"
