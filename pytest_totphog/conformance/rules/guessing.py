"""Guessing: how wrong codes are sent, and what shows a throttle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any, Final

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount, Throttle

__all__ = [
    "LIMIT",
    "begun",
    "fail",
    "fresh",
    "let_in",
    "not_if_rewound",
    "of_the_account",
    "required",
    "spread",
    "throttle_of",
    "throttled_account",
]

LIMIT: Final = 100


def fail(context: Context, account: EnrolledAccount, attempt: Any, times: int) -> int | None:
    """Send different wrong codes, and return how many were looked at before one was not; None when all were.

    Raises:
        NotJudged: when a wrong code was accepted.
    """
    for number in range(times):
        outcome = context.submit(attempt, context.wrong_code(account), "a wrong code")
        if outcome is Outcome.THROTTLED:
            return number
        if outcome is Outcome.ACCEPTED:
            raise NotJudged("a wrong code was accepted")
    return None


def begun(context: Context, account: EnrolledAccount, before: int = 0) -> Iterator[Any]:
    """Give attempts; some of them were begun before the first is used, so that no right password is given between."""
    yield from [context.begin(account) for _ in range(before)]
    while True:
        yield context.begin(account)


def spread(context: Context, account: EnrolledAccount, total: int, each: int, attempts: Iterator[Any]) -> int | None:
    """Send wrong codes in several attempts, in each fewer than end it by themselves.

    Args:
        context: the rule's context.
        account: whose codes are guessed.
        total: how many are sent.
        each: how many in an attempt at the most.
        attempts: in which they are sent.

    Returns:
        How many were looked at before one was not, for the sake of the account; None when all were.
    """
    looked_at = 0
    while looked_at < total:
        times = min(each, total - looked_at)
        number = fail(context, account, next(attempts), times)
        if number is not None:
            return looked_at + number
        looked_at += times
    return None


def let_in(context: Context, account: EnrolledAccount, attempt: Any, what: str) -> bool:
    """Return whether a right code that was never sent is accepted, without waiting for a later time step."""
    token = account.token
    step = context.step(token)
    last = account.issuer.keeper.ledger.last(token.fingerprint)
    spent = account.enrolled_at if last is None else max(last.step, account.enrolled_at)
    if step <= spent:
        step = spent + 1
        context.wait_for_step(token, step)
    context.spend(account, step)
    return context.submit(attempt, token.code_at_step(step), what) is Outcome.ACCEPTED


def fresh(context: Context) -> EnrolledAccount:
    """Return an account whose failures are none, and whose current code was never sent."""
    account = context.account()
    if context.driver.can("reset_throttle"):
        context.driver.reset_throttle(account.handle)
    context.wait_for_step(account.token, context.first_step(account))
    return account


def throttle_of(context: Context) -> Throttle:
    """Return how the login throttles guessing; measured once."""
    if context.progress.throttle is None:
        found = context.progress.throttle = _measured(context)
        context.progress.measured = replace(
            context.progress.measured,
            throttled=found.first is not None,
            failures_before_throttle=found.account,
            failures_per_attempt=found.attempt,
        )
    return context.progress.throttle


def required(context: Context) -> Throttle:
    """Return how the login throttles guessing.

    Raises:
        NotJudged: when it does not.
    """
    throttle = throttle_of(context)
    if throttle.first is None:
        raise NotJudged("presupposes V28: guessing is not throttled at all")
    return throttle


def of_the_account(context: Context) -> tuple[int, int, Throttle]:
    """Return how many wrong codes an account takes, and how many of them an attempt, and the throttle.

    Raises:
        NotJudged: when the account takes any number.
    """
    throttle = required(context)
    if throttle.account is None or throttle.first is None:
        raise NotJudged("presupposes V29: the throttle does not count across sessions")
    return throttle.account, throttle.first, throttle


def throttled_account(context: Context) -> tuple[EnrolledAccount, Iterator[Any]]:
    """Return an account that takes no code in another attempt either, and further attempts.

    Where the right password makes the login forget, they were all begun before.
    """
    total, each, throttle = of_the_account(context)
    account = fresh(context)
    attempts = begun(context, account, -(-total // each) + 2 if throttle.password_clears else 0)
    spread(context, account, total, each, attempts)
    # No right code is spent on it, and so no time either: some throttles last a second.
    if not throttle.silent and fail(context, account, next(attempts), 1) is None:
        raise NotJudged(f"{total} wrong codes led to the throttle once, and not again")
    return account, attempts


def not_if_rewound(context: Context, otherwise: Exception | None = None) -> None:
    """Raise when a throttled account takes a right code in an attempt that has what the client held at first."""
    throttle = required(context)
    account = fresh(context)

    def rewound() -> Iterator[Any]:
        attempt = context.begin(account)
        while True:
            yield attempt
            attempt = context.driver.rewind(attempt)
            context.evidence.note("rewound what the client holds")

    attempts = rewound()
    spread(context, account, throttle.account or throttle.first or LIMIT, throttle.first or LIMIT, attempts)
    if let_in(context, account, next(attempts), "a right code with what the client held before"):
        raise otherwise or NotJudged("presupposes V31: the client holds the count of failures")


def _measured(context: Context) -> Throttle:
    account = fresh(context)
    attempt = context.begin(account)
    first = fail(context, account, attempt, LIMIT)
    if first == 0:
        raise NotJudged("a fresh account was throttled before its first failure; write reset_throttle()")
    open_ = let_in(context, account, attempt, "a right code in the same attempt")
    if first is None and not open_ and fail(context, account, attempt, 1) == 0:
        first = LIMIT
    if first is None:
        return Throttle(None) if open_ else _measured_in_silence(context)
    if open_:
        raise Broken("a right code was accepted in an attempt that had been throttled")
    # In other attempts, the first of them at once: some throttles last a second.
    more = spread(context, account, LIMIT + 1 - first, first, begun(context, account))
    if more is not None:
        context.closed = account
        return Throttle(first + more, first if more else None)
    # It may be the right password of each new attempt that makes the login forget.
    account = fresh(context)
    total = spread(context, account, LIMIT + 1, first, begun(context, account, LIMIT // first + 1))
    if not total:  # none was looked at, where an attempt ends when the next is begun
        return Throttle(None, first)
    return Throttle(total, first if total > first else None, password_clears=True)


def _measured_in_silence(context: Context) -> Throttle:
    """Return how the login throttles guessing, where it says no more than that a code is refused."""

    def same(account: EnrolledAccount) -> Iterator[Any]:
        return repeat(context.begin(account))

    def anew(account: EnrolledAccount) -> Iterator[Any]:
        return begun(context, account)

    first = _least(lambda number: _locks(context, number, LIMIT, same))

    def before(account: EnrolledAccount) -> Iterator[Any]:
        return begun(context, account, LIMIT // first + 1)

    for attempts in (anew, before):
        if attempts is before and _locks(context, 0, first, before):
            break  # an attempt ends when the next is begun
        if _locks(context, first, first, attempts):
            return Throttle(first, None, silent=True, password_clears=attempts is before)
        if _locks(context, LIMIT, first, attempts):
            total = _least(lambda number: _locks(context, number, first, attempts), first)  # noqa: B023 # called here
            return Throttle(total, first, silent=True, password_clears=attempts is before)
    return Throttle(None, first, silent=True)


def _locks(context: Context, number: int, each: int, attempts: Callable[[EnrolledAccount], Iterator[Any]]) -> bool:
    """Return whether a right code is refused after some wrong ones."""
    account = fresh(context)
    of_the_account = attempts(account)
    spread(context, account, number, each, of_the_account)
    return not let_in(context, account, next(of_the_account), f"a right code after {number} failures")


def _least(locks: Callable[[int], bool], fine: int = 0) -> int:
    """Return the least number that locks, where 100 do; most are small."""
    locked = max(1, 2 * fine)
    while locked < LIMIT and not locks(locked):
        fine, locked = locked, 2 * locked
    locked = min(locked, LIMIT)
    while locked - fine > 1:
        middle = (fine + locked) // 2
        fine, locked = (fine, middle) if locks(middle) else (middle, locked)
    return locked
