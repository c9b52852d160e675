"""The lockout: how long an account that was guessed at is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.progress import EnrolledAccount
from pytest_totphog.conformance.rules.guessing import begun, fresh, of_the_account, spread

__all__ = ["measure_lockout"]

# Seconds after which a lockout is tried whether it is over.
LOCKOUTS: Final = (1, 2, 4, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
IN_A_ROW: Final = 3


def measure_lockout(context: Context) -> None:
    """Move a frozen clock on until a locked account is open again, some times over, since a lockout may grow.

    The first is measured to the second, and so is the last where it is longer. What ends an attempt only, or ends with
    the next right password, is no lockout.
    """
    throttle = context.progress.throttle
    if throttle is None or throttle.account is None or throttle.password_clears or context.live:
        return
    account = context.closed
    if account is None:
        account = fresh(context)
        _lock(context, account)
    lasted: list[int] = []
    # A right code makes most logins forget what came before, so it is sent only where nothing else tells.
    while len(lasted) < (1 if throttle.silent else IN_A_ROW):
        if lasted:
            _lock(context, account)
        between = _opened(context, account, lasted[-1] if lasted else 0)
        if between is None:
            break
        low, high = between
        lasted.append(high if lasted else _exact(context, [], low, high))
    if lasted and lasted[-1] > lasted[0]:
        lasted[-1] = _exact(context, lasted[:-1], low, high)
    if lasted:
        grows = None if throttle.silent else lasted[-1] > lasted[0]
        context.progress.measured = replace(context.progress.measured, lockout_seconds=lasted[-1], lockout_grows=grows)


def _lock(context: Context, account: EnrolledAccount) -> None:
    total, each, _ = of_the_account(context)
    spread(context, account, total, each, begun(context, account))


def _opened(context: Context, account: EnrolledAccount, least: int) -> tuple[int, int] | None:
    """Return between which seconds a closed account was open again, from the least on; None when it was not."""
    passed = low = 0
    for seconds in (*([least] if least else []), *(each for each in LOCKOUTS if each > least)):
        context.pause(seconds - passed)
        passed = seconds
        if _is_open(context, account, f"{seconds} s later"):
            return low, seconds
        low = seconds
    return None


def _exact(context: Context, earlier: Sequence[int], low: int, high: int) -> int:
    """Return after how many seconds, of those between two, a lockout is over.

    Each try locks a new account, as often as it takes, because a try may prolong the lockout.

    Args:
        context: the rule's context.
        earlier: how long the lockouts lasted that came before it.
        low: when it was not over, in seconds, when tried after others.
        high: when it was.
    """

    def over(seconds: int) -> bool:
        account = fresh(context)
        for lasted in earlier:
            _lock(context, account)
            context.pause(lasted)
        _lock(context, account)
        context.pause(seconds)
        return _is_open(context, account, f"{seconds} s after the lockout began")

    # Most are round.
    if high - low < 2 or not over(high - 1):
        return high
    high -= 1
    if low and over(low):
        low, high = 0, low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if over(middle) else (middle, high)
    return high


def _is_open(context: Context, account: EnrolledAccount, when: str) -> bool:
    attempt = context.begin(account)
    if of_the_account(context)[2].silent:
        return context.submit(attempt, account.issuer.now(), f"a right code {when}") is Outcome.ACCEPTED
    return context.submit(attempt, context.wrong_code(account), f"a wrong code {when}") is not Outcome.THROTTLED
