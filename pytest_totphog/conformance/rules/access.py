"""Rules on what is open before the code, and around it."""

from __future__ import annotations

import re
from typing import Any, Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level, NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount

__all__ = ["ACCESS"]


@rule(
    "V24",
    "A password alone opens nothing",
    Level.MUST,
    "OWASP ASVS 5.0.0",
    "6.3.3",
    needs=("protected_page",),
    work=(1, 1, 2),
)
def no_half_login(context: Context) -> str:
    """A protected page is asked for after the password, after a wrong code, and after the right one."""
    account = context.account()
    code = context.code(account).code
    attempt = context.begin(account)
    if context.driver.protected_page(attempt):
        raise Broken("a protected page was shown after the password alone")
    outcome, attempt = context.patient(account, attempt, context.wrong_code(account), "a wrong code")
    if outcome is not Outcome.ACCEPTED and context.driver.protected_page(attempt):
        raise Broken("a protected page was shown after a wrong code")
    attempt = context.accept(account, code)
    if not context.driver.protected_page(attempt):
        raise NotJudged("protected_page() was not shown after a right code either")
    return "a protected page was shown after a right code only"


@rule(
    "V25",
    "A password alone does not disable TOTP",
    Level.MUST,
    "OWASP ASVS 5.0.0",
    "6.3.3",
    needs=("disable",),
    waits=1,
    work=(1, 2, 4),
)
def no_disabling_before_the_code(context: Context) -> str:
    """Switching TOTP off is tried after the password alone, and then with a right code in a login that is done.

    Whoever knows the password could take the factor away, instead of giving it.
    """
    account = context.account()
    code = context.code(account).code
    half = context.begin(account)
    if context.disable(half, None, "disabling after the password alone") is Outcome.ACCEPTED:
        raise Broken("TOTP was disabled after the password alone")
    if context.disable(half, context.wrong_code(account), "disabling with a wrong code") is Outcome.ACCEPTED:
        raise Broken("TOTP was disabled after the password and a wrong code")
    _disabled_rightly(context, account, context.accept(account, code))
    return "TOTP was not disabled before a right code was given"


@rule(
    "V34",
    "Disabling asks for the factor again",
    Level.SHOULD,
    "OWASP ASVS 5.0.0",
    "7.5.1",
    needs=("disable",),
    waits=1,
    work=(1, 1, 4),
)
def disabling_asks_again(context: Context) -> str:
    """Switching TOTP off is tried in a login that is done, without another code and with a wrong one.

    Whoever finds a session open, or steals its cookie, could take the factor away for good. ASVS asks for a full
    re-authentication at its level 2; a password alone is half of one.
    """
    account = context.account()
    attempt = context.accept(account, context.code(account).code)
    if context.disable(attempt, None, "disabling without another code") is Outcome.ACCEPTED:
        raise Broken("TOTP was disabled in an open session without another code")
    if context.disable(attempt, context.wrong_code(account), "disabling with a wrong code") is Outcome.ACCEPTED:
        raise Broken("TOTP was disabled in an open session with a wrong code")
    _disabled_rightly(context, account, attempt)
    return "in an open session TOTP was disabled with a right code only"


@rule(
    "V26",
    "A password reset does not skip the factor",
    Level.MUST,
    "OWASP ASVS 5.0.0",
    "6.4.3",
    needs=("reset_password", "protected_page"),
    work=(1, 2, 1),
)
def reset_keeps_the_factor(context: Context) -> str:
    """A forgotten password is reset; then neither that session nor the new password alone may open a protected page."""
    account = context.account()
    context.presuppose(
        "V24",
        lambda: Outcome.ACCEPTED if context.driver.protected_page(context.begin(account)) else Outcome.REFUSED,
        "a protected page is shown after the password alone in any case",
    )
    context.evidence.count("passwords reset")
    if context.driver.protected_page(context.driver.reset_password(account.handle)):
        raise Broken("a password reset led to a protected page without a code")
    if context.driver.protected_page(context.begin(account)):
        raise Broken("after a password reset the new password alone opened a protected page")
    attempt = context.accept(account, context.code(account).code)
    if not context.driver.protected_page(attempt):
        raise NotJudged("protected_page() was not shown after a right code either")
    return "after a password reset a protected page was shown after a right code only"


@rule(
    "V27",
    "Responses tell neither the secret nor a code",
    Level.MUST,
    "NIST SP 800-63B-4",
    "3.1.4.2",
    accounts=1,
    work=(1, 1, 2),
)
def silent_responses(context: Context) -> str:
    """The answers to a password, a wrong code and a right code are searched for the secret, and for codes not sent.

    A code must be found twice, at different times, because a page may hold one by chance.
    """
    if context.driver.responses is None:
        raise NotJudged("the driver records no responses: its `responses` is None")
    for _ in range(2):
        account = context.account()
        token = account.token
        code = context.code(account)
        context.driver.responses.clear()
        attempt = context.begin(account)
        context.patient(account, attempt, context.wrong_code(account), "a wrong code")
        before = "\n".join(context.driver.responses)
        context.accept(account, code.code)
        texts = "\n".join(context.driver.responses)
        if not texts:
            raise NotJudged("the driver recorded no response to a login")
        if token.secret.lower() in re.sub(r"[\s=-]", "", texts.lower()):
            raise Broken("a response to a login told the secret")
        unsent = [token.code_at_step(code.step + offset) for offset in (-1, 1, 2)]
        if not (_holds(before, code.code) or any(_holds(texts, other) for other in unsent)):
            return "no response to a login told the secret or a code that was not sent"
    raise Broken("a response to a login told a code that was not sent")


ACCESS: Final = (
    no_half_login,
    no_disabling_before_the_code,
    disabling_asks_again,
    reset_keeps_the_factor,
    silent_responses,
)


def _disabled_rightly(context: Context, account: EnrolledAccount, attempt: Any) -> None:
    """See that a right code does disable, so that what was refused before was refused for its code."""
    code = context.code(account, ahead=True).code
    if context.disable(attempt, code, "disabling with a right code") is not Outcome.ACCEPTED:
        raise NotJudged("disabling refused a right code too")


def _holds(text: str, code: str) -> bool:
    return re.search(rf"(?<!\d){code}(?!\d)", text) is not None
