"""Enrolment: what a set-up page shows or an authenticator exports, as the parameters of tokens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_plus

from pytest_totphog.credentials.migration import Migration, check_batches, parse_migration_uri
from pytest_totphog.credentials.otpauth import NotTotp, as_uri, parse_uri
from pytest_totphog.enrolment.exports import Entry, accounts_of_export
from pytest_totphog.enrolment.printed import printed_secret, refused_secret
from pytest_totphog.enrolment.records import AppRecord, uri_of
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = ["URI", "Found", "Source", "accounts_in"]

__tracebackhide__ = hidden_in_reports

Bytes: TypeAlias = bytes | bytearray | memoryview
# A text, the bytes of a picture or of an export, the path of one, an app's record, or several of them.
Source: TypeAlias = (
    "str | bytes | bytearray | memoryview | os.PathLike[str] | AppRecord | list[Source] | tuple[Source, ...]"
)

URI: Final = re.compile(r"otpauth(?:-migration)?://[^\s\"'<>]+", re.IGNORECASE)
MAX_BYTES: Final = 20 * 1024 * 1024
# Names of files that a text may be; anything else may be a secret, or text.
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".svg")
_ENDINGS: Final = (*_PICTURES, ".txt", ".json", ".csv", ".2fas", ".zip", ".aes")
_SCHEMES: Final = ("otpauth://", "otpauth-migration://")
_EXPORTS: Final = (b"{", b"[", b"folder,favorite,", b"\xff\xfe", b"\xfe\xff")
_LINK = re.compile(r"(https?)://([a-z0-9.-]{1,60})(?=(?::\d{1,5})?(?:[/?#]|$))", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Found:
    """What is in a source.

    Attributes:
        what: what it is, as in "an Aegis export"; empty for a secret, a URI and a picture.
        accounts: the token parameters of each account.
        skipped: accounts that are no TOTP.
    """

    what: str
    accounts: list[dict[str, Any]]
    skipped: list[NotTotp]


def accounts_in(source: Source, name: str) -> Found:
    """Return the accounts that a source shows, each once.

    Args:
        source: an `otpauth://totp/` or `otpauth-migration://` URI, or a text with one a line; a secret in base32 as
            printed; an unencrypted export of Aegis, andOTP, Bitwarden, Ente, 2FAS or Raivo; a picture with QR codes
            (its bytes, a `data:` URL, or an SVG document), which the extra `qr` reads; the address of one that has
            the URI in it; the path of a file with any of it; or a list of them.
        name: what to call the account of a bare secret.

    Raises:
        InvalidInput: when it is none of them, its picture has no QR code with an `otpauth://` URI, or it has accounts,
            and none of them is TOTP.
        MissingExtra: for a picture, without zxing-cpp, Pillow or resvg-py.
    """
    what = ""
    entries: list[Entry] = []
    migrations: list[Migration] = []
    texts = list(_texts(source))
    for text in texts:
        uri = as_uri(text)
        if uri[:20].lower().startswith("otpauth-migration://"):
            migrations.append(parse_migration_uri(uri))
            entries += migrations[-1].accounts
        elif "://" in uri:
            entries.append(_account(_without_address(uri)))
        elif export := accounts_of_export(text):
            what, exported = export
            entries += exported
        elif secret := printed_secret(text):
            entries.append({"name": name, "secret": secret})
        else:
            raise refused_secret(text)
    check_batches(migrations)
    accounts = {repr(entry): entry for entry in entries}.values()
    found = Found(
        what or ("a list of URIs" if len(texts) > 1 and isinstance(source, str) else ""),
        [entry for entry in accounts if not isinstance(entry, NotTotp)],
        [entry for entry in accounts if isinstance(entry, NotTotp)],
    )
    if not found.accounts and found.skipped:
        raise InvalidInput(str(found.skipped[0]))
    return found


def _texts(source: Source) -> Iterator[str]:
    """Yield the URIs, exports and secrets that a source consists of."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield from _texts_of_bytes(bytes(source))
    elif isinstance(source, os.PathLike) or (isinstance(source, str) and _names_a_file(source)):
        yield from _texts_of_file(Path(source))
    elif isinstance(source, str):
        yield from _texts_of_text(source)
    elif isinstance(source, (list, tuple)) and source:
        for each in source:
            yield from _texts(each)
    elif (uri := uri_of(source)) is not None:
        yield from _texts_of_text(uri)
    else:
        raise InvalidInput(
            f"cannot enrol from {type(source).__name__}; accepted are an otpauth:// URI, a base32 secret, a picture of "
            "a QR code as bytes, path, data: URL or SVG, a device of django-otp's, an authenticator of "
            "django-allauth's, an object of pyotp's, and whatever has a method totp_uri()"
        )


