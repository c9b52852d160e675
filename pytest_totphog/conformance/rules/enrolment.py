"""Rules on secrets and on how an account gets one."""

from __future__ import annotations

from typing import Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import DELAYS, Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount
from pytest_totphog.conformance.rules.codes import presuppose_single_use
from pytest_totphog.credentials.otp import decode_secret

__all__ = ["ENROLMENT"]

RECOMMENDED_BITS: Final = 160
# Seconds that a failed confirmation may make one wait, where waiting costs no time.
LONG_DELAYS: Final = (1, 60, 300, 900, 3600)


@rule("V13", "The secret is long enough", Level.MUST, "RFC 4226", "4 (R6)", accounts=0)
def long_secret(context: Context) -> str:
    """The secret that an enrolment shows is measured: 128 bits at least and 160 recommended; NIST asks for 112."""
    bits = 8 * len(decode_secret(context.sample().token.secret)[1])
    least = context.profile.secret_bits
    context.evidence.note(f"the secret has {bits} bits")
    if bits < least:
        raise Broken(f"the secret has {bits} bits; {least} are the least, {RECOMMENDED_BITS} are recommended")
    recommended = "" if bits >= RECOMMENDED_BITS else f"; {RECOMMENDED_BITS} are recommended"
    return f"the secret has {bits} bits{recommended}"


@rule(
    "V14",
    "Every enrolment gets a secret of its own",
    Level.MUST,
    "RFC 6238",
    "3 (R5)",
    needs=("new_account",),
    accounts=2,
    waits=1,
    work=(3, 1, 2),
)
def own_secret(context: Context) -> str:
    """The secrets of three accounts are compared, and where TOTP can be disabled, of one that is enrolled again."""
    accounts = [context.account(), context.account(), context.sample()]
    secrets = {account.token.secret for account in accounts}
    if len(secrets) < len(accounts):
        raise Broken("two accounts got the same secret")
    if not context.driver.can("disable"):
        return (
            "three accounts got three secrets; enrolling one again was not tried, because the driver has no disable()"
        )
    first = accounts[0]
    attempt = context.accept(first, context.code(first).code)
    code = context.code(first).code
    if (
        context.answer("a right code, to disable", lambda: context.driver.disable(attempt, code))
        is not Outcome.ACCEPTED
    ):
        raise NotJudged("disabling refused a right code, so the account could not be enrolled again")
    if context.enrol(first.handle).token.secret in secrets:
        raise Broken("an account that was enrolled again got its old secret")
    return "three accounts got three secrets, and one that was enrolled again got another"


@rule("V15", "The login does what its URI says", Level.MUST, "RFC 6238", "3 (R2 to R4)", accounts=0)
def truthful_uri(context: Context) -> str:
    """A code made as the URI says (algorithm, digits, period) must be the one that the login takes.

    Where it is another, some authenticator apps show codes that are never accepted: those that read the URI.
    """
    account = context.sample()
    if not account.source.strip().lower().startswith("otpauth:"):
        raise NotJudged("the enrolment shows a secret and no otpauth:// URI, so nothing is claimed")
    if parameters := context.progress.parameters:
        taken = ", ".join(f"{name}={value}" for name, value in parameters.items())
        raise Broken(f"the login refuses the codes that its URI describes, and takes those with {taken}")
    context.evidence.note("a code as the URI describes it was accepted by the control checks")
    token = account.token
    return f"codes are as the URI says: {token.algorithm}, {token.digits} digits, {token.period} seconds"


