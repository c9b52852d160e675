"""`totphog code`, `totphog scan` and `totphog qr`: a credential, its code and its picture."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.credentials.qr import png, svg, terminal
from pytest_totphog.errors import InvalidInput, shown

if TYPE_CHECKING:
    from pytest_totphog.authenticator.totp_token import TotpToken

__all__ = ["code", "qr", "scan"]


def code(options: argparse.Namespace) -> int:
    """Print the current code of a secret or URI; nothing is stored."""
    token = _token(options)
    print(token.now() if options.at is None else token.at(options.at))
    return 0


def scan(options: argparse.Namespace) -> int:
    """Print the account and the current code of every QR code in a picture, and of every account in an export."""
    if any(_is_credential(each) and not Path(each).exists() for each in options.image):
        raise InvalidInput("this is no picture, but a secret or a URI (not shown); for its code: totphog code …")
    sources = [sys.stdin.buffer.read() if each == "-" else Path(each) for each in options.image]
    with warnings.catch_warnings(record=True, action="always") as skipped:
        tokens = Authenticator().enroll_all(sources)
    for warning in skipped:
        print(f"totphog: {warning.message}", file=sys.stderr)
    for token in tokens:
        name = f"{token.issuer}:{token.name}" if token.issuer else token.name
        print(token.uri if options.uri else f"{name} {token.now()}")
    return 0


def _is_credential(text: str) -> bool:
    return re.fullmatch(r"otpauth.*|[a-z2-7 =-]{16,}", text, re.IGNORECASE) is not None


def qr(options: argparse.Namespace) -> int:
    """Draw the QR code that an authenticator app scans. It contains the secret."""
    uri = _token(options, issuer="").uri
    if options.output is None:
        print(terminal(uri), end="")
        return 0
    file = Path(options.output)
    kind = file.suffix.lower()
    if kind not in {".png", ".svg"}:
        raise InvalidInput(f"--output is {shown(options.output)}; accepted is a file name that ends in .png or .svg")
    picture = png(uri) if kind == ".png" else svg(uri).encode("utf-8")
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise InvalidInput(f"cannot write {shown(options.output)}: {error.strerror}") from None
    return 0


def _token(options: argparse.Namespace, **defaults: str) -> TotpToken:
    """Return the token that a command's arguments describe; `defaults` are those of a bare secret, beside its name."""
    if len(options.source) > 1:
        raise InvalidInput(
            f"there are {len(options.source)} arguments, and accepted is one secret or URI; put one that has spaces in "
            f"quotes: totphog {options.command} 'JBSW Y3DP EHPK 3PXP'"
        )
    [source] = options.source
    if source == "-":
        source = sys.stdin.readline().strip()
    names = ("name", "issuer", "digits", "period", "algorithm")
    given = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    authenticator = Authenticator()
    if "://" not in source:
        return authenticator.make(**{"name": "account", "secret": source, **defaults, **given})
    token = authenticator.make(source)
    wanted = authenticator.make(secret=token.secret, **{name: getattr(token, name) for name in names} | given)
    for name in given:
        if (stated := getattr(token, name)) != (given_value := getattr(wanted, name)):
            raise InvalidInput(
                f"--{name} is {shown(given_value)}, and the URI says {shown(stated)}; leave --{name} out"
            )
    return token
