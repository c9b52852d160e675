"""The control checks: a driver with a mistake in it is found out before any rule is judged."""

from __future__ import annotations

import itertools
from typing import Final

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome, enrolled
from pytest_totphog.conformance.finding import Measured
from pytest_totphog.conformance.progress import Account
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
    if missing := [f"{method}()" for method in REQUIRED if not driver.can(method)]:
        return f"{name} has no {' and no '.join(missing)}; a driver needs enroll(), begin() and submit()"
    failure: Exception | None = None
    account = right = wrong = None
    try:
        account = context.account()
        right, wrong = _outcomes(context, account)
    except InvalidInput as error:
        return f"{name}: {error}"
    except Exception as error:  # noqa: BLE001 # raised again below, unless the URI is what was wrong
        failure = error
    if right is Outcome.ACCEPTED and wrong is not Outcome.ACCEPTED and account is not None:
        token = account.token
        context.progress.measured = Measured(period=token.period, digits=token.digits)
        return None
    if right is Outcome.ACCEPTED:
        return (
            f"{name}.submit() says ACCEPTED for a wrong code too: it does not look at what the login answers, or "
            "enroll() has not switched TOTP on, or the login takes any code"
        )
    if wrong is Outcome.ACCEPTED:
        return (
            f"{name}.submit() says ACCEPTED for a wrong code and {right.name if right else 'nothing'} for a right one: "
            "it takes success for failure"
        )
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


def _outcomes(context: Context, account: Account) -> tuple[Outcome, Outcome]:
    code = context.code(account).code
    right = context.login(account, code, "a right code")
    wrong = context.login(account, account.token.wrong_code(), "a wrong code")
    return right, wrong


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
            right, wrong = _outcomes(context, account)
        except Exception:  # noqa: BLE001, S112 # the wrong parameters may fail in any way
            continue
        if right is Outcome.ACCEPTED and wrong is not Outcome.ACCEPTED:
            shown, token = enrolled(driver.server, account.source), account.token
            context.progress.parameters = {
                name: getattr(token, name)
                for name in ("algorithm", "digits", "period")
                if getattr(token, name) != getattr(shown, name)
            }
            context.progress.measured = Measured(period=token.period, digits=token.digits)
            return True
    driver._parameters = {}  # noqa: SLF001
    return False
