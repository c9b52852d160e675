"""The `otpauth://` key URI, read from what pages show and written canonically.

Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = ["format_uri", "parse_uri"]

__tracebackhide__ = hidden_in_reports

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KNOWN = frozenset({"secret", "issuer", "digits", "period", "algorithm", "encoder", "counter"})


def format_uri(*, name: str, issuer: str, secret: str, digits: int, period: int, algorithm: str) -> str:
    """Return the key URI with every parameter spelled out, each part percent-encoded on its own."""
    account = quote(name, safe="@")
    label = f"{quote(issuer, safe='')}:{account}" if issuer else account
    issuer_parameter = f"&issuer={quote(issuer, safe='')}" if issuer else ""
    return (
        f"otpauth://totp/{label}?secret={secret}{issuer_parameter}"
        f"&algorithm={algorithm.upper()}&digits={digits}&period={period}"
    )


def parse_uri(uri: str) -> dict[str, Any]:
    """Return the token parameters that a key URI carries; those it leaves out are absent.

    Read are also `&amp;` from HTML, `%3A` and `+`, and unknown parameters are passed over.
    The values are not checked further: `Token` does that.

    Args:
        uri: an `otpauth://totp/` URI.

    Raises:
        InvalidInput: for another type (`hotp`, `steam`), a missing secret or name, a broken escape, a parameter
            given twice, and an issuer that differs between label and parameter.
    """
    text = uri.strip().replace("&amp;", "&")
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() != "otpauth":
        if scheme.lower() == "otpauth-migration":
            raise InvalidInput("this is an otpauth-migration:// export; accepted is an otpauth://totp/ URI")
        raise InvalidInput("this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32")
    path, _, query = rest.partition("?")
    kind, _, label = path.partition("/")
    if kind.lower() != "totp":
        # Anything else in this place may be a secret.
        named = repr(kind) if kind.lower() in {"hotp", "steam"} else "unknown"
        raise InvalidInput(f"the type of the key URI is {named}; accepted is totp")
    parameters = _parameters(query)
    if "encoder" in parameters:
        raise InvalidInput(f"the key URI has encoder={shown(parameters['encoder'])}; accepted is plain totp")
    if not parameters.get("secret"):
        raise InvalidInput("the key URI has no secret; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32")
    issuer, name = _split_label(label, parameters.get("issuer", ""))
    token: dict[str, Any] = {"name": name, "issuer": issuer, "secret": _decode("secret", parameters["secret"])}
    if "algorithm" in parameters:
        token["algorithm"] = _decode("algorithm", parameters["algorithm"])
    for key in ("digits", "period"):
        if key in parameters:
            value = parameters[key]
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                raise InvalidInput(f"the key URI has {key}={shown(value)}; accepted is a whole number")
            token[key] = int(value)
    return token


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        key = key.lower()
        if key in found and key in _KNOWN:
            raise InvalidInput(f"the key URI has {key} twice; accepted is one")
        found[key] = value
    return found


def _split_label(label: str, issuer_parameter: str) -> tuple[str, str]:
    """Return issuer and account name; a colon in the issuer (`localhost:8000`) does not split it."""
    whole = _decode("label", label)
    # A form encoder writes a space as '+', a URI encoder leaves '+' as it is: the label tells which.
    for issuer in (
        _decode("issuer", issuer_parameter),
        _decode("issuer", issuer_parameter.replace("+", " ")),
    ):
        if issuer and whole.startswith(f"{issuer}:"):
            return issuer, whole[len(issuer) + 1 :].lstrip(" ")
    if ":" in label:
        prefix, _, account = (_decode("label", part) for part in label.partition(":"))
    else:
        prefix, separator, account = whole.partition(":")
        if not separator:
            prefix, account = "", whole
    if issuer and prefix and prefix != issuer:
        raise InvalidInput(
            f"the key URI names two issuers: {prefix!r} in the label and {issuer!r} as parameter; they must be the same"
        )
    return issuer or prefix, account.lstrip(" ")


def _decode(part: str, text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise InvalidInput(f"the {part} of the key URI has a '%' without two hexadecimal digits after it")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput(f"the {part} of the key URI is not UTF-8 where it is percent-encoded") from None
