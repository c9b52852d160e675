"""Rules on what a code is good for: once, forwards, and not for long."""

from __future__ import annotations

from typing import Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import FAILURES_PER_ACCOUNT, Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, Measured, NotJudged
from pytest_totphog.conformance.progress import Account
from pytest_totphog.conformance.rules.race import AT_ONCE, LEAST_ROUNDS, race

__all__ = ["CODES", "window"]

REACH: Final = 10
MAX_PERIOD: Final = 120


@rule(
    "V1",
    "A code is accepted once",
    Level.MUST,
    "RFC 6238",
    "5.2",
    cves=("CVE-2022-25838", "CVE-2025-69197", "CVE-2026-82470"),
    waits=2,
)
def single_use(context: Context) -> str:
    """A right code is sent, and sent again at once in a new session.

    Whoever sees a code typed must not be able to use it.
    """
    account = context.account()
    code = context.code(account).code
    context.accept(account, code)
    if context.login(account, code, "the same code again") is Outcome.ACCEPTED:
        raise Broken("a code that had been accepted was accepted again")
    context.confirm(account)
    return "a code that had been accepted was refused in a new session"


@rule(
    "V2",
    "A code is accepted once, also in the step after its own",
    Level.MUST,
    "RFC 6238",
    "5.2",
    cves=("CVE-2021-43177",),
    waits=1,
)
def single_use_in_the_trailing_window(context: Context) -> str:
    """A code is used in its own time step, and sent again in the next, where logins still accept it.

    Some forget what was used when the step ends, while the code lives on in the trailing window.
    """
    account = context.account()
    code = context.code(account)
    context.accept(account, code.code)
    if context.login(account, code.code, "the same code again") is Outcome.ACCEPTED:
        raise NotJudged("presupposes V1: a code is accepted again in its own step already")
    context.wait_for_step(account.token, code.step + 1)
    if context.login(account, code.code, "the same code one step later") is Outcome.ACCEPTED:
        raise Broken("a code that had been accepted was accepted again one time step later")
    context.confirm(account)
    return "a code that had been accepted was refused one time step later"


@rule("V3", "Codes are accepted only forwards", Level.SHOULD, "RFC 4226", "7.2", waits=1)
def only_forwards(context: Context) -> str:
    """The current code is used, and then the one before it, which was not used.

    HOTP's counter, of which TOTP's time step takes the place, only goes up. A code that was seen but not used, since
    the user typed the next one, must not be good any more. RFC 6238 does not say so outright.
    """
    account = context.account()
    code = context.code(account, gap=1)
    earlier = account.token.code_at_step(code.step - 1)
    context.accept(account, code.code)
    if context.login(account, code.code, "the same code again") is Outcome.ACCEPTED:
        raise NotJudged("presupposes V1: a code is accepted again")
    if earlier != code.code and context.login(account, earlier, "the unused code before it") is Outcome.ACCEPTED:
        raise Broken("after a code was accepted, the unused code of the time step before it was accepted too")
    context.confirm(account)
    return "after a code was accepted, the unused code of the time step before it was refused"


@rule(
    "V4",
    "A code is accepted once, also when sent several times at once",
    Level.MUST,
    "RFC 6238",
    "5.2",
    cves=("CVE-2026-48505", "CVE-2026-107276"),
    needs=("concurrent",),
    accounts=LEAST_ROUNDS,
)
def atomic(context: Context) -> str:
    """One code is sent in several sessions at the same moment, and that many times over.

    Where a login looks whether a code was used and writes that down afterwards, requests that come in between pass.
    """
    account = context.account()
    code = context.code(account).code
    context.accept(account, code)
    if context.login(account, code, "the same code again") is Outcome.ACCEPTED:
        raise NotJudged("presupposes V1: a code is accepted again also when sent one after the other")

    race(context, "a code", lambda account: context.code(account).code, context.driver.submit)
    return f"of {AT_ONCE} logins with one code at the same moment never more than one was let in"


@rule("V5", "A code is accepted once over all doors", Level.MUST, "RFC 6238", "5.2", needs=("disable",), waits=1)
def single_use_over_all_doors(context: Context) -> str:
    """A code that the login accepted is given again to switch TOTP off.

    Each place that takes codes may keep its own memory of what was used.
    """
    account = context.account()
    code = context.code(account).code
    attempt = context.accept(account, code)
    if context.disable(attempt, code, "the same code, to disable") is Outcome.ACCEPTED:
        account = context.account()
        attempt = context.accept(account, context.code(account).code)
        if context.disable(attempt, account.token.wrong_code(), "a wrong code, to disable") is Outcome.ACCEPTED:
            raise NotJudged("presupposes V34: disabling takes a wrong code too")
        account = context.account()
        code = context.code(account).code
        context.accept(account, code)
        if context.login(account, code, "the same code again") is Outcome.ACCEPTED:
            raise NotJudged("presupposes V1: a code that logged in is accepted again")
        raise Broken("a code that the login had accepted was accepted again for disabling TOTP")
    code = context.code(account, ahead=True).code
    if context.disable(attempt, code, "a right code, to disable") is not Outcome.ACCEPTED:
        raise NotJudged("disabling refused a code that was never used, too")
    return "a code that the login had accepted was refused for disabling TOTP"


