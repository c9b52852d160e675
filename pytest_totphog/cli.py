"""The `totphog` command: what the shell sees."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_totphog.apps import APPS
from pytest_totphog.errors import TotphogError
from pytest_totphog.version import __version__

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from pytest_totphog.authenticator.totp_token import TotpToken
    from pytest_totphog.stores import Store
    from pytest_totphog.wsgi.gate import Gate

__all__ = ["main", "parser"]


def parser() -> argparse.ArgumentParser:
    """Return the command's argument parser."""
    root = argparse.ArgumentParser(prog="totphog", description="One-time passwords for test suites.")
    root.add_argument("--version", action="version", version=f"totphog {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run a server until it is interrupted", description=_serve.__doc__)
    serve.set_defaults(run=_serve)
    serve.add_argument("--app", choices=APPS, default="totphog", help="which app to serve (default: totphog)")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument(
        "--port",
        type=int,
        help="port to listen on; 0 for a free one (default: the environment's PORT, or else "
        + ", ".join(f"{app.port} for {name}" for name, app in APPS.items())
        + ")",
    )
    serve.add_argument(
        "--api-key",
        metavar="KEY",
        help="demand 'Authorization: Bearer KEY' of every request; better set TOTPHOG_API_KEY in the environment, "
        "because other users of the machine can read command lines",
    )
    serve.add_argument("--insecure", action="store_true", help="allow an address beyond loopback without a key")
    serve.add_argument(
        "--database",
        metavar="URL",
        help="where tokens, accounts and what was handed out are kept: sqlite:///PATH or postgresql+psycopg://…, which "
        "several servers may share; a URL with a password better in TOTPHOG_DATABASE_URL in the environment, because "
        "other users of the machine can read command lines (default: that, or memory)",
    )
    serve.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="how many processes serve the port; more than one need a database (default: 1)",
    )
    serve.add_argument(
        "--smtp",
        metavar="HOST:PORT",
        help="the mail server that email-mfa sends by (default: one of its own, whose mails GET /mailbox?to=… shows)",
    )
    serve.add_argument(
        "--public-url",
        metavar="URL",
        help="what the reset links in email-mfa's mails begin with, behind a proxy for example (default: the address "
        "it listens on)",
    )
    serve.add_argument(
        "--bcrypt-cost",
        type=int,
        metavar="N",
        help="work for each password, 4 to 20, for apps with passwords (default: 12)",
    )
    serve.add_argument(
        "--cors-origins",
        metavar="ORIGINS",
        help="origins whose pages may read vault's answers, separated by commas (default: the environment's "
        "CORS_ALLOWED_ORIGINS)",
    )
    serve.add_argument("--log", action="store_true", help="write a line to stderr for every request")

    seed = commands.add_parser("seed", help="put the demo account into a database", description=_seed.__doc__)
    seed.set_defaults(run=_seed)
    seed.add_argument("--app", choices=["vault"], default="vault", help="whose demo account (default: vault)")
    seed.add_argument(
        "--database",
        metavar="URL",
        help="sqlite:///PATH or postgresql+psycopg://…, as for serve (default: the environment's TOTPHOG_DATABASE_URL)",
    )

    code = commands.add_parser("code", help="print a token's current code", description=_code.__doc__)
    code.set_defaults(run=_code)
    _add_credential(code)
    code.add_argument("--at", metavar="TIME", help="another time: ISO 8601 with an offset, or seconds since the epoch")

    scan = commands.add_parser("scan", help="read pictures of QR codes, and exports", description=_scan.__doc__)
    scan.set_defaults(run=_scan)
    scan.add_argument(
        "image",
        nargs="+",
        metavar="FILE",
        help="a PNG, JPEG, WebP or SVG picture, an authenticator's unencrypted export, or a text with an otpauth:// "
        "URI a line; '-' reads it from stdin",
    )
    scan.add_argument("--uri", action="store_true", help="print the otpauth:// URIs instead, with the secrets in them")

    qr = commands.add_parser("qr", help="draw the QR code of a secret", description=_qr.__doc__)
    qr.set_defaults(run=_qr)
    _add_credential(qr)
    qr.add_argument("--name", help="name of the account, for a bare secret (default: account)")
    qr.add_argument("--issuer", help="name of the service, for a bare secret (default: none)")
    qr.add_argument("--output", metavar="FILE", help="write a picture, .png or .svg (default: draw in the terminal)")
    return root


