"""pytest-totphog: one-time passwords for test suites.

The names below are imported when they are first used, so that the plugin costs nothing where it is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pytest_totphog.accounts import Account as Account
    from pytest_totphog.accounts import TotpAccount as TotpAccount
    from pytest_totphog.apps import create_app as create_app
    from pytest_totphog.authenticator import Authenticator as Authenticator
    from pytest_totphog.browsers.code_field import fill_code as fill_code
    from pytest_totphog.clock import Clock as Clock
    from pytest_totphog.errors import AccountUnavailable as AccountUnavailable
    from pytest_totphog.errors import BrowserError as BrowserError
    from pytest_totphog.errors import ClockHeld as ClockHeld
    from pytest_totphog.errors import ClockNotFrozen as ClockNotFrozen
    from pytest_totphog.errors import CodeUnavailable as CodeUnavailable
    from pytest_totphog.errors import InvalidInput as InvalidInput
    from pytest_totphog.errors import MailNotReceived as MailNotReceived
    from pytest_totphog.errors import MissingExtra as MissingExtra
    from pytest_totphog.errors import ServerError as ServerError
    from pytest_totphog.errors import StoreError as StoreError
    from pytest_totphog.errors import TokenNotFound as TokenNotFound
    from pytest_totphog.errors import TotphogError as TotphogError
    from pytest_totphog.freezing import FrozenClock as FrozenClock
    from pytest_totphog.mailbox import Mailbox as Mailbox
    from pytest_totphog.practice import PracticeBackend as PracticeBackend
    from pytest_totphog.server import TotpServer as TotpServer
    from pytest_totphog.totp_token import TotpToken as TotpToken
    from pytest_totphog.verifier import VerifierPolicy as VerifierPolicy

_HOMES = {
    "Account": "accounts",
    "AccountUnavailable": "errors",
    "Authenticator": "authenticator",
    "BrowserError": "errors",
    "Clock": "clock",
    "ClockHeld": "errors",
    "ClockNotFrozen": "errors",
    "CodeUnavailable": "errors",
    "FrozenClock": "freezing",
    "InvalidInput": "errors",
    "MailNotReceived": "errors",
    "Mailbox": "mailbox",
    "MissingExtra": "errors",
    "PracticeBackend": "practice",
    "ServerError": "errors",
    "StoreError": "errors",
    "TokenNotFound": "errors",
    "TotpAccount": "accounts",
    "TotpServer": "server",
    "TotpToken": "totp_token",
    "TotphogError": "errors",
    "VerifierPolicy": "verifier",
    "create_app": "apps",
    "fill_code": "browsers.code_field",
}

__all__ = list(_HOMES)


# There is no `__dir__` beside it: freezegun gets every name that `dir()` tells of every module, and would import all.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
