"""Rules on what is a code, on logins that break one of them."""

import unicodedata
from typing import Any

import pytest

from pytest_totphog.conformance import Outcome
from pytest_totphog.conformance.finding import Verdict
from tests.support.honest_login import BareDriver, HonestDriver, HonestLogin, Session
from tests.unit.conformance.judging import RULES, context_of, driver_of, judged


class ComparesNumbers(HonestLogin):
    """Takes a code for a number, as `int` of ASCII digits."""

    def step_of(self, secret: str, code: Any) -> int | None:
        digits = isinstance(code, str) and code.isascii() and code.isdigit()
        return super().step_of(secret, str(int(str(code))).zfill(6) if digits else code)


class LosesZeros(HonestLogin):
    """Makes a number of the right code, and compares it as it is sent."""

    def step_of(self, secret: str, code: Any) -> int | None:
        return None if isinstance(code, str) and code.startswith("0") else super().step_of(secret, code)


class TidiesLate(HonestLogin):
    """Strips spaces, but remembers codes as they were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[tuple[int, object]] = set()

    def submit(self, session: Session, code: Any) -> str:
        tidy = code.strip() if isinstance(code, str) else code
        if (id(session.user), code) in self.used or self.step_of(session.user.secret, tidy) is None:
            self.count(session)
            return "locked" if self.throttled(session) else "wrong"
        self.used.add((id(session.user), code))
        self.succeed(session)
        return "in"


class StripsSpaces(HonestLogin):
    """Strips spaces and groups, and remembers what it compared."""

    def step_of(self, secret: str, code: Any) -> int | None:
        return super().step_of(secret, "".join(code.split()) if isinstance(code, str) else code)


class AnyDigits(HonestLogin):
    """Reads numbers as Python does: in every script."""

    def step_of(self, secret: str, code: Any) -> int | None:
        if isinstance(code, str):
            code = "".join(str(unicodedata.digit(character, character)) for character in code)
        return super().step_of(secret, code)


class NothingIsEnough(HonestLogin):
    """Compares a code only where one is given."""

    def submit(self, session: Session, code: Any) -> str:
        return super().submit(session, code) if code else "in"


class TakesLists(HonestLogin):
    """Looks whether the right code is among those given."""

    def step_of(self, secret: str, code: Any) -> int | None:
        codes = code if isinstance(code, list) else [code]
        steps = [step for each in codes if (step := super(TakesLists, self).step_of(secret, each)) is not None]
        return steps[0] if steps else None


class MasterCode(HonestLogin):
    """Has a code for demonstrations."""

    def submit(self, session: Session, code: Any) -> str:
        return "in" if code == "424242" else super().submit(session, code)


class FormDriver(HonestDriver):
    """A driver that can send texts only, as a form does."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        if not isinstance(code, str):
            raise NotImplementedError
        return super().submit(attempt, code)


@pytest.mark.parametrize("driver", [HonestDriver, FormDriver, BareDriver])
@pytest.mark.parametrize("id_", ["V8", "V9", "V10", "V11", "V12"])
def test_honest_login_passes(id_: str, driver: type[BareDriver]) -> None:
    """With as many accounts as needed, with what a form can send, and with one account."""
    assert judged(id_, driver=driver)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("id_", "login", "summary"),
    [
        (
            "V8",
            ComparesNumbers,
            "a code that begins with a zero was accepted without its leading zero and with one zero more",
        ),
        ("V8", LosesZeros, "a right code that begins with a zero was refused"),
        (
            "V9",
            TidiesLate,
            (
                "a spent code was accepted again with a space before it, with a space after it, with a line break "
                "after it and with a no-break space before it"
            ),
        ),
        (
            "V10",
            AnyDigits,
            "a code was accepted in full-width digits, in Arabic-Indic digits and in superscript digits",
        ),
        ("V11", NothingIsEnough, "in place of a code was accepted: nothing, null, zero, an empty list"),
        (
            "V11",
            TakesLists,
            "in place of a code was accepted: a list of the right code, a list that ends with the right code",
        ),
        ("V12", MasterCode, "opened by the fixed code 424242"),
    ],
)
def test_broken(id_: str, login: type[HonestLogin], summary: str) -> None:
    """Each is found, and told in a sentence."""
    assert judged(id_, login) == (Verdict.FAILED, summary)


@pytest.mark.parametrize("id_", ["V8", "V9", "V10", "V11"])
def test_stripping_spaces_is_no_fault(id_: str) -> None:
    """Some logins do it on purpose; used codes stay used."""
    assert judged(id_, StripsSpaces)[0] is Verdict.PASSED


def test_what_the_transport_cannot_send() -> None:
    """It stands in the evidence, and the rule is judged by the rest."""
    context = context_of(driver_of(HonestLogin, FormDriver))
    context.progress.measured = context.progress.measured
    RULES["V11"].judge(context)
    lines = context.evidence.lines()
    assert "nothing: refused" in lines
    assert "null: cannot be sent" in lines
    assert "a list of the right code: cannot be sent" in lines