@rule("V6", "A code is accepted for no longer than needed", Level.SHOULD, "RFC 6238", "5.2", accounts=12, waits=6)
def accepted_window(context: Context) -> str:
    """Codes of ten steps before to ten steps after the current one are sent, and those accepted make the window.

    Every step more is one more code that a guesser may hit, and more time to use a code that was seen. RFC 6238
    recommends one step of delay at most, ASVS 6.5.5 allows 30 seconds, NIST asks for some defined lifetime.
    """
    earliest, latest, period = window(context)
    seconds = (latest - earliest + 1) * period
    summary = f"codes of the steps {earliest:+d} to {latest:+d} are accepted, {seconds} seconds in all"
    if earliest <= -REACH or latest >= REACH:
        raise Broken(f"{summary} at least: the window has no end within {REACH} steps")
    if objection := context.profile.objection(earliest, latest, period):
        raise Broken(f"{summary}; {objection}")
    return summary


@rule("V7", "A code lives two minutes at most", Level.MUST, "NIST SP 800-63B-4", "3.1.4.1")
def short_period(context: Context) -> str:
    """The period that the enrolment shows is looked at. RFC 6238 recommends 30 seconds; NIST allows two minutes."""
    period = context.account().token.period
    context.evidence.note(f"a time step has {period} seconds")
    if period > MAX_PERIOD:
        raise Broken(f"a time step has {period} seconds; at most {MAX_PERIOD} are allowed")
    return f"a time step has {period} seconds"


CODES: Final = (
    single_use,
    single_use_in_the_trailing_window,
    only_forwards,
    atomic,
    single_use_over_all_doors,
    accepted_window,
    short_period,
)


def window(context: Context) -> tuple[int, int, int]:
    """Return the earliest and the latest step accepted, relative to the current one, and the period; measured once."""
    measured = context.progress.measured
    if measured.earliest is None or measured.latest is None or measured.period is None:
        accepted = {0}
        queue = [*range(-REACH, 0), *range(REACH, 0, -1)]
        while queue:
            account = context.account()
            queue = _probe(context, account, queue, accepted)
        context.evidence.note(f"accepted: {', '.join(f'{offset:+d}' for offset in sorted(accepted))}")
        token = account.token
        found = Measured(min(accepted), max(accepted), token.period, token.digits)
        measured = context.progress.measured = found.merged(context.progress.measured)
    assert measured.earliest is not None
    assert measured.latest is not None
    assert measured.period is not None
    return measured.earliest, measured.latest, measured.period


def _probe(context: Context, account: Account, queue: list[int], accepted: set[int]) -> list[int]:
    """Send codes of the steps at the head of the queue, and return what is left of it.

    An account is done with the first code accepted, because some logins learn a clock's drift from it, and after some
    refusals, when the current code proves that they were not those of a lock.
    """
    token, batch = account.token, queue[:FAILURES_PER_ACCOUNT]
    # A code of before the enrolment, or of before the last login, is refused for that.
    gap = max(0, -min(batch))
    code = context.code(account, gap=gap)
    while _ambiguous(context, account, code.step, batch):
        code = context.code(account, gap=gap)
    attempt = context.begin(account)
    for offset in batch:
        value = token.code_at_step(code.step + offset)
        outcome, attempt = context.patient(account, attempt, value, f"the code of step {offset:+d}")
        if context.step(token) != code.step:
            return queue  # on a live clock it took too long
        queue = queue[1:]
        if outcome is Outcome.ACCEPTED:
            accepted.add(offset)
            context.spend(account, code.step + offset)
            if not context.driver.can("new_account"):
                context.confirm(account)
            return queue
    context.accept(account, code.code, "the code of step +0")
    return queue


def _ambiguous(context: Context, account: Account, step: int, batch: list[int]) -> bool:
    """Tell whether two of the codes around a step are the same by chance, or V8 may be what one is refused for."""
    codes = {offset: account.token.code_at_step(step + offset) for offset in range(-REACH, REACH + 1)}
    zeros = not context.live and any(codes[offset].startswith("0") for offset in batch)
    return zeros or len(set(codes.values())) < len(codes)
