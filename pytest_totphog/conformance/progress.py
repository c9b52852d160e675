"""The progress of the battery: what is known of a login by now, and the accounts at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.conformance.driver import LoginDriver
from pytest_totphog.conformance.finding import Measured

__all__ = ["Account", "Progress", "Throttle"]


@dataclass(frozen=True)
class Account:
    """A throw-away account with TOTP.

    Attributes:
        handle: what the driver calls it.
        source: what its enrolment showed.
        token: its token.
        enrolled_at: the time step of its enrolment, whose code may be spent.
    """

    handle: Any
    source: str = field(repr=False)
    token: TotpToken
    enrolled_at: int


@dataclass(frozen=True)
class Throttle:
    """How a login throttles guessing.

    Attributes:
        failures: how many wrong codes in a row, in one attempt, were looked at before one was not; None for no
            throttle within 100.
        silent: whether it says no more than that the code is refused.
    """

    failures: int | None
    silent: bool = False


@dataclass
class Progress:
    """What is known of a login by now; it outlives the single rule."""

    problem: str | None = None
    checked: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    measured: Measured = field(default_factory=Measured)
    throttle: Throttle | None = None
    resume_at: float | None = None
    driver: LoginDriver | None = None
    prepared: bool = False
    accounts: list[Account] = field(default_factory=list)
    only: Account | None = None
