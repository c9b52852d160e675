"""Rules on what is a code: these digits in full, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from pytest_totphog.conformance.check import rule
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import Broken, Level
from pytest_totphog.conformance.progress import EnrolledAccount
from pytest_totphog.conformance.rules.codes import presuppose_single_use
from pytest_totphog.conformance.rules.spellings import accepted_of

__all__ = ["PARSING"]

ACCOUNTS_AT_HAND: Final = 8
FIXED: Final = ("00000000", "12345678", "42424242", "11111111")


def _digits(zero: str) -> Callable[[str], str]:
    """Return what spells a code in digits of another script, given that script's zero."""
    return lambda code: "".join(chr(ord(zero) + int(digit)) for digit in code)


def _superscript(code: str) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in code)


_OTHER_DIGITS: Final[tuple[tuple[str, Callable[[str], Any]], ...]] = (
    ("in full-width digits", _digits("\uff10")),
    ("in Arabic-Indic digits", _digits("\u0660")),
    ("in superscript digits", _superscript),
)
_ADDITIONS: Final[tuple[tuple[str, Callable[[str], Any]], ...]] = (
    ("with a plus sign before it", lambda code: f"+{code}"),
    ("with an underscore in it", lambda code: f"{code[:3]}_{code[3:]}"),
    ("with a fraction of zero after it", lambda code: f"{code}.0"),
    ("with a space before it", lambda code: f" {code}"),
    ("with a space after it", lambda code: f"{code} "),
    ("with a space in it", lambda code: f"{code[:3]} {code[3:]}"),
    ("with a line break after it", lambda code: f"{code}\n"),
    ("with a no-break space before it", lambda code: f"\u00a0{code}"),
    ("with a zero before it", lambda code: f"0{code}"),
)


@rule(
    "V8",
    "A code has its exact length, leading zeros kept",
    Level.MUST,
    "RFC 4226",
    "5.3",
    accounts=9,
    waits=2,
    work=(1, 3, 8),
)
def exact_length(context: Context) -> str:
    """A code that begins with a zero is sent without it, with a zero more, a digit short, a digit long, and twice.

    Then as it is, which must be accepted. A login that compares numbers takes shorter codes, of which there are fewer,
    or refuses one right code in ten.
    """
    account, code = _with_leading_zero(context, None)
    if context.login(account, code, "a right code that begins with a zero") is not Outcome.ACCEPTED:
        account, code = _with_leading_zero(context, None)
        if context.login(account, code, "a right code that begins with a zero") is not Outcome.ACCEPTED:
            raise Broken("a right code that begins with a zero was refused")
    spellings: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("without its leading zero", lambda code: code[1:]),
        ("with one zero more", lambda code: f"0{code}"),
        ("without its last digit", lambda code: code[:-1]),
        ("with one digit more", lambda code: f"{code}0"),
        ("twice", lambda code: code + code),
    )
    pick = partial(_with_leading_zero, context)
    if found := accepted_of(context, spellings, pick=pick, account=None if context.live else account):
        raise Broken(f"a code that begins with a zero was accepted {_listed(found)}")
    return "codes too short or too long were refused, and one that begins with a zero was accepted in full"


@rule(
    "V9",
    "A spent code stays spent in another spelling",
    Level.MUST,
    "RFC 6238",
    "5.2",
    cves=("CVE-2025-6014", "CVE-2025-55000"),
    accounts=6,
    waits=1,
    work=(1, 4, 16),
)
def spent_in_any_spelling(context: Context) -> str:
    """A code is used, and sent again with spaces around it, in other scripts' digits, with signs and zeros.

    Where used codes are remembered as they were sent, and compared after they were tidied up, each spelling is one
    more use.
    """
    presuppose_single_use(context)
    if found := accepted_of(context, (*_ADDITIONS, *_OTHER_DIGITS), spent=True):
        raise Broken(f"a spent code was accepted again {_listed(found)}")
    return f"a spent code was refused in {len(_ADDITIONS) + len(_OTHER_DIGITS)} other spellings"


