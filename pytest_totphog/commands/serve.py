"""`totphog serve` and `totphog seed`: an app, what it is made with, and where its data lives."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_totphog.apps import APPS, app_options, create_app, seed_app
from pytest_totphog.errors import InvalidInput, shown
from pytest_totphog.inputs import base_url
from pytest_totphog.servers.signals import EndSignals
from pytest_totphog.servers.workers import serve_here, serve_in_workers
from pytest_totphog.wsgi.gate import gate_for

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from pytest_totphog.stores import Store
    from pytest_totphog.wsgi.gate import Gate

__all__ = ["seed", "serve"]


def serve(options: argparse.Namespace) -> int:
    """Run a server until SIGINT, SIGTERM or SIGHUP, and return the exit status."""
    log = _log if options.log else None
    ready = partial(print, flush=True)
    if options.workers == 1:
        with EndSignals() as signals, ExitStack() as cleanup:
            serve_here(_app(options, cleanup), options.host, _port(options), signals, ready, log)
        return 0
    _check_workers(options)
    with ExitStack() as cleanup:
        _app(options, cleanup)  # a mistake is reported once, here, and not by every worker
    load = partial(_app_of_worker, options)
    serve_in_workers(load, options.host, _port(options), options.workers, ready, log)
    return 0


def _check_workers(options: argparse.Namespace) -> None:
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
    return create_app(options.app, **_app_options(options, cleanup))


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _database(options: argparse.Namespace) -> str | None:
    url: str | None = options.database or os.environ.get("TOTPHOG_DATABASE_URL", "").strip() or None
    return url


def _gate(options: argparse.Namespace) -> Gate:
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
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise InvalidInput(f"--smtp is {shown(text)}; accepted is HOST:PORT such as localhost:25")
    return host.strip("[]"), int(port)


def seed(options: argparse.Namespace) -> int:
    """Put an app's demo account into a database; doing it again changes nothing and doubles nothing."""
    if (url := _database(options)) is None:
        raise InvalidInput(
            "no database is given; accepted are --database URL and TOTPHOG_DATABASE_URL in the environment"
        )
    with ExitStack() as cleanup:
        print(seed_app(options.app, _store(url, options, cleanup)))
    return 0


def _port(options: argparse.Namespace) -> int:
    port: int | None = options.port
    if port is None:
        text = os.environ.get("PORT", "").strip()
        if not text:
            return APPS[options.app].port
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise InvalidInput(f"the environment's PORT is {shown(text)}; accepted is a port from 0 to 65535")
        port = int(text)
    return port
