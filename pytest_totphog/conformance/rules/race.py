"""The race: one code in several sessions at the same moment."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import random
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount

if TYPE_CHECKING:
    from typing import Self

__all__ = ["AT_ONCE", "LEAST_ROUNDS", "race"]

# A race is a matter of chance: that many rounds, or as many as fit in the time, but never fewer than the least.
ROUNDS: Final = 24
LEAST_ROUNDS: Final = 5
MAX_SECONDS: Final = 4
AT_ONCE: Final = 5
# Seconds on a frozen clock until an account has forgotten a round, where it makes one wait after failures.
BETWEEN_ROUNDS: Final = 60
# How many turns are given away in a round, by all threads together.
TURNS: Final = 2000
# Seconds between the threads' waking and their requests.
HEAD_START: Final = 0.001


def race(
    context: Context, what: str, make: Callable[[EnrolledAccount], str], send: Callable[[Any, str], Outcome]
) -> None:
    """Send something good for one login in several sessions at once, many times over.

    Args:
        context: the rule's context.
        what: what is sent.
        make: makes it for an account.
        send: the driver's method that sends it in an attempt.

    Raises:
        Broken: when more than one was accepted.
        NotJudged: when never one was.
    """
    successes = rounds = 0
    monotonic = context.clock.monotonic
    started = monotonic()
    account: EnrolledAccount | None = None
    attempts: list[Any] = []
    with _Turns() as turns:
        while rounds < ROUNDS:
            if rounds >= LEAST_ROUNDS and (context.live or monotonic() - started > MAX_SECONDS):
                break
            again = account is not None
            try:
                account = context.account() if account is None else account
                if again:
                    context.pause(BETWEEN_ROUNDS)
                code = make(account)
                attempts += [context.begin(account) for _ in range(AT_ONCE - len(attempts))]
            except Exception:
                if not again:
                    raise
                # Who has used the code once is another user than before.
                account, attempts, context.progress.reuse = None, [], False
                continue
            # An app in another process, or one that waits for a database, takes turns by itself.
            turns.shuffle(rounds % 2 == 1 and not context.live)
            outcomes = _at_once(context, attempts, code, f"{what}, sent {AT_ONCE} times at once", send, turns)
            accepted = outcomes.count(Outcome.ACCEPTED)
            if accepted > 1:
                raise Broken(f"{what} let in {accepted} of {AT_ONCE} logins at the same moment, in round {rounds + 1}")
            if again and not accepted:
                context.progress.reuse = False  # the failures of the last round have locked it
            else:
                successes, rounds = successes + accepted, rounds + 1
            # Attempts that were refused take the next code, where they were seen to, after as many failures.
            refused = [each for each, outcome in zip(attempts, outcomes, strict=True) if outcome is Outcome.REFUSED]
            attempts = refused if context.progress.side_by_side and rounds % (context.progress.failures + 1) else []
            if context.live or not accepted or not context.progress.reuse:
                account, attempts = None, []
    if not successes:
        raise NotJudged(f"{what} sent several times at once was never accepted at all")


def _at_once(
    context: Context, attempts: list[Any], code: str, what: str, send: Callable[[Any, str], Outcome], turns: _Turns
) -> list[Outcome | None]:
    """Send one code in all attempts at the same time, and return what came of each; None for an error.

    Raises:
        Exception: the driver's, when it failed in every attempt.
    """
    monotonic, start = context.clock.monotonic, [0.0]
    barrier = threading.Barrier(len(attempts), action=lambda: start.append(monotonic() + HEAD_START))
    failures: list[Exception] = []

    def run(attempt: Any) -> Outcome | None:
        sys.setprofile(None)
        barrier.wait(30)
        # A thread takes longer to wake than some logins take to answer: all must be awake, and wait busily.
        while monotonic() < start[-1]:
            pass
        sys.setprofile(turns)
        try:
            return context.answer(what, send, attempt, code)
        except Exception as error:  # noqa: BLE001 # a server that cannot take them all at once has not accepted
            failures.append(error)
            return None

    with ThreadPoolExecutor(len(attempts)) as pool:
        outcomes = list(pool.map(run, attempts))
    if len(failures) == len(attempts):
        raise failures[0]
    return outcomes


class _Turns:
    """Lets threads of this process, where the app may run too, take turns more often: a race shows sooner.

    Python switches threads now and then, and seldom between the two lines that look and write. When shuffled, a thread
    also gives its turn away at calls and returns, as a busy machine might make it: at all of them where there are few.
    """

    def __init__(self) -> None:
        self._shuffled = False
        self._events = 16 * TURNS

    def __enter__(self) -> Self:
        self._interval, self._profile = sys.getswitchinterval(), threading.getprofile()
        sys.setswitchinterval(1e-6)
        # For threads that an app starts to answer.
        threading.setprofile(self)
        return self

    def __exit__(self, *exception: object) -> None:
        self._shuffled = False
        threading.setprofile(self._profile)
        sys.setswitchinterval(self._interval)

    def shuffle(self, on: bool) -> None:
        """Give turns away from now on, or do not; how often depends on how many calls there were the last time."""
        if on:
            self._share, self._events = TURNS / max(self._events, 1), 0
        self._shuffled = on

    def __call__(self, *event: object) -> None:
        if not self._shuffled:
            sys.setprofile(None)
            return
        self._events += 1
        if random() < self._share:  # noqa: S311 # no secret
            sleep(1e-6)  # less than that would be no wait, and the turn right back
