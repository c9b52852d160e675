"""Rules on secrets and enrolments, on logins that break one of them."""

from typing import Any

import pyotp
import pytest

from pytest_totphog.conformance.finding import Verdict
from tests.support.honest_login import AccountsDriver, BareDriver, HonestDriver, HonestLogin, User
from tests.unit.conformance.judging import judged


class ShortSecrets(HonestLogin):
    """Gives secrets of 80 bits."""

    bits = 80


class SecretsOf120Bits(HonestLogin):
    """Gives secrets that NIST allows and RFC 4226 does not."""

    bits = 120


class OneSecret(HonestLogin):
    """Has one secret for all."""

    def new_secret(self) -> str:
        return "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class OneSecretForEach(HonestLogin):
    """Gives an account the same secret whenever it enrols."""

    def begin_enrolment(self, user: User) -> str:
        user.pending = user.first or pyotp.random_base32()
        user.first = user.pending
        return self.uri(user.pending)


class BoastfulUri(HonestLogin):
    """Speaks of SHA-256, and computes SHA-1."""

    def uri(self, secret: str) -> str:
        return f"{super().uri(secret)}&algorithm=SHA256"


class BareSecret(HonestLogin):
    """Shows a secret and no URI."""

    def uri(self, secret: str) -> str:
        return secret


class AnyCodeConfirms(HonestLogin):
    """Takes every code for the first."""

    def confirm_enrolment(self, user: User, code: Any) -> bool:
        user.secret, user.last_step = user.pending, self.step_of(user.pending, code) or -1
        return True


class ForgetsTheFirst(HonestLogin):
    """Remembers no step of the enrolment."""

    def confirm_enrolment(self, user: User, code: Any) -> bool:
        confirmed = super().confirm_enrolment(user, code)
        user.last_step = -1
        return confirmed


class EagerEnrolment(HonestLogin):
    """Takes a secret into use when it is shown."""

    def begin_enrolment(self, user: User) -> str:
        source = super().begin_enrolment(user)
        if user.secret:
            user.secret = user.pending
        return source


class EagerForNewcomers(HonestLogin):
    """Switches TOTP on when a secret is shown."""

    def begin_enrolment(self, user: User) -> str:
        source = super().begin_enrolment(user)
        user.secret = user.pending
        return source


class SingleFactorDriver(HonestDriver):
    """A driver of a login that offers an account with TOTP no other."""

    def begin_enrolment(self, account: User) -> Any:
        return None if account.secret else super().begin_enrolment(account)


class PausesAfterAFailure(HonestLogin):
    """Makes one wait after a wrong code, and looks at none meanwhile."""

    seconds = 1

    def confirm_enrolment(self, user: User, code: Any) -> bool:
        if self.now() < user.locked_until:
            return False
        confirmed = super().confirm_enrolment(user, code)
        user.locked_until = 0 if confirmed else self.now() + self.seconds
        return confirmed


class PausesLong(PausesAfterAFailure):
    """Makes one wait for a quarter of an hour."""

    seconds = 900


class BeginsAnew(HonestLogin):
    """Shows another secret after a wrong code."""

    def confirm_enrolment(self, user: User, code: Any) -> bool:
        confirmed = super().confirm_enrolment(user, code)
        user.pending = ""
        return confirmed


@pytest.mark.parametrize("login", [PausesAfterAFailure, PausesLong, BeginsAnew])
def test_failed_confirmation_that_has_consequences(login: type[HonestLogin]) -> None:
    """It is waited for, or the enrolment is begun anew, until a right code tells that the wrong one was looked at."""
    assert judged("V16", login)[0] is Verdict.PASSED


@pytest.mark.parametrize("id_", ["V13", "V14", "V15", "V16", "V17", "V18"])
def test_honest_login_passes(id_: str) -> None:
    """A login that does everything right."""
    assert judged(id_)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("id_", "login", "summary"),
    [
        ("V13", ShortSecrets, "the secret has 80 bits; 128 are the least, 160 are recommended"),
        ("V14", OneSecret, "two accounts got the same secret"),
        ("V14", OneSecretForEach, "an account that was enrolled again got its old secret"),
        ("V15", BoastfulUri, "the login refuses the codes that its URI describes, and takes those with algorithm=sha1"),
        ("V16", AnyCodeConfirms, "an enrolment was confirmed by a wrong code"),
        ("V17", ForgetsTheFirst, "the code that had confirmed the enrolment was accepted again, to log in"),
        ("V18", EagerEnrolment, "a code of a secret that was never confirmed was accepted"),
    ],
)
def test_broken(id_: str, login: type[HonestLogin], summary: str) -> None:
    """Each is found, and told in a sentence."""
    assert judged(id_, login) == (Verdict.FAILED, summary)


def test_long_enough_for_nist() -> None:
    """112 bits, where RFC 4226 asks for 128."""
    assert judged("V13", SecretsOf120Bits)[0] is Verdict.FAILED
    assert judged("V13", SecretsOf120Bits, profile="nist-800-63b") == (
        Verdict.PASSED,
        "the secret has 120 bits; 160 are recommended",
    )


def test_nothing_is_claimed_without_a_uri() -> None:
    """A bare secret speaks of no algorithm."""
    assert judged("V15", BareSecret) == (
        Verdict.SKIPPED,
        "not judged: the enrolment shows a secret and no otpauth:// URI, so nothing is claimed",
    )


def test_other_rules_on_a_login_that_disregards_its_uri() -> None:
    """They are judged by the codes that the login takes."""
    assert judged("V1", BoastfulUri)[0] is Verdict.PASSED


def test_secrets_without_disabling() -> None:
    """It is said what could not be tried."""
    verdict, summary = judged("V14", driver=AccountsDriver)
    assert verdict is Verdict.PASSED
    assert summary.endswith("was not tried, because the driver has no disable()")


@pytest.mark.parametrize(("login", "verdict"), [(HonestLogin, Verdict.PASSED), (EagerForNewcomers, Verdict.FAILED)])
def test_abandoned_where_only_newcomers_enrol(login: type[HonestLogin], verdict: Verdict) -> None:
    """An account without TOTP must get in by its password as before."""
    assert judged("V18", login, driver=SingleFactorDriver)[0] is verdict


def test_abandoned_with_a_bare_driver() -> None:
    """It cannot begin an enrolment at all."""
    assert judged("V18", driver=BareDriver) == (Verdict.SKIPPED, "the driver has no begin_enrolment()")