@rule("V10", "Only ASCII digits are a code", Level.SHOULD, "RFC 4226", "5.3", accounts=2, work=(1, 1, 4))
def only_ascii_digits(context: Context) -> str:
    """A right code is sent in full-width, Arabic-Indic and superscript digits, which a lenient number parser takes.

    Each spelling more is one that a filter, a log or a memory of used codes does not know. Spaces and signs are looked
    at by V9 only: some logins strip them on purpose, and that does no harm as long as used codes stay used.
    """
    if found := accepted_of(context, _OTHER_DIGITS):
        raise Broken(f"a code was accepted {_listed(found)}")
    return f"a right code was refused in the digits of {len(_OTHER_DIGITS)} other scripts"


@rule("V11", "No code is no code", Level.MUST, "OWASP ASVS 5.0.0", "6.3.3", accounts=5, work=(1, 3, 12))
def nothing_is_no_code(context: Context) -> str:
    """Instead of a code nothing is sent, null, true, zero, an empty list, an object, and lists with the right code.

    Checks that are skipped for an empty value, and comparisons that a wrong type gets around, let in without a factor;
    a list is many guesses in one request.
    """
    values: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("nothing", lambda _: ""),
        ("a space", lambda _: " "),
        ("null", lambda _: None),
        ("true", lambda _: True),
        ("zero", lambda _: 0),
        ("an empty list", lambda _: []),
        ("an object", lambda _: {"$ne": ""}),
        ("a list of the right code", lambda code: [code]),
        ("a list that ends with the right code", lambda code: ["", code]),
    )
    if found := accepted_of(context, values):
        raise Broken(f"in place of a code was accepted: {', '.join(found)}")
    return "whatever was sent in place of a code was refused"


@rule("V12", "No fixed code opens", Level.MUST, "OWASP ASVS 5.0.0", "6.3.3", accounts=2, work=(1, 1, 5))
def no_fixed_code(context: Context) -> str:
    """000000, 123456, 424242 and 111111 are sent: codes that are left in for tests and demonstrations."""
    fixed = {text[: context.progress.measured.digits] for text in FIXED}

    def pick(account: EnrolledAccount | None) -> tuple[EnrolledAccount, str]:
        account = context.account() if account is None else account
        while True:
            code = context.code(account)
            near = {account.token.code_at_step(code.step + offset) for offset in range(-10, 11)}
            if near.isdisjoint(fixed):  # by chance one of them may be right
                return account, code.code

    if found := accepted_of(context, [(text, partial(_always, text)) for text in sorted(fixed)], pick=pick):
        raise Broken(f"opened by the fixed code {', '.join(found)}")
    return f"refused: {', '.join(sorted(fixed))}"


PARSING: Final = (exact_length, spent_in_any_spelling, only_ascii_digits, nothing_is_no_code, no_fixed_code)


def _with_leading_zero(context: Context, account: EnrolledAccount | None) -> tuple[EnrolledAccount, str]:
    """Return an account, a new one unless given, whose code, which was never sent, begins with a zero, soon or now."""
    several = context.live and context.driver.can("new_account")
    accounts = [account] if account else [context.account() for _ in range(ACCOUNTS_AT_HAND if several else 1)]
    step, account = min(
        ((_step_with_leading_zero(context, account), account) for account in accounts), key=lambda pair: pair[0]
    )
    context.progress.accounts += [other for other in accounts if other is not account and several]
    context.wait_for_step(account.token, step)
    return account, context.code(account, zero=True).code


def _step_with_leading_zero(context: Context, account: EnrolledAccount) -> int:
    step = context.first_step(account)
    while not account.token.code_at_step(step).startswith("0"):
        step += 1
    return step


def _always(text: str, _: str) -> str:
    return text


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
