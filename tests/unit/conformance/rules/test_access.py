"""Rules on what is open before the code, on logins that break one of them."""

from typing import Any

import pytest

from pytest_totphog.conformance import Outcome
from pytest_totphog.conformance.finding import Verdict
from tests.support.honest_login import BareDriver, HonestDriver, HonestLogin, Session, User
from tests.unit.conformance.judging import judged


class HalfLogin(HonestLogin):
    """Lets in with the password, and asks for the code afterwards."""

    def log_in(self, user: User) -> Session:
        return Session(user, inside=True)


class DisablesForAnybodyInside(HonestLogin):
    """Takes the factor away from a session, without a code."""

    def disable(self, session: Session, code: Any) -> str:
        if not session.inside:
            return "wrong"
        session.user.secret = ""
        return "in"


class DisablesForAnyCode(DisablesForAnybodyInside):
    """Asks for a code, and does not look at it."""

    def disable(self, session: Session, code: Any) -> str:
        return super().disable(session, code) if code else "wrong"


class DisablesForThePassword(HonestLogin):
    """Takes the factor away, whoever asks."""

    def disable(self, session: Session, code: Any) -> str:
        session.user.secret = ""
        return "in"


class TalkativeDriver(HonestDriver):
    """A driver that keeps what the login answers."""

    says = "{outcome}"

    def __init__(self) -> None:
        super().__init__()
        self.responses: list[str] = []

    def submit(self, attempt: Session, code: Any) -> Outcome:
        outcome = super().submit(attempt, code)
        totp = self.token(attempt.user.secret)
        self.responses.append(self.says.format(outcome=outcome.value, right=totp.now(), secret=totp.secret))
        return outcome


class TellsTheCode(TalkativeDriver):
    """The login answers with the code that it expected."""

    says = '{{"outcome": "{outcome}", "expected": "{right}"}}'


class TellsTheSecret(TalkativeDriver):
    """The login answers with the account."""

    says = "{outcome}: {secret}"


class ResetsIntoTheAccount(HonestDriver):
    """The login of this driver lets in whoever reset a password."""

    def reset_password(self, account: User) -> Session:
        return Session(account, inside=True)


class ResetRemovesTheFactor(HonestDriver):
    """The login of this driver forgets the factor with the password."""

    def reset_password(self, account: User) -> Session:
        account.secret = ""
        return Session(account)


@pytest.mark.parametrize("id_", ["V24", "V25", "V26", "V27", "V34"])
def test_honest_login_passes(id_: str) -> None:
    """A login that does everything right."""
    assert judged(id_, driver=TalkativeDriver)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("id_", "login", "driver", "summary"),
    [
        ("V24", HalfLogin, HonestDriver, "a protected page was shown after the password alone"),
        ("V25", DisablesForThePassword, HonestDriver, "TOTP was disabled after the password alone"),
        ("V34", DisablesForAnybodyInside, HonestDriver, "TOTP was disabled in an open session without another code"),
        ("V34", DisablesForAnyCode, HonestDriver, "TOTP was disabled in an open session with a wrong code"),
        ("V26", HonestLogin, ResetsIntoTheAccount, "a password reset led to a protected page without a code"),
        (
            "V26",
            HonestLogin,
            ResetRemovesTheFactor,
            "after a password reset the new password alone opened a protected page",
        ),
        ("V27", HonestLogin, TellsTheCode, "a response to a login told a code that was not sent"),
        ("V27", HonestLogin, TellsTheSecret, "a response to a login told the secret"),
    ],
)
def test_broken(id_: str, login: type[HonestLogin], driver: type[BareDriver], summary: str) -> None:
    """Each is found, and told in a sentence."""
    assert judged(id_, login, driver) == (Verdict.FAILED, summary)


def test_presupposed() -> None:
    """That disabling takes a used code is no second failure where it takes any; nor is a reset where all is open."""
    assert judged("V26", HalfLogin)[0] is Verdict.SKIPPED
    assert judged("V5", DisablesForAnybodyInside) == (
        Verdict.SKIPPED,
        "not judged: presupposes V34: disabling takes a wrong code too",
    )


def test_driver_without_responses() -> None:
    """It has recorded none."""
    assert judged("V27") == (
        Verdict.SKIPPED,
        "not judged: the driver records no responses: its `responses` is None",
    )
