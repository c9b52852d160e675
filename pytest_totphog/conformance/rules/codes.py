"""Rules on what a code is good for: once, forwards, and not for long."""

from __future__ import annotations

from typing import Final

from pytest_totphog.authenticator.codes import OneTimeCode
from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, Measured, NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount
from pytest_totphog.conformance.rules.race import AT_ONCE, LEAST_ROUNDS, race

__all__ = ["CODES", "presuppose_single_use", "window"]

REACH: Final = 10
MAX_PERIOD: Final = 120
# How often codes may come too late, on a live clock, before the window is given up.
TRIES: Final = 5


@rule(
    "V1",
    "A code is accepted once",
    Level.MUST,
    "RFC 6238",
    "5.2",
    cves=("CVE-2022-25838", "CVE-2025-69197", "CVE-2026-82470"),
    waits=2,
    work=(1, 2, 3),
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
    work=(1, 2, 3),
)
def single_use_in_the_trailing_window(context: Context) -> str:
    """A code is used in its own time step, and sent again in the next, where logins still accept it.

    Some forget what was used when the step ends, while the code lives on in the trailing window.
    """
    account = context.account()
    code = context.code(account)
    context.accept(account, code.code)
    presuppose_single_use(context, account, code.code)
    context.wait_for_step(account.token, code.step + 1)
    if context.login(account, code.code, "the same code one step later") is Outcome.ACCEPTED:
        raise Broken("a code that had been accepted was accepted again one time step later")
    context.confirm(account)
    return "a code that had been accepted was refused one time step later"


@rule("V3", "Codes are accepted only forwards", Level.SHOULD, "RFC 4226", "7.2", waits=1, work=(1, 2, 3))
def only_forwards(context: Context) -> str:
    """The current code is used, and then the one before it, which was not used.

    HOTP's counter, of which TOTP's time step takes the place, only goes up. A code that was seen but not used, since
    the user typed the next one, must not be good any more. RFC 6238 does not say so outright.
    """
    account = context.account()
    code = context.code(account, gap=1)
    earlier = account.token.code_at_step(code.step - 1)
    context.accept(account, code.code)
    presuppose_single_use(context, account, code.code)
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
    work=(1, 9, 25),
)
def atomic(context: Context) -> str:
    """One code is sent in several sessions at the same moment, and that many times over.

    Where a login looks whether a code was used and writes that down afterwards, requests that come in between pass.
    """
    presuppose_single_use(context)
    race(context, "a code", lambda account: context.code(account).code, context.driver.submit)
    return f"of {AT_ONCE} logins with one code at the same moment never more than one was let in"


@rule(
    "V5",
    "A code is accepted once over all doors",
    Level.MUST,
    "RFC 6238",
    "5.2",
    needs=("disable",),
    waits=1,
    work=(1, 1, 3),
)
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
        if context.disable(attempt, context.wrong_code(account), "a wrong code, to disable") is Outcome.ACCEPTED:
            raise NotJudged("presupposes V34: disabling takes a wrong code too")
        account = context.account()
        code = context.code(account).code
        context.accept(account, code)
        presuppose_single_use(context, account, code)
        raise Broken("a code that the login had accepted was accepted again for disabling TOTP")
    code = context.code(account, ahead=True).code
    if context.disable(attempt, code, "a right code, to disable") is not Outcome.ACCEPTED:
        raise NotJudged("disabling refused a code that was never used, too")
    return "a code that the login had accepted was refused for disabling TOTP"


@rule(
    "V6",
    "A code is accepted for no longer than needed",
    Level.SHOULD,
    "RFC 6238",
    "5.2",
    accounts=4,
    waits=6,
    work=(2, 2, 6),
)
def accepted_window(context: Context) -> str:
    """Codes of up to ten steps before and after the current one are sent; a search by halves finds the first refused.

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


@rule("V7", "A code lives two minutes at most", Level.MUST, "NIST SP 800-63B-4", "3.1.4.1", accounts=0)
def short_period(context: Context) -> str:
    """The period that the enrolment shows is looked at. RFC 6238 recommends 30 seconds; NIST allows two minutes."""
    period = context.sample().token.period
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


def presuppose_single_use(context: Context, account: EnrolledAccount | None = None, code: str = "") -> None:
    """Raise where a code that was just accepted, of an account or a new one, is accepted again at once, as V1 finds."""

    def again() -> Outcome:
        user, used = (account, code) if account is not None else context.unspent()
        if account is None:
            context.accept(user, used)
        return context.login(user, used, "the same code again")

    context.presuppose("V1", again, "a code is accepted again in its own step already")


def window(context: Context) -> tuple[int, int, int]:
    """Return the earliest and the latest step accepted, relative to the current one, and the period; measured once."""
    measured = context.progress.measured
    if measured.earliest is None or measured.latest is None or measured.period is None:
        # Each end on an account of its own, since some logins learn a clock's drift from what they accept.
        earliest, latest, token = _end(context, -1), _end(context, +1), context.sample().token
        context.evidence.note(f"accepted: {earliest:+d} to {latest:+d}")
        found = Measured(earliest, latest, token.period, token.digits)
        measured = context.progress.measured = found.merged(context.progress.measured)
    assert measured.earliest is not None
    assert measured.latest is not None
    assert measured.period is not None
    return measured.earliest, measured.latest, measured.period


def _end(context: Context, direction: int) -> int:
    """Return the last step accepted in a direction, relative to the current one.

    An account is done with the first code accepted, because some logins learn a clock's drift from it, and after some
    refusals, when the current code proves that they were not those of a lock.
    """
    accepted, refused, late = 0, REACH + 1, 0
    account: EnrolledAccount | None = None
    while refused - accepted > 1:
        fresh, left = account is None, context.progress.failures
        account = context.account() if account is None else account
        low, high, token = accepted, refused, account.token
        code = _clear_code(context, account, direction, (low + high) // 2)
        attempt = context.begin(account)
        while left and low == accepted and high - low > 1:
            middle, left = (low + high) // 2, left - 1
            offset = middle * direction
            value, what = token.code_at_step(code.step + offset), f"the code of step {offset:+d}"
            outcome, attempt = context.patient(account, attempt, value, what)
            if outcome is Outcome.ACCEPTED:
                low = middle
                context.spend(account, code.step + offset)
            else:
                high = middle
        if context.step(token) != code.step:
            account, late = None, late + 1
            if late == TRIES:
                raise NotJudged("the codes of a time step could not be sent within the step")
            continue
        if low == accepted:
            try:
                context.accept(account, code.code, "the code of step +0")
            except NotJudged:
                context.bear_fewer(fresh=fresh)
                account = None
                continue
        elif not context.driver.can("new_account"):
            context.confirm(account)
        if low > accepted or context.live or not context.progress.reuse:
            account = None
        accepted, refused = low, high
    return accepted * direction


def _clear_code(context: Context, account: EnrolledAccount, direction: int, reach: int) -> OneTimeCode:
    """Return a code where none within the reach is the same by chance, or begins with a zero, which V8 is about."""
    # A code of before the enrolment, or of before the last login, is refused for that.
    gap = reach if direction < 0 else 0
    while True:
        code = context.code(account, gap=gap)
        codes = {offset: account.token.code_at_step(code.step + offset) for offset in range(-REACH, REACH + 1)}
        zeros = not context.live and any(codes[offset * direction].startswith("0") for offset in range(1, reach + 1))
        if not zeros and len(set(codes.values())) == len(codes):
            return code