@rule(
    "V16",
    "An enrolment is confirmed by a code",
    Level.SHOULD,
    "NIST SP 800-63B-4",
    "4.1.2.2",
    needs=("new_account", "begin_enrolment", "confirm_enrolment"),
    accounts=0,
    work=(0, 0, 2),
)
def confirmed_enrolment(context: Context) -> str:
    """A new enrolment is answered with a wrong code, and then with a right one.

    Otherwise users whose app did not take the secret lock themselves out, and recovery becomes the usual door.
    """
    account = context.pending(context.driver.new_account())
    if account is None:
        raise NotJudged("begin_enrolment() offered none to a new account")
    wrong = context.wrong_code(account)
    if _confirm(context, account, wrong, "a wrong code, to confirm") is Outcome.ACCEPTED:
        raise Broken("an enrolment was confirmed by a wrong code")
    code = context.code(account).code
    outcome = _confirm(context, account, code, "a right code, to confirm")
    for seconds in DELAYS if context.live else LONG_DELAYS:
        if outcome is Outcome.ACCEPTED:
            break
        # Some make one wait after a failure, and not all say so.
        context.pause(seconds)
        outcome = _confirm(context, account, context.code(account).code, f"a right code {seconds} s later, to confirm")
    if outcome is not Outcome.ACCEPTED:
        again = context.pending(account.handle)
        if again is None:
            raise NotJudged("the enrolment refused a right code too")
        outcome = _confirm(context, again, context.code(again).code, "a right code, to confirm an enrolment begun anew")
    if outcome is not Outcome.ACCEPTED:
        raise NotJudged("the enrolment refused a right code too")
    return "an enrolment was not confirmed by a wrong code, and was by a right one"


@rule(
    "V17",
    "The code that confirms an enrolment is spent",
    Level.MUST,
    "RFC 6238",
    "5.2",
    needs=("new_account", "begin_enrolment", "confirm_enrolment"),
    accounts=0,
    waits=1,
    work=(0, 1, 3),
)
def spent_by_enrolment(context: Context) -> str:
    """The code that confirmed an enrolment is sent again, to log in."""
    account = context.pending(context.driver.new_account())
    if account is None:
        raise NotJudged("begin_enrolment() offered none to a new account")
    code = context.code(account).code
    if _confirm(context, account, code, "a right code, to confirm") is not Outcome.ACCEPTED:
        raise NotJudged("the enrolment refused a right code")
    if context.login(account, code, "the same code, to log in") is Outcome.ACCEPTED:
        presuppose_single_use(context)
        raise Broken("the code that had confirmed the enrolment was accepted again, to log in")
    context.confirm(account)
    return "the code that had confirmed the enrolment was refused afterwards"


@rule(
    "V18",
    "An abandoned enrolment changes nothing",
    Level.SHOULD,
    "NIST SP 800-63B-4",
    "4.1.4",
    needs=("begin_enrolment",),
    work=(1, 2, 2),
)
def abandoned_enrolment(context: Context) -> str:
    """An account with TOTP begins another enrolment and leaves it there: the new secret must not count, the old must.

    Where a login offers no second enrolment, it is one without TOTP that begins and leaves: its password must do.
    """
    account = context.account()
    context.wait_for_step(account.token, context.first_step(account))
    pending = context.pending(account.handle)
    if pending is None:
        return _abandoned_by_a_new_account(context)
    if pending.token.secret == account.token.secret:
        raise NotJudged("begin_enrolment() showed the secret in use")
    code = context.code(pending).code
    if context.login(account, code, "a code of the unconfirmed secret") is Outcome.ACCEPTED:
        raise Broken("a code of a secret that was never confirmed was accepted")
    if context.login(account, context.code(account).code, "a code of the secret in use") is not Outcome.ACCEPTED:
        raise Broken("after an enrolment was begun and left, the codes of the secret in use were refused")
    return "after an enrolment was begun and left, the secret in use was accepted and the unconfirmed one refused"


ENROLMENT: Final = (
    long_secret,
    own_secret,
    truthful_uri,
    confirmed_enrolment,
    spent_by_enrolment,
    abandoned_enrolment,
)


def _confirm(context: Context, account: EnrolledAccount, code: str, what: str) -> Outcome:
    return context.answer(what, context.driver.confirm_enrolment, account.handle, code)


def _abandoned_by_a_new_account(context: Context) -> str:
    for method in ("new_account", "protected_page"):
        if not context.driver.can(method):
            raise NotJudged(f"an account with TOTP is offered no other, and the driver has no {method}()")
    handle = context.driver.new_account()
    if not context.driver.protected_page(context.driver.begin(handle)):
        raise NotJudged("an account without TOTP does not get in by its password")
    if context.pending(handle) is None:
        raise NotJudged("begin_enrolment() offered none to a new account")
    if not context.driver.protected_page(context.driver.begin(handle)):
        raise Broken("an account without TOTP no longer gets in after an enrolment was begun and left")
    return "an account without TOTP gets in as before after an enrolment was begun and left"
