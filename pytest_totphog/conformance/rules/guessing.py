"""Guessing: how wrong codes are sent, and what shows a throttle."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, NotJudged
from pytest_totphog.conformance.progress import Account, Throttle

__all__ = [
    "LIMIT",
    "fail",
    "fresh",
    "let_in",
    "measure_lockout",
    "not_if_rewound",
    "presuppose_sessions",
    "required",
    "stopped",
    "throttle_of",
    "throttled_account",
]

LIMIT: Final = 100
# Seconds after which a lockout is tried whether it is over.
LOCKOUTS: Final = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
LOCKOUTS_IN_A_ROW: Final = 3


def fail(context: Context, account: Account, attempt: Any, times: int) -> int | None:
    """Send wrong codes, and return how many were looked at before one was not; None when all were.

    Raises:
        NotJudged: when a wrong code was accepted.
    """
    for number in range(times):
        outcome = context.submit(attempt, account.token.wrong_code(), "a wrong code")
        if outcome is Outcome.THROTTLED:
            return number
        if outcome is Outcome.ACCEPTED:
            raise NotJudged("a wrong code was accepted")
    return None


def let_in(context: Context, account: Account, attempt: Any, what: str) -> bool:
    """Return whether a right code that was never sent is accepted, without waiting for a later time step."""
    token = account.token
    step = context.step(token)
    last = token.authenticator.ledger.last(token.fingerprint)
    spent = account.enrolled_at if last is None else max(last.step, account.enrolled_at)
    if step <= spent:
        step = spent + 1
        context.wait_for_step(token, step)
    context.spend(account, step)
    return context.submit(attempt, token.code_at_step(step), what) is Outcome.ACCEPTED


def fresh(context: Context) -> Account:
    """Return an account whose failures are none, and whose current code was never sent."""
    account = context.account()
    if context.driver.can("reset_throttle"):
        context.driver.reset_throttle(account.handle)
    context.wait_for_step(account.token, context.first_step(account))
    return account


def throttle_of(context: Context) -> Throttle:
    """Return how the login throttles guessing in one attempt; measured once."""
    if context.progress.throttle is None:
        account = fresh(context)
        attempt = context.begin(account)
        failures = fail(context, account, attempt, LIMIT)
        if failures == 0:
            raise NotJudged("a fresh account was throttled before its first failure; write reset_throttle()")
        if not let_in(context, account, attempt, "a right code in the same attempt"):
            silent = failures is None
            found = Throttle(_failures_before_silence(context) if silent else failures, silent)
        elif failures is None:
            found = Throttle(None)
        else:
            raise Broken("a right code was accepted in an attempt that had been throttled")
        context.progress.throttle = found
        context.progress.measured = replace(
            context.progress.measured, throttled=found.failures is not None, failures_before_throttle=found.failures
        )
    return context.progress.throttle


def _failures_before_silence(context: Context) -> int:
    """Return how many failures it takes until a right code is refused, where the login does not say so."""
    fine, locked = 0, LIMIT
    while locked - fine > 1:
        middle = (fine + locked) // 2
        account = fresh(context)
        attempt = context.begin(account)
        fail(context, account, attempt, middle)
        if let_in(context, account, attempt, f"a right code after {middle} failures"):
            fine = middle
        else:
            locked = middle
    return locked


def measure_lockout(context: Context, throttle: Throttle) -> None:
    """Move a frozen clock on until the account is open again, some times over: a lockout may grow."""
    if context.live or context.progress.measured.lockout_seconds is not None:
        return
    account = fresh(context)
    attempt = context.begin(account)
    lasted: list[int] = []
    # A right code makes most logins forget what came before, so it is sent only where nothing else tells.
    while len(lasted) < (1 if throttle.silent else LOCKOUTS_IN_A_ROW):
        fail(context, account, attempt, (throttle.failures or LIMIT) if throttle.silent else LIMIT)
        for passed, seconds in pairwise((0, *LOCKOUTS)):
            context.pause(seconds - passed)
            attempt = context.begin(account)
            code = account.token.now() if throttle.silent else account.token.wrong_code()
            what = f"a {'right' if throttle.silent else 'wrong'} code {seconds} s later"
            if context.submit(attempt, code, what) is (Outcome.ACCEPTED if throttle.silent else Outcome.REFUSED):
                lasted.append(seconds)
                break
        else:
            break
    if lasted:
        grows = None if throttle.silent else lasted[-1] > lasted[0]
        context.progress.measured = replace(context.progress.measured, lockout_seconds=lasted[-1], lockout_grows=grows)


def required(context: Context) -> Throttle:
    """Return how the login throttles guessing.

    Raises:
        NotJudged: when it does not.
    """
    throttle = throttle_of(context)
    if throttle.failures is None:
        raise NotJudged("presupposes V28: guessing is not throttled at all")
    return throttle


def throttled_account(context: Context) -> tuple[Account, Any, Any]:
    """Return an account that was throttled in one attempt, and two more attempts that were begun before."""
    throttle = required(context)
    account = fresh(context)
    attempt, session, other = (context.begin(account) for _ in range(3))
    fail(context, account, attempt, throttle.failures or LIMIT)
    return account, session, other


def presuppose_sessions(context: Context, account: Account, session: Any) -> None:
    """Raise when an account that was throttled is not so in another session, begun before."""
    if required(context).silent:
        open_ = let_in(context, account, session, "a right code in another session")
    else:
        # No right code is spent on it, and so no time either: some throttles last a second.
        wrong = account.token.wrong_code()
        open_ = context.submit(session, wrong, "a wrong code in another session") is not Outcome.THROTTLED
    if open_:
        raise NotJudged("presupposes V29: the throttle does not count across sessions")


def not_if_rewound(context: Context, otherwise: Exception | None = None) -> None:
    """Raise when an attempt that was throttled takes a right code with what the client held at its beginning."""
    throttle = required(context)
    account = fresh(context)
    attempt = context.begin(account)
    fail(context, account, attempt, throttle.failures or LIMIT)
    attempt = context.driver.rewind(attempt)
    context.evidence.note("rewound what the client holds")
    if let_in(context, account, attempt, "a right code with what the client held before"):
        raise otherwise or NotJudged("presupposes V31: the client holds the count of failures")


def stopped(context: Context, account: Account, each: int, attempts: list[Any]) -> bool:
    """Send 100 wrong codes, a few in each attempt, and return whether the account is throttled then.

    Args:
        context: the rule's context.
        account: whose codes are guessed.
        each: how many in an attempt.
        attempts: begun before; when they are used up, others are begun.
    """
    for _ in range(-(-LIMIT // each)):
        attempt = attempts.pop(0) if attempts else context.begin(account)
        if fail(context, account, attempt, each) is not None:
            return True
    attempt = attempts.pop(0) if attempts else context.begin(account)
    return not let_in(context, account, attempt, "a right code")
