"""pytest-totphog: one-time passwords for test suites.

The names below are imported when they are first used, so that the plugin costs nothing where it is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_totphog.apps import create_app as create_app
    from pytest_totphog.authenticator.accounts import Account as Account
    from pytest_totphog.authenticator.accounts import TotpAccount as TotpAccount
    from pytest_totphog.authenticator.authenticator import Authenticator as Authenticator
    from pytest_totphog.authenticator.code_field import fill_code as fill_code
    from pytest_totphog.authenticator.codes import OneTimeCode as OneTimeCode
    from pytest_totphog.authenticator.explanation import Explanation as Explanation
    from pytest_totphog.authenticator.factory import TotpTokenFactory as TotpTokenFactory
    from pytest_totphog.authenticator.totp_token import TotpToken as TotpToken
    from pytest_totphog.backends.mailbox import Mail as Mail
    from pytest_totphog.backends.mailbox import Mailbox as Mailbox
    from pytest_totphog.backends.verifier import VerifierPolicy as VerifierPolicy
    from pytest_totphog.clocks.clock import Clock as Clock
    from pytest_totphog.clocks.frozen_clock import FrozenClock as FrozenClock
    from pytest_totphog.clocks.instants import Instant as Instant
    from pytest_totphog.enrolment.records import HasTotpUri as HasTotpUri
    from pytest_totphog.enrolment.sources import Source as Source
    from pytest_totphog.errors import AccountUnavailable as AccountUnavailable
    from pytest_totphog.errors import BrowserError as BrowserError
    from pytest_totphog.errors import ClockHeld as ClockHeld
    from pytest_totphog.errors import ClockNotFrozen as ClockNotFrozen
    from pytest_totphog.errors import CodeUnavailable as CodeUnavailable
    from pytest_totphog.errors import InvalidCall as InvalidCall
    from pytest_totphog.errors import InvalidInput as InvalidInput
    from pytest_totphog.errors import MailNotReceived as MailNotReceived
    from pytest_totphog.errors import MissingExtra as MissingExtra
    from pytest_totphog.errors import ServerError as ServerError
    from pytest_totphog.errors import StoreError as StoreError
    from pytest_totphog.errors import TokenNotFound as TokenNotFound
    from pytest_totphog.errors import TotphogError as TotphogError
    from pytest_totphog.errors import TotphogWarning as TotphogWarning
    from pytest_totphog.servers.practice import PracticeBackend as PracticeBackend
    from pytest_totphog.servers.totp_server import TotpServer as TotpServer
    from pytest_totphog.version import __version__ as __version__

_HOMES = {
    "Account": "authenticator.accounts",
    "AccountUnavailable": "errors",
    "Authenticator": "authenticator.authenticator",
    "BrowserError": "errors",
    "Clock": "clocks.clock",
    "ClockHeld": "errors",
    "ClockNotFrozen": "errors",
    "CodeUnavailable": "errors",
    "Explanation": "authenticator.explanation",
    "FrozenClock": "clocks.frozen_clock",
    "HasTotpUri": "enrolment.records",
    "Instant": "clocks.instants",
    "InvalidCall": "errors",
    "InvalidInput": "errors",
    "Mail": "backends.mailbox",
    "MailNotReceived": "errors",
    "Mailbox": "backends.mailbox",
    "MissingExtra": "errors",
    "OneTimeCode": "authenticator.codes",
    "PracticeBackend": "servers.practice",
    "ServerError": "errors",
    "Source": "enrolment.sources",
    "StoreError": "errors",
    "TokenNotFound": "errors",
    "TotpAccount": "authenticator.accounts",
    "TotpServer": "servers.totp_server",
    "TotpToken": "authenticator.totp_token",
    "TotpTokenFactory": "authenticator.factory",
    "TotphogError": "errors",
    "TotphogWarning": "errors",
    "VerifierPolicy": "backends.verifier",
    "__version__": "version",
    "create_app": "apps",
    "fill_code": "authenticator.code_field",
}

__all__ = list(_HOMES)


# There is no `__dir__` beside it: freezegun gets every name that `dir()` tells of every module, and would import all.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
