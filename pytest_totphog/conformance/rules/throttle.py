"""Rules on guessing. They lock accounts, so they run last and on accounts of their own."""

from __future__ import annotations

from typing import Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, NotJudged
from pytest_totphog.conformance.rules.guessing import (
    LIMIT,
    begun,
    fresh,
    let_in,
    not_if_rewound,
    of_the_account,
    required,
    spread,
    throttle_of,
    throttled_account,
)
from pytest_totphog.conformance.rules.lockout import measure_lockout
from pytest_totphog.errors import plural

__all__ = ["THROTTLE"]


@rule(
    "V28",
    "Guessing is throttled within 100 failures",
    Level.MUST,
    "NIST SP 800-63B-4",
    "3.2.2",
    cves=("CVE-2024-0227", "CVE-2024-32868"),
    needs=("new_account",),
    throttle=True,
    accounts=1,
    waits=1,
    work=(2, 17, 35),
)
def throttled(context: Context) -> str:
    """Up to 100 different wrong codes are sent in one attempt, and then a right one, which must not be let in.

    Six digits are guessed in hours where nothing slows a guesser down. Where an attempt ends before the account is
    closed, it is measured how many failures the account takes, and how long it is closed then.
    """
    throttle = throttle_of(context)
    if throttle.first is None:
        raise Broken(f"{LIMIT} wrong codes in a row were looked at, and a right one was accepted after them")
    measure_lockout(context)
    both = "" if None in {throttle.account, throttle.attempt} else f", and after {throttle.account} in several attempts"
    return f"after {plural(throttle.first, 'failure')} in a row{both} a right code was not accepted"


@rule(
    "V29",
    "The throttle counts across sessions",
    Level.MUST,
    "RFC 4226",
    "7.3",
    needs=("new_account",),
    throttle=True,
    accounts=1,
    waits=1,
    work=(1, 2, 6),
)
def across_sessions(context: Context) -> str:
    """Wrong codes are sent in many sessions, in each fewer than would end it, 100 in all; then a right one.

    A count that is kept in the session is begun anew with every login, and a guesser opens as many as he likes. Whether
    the right password of each session makes the login forget, V32 judges.
    """
    throttle = required(context)
    each = throttle.first or 1
    if throttle.account is not None:
        each = max(1, each - 1)
        # One more than close it when each session is used to its end; where they do not, 100.
        for total in (throttle.account + 1, LIMIT):
            account = fresh(context)
            attempts = begun(context, account, total // each + 2 if throttle.password_clears else 0)
            stopped = spread(context, account, total, each, attempts) is not None
            if stopped or not let_in(context, account, next(attempts), "a right code"):
                return f"wrong codes in several sessions, at most {each} in each, led to the throttle"
    elif context.driver.can("rewind"):
        not_if_rewound(context)
    raise Broken(f"{LIMIT} wrong codes, at most {each} in each session, led to no throttle")


@rule(
    "V30",
    "The throttle counts across addresses",
    Level.MUST,
    "NIST SP 800-63B-4",
    "3.2.2",
    needs=("new_account", "change_address"),
    throttle=True,
    waits=1,
    work=(1, 3, 7),
)
def across_addresses(context: Context) -> str:
    """An account is throttled, and a right code sent from another network address. Guessers have many addresses."""
    account, attempts = throttled_account(context)
    context.driver.change_address()
    context.evidence.note("changed the network address")
    if let_in(context, account, next(attempts), "a right code from another address"):
        raise Broken("an account that was throttled took a right code from another network address")
    return "an account that was throttled was so from another network address too"


@rule(
    "V31",
    "Failures are counted where the client cannot change them",
    Level.MUST,
    "RFC 4226",
    "7.3",
    cves=("CVE-2026-78655",),
    needs=("new_account", "rewind"),
    throttle=True,
    work=(1, 1, 6),
)
def counted_by_the_server(context: Context) -> str:
    """An attempt is throttled, and then goes on with the cookies and fields that it had at its beginning.

    A count in a signed cookie cannot be forged, but an earlier cookie can be sent again.
    """
    required(context)
    not_if_rewound(context, Broken("an attempt that was throttled was so no longer with what the client held before"))
    return "an attempt that was throttled was so with what the client held before, too"


@rule(
    "V32",
    "A right password does not end the throttle",
    Level.MUST,
    "RFC 4226",
    "7.3",
    needs=("new_account",),
    throttle=True,
    waits=1,
    work=(1, 3, 7),
)
def survives_the_password(context: Context) -> str:
    """An account is throttled; then the right password is given anew, and a right code.

    A guesser of codes knows the password. Where its success clears the count, there is none.
    """
    account, _ = throttled_account(context)
    if let_in(context, account, context.begin(account), "a right code after the right password"):
        raise Broken("an account that was throttled took a right code after the right password was given anew")
    return "an account that was throttled was so after the right password was given anew"


@rule(
    "V33",
    "A success resets the count",
    Level.SHOULD,
    "NIST SP 800-63B-4",
    "3.2.2",
    needs=("new_account",),
    throttle=True,
    waits=2,
    work=(1, 4, 10),
)
def reset_by_success(context: Context) -> str:
    """One failure fewer than closes the account, a success, and the same again.

    Else the failures of months add up until a user is locked out.
    """
    total, each, throttle = of_the_account(context)
    if total < 2:
        raise NotJudged("a single failure leads to the throttle")
    account = fresh(context)
    sessions = -(-(total - 1) // each) + 1
    attempts = begun(context, account, 2 * sessions if throttle.password_clears else 0)
    for when in ("", " after that"):
        stopped = spread(context, account, total - 1, each, attempts) is not None
        code = context.code(account).code
        if stopped or context.submit(next(attempts), code, f"a right code{when}") is not Outcome.ACCEPTED:
            if not when:
                raise NotJudged(f"{plural(total - 1, 'failure')} led to the throttle already")
            raise Broken("failures from before a success were counted after it")
    return f"{plural(total - 1, 'failure')} before and after a success led to no throttle"


THROTTLE: Final = (
    throttled,
    across_sessions,
    across_addresses,
    counted_by_the_server,
    survives_the_password,
    reset_by_success,
)