def _add_credential(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "source",
        nargs="+",
        metavar="SECRET-OR-URI",
        help="a base32 secret, in quotes where it is printed with spaces, or an otpauth:// URI in quotes; '-' reads it "
        "from stdin, where neither the shell's history nor other users see it",
    )
    command.add_argument("--digits", type=int, help="length of the code, for a bare secret (default: 6)")
    command.add_argument("--period", type=int, help="seconds of a time step, for a bare secret (default: 30)")
    command.add_argument("--algorithm", help="hash algorithm, for a bare secret (default: sha1)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 2 for what the user can mend."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except TotphogError as error:
        print(f"totphog: {error}", file=sys.stderr)
        return 2
    return status


def _serve(options: argparse.Namespace) -> int:
    """Run a server until SIGINT, SIGTERM or SIGHUP; prints its URL when it accepts requests."""
    from pytest_totphog.servers.signals import EndSignals
    from pytest_totphog.servers.workers import serve_here, serve_in_workers

    log = _log if options.log else None
    ready = partial(print, flush=True)
    if options.workers == 1:
        with EndSignals() as signals, ExitStack() as cleanup:
            serve_here(_app(options, cleanup), options.host, _port(options), signals, ready, log)
        return 0
    _check_workers(options)
    with ExitStack() as cleanup:
        _app(options, cleanup)  # a mistake is told once, here, and not by every worker
    load = partial(_app_of_worker, options)
    serve_in_workers(load, options.host, _port(options), options.workers, ready, log)
    return 0


def _check_workers(options: argparse.Namespace) -> None:
    from pytest_totphog.errors import InvalidInput

    if not 1 <= options.workers <= 100:
        raise InvalidInput(f"--workers is {options.workers}; accepted are 1 to 100")
    if _database(options) is None:
        raise InvalidInput(
            f"--workers {options.workers} needs a --database: what a process keeps in memory no other one sees"
        )
    if options.app == "email-mfa" and options.smtp is None:
        raise InvalidInput(f"--workers {options.workers} needs --smtp: mails in memory are those of one process")


def _app_of_worker(options: argparse.Namespace) -> WSGIApplication:
    return _app(options, ExitStack())


def _app(options: argparse.Namespace, cleanup: ExitStack) -> WSGIApplication:
    from pytest_totphog.apps import create_app

    return create_app(options.app, **_app_options(options, cleanup))


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _database(options: argparse.Namespace) -> str | None:
    url: str | None = options.database or os.environ.get("TOTPHOG_DATABASE_URL", "").strip() or None
    return url


def _gate(options: argparse.Namespace) -> Gate:
    from pytest_totphog.errors import InvalidInput
    from pytest_totphog.wsgi.gate import gate_for

    # A secret of CI's often ends with a line break, which no header carries.
    api_key = options.api_key or os.environ.get("TOTPHOG_API_KEY", "").strip() or None
    if api_key is not None and options.app == "login-demo":
        raise InvalidInput(
            f"{options.app} has bearer tokens of its own in the header that an API key goes in; leave the key out, "
            "and listen on loopback or say --insecure"
        )
    permissions = "--api-key KEY or --insecure"
    return gate_for(options.host, api_key=api_key, insecure=options.insecure, permissions=permissions)


def _app_options(options: argparse.Namespace, cleanup: ExitStack) -> dict[str, Any]:
    """Return what the app is made with; what is opened for it is closed by `cleanup`."""
    from pytest_totphog.apps import app_options
    from pytest_totphog.errors import InvalidInput
    from pytest_totphog.inputs import base_url

    chosen: dict[str, Any] = {"gate": _gate(options)}
    accepted = app_options(options.app)
    if (url := _database(options)) is not None:
        if "store" not in accepted:
            raise InvalidInput(f"the app {options.app} keeps nothing in a database; leave --database out")
        chosen["store"] = _store(url, options, cleanup)
    for name in ("smtp", "bcrypt_cost", "cors_origins", "public_url"):
        if getattr(options, name) is not None and name not in accepted:
            raise InvalidInput(f"the app {options.app} has no use for --{name.replace('_', '-')}; leave it out")
    if options.smtp is not None:
        chosen["smtp"] = _address(options.smtp)
    elif "mailbox" in accepted:
        from pytest_totphog.backends.mailbox import Mailbox

        chosen["mailbox"] = cleanup.enter_context(Mailbox())
    if options.public_url is not None:
        chosen["public_url"] = base_url(options.public_url)
    if "bcrypt_cost" in accepted:
        chosen["bcrypt_cost"] = 12 if options.bcrypt_cost is None else options.bcrypt_cost
    if options.cors_origins is not None:
        chosen["cors_origins"] = tuple(filter(None, map(str.strip, options.cors_origins.split(","))))
    return chosen


def _store(url: str, options: argparse.Namespace, cleanup: ExitStack) -> Store:
    from pytest_totphog.stores.sql import SqlStore

    # Several apps may share a database, but not their lockouts and signing keys.
    store = SqlStore(url, prefix=options.app)
    cleanup.callback(store.close)
    return store


def _address(text: str) -> tuple[str, int]:
    from pytest_totphog.errors import InvalidInput, shown

    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise InvalidInput(f"--smtp is {shown(text)}; accepted is HOST:PORT such as localhost:25")
    return host.strip("[]"), int(port)


def _seed(options: argparse.Namespace) -> int:
    """Put an app's demo account into a database; doing it again changes nothing and doubles nothing."""
    from pytest_totphog.apps import seed_app
    from pytest_totphog.errors import InvalidInput

    if (url := _database(options)) is None:
        raise InvalidInput(
            "no database is given; accepted are --database URL and TOTPHOG_DATABASE_URL in the environment"
        )
    with ExitStack() as cleanup:
        print(seed_app(options.app, _store(url, options, cleanup)))
    return 0


def _port(options: argparse.Namespace) -> int:
    from pytest_totphog.errors import InvalidInput, shown

    port: int | None = options.port
    if port is None:
        text = os.environ.get("PORT", "").strip()
        if not text:
            return APPS[options.app].port
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise InvalidInput(f"the environment's PORT is {shown(text)}; accepted is a port from 0 to 65535")
        port = int(text)
    return port


def _code(options: argparse.Namespace) -> int:
    """Print the current code of a secret or URI; nothing is stored."""
    token = _token(options)
    print(token.now() if options.at is None else token.at(options.at))
    return 0


def _scan(options: argparse.Namespace) -> int:
    """Print the account and the current code of every QR code in a picture, and of every account in an export."""
    import warnings
    from pathlib import Path

    from pytest_totphog.authenticator.authenticator import Authenticator
    from pytest_totphog.errors import InvalidInput

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


def _qr(options: argparse.Namespace) -> int:
    """Draw the QR code that an authenticator app scans; whoever sees it has the secret."""
    from pathlib import Path

    from pytest_totphog.credentials import qr
    from pytest_totphog.errors import InvalidInput, shown

    uri = _token(options, issuer="").uri
    if options.output is None:
        print(qr.terminal(uri), end="")
        return 0
    file = Path(options.output)
    kind = file.suffix.lower()
    if kind not in {".png", ".svg"}:
        raise InvalidInput(f"--output is {shown(options.output)}; accepted is a file name that ends in .png or .svg")
    picture = qr.png(uri) if kind == ".png" else qr.svg(uri).encode("utf-8")
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise InvalidInput(f"cannot write {shown(options.output)}: {error.strerror}") from None
    return 0


def _token(options: argparse.Namespace, **defaults: str) -> TotpToken:
    """Return the token that a command's arguments describe; `defaults` are those of a bare secret, beside its name."""
    from pytest_totphog.authenticator.authenticator import Authenticator
    from pytest_totphog.errors import InvalidInput, shown

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
    asked = authenticator.make(secret=token.secret, **{name: getattr(token, name) for name in names} | given)
    for name in given:
        if (says := getattr(token, name)) != (wanted := getattr(asked, name)):
            raise InvalidInput(f"--{name} is {shown(wanted)}, and the URI says {shown(says)}; leave --{name} out")
    return token
