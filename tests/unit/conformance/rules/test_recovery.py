"""Rules on whose codes open an account, and on recovery codes, on logins that break one of them."""

import time

import pytest

from pytest_totphog.conformance.finding import Verdict
from tests.support.honest_login import BareDriver, HonestDriver, HonestLogin, Session, User
from tests.unit.conformance.judging import judged


class AnybodysCode(HonestLogin):
    """Looks for whoever has that code."""

    def step_of(self, secret: str, code: object) -> int | None:
        steps = [step for user in self.users if (step := super(AnybodysCode, self).step_of(user.secret, code))]
        return steps[0] if secret and steps else super().step_of(secret, code)


class AnybodysRecoveryCode(HonestLogin):
    """Looks for the recovery code, and not for whose it is."""

    def recover(self, session: Session, code: str) -> str:
        owner = next((user for user in self.users if code in user.recovery), session.user)
        answer = super().recover(Session(owner), code)
        session.inside = answer == "in"
        return answer


class LastingRecoveryCodes(HonestLogin):
    """Keeps recovery codes that were used."""

    def recover(self, session: Session, code: str) -> str:
        codes = list(session.user.recovery)
        answer = super().recover(session, code)
        session.user.recovery = codes
        return answer


class LooksThenRemoves(HonestLogin):
    """Removes a recovery code after it let in."""

    def recover(self, session: Session, code: str) -> str:
        if code not in session.user.recovery:
            return "wrong"
        time.sleep(0)  # somebody else's turn, as while a database answers
        session.user.recovery = [other for other in session.user.recovery if other != code]
        self.succeed(session)
        return "in"


class AddsRecoveryCodes(HonestLogin):
    """Keeps the old recovery codes when it makes new ones."""

    def make_recovery_codes(self, user: User) -> list[str]:
        old = user.recovery
        new = super().make_recovery_codes(user)
        user.recovery = new + old
        return new


class OneSecret(HonestLogin):
    """Has one secret for all."""

    def new_secret(self) -> str:
        return "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class ListsOnly(HonestDriver):
    """A driver that shows the codes there are, and has none made anew."""

    def recovery_codes(self, account: User) -> list[str]:
        return account.recovery or super().recovery_codes(account)


class OneThreadOnly(HonestDriver):
    """A driver whose attempts live in one thread."""

    concurrent = False


RULES = ["V19", "V20", "V21", "V22", "V23"]


@pytest.mark.parametrize("id_", RULES)
def test_honest_login_passes(id_: str) -> None:
    """A login that does everything right."""
    assert judged(id_)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("id_", "login", "summary"),
    [
        ("V19", AnybodysCode, "a code of another user was accepted"),
        ("V20", AnybodysRecoveryCode, "a recovery code of another user was accepted"),
        ("V21", LastingRecoveryCodes, "a recovery code that had been accepted was accepted again"),
        ("V23", AddsRecoveryCodes, "a recovery code was accepted after new ones had been made"),
    ],
)
def test_broken(id_: str, login: type[HonestLogin], summary: str) -> None:
    """Each is found, and told in a sentence."""
    assert judged(id_, login) == (Verdict.FAILED, summary)


def test_race() -> None:
    """More than one of several logins at the same moment gets in."""
    verdict, summary = judged("V22", LooksThenRemoves)
    assert verdict is Verdict.FAILED
    assert summary.startswith("a recovery code let in ")


@pytest.mark.parametrize(
    ("id_", "login", "reason"),
    [
        ("V19", OneSecret, "presupposes V14: both users have the same secret"),
        (
            "V22",
            LastingRecoveryCodes,
            "presupposes V21: a recovery code is accepted again also when sent one after the other",
        ),
    ],
)
def test_presupposed(id_: str, login: type[HonestLogin], reason: str) -> None:
    """What follows from another mistake is not a second failure."""
    assert judged(id_, login) == (Verdict.SKIPPED, f"not judged: {reason}")


def test_codes_that_are_not_made_anew() -> None:
    """Nothing can be told from the old ones."""
    assert judged("V23", driver=ListsOnly) == (
        Verdict.SKIPPED,
        "not judged: recovery_codes() gave old codes again instead of new ones",
    )


@pytest.mark.parametrize("id_", ["V4", "V22"])
def test_driver_of_one_thread(id_: str) -> None:
    """Races are not judged with it."""
    assert judged(id_, driver=OneThreadOnly) == (
        Verdict.SKIPPED,
        "the driver's attempts cannot be submitted from several threads (concurrent = False)",
    )


@pytest.mark.parametrize("id_", RULES)
def test_bare_driver(id_: str) -> None:
    """What it lacks is named."""
    verdict, summary = judged(id_, driver=BareDriver)
    assert verdict is Verdict.SKIPPED
    assert summary.startswith("the driver has no ")
