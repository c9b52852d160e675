"""Rules on whose codes open an account, and on recovery codes."""

from __future__ import annotations

from typing import Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount
from pytest_totphog.conformance.rules.race import AT_ONCE, LEAST_ROUNDS, race

__all__ = ["RECOVERY"]


@rule(
    "V19",
    "Another user's code does not open",
    Level.MUST,
    "RFC 6238",
    "3 (R2)",
    needs=("new_account",),
    accounts=2,
    work=(2, 1, 2),
)
def own_code_only(context: Context) -> str:
    """User B's current code is sent in user A's login, and then A's own."""
    account, other = context.account(), context.account()
    if account.token.secret == other.token.secret:
        raise NotJudged("presupposes V14: both users have the same secret")
    # Sent at once: for the user's own code the clock may have to move on.
    foreign = context.code(other)
    by_chance = foreign.code == account.token.code_at_step(foreign.step)
    if not by_chance and context.login(account, foreign.code, "another user's code") is Outcome.ACCEPTED:
        raise Broken("a code of another user was accepted")
    context.accept(account, context.code(account).code, "the user's own code")
    return "a code of another user was refused"


@rule(
    "V20",
    "Another user's recovery code does not open",
    Level.MUST,
    "OWASP ASVS 5.0.0",
    "6.3.3",
    cves=("CVE-2025-64175",),
    needs=("new_account", "recovery_codes", "submit_recovery_code"),
    accounts=2,
    work=(2, 1, 2),
)
def own_recovery_code_only(context: Context) -> str:
    """User B's recovery code is sent in user A's login, and then A's own.

    Gogs looked recovery codes up without asking whose they were.
    """
    account, other = context.account(), context.account()
    own, foreign = _codes(context, account), _codes(context, other)
    if own[0] == foreign[0]:
        raise Broken("two users got the same recovery code")
    if _recover(context, account, foreign[0], "another user's recovery code") is Outcome.ACCEPTED:
        raise Broken("a recovery code of another user was accepted")
    _accept(context, account, own[0])
    return "a recovery code of another user was refused"


@rule(
    "V21",
    "A recovery code is accepted once",
    Level.MUST,
    "NIST SP 800-63B-4",
    "3.1.2.2",
    cves=("CVE-2025-67507",),
    needs=("recovery_codes", "submit_recovery_code"),
    work=(1, 2, 3),
)
def single_use_of_recovery_codes(context: Context) -> str:
    """A recovery code is used, and sent again in a new session."""
    account = context.account()
    codes = _codes(context, account)
    _accept(context, account, codes[0])
    if _recover(context, account, codes[0], "the same recovery code again") is Outcome.ACCEPTED:
        raise Broken("a recovery code that had been accepted was accepted again")
    _still_open(context, account, codes[1:])
    return "a recovery code that had been accepted was refused in a new session"


@rule(
    "V22",
    "A recovery code is accepted once, also when sent several times at once",
    Level.MUST,
    "NIST SP 800-63B-4",
    "3.1.2.2",
    needs=("recovery_codes", "submit_recovery_code", "concurrent"),
    accounts=LEAST_ROUNDS,
    work=(1, 9, 25),
)
def atomic_recovery(context: Context) -> str:
    """One recovery code is sent in several sessions at the same moment, and that many times over."""

    def again() -> Outcome:
        account = context.account()
        code = _codes(context, account)[0]
        _accept(context, account, code)
        return _recover(context, account, code, "the same recovery code again")

    context.presuppose("V21", again, "a recovery code is accepted again also when sent one after the other")
    unused: list[str] = []
    owner: EnrolledAccount | None = None

    def make(account: EnrolledAccount) -> str:
        nonlocal owner, unused
        if account is not owner or not unused:
            owner, unused = account, list(_codes(context, account))
        return unused.pop()

    race(context, "a recovery code", make, context.driver.submit_recovery_code)
    return f"of {AT_ONCE} logins with one recovery code at the same moment never more than one was let in"


@rule(
    "V23",
    "New recovery codes void the old",
    Level.SHOULD,
    "NIST SP 800-63B-4",
    "4.2.1.1",
    needs=("recovery_codes", "submit_recovery_code"),
    work=(1, 1, 2),
)
def void_after_regeneration(context: Context) -> str:
    """Recovery codes are made anew, and one of the old ones is sent: who asks for new ones has lost the old."""
    account = context.account()
    old, new = _codes(context, account), _codes(context, account)
    if set(old) & set(new):
        raise NotJudged("recovery_codes() gave old codes again instead of new ones")
    if _recover(context, account, old[0], "a recovery code from before") is Outcome.ACCEPTED:
        raise Broken("a recovery code was accepted after new ones had been made")
    _accept(context, account, new[0])
    return "a recovery code was refused after new ones had been made"


RECOVERY: Final = (
    own_code_only,
    own_recovery_code_only,
    single_use_of_recovery_codes,
    atomic_recovery,
    void_after_regeneration,
)


def _codes(context: Context, account: EnrolledAccount) -> list[str]:
    codes = context.driver.recovery_codes(account.handle)
    context.evidence.count("lists of recovery codes made")
    if not codes:
        raise NotJudged("recovery_codes() gave none")
    return codes


def _recover(context: Context, account: EnrolledAccount, code: str, what: str) -> Outcome:
    return context.patient(account, context.begin(account), code, what, context.driver.submit_recovery_code)[0]


def _accept(context: Context, account: EnrolledAccount, code: str) -> None:
    context.accept(account, code, "a right recovery code", context.driver.submit_recovery_code)


def _still_open(context: Context, account: EnrolledAccount, codes: list[str]) -> None:
    """See that what was refused was not refused by a lock."""
    if codes:
        _accept(context, account, codes[0])
    else:
        context.confirm(account)
