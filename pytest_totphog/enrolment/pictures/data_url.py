"""The `data:` URL: what pages put in the place of a picture's address (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["decode_data_url"]

__tracebackhide__ = hidden_in_reports

_HEAD: Final = re.compile(r"\s*data:([\w.+-]+/[\w.+-]+)?((?:;[^;,]*)*),", re.IGNORECASE | re.ASCII)


def decode_data_url(url: str) -> tuple[str, bytes]:
    """Return media type, in lower case, and content of a `data:` URL, in base64 or percent-encoded.

    Raises:
        InvalidInput: when it is no such URL.
    """
    match = _HEAD.match(url)
    if match is None:
        raise InvalidInput("this is not a data: URL; accepted is data:image/png;base64,…")
    try:
        data = unquote_to_bytes(url[match.end() :])
    except UnicodeEncodeError:
        raise InvalidInput("the data: URL has half a surrogate pair, which is no character") from None
    # Percent-encoded it may be in base64, too; pages break long lines, and a form decoder makes spaces of '+'.
    if "base64" in match[2].lower().split(";"):
        bare = b"".join(data.replace(b" ", b"+").split()).rstrip(b"=")
        try:
            data = base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
        except binascii.Error:
            raise InvalidInput("the data: URL is not base64, though it says so") from None
    return (match[1] or "text/plain").lower(), data