def _texts_of_bytes(data: bytes) -> Iterator[str]:
    bare = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith(_EXPORTS) or (b"otpauth" in data.lower() and b"\0" not in data and not bare.startswith(b"<")):
        yield from _texts_of_text(_decode(data))
    else:
        from pytest_totphog.enrolment.pictures.reader import read_picture

        yield from _uris(read_picture(data))


def _texts_of_file(path: Path) -> Iterator[str]:
    if path.suffix.lower() == ".aes":
        raise InvalidInput(f"{shown(path.name)} is an encrypted export of andOTP; export it again as plain text")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError for a null character in the path
        reason = getattr(error, "strerror", None) or error
        kind = "picture" if path.suffix.lower() in _PICTURES else "file"
        raise InvalidInput(f"cannot read the {kind} {shown(os.fspath(path))}: {reason}") from None
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{shown(path.name)} has {len(data)} bytes or more; accepted are {MAX_BYTES}")
    yield from _texts_of_text(_decode(data)) if path.suffix.lower() == ".txt" else _texts_of_bytes(data)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the text is neither UTF-8 nor UTF-16") from None


def _texts_of_text(text: str) -> Iterator[str]:
    start = text.lstrip()[:5].lower()
    if start == "data:":
        from pytest_totphog.enrolment.pictures.reader import read_data_url

        yield from _uris(read_data_url(text))
    elif start.startswith("<"):
        from pytest_totphog.enrolment.pictures.reader import read_picture

        yield from _uris(read_picture(text))
    elif start[:1] in {"{", "["} or len(lines := text.split("\n")) == 1:
        yield text
    else:
        # A list, with comments between; or a page's text, with an address in it.
        uris = [line for line in lines if _is_uri(line.strip())] or [uri[0] for uri in URI.finditer(text)]
        yield from uris or [text]


def _is_uri(text: str) -> bool:
    return as_uri(text[:100]).lower().startswith(_SCHEMES)


def _names_a_file(text: str) -> bool:
    # A link, a data: URL or an export may end like one.
    return (
        text.lower().endswith(_ENDINGS)
        and "://" not in text
        and not {"<", "\n"} & set(text)
        and text.lstrip()[:5].lower() != "data:"
    )


def _without_address(uri: str) -> str:
    """Return the key URI in the address of a chart (`https://…/chart?chl=otpauth%3A%2F%2F…`), or in a line of text."""
    if uri[:10].lower() == "otpauth://":
        return uri
    _, _, query = uri.partition("?")
    for value in re.split("[?&]", query):
        value = unquote_plus(value.partition("=")[2])  # noqa: PLW2901 -- what is encoded as a whole
        if value.lower().startswith("otpauth://") and "secret=" in value.lower():
            return value
    found = URI.search(uri)
    return found[0] if found else uri


def _account(uri: str) -> Entry:
    try:
        return parse_uri(uri)
    except NotTotp as error:
        return error


def _uris(texts: list[str]) -> list[str]:
    # A page may show other codes beside the one to enrol with, such as a link to an authenticator.
    uris = [text for text in texts if _is_uri(text)]
    if not uris:
        raise InvalidInput(
            f"the picture has no QR code to enrol with, but {', '.join(map(_kind, texts))}; "
            "accepted is one that holds an otpauth://totp/ URI"
        )
    return uris


def _kind(text: str) -> str:
    """Say what a QR code holds, without what may be a secret."""
    link = _LINK.match(text)
    return f"one with a link to {link[1]}://{link[2]}" if link else f"one with a text of {len(text)} characters"
