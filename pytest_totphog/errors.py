"""The errors that users of this package see, all on the ground floor."""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = [
    "AccountUnavailable",
    "BrowserError",
    "ClockHeld",
    "ClockNotFrozen",
    "CodeUnavailable",
    "InvalidCall",
    "InvalidInput",
    "MailNotReceived",
    "MissingExtra",
    "ServerError",
    "StoreError",
    "TokenNotFound",
    "TotphogError",
    "TotphogWarning",
    "hidden_in_reports",
    "plural",
    "shown",
]


class TotphogError(Exception):
    """The base of every error that this package raises on purpose."""


class InvalidInput(TotphogError, ValueError):
    """An argument, field, URI or marker is not what is accepted; nothing was changed."""


class InvalidCall(InvalidInput, TypeError):
    """A function was called in another way than it takes its arguments; nothing was changed."""


class TokenNotFound(TotphogError, LookupError):
    """No token has the given id."""


class ClockHeld(TotphogError, RuntimeError):
    """Somebody else's freeze of time, which began later, keeps the clock from running again."""


class ClockNotFrozen(TotphogError, RuntimeError):
    """A live clock cannot be moved by hand; only a frozen one can."""


class CodeUnavailable(TotphogError, TimeoutError):
    """No unspent code with the demanded lifetime can be had in time.

    Attributes:
        retry_after: seconds until the next time step that might be free.
    """

    # The default is for pickle, which sets the attribute afterwards.
    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccountUnavailable(TotphogError, TimeoutError):
    """No account of the pool is free in time, or one that was taken was given to another test."""


class BrowserError(TotphogError, RuntimeError):
    """A page does not show, or does not take, what it should, or the browser cannot do it."""


class MailNotReceived(TotphogError, TimeoutError):
    """The awaited mail has not come in time."""


class ServerError(TotphogError, OSError):
    """The server cannot start, does not stop in time, or is not running."""


class StoreError(TotphogError, OSError):
    """The database cannot be opened or read, or does not take what is written.

    Attributes:
        retry_after: seconds until it might be back, when it is away; None for what does not pass by itself.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MissingExtra(TotphogError, ImportError):
    """A feature needs a package that one of the optional extras installs.

    Args:
        feature: what needs the extra, as the start of the sentence.
        package: the distribution that cannot be imported.
        extra: the extra of pytest-totphog that installs it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f"{feature} needs {package}; install it with: pip install 'pytest-totphog[{extra}]'")


class TotphogWarning(UserWarning):
    """The base of the warnings of this package: what may make tests fail that have nothing to do with it."""


def hidden_in_reports(failure: Any) -> bool:
    """Tell pytest, which prints the arguments of the last function in a traceback, to end at the caller's line.

    Modules whose arguments hold secrets, or whose errors are about the caller's line, set `__tracebackhide__` to this.
    Other exceptions keep their traceback.
    """
    return isinstance(failure.value, TotphogError)


def plural(number: float, noun: str) -> str:
    """Return a number of things: `"1 code"`, `"2 codes"`."""
    count = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{count} {noun}{'' if number == 1 else 's'}"


def shown(value: object) -> str:
    """Return the offending value of an error, cut short: it may be a megabyte, or a secret in the wrong place."""
    try:
        return reprlib.repr(value).encode("ascii", "backslashreplace").decode("ascii")
    except ValueError:  # an integer of more than 4,300 digits has no repr
        return f"a huge {type(value).__name__}"
