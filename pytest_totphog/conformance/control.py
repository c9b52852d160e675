"""The control checks: a driver with a mistake in it is found out before any rule is judged."""

from __future__ import annotations

import itertools
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, Final

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import LoginDriver, Outcome, enrolled
from pytest_totphog.conformance.finding import Measured
from pytest_totphog.conformance.progress import MOST_FAILURES, EnrolledAccount
from pytest_totphog.credentials.otp import ALGORITHMS, DIGITS
from pytest_totphog.errors import InvalidInput

__all__ = ["problem_of"]

REQUIRED: Final = ("enroll", "begin", "submit")
USUAL: Final = (("sha1", 6, 30),)


def problem_of(context: Context) -> str | None:
    """Return what is wrong with the driver, or None when its right codes are accepted and its wrong ones refused.

    Where a login takes other codes than its URI describes, the parameters that it does use are remembered.

    Raises:
        Exception: what the driver raised when it enrolled an account or logged in.
    """
    driver = context.driver
    name = type(driver).__name__
    if lack := _misspelt(type(driver)) or _missing(driver):
        return f"{name} has {lack}"
    failure: Exception | None = None
    account = right = wrong = attempt = None
    try:
        account = context.account()
        right, wrong, attempt = _outcomes(context, account)
    except InvalidInput as error:
        return f"{name}: {error}"
    except Exception as error:  # noqa: BLE001 # raised again below, unless the URI is what was wrong
        failure = error
    if right is Outcome.ACCEPTED and wrong is Outcome.REFUSED and account is not None:
        _found_right(context, account, attempt)
        return None
    if mistake := _mistake(f"{name}.submit() says", right, wrong):
        return mistake
    if _adopt_parameters(context, thorough=failure is None and not context.live):
        return None
    if failure is not None:
        raise failure
    if right is Outcome.THROTTLED:
        return (
            f"{name}.submit() says THROTTLED for the first code of a fresh account; write reset_throttle(), or wait "
            "until the login has forgotten earlier failures"
        )
    return (
        f"{name}.submit() says REFUSED for a right code too: it does not see success, or the login follows another "
        "clock than driver.clock, or enroll() returned something else than the account's secret"
    )


def _mistake(says: str, right: Outcome | None, wrong: Outcome | None) -> str | None:
    """Return what is wrong with a driver whatever the right codes are."""
    if right is Outcome.ACCEPTED is wrong:
        return (
            f"{says} ACCEPTED for a wrong code too: it does not look at what the login answers, or "
            "enroll() has not switched TOTP on, or the login takes any code"
        )
    if wrong is Outcome.ACCEPTED:
        return (
            f"{says} ACCEPTED for a wrong code and {right.name if right else 'nothing'} for a right one: "
            "it takes success for failure"
        )
    if right is Outcome.ACCEPTED:
        return (
            f"{says} THROTTLED for the first wrong code of an account: REFUSED is for a code that was looked at and "
            "found wrong; where the login did not look at it, write reset_throttle()"
        )
    return None


def _missing(driver: LoginDriver) -> str:
    """Return what a driver does not have and needs; empty if nothing is missing."""
    missing = [f"{method}()" for method in REQUIRED if not driver.can(method)]
    return f"no {' and no '.join(missing)}; a driver needs enroll(), begin() and submit()" if missing else ""


def _misspelt(kind: type[LoginDriver]) -> str:
    """Return what is wrong with a name that is nearly one of those that the battery looks for; empty if none is."""
    ours = [base for base in kind.__mro__ if base.__module__.partition(".")[0] == "pytest_totphog"]
    theirs = [base for base in kind.__mro__ if base not in {*ours, object}]
    looked_for = {name for base in ours for name in vars(base) if name[0] != "_"}
    written = {name: value for base in theirs for name, value in vars(base).items() if name[0] != "_"}
    known = {_letters(name): name for name in looked_for - written.keys()}
    for name in sorted(written.keys() - looked_for):
        for letters in get_close_matches(_letters(name), known, n=1, cutoff=0.85):
            call = "()" if callable(written[name]) else ""
            return (
                f"{name}{call}, which the battery does not look for; did you mean {known[letters]}{call}? Write it "
                "so, or begin the name of a helper of your own with an underscore"
            )
    return ""


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _outcomes(context: Context, account: EnrolledAccount) -> tuple[Outcome, Outcome, Any]:
    """Return what comes of a right code and of a wrong one, and the attempt with the wrong one."""
    code = context.code(account).code
    right = context.login(account, code, "a right code")
    wrong, attempt = context.patient(account, context.begin(account), context.wrong_code(account), "a wrong code")
    return right, wrong, attempt


def _found_right(context: Context, account: EnrolledAccount, attempt: Any) -> None:
    """Remember what is known of codes now, and whether an account bears some wrong ones, where trying harms none."""
    progress, token = context.progress, account.token
    progress.measured, progress.sample = Measured(period=token.period, digits=token.digits), account
    if context.live or not context.driver.can("new_account"):
        return
    with suppress(Exception):  # of a driver that knows no way on from a refusal; the rules then begin anew
        _learn(context, account, attempt)


def _learn(context: Context, account: EnrolledAccount, attempt: Any) -> None:
    progress = context.progress
    for _ in range(MOST_FAILURES - 1):
        outcome, attempt = context.patient(account, attempt, context.wrong_code(account), "a wrong code")
        if outcome is not Outcome.REFUSED:
            return
    code = context.code(account).code
    if context.login(account, code, "a right code after them") is Outcome.ACCEPTED:
        progress.failures = MOST_FAILURES
        code = context.code(account).code
        progress.side_by_side = context.submit(attempt, code, "a right code in their attempt") is Outcome.ACCEPTED


def _adopt_parameters(context: Context, *, thorough: bool) -> bool:
    """Try codes of other parameters than the URI's, and keep those that the login takes.

    Args:
        context: the login.
        thorough: whether to try all; a login that disregards its URI mostly does the usual, and on a live clock each
            try waits for a time step.
    """
    driver = context.driver
    for algorithm, digits, period in itertools.product(ALGORITHMS, DIGITS, (30, 60)) if thorough else USUAL:
        driver._parameters = {"algorithm": algorithm, "digits": digits, "period": period}  # noqa: SLF001 # for its codes
        context.progress.only = None
        try:
            account = context.account()
            right, wrong, attempt = _outcomes(context, account)
        except Exception:  # noqa: BLE001, S112 # the wrong parameters may fail in any way
            continue
        if right is Outcome.ACCEPTED and wrong is Outcome.REFUSED:
            shown, token = enrolled(driver.server, account.source), account.token
            context.progress.parameters = {
                name: getattr(token, name)
                for name in ("algorithm", "digits", "period")
                if getattr(token, name) != getattr(shown, name)
            }
            _found_right(context, account, attempt)
            return True
    driver._parameters = {}  # noqa: SLF001
    return False
