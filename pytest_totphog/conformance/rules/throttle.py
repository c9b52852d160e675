"""Rules on guessing. They lock accounts, so they run last and on accounts of their own."""

from __future__ import annotations

from typing import Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, NotJudged
from pytest_totphog.conformance.rules.guessing import (
    LIMIT,
    fresh,
    let_in,
    measure_lockout,
    not_if_rewound,
    presuppose_sessions,
    required,
    stopped,
    throttle_of,
    throttled_account,
)
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
    accounts=2,
    waits=1,
)
def throttled(context: Context) -> str:
    """Up to 100 wrong codes are sent in one attempt, and then a right one, which must not be let in.

    Six digits are guessed in hours where nothing slows a guesser down.
    """
    throttle = throttle_of(context)
    if throttle.failures is None:
        raise Broken(f"{LIMIT} wrong codes in a row were looked at, and a right one was accepted after them")
    measure_lockout(context, throttle)
    return f"after {plural(throttle.failures, 'failure')} in a row a right code was not accepted"


@rule(
    "V29",
    "The throttle counts across sessions",
    Level.MUST,
    "RFC 4226",
    "7.3",
    needs=("new_account",),
    throttle=True,
    accounts=2,
    waits=1,
)
def across_sessions(context: Context) -> str:
    """Wrong codes are sent in many sessions, in each fewer than would lock it, 100 in all; then a right one.

    A count that is kept in the session is begun anew with every login, and a guesser opens as many as he likes.
    """
    throttle = required(context)
    account = fresh(context)
    each = max(1, (throttle.failures or 1) - 1)
    if stopped(context, account, each, []):
        return f"wrong codes in several sessions, at most {each} in each, led to the throttle"
    if context.driver.can("rewind"):
        not_if_rewound(context)
    # It may also be the right password of each new session that makes the login forget: V32 is about that.
    account = fresh(context)
    if stopped(context, account, each, [context.begin(account) for _ in range(LIMIT // each + 2)]):
        raise NotJudged("presupposes V32: the right password that begins each session makes the login forget failures")
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
)
def across_addresses(context: Context) -> str:
    """An account is throttled, and a right code sent from another network address. Guessers have many addresses."""
    account, session, other = throttled_account(context)
    presuppose_sessions(context, account, session)
    context.driver.change_address()
    context.evidence.note("changed the network address")
    if let_in(context, account, other, "a right code from another address"):
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
)
def survives_the_password(context: Context) -> str:
    """An account is throttled; then the right password is given anew, and a right code.

    A guesser of codes knows the password. Where its success clears the count, there is none.
    """
    account, session, _ = throttled_account(context)
    presuppose_sessions(context, account, session)
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
)
def reset_by_success(context: Context) -> str:
    """One failure fewer than leads to the throttle, a success, and the same again.

    Else the failures of months add up until a user is locked out.
    """
    throttle = required(context)
    if throttle.failures is None or throttle.failures < 2:
        raise NotJudged("a single failure leads to the throttle")
    account = fresh(context)
    for when in ("", " after that"):
        attempt = context.begin(account)
        for _ in range(throttle.failures - 1):
            context.submit(attempt, account.token.wrong_code(), "a wrong code")
        code = context.code(account).code
        if context.submit(context.begin(account), code, f"a right code{when}") is not Outcome.ACCEPTED:
            if not when:
                raise NotJudged(f"{throttle.failures - 1} failures led to the throttle already")
            raise Broken("failures from before a success were counted after it")
    return f"{throttle.failures - 1} failures before and after a success led to no throttle"


THROTTLE: Final = (
    throttled,
    across_sessions,
    across_addresses,
    counted_by_the_server,
    survives_the_password,
    reset_by_success,
)
