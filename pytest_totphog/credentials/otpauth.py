"""The `otpauth://` key URI, read from what pages show and written canonically.

Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote, unquote

from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = ["NotTotp", "as_uri", "format_uri", "parse_uri"]

__tracebackhide__ = hidden_in_reports

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_JSON = re.compile(r"\\u00([2-7][0-9A-Fa-f])")
_HTML = re.compile(r"&(?:amp|quot|#[0-9]{1,5}|#x[0-9A-Fa-f]{1,5});", re.IGNORECASE)
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


class NotTotp(InvalidInput):
    """An account of another kind than TOTP, or with an algorithm or a length of codes that no token may have.

    Attributes:
        account: the account's name, with its issuer.
        kind: what it is.
    """

    def __init__(self, message: str, account: str, kind: str) -> None:
        super().__init__(message)
        self.account = account
        self.kind = kind


def as_uri(text: str) -> str:
    """Return a URI as it was before HTML, JSON or another URL escaped it as a whole."""
    text = _JSON.sub(lambda match: chr(int(match[1], 16)), text.strip()).replace("\\/", "/")
    text = _HTML.sub(lambda match: unescape(match[0]), text)
    for _ in range(3):  # not while it is escaped: "%252525…" may be so a thousand times
        if text[:18].lower().startswith(("otpauth%", "otpauth-migration%")):
            text = unquote(text)
    return text


def parse_uri(uri: str) -> dict[str, Any]:
    """Return the token parameters that a key URI carries; those it leaves out are absent.

    The parameter is the issuer. What the label says more is kept in the name: `Contoso:alice` with `issuer=Microsoft`
    is the account "Contoso:alice" of Microsoft. Without a name it is called by its issuer.

    Read are also what HTML and JSON escape, `%3A` and `+`, a bare `&` in the issuer, and a URI that is wholly
    percent-encoded; unknown parameters are passed over. The values are not checked further: `Token` does that.

    Args:
        uri: an `otpauth://totp/` URI.

    Raises:
        NotTotp: for another type (`hotp`, `steam`).
        InvalidInput: for a missing secret, a broken escape, and a parameter given twice.
    """
    label, parameters = _label_and_parameters(as_uri(uri))
    issuer, name = _split_label(label, parameters.get("issuer", ""))
    secret = _decode("secret", parameters["secret"].replace("+", " "))
    token: dict[str, Any] = {"name": name or issuer or "account", "issuer": issuer, "secret": secret}
    if "algorithm" in parameters:
        token["algorithm"] = _decode("algorithm", parameters["algorithm"])
    for key in ("digits", "period"):
        if key in parameters:
            value = parameters[key]
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                raise InvalidInput(f"the key URI has {key}={shown(value)}; accepted is a whole number")
            token[key] = int(value)
    return token


def _label_and_parameters(uri: str) -> tuple[str, dict[str, str]]:
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.lower() != "otpauth":
        if scheme.lower() == "otpauth-migration":
            raise InvalidInput("this is an otpauth-migration:// export; accepted is an otpauth://totp/ URI")
        raise InvalidInput("this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32")
    path, _, query = rest.partition("?")
    kind, _, label = path.partition("/")
    if kind.lower() in {"hotp", "steam"}:
        raise NotTotp(f"the type of the key URI is {kind!r}; accepted is totp", unquote(label), kind.lower())
    if kind.lower() != "totp":
        # It may be a secret.
        raise InvalidInput("the type of the key URI is unknown; accepted is totp")
    parameters = _parameters(query)
    if encoder := parameters.get("encoder"):
        encoder = shown(encoder)
        raise NotTotp(f"the key URI has encoder={encoder}; accepted is plain totp", unquote(label), encoder)
    if not parameters.get("secret"):
        raise InvalidInput("the key URI has no secret; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32")
    return label, parameters


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for pair in query.split("&"):
        key, separator, value = pair.partition("=")
        if last == "issuer" and pair and not separator:
            found[last] += f"&{pair}"  # an issuer such as 'A & B', not escaped
            continue
        last = key.lower()
        if last in found and last in _KNOWN:
            raise InvalidInput(f"the key URI has {last} twice; accepted is one")
        found[last] = value
    return found


def _split_label(label: str, issuer_parameter: str) -> tuple[str, str]:
    """Return issuer and account name; a colon in the issuer (`localhost:8000`) does not split it."""
    whole = _decode("label", label)
    # A form encoder writes a space as '+', a URI encoder leaves '+' as it is: the label tells which. So it does for
    # an issuer that is encoded twice.
    issuer = _decode("issuer", issuer_parameter.replace("+", " "))
    for spelled in (_decode("issuer", issuer_parameter), issuer, unquote(issuer)):
        if spelled and whole.startswith(f"{spelled}:"):
            return spelled, whole[len(spelled) + 1 :].lstrip(" ")
    if ":" in label:
        prefix, _, account = (_decode("label", part) for part in label.partition(":"))
    else:
        prefix, separator, account = whole.partition(":")
        if not separator:
            prefix, account = "", whole
    account = account.lstrip(" ")
    if not issuer or not account or _plain(prefix) in {"", _plain(issuer)}:
        return issuer or prefix, account
    return issuer, f"{prefix}:{account}"


def _plain(issuer: str) -> str:
    """Return an issuer without what spellings differ in: case and spaces."""
    return "".join(issuer.replace("+", " ").casefold().split())


def _decode(part: str, text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise InvalidInput(f"the {part} of the key URI has a '%' without two hexadecimal digits after it")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput(f"the {part} of the key URI is not UTF-8 where it is percent-encoded") from None
