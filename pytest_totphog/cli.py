"""The `totphog` command: what the shell sees."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pytest_totphog.apps import APPS
from pytest_totphog.errors import TotphogError
from pytest_totphog.version import __version__

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
    from pytest_totphog.commands.serve import serve

    return serve(options)


def _seed(options: argparse.Namespace) -> int:
    """Put an app's demo account into a database; doing it again changes nothing and doubles nothing."""
    from pytest_totphog.commands.serve import seed

    return seed(options)


def _code(options: argparse.Namespace) -> int:
    """Print the current code of a secret or URI; nothing is stored."""
    from pytest_totphog.commands.credential import code

    return code(options)


def _scan(options: argparse.Namespace) -> int:
    """Print the account and the current code of every QR code in a picture, and of every account in an export."""
    from pytest_totphog.commands.credential import scan

    return scan(options)


def _qr(options: argparse.Namespace) -> int:
    """Draw the QR code that an authenticator app scans. It contains the secret."""
    from pytest_totphog.commands.credential import qr

    return qr(options)
