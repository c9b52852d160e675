"""The progress of the battery: what is known of a login by now, and the accounts at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pytest_totphog.authenticator.issuer import Issuer
from pytest_totphog.conformance.driver import LoginDriver
from pytest_totphog.conformance.finding import Measured
from pytest_totphog.credentials.token import Token

__all__ = ["LEAST_FAILURES", "MOST_FAILURES", "EnrolledAccount", "Progress", "Throttle"]

# Logins in the field lock after 3 to 10 failures, and the right code that proves them open must still be looked at.
LEAST_FAILURES: Final = 2
# Where the control checks see that the login bears as many.
MOST_FAILURES: Final = 4


@dataclass(frozen=True)
class EnrolledAccount:
    """A throw-away account with TOTP.

    Attributes:
        handle: what the driver calls it.
        source: what its enrolment showed.
        issuer: hands out its codes.
        enrolled_at: the time step of its enrolment, whose code may be spent.
    """

    handle: Any
    source: str = field(repr=False)
    issuer: Issuer
    enrolled_at: int

    @property
    def token(self) -> Token:
        """The credential."""
        return self.issuer.token


@dataclass(frozen=True)
class Throttle:
    """How a login throttles guessing: many have a limit for one attempt, and another for the account.

    Attributes:
        account: how many wrong codes were looked at before the account took none in any attempt; None for no such
            limit within 100.
        attempt: how many were looked at in one attempt before that took none, while another still did; None for no
            such limit.
        silent: whether the login says no more than that a code is refused.
        password_clears: whether the account's count begins anew with each right password.
    """

    account: int | None
    attempt: int | None = None
    silent: bool = False
    password_clears: bool = False

    @property
    def first(self) -> int | None:
        """How many wrong codes are looked at in one attempt."""
        return self.account if self.attempt is None else self.attempt


@dataclass
class Progress:
    """What is known of a login by now; it outlives the single rule.

    Attributes:
        problem: why no rule can be judged.
        checked: whether the control checks were made.
        parameters: what the login uses instead of what its URI says.
        measured: for the report.
        throttle: how guessing is throttled; None while that was not measured.
        kept: whether rules were seen to be kept, by their ids, for those that presuppose them.
        sample: an account that has taken a right code.
        failures: how many wrong codes in a row an account bears, and takes a right one after them.
        reuse: whether an account may be used again after a success.
        side_by_side: whether an attempt with as many failures takes a right code, also after a success in another.
        attempts_go_on: whether an attempt that was refused takes another code.
        pace: how many enrolments, logins and codes there were, by what evidence calls them, and the seconds they took.
        resume_at: where a frozen clock stood after the last rule.
        driver: the driver of the last rule.
        prepared: whether the estimate was given.
        accounts: those enrolled up front.
        only: the only account of a driver that makes none.
    """

    problem: str | None = None
    checked: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    measured: Measured = field(default_factory=Measured)
    throttle: Throttle | None = None
    kept: dict[str, bool] = field(default_factory=dict)
    sample: EnrolledAccount | None = None
    failures: int = LEAST_FAILURES
    reuse: bool = True
    side_by_side: bool = False
    attempts_go_on: bool = True
    pace: dict[str, tuple[int, float]] = field(default_factory=dict)
    resume_at: float | None = None
    driver: LoginDriver | None = None
    prepared: bool = False
    accounts: list[EnrolledAccount] = field(default_factory=list)
    only: EnrolledAccount | None = None
