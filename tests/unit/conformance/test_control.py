"""The control checks, on drivers with a mistake in them."""

from typing import Any

import pytest

from pytest_totphog.conformance import LoginDriver, Outcome
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.control import problem_of
from pytest_totphog.conformance.drivers import HttpLogin
from pytest_totphog.conformance.finding import Measured, Verdict
from pytest_totphog.conformance.profiles import PROFILES
from tests.support.honest_login import AccountsDriver, BareDriver, HonestLogin, Session, User
from tests.unit.conformance.judging import context_of, driver_of, judged


class AlwaysTrue(BareDriver):
    """Takes every answer for success."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        super().submit(attempt, code)
        return Outcome.ACCEPTED


class Swapped(BareDriver):
    """Takes success for failure."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        return Outcome.REFUSED if super().submit(attempt, code) is Outcome.ACCEPTED else Outcome.ACCEPTED


class AlwaysRefuses(BareDriver):
    """Takes every answer for failure."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        super().submit(attempt, code)
        return Outcome.REFUSED


class AlwaysThrottled(BareDriver):
    """Takes every answer for a lock."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        return Outcome.THROTTLED


class ThrottledForWrong(AccountsDriver):
    """Takes the refusal of a code that was looked at for a lock."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        outcome = super().submit(attempt, code)
        return Outcome.THROTTLED if outcome is Outcome.REFUSED else outcome


class LocksEarly(HonestLogin):
    """Locks after three failures."""

    limit = 3


class EndsAttempts(HonestLogin):
    """Ends an attempt after each failure."""

    def throttled(self, session: Session) -> bool:
        return getattr(session, "failures", 0) > 0 or super().throttled(session)

    def count(self, session: Session) -> None:
        session.failures = 1
        super().count(session)


class OneSuccessEndsAll(HonestLogin):
    """Ends all attempts of an account when one of them succeeds, and says no more than that the code is wrong."""

    def submit(self, session: Session, code: Any) -> str:
        if getattr(session, "began", 0) < getattr(session.user, "successes", 0):
            return "wrong"
        answer = super().submit(session, code)
        session.user.successes = session.user.successes + (answer == "in")
        return answer

    def log_in(self, user: User) -> Session:
        session = super().log_in(user)
        session.began = user.successes
        return session


class OneCodeForEachAttempt(AccountsDriver):
    """Knows no way on in an attempt that was refused."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        if attempt.over:
            raise LookupError("there is no form any more")
        attempt.over = True
        return super().submit(attempt, code)


class AnswersTrue(BareDriver):
    """Answers with something else than an outcome."""

    def submit(self, attempt: Session, code: Any) -> Any:
        return super().submit(attempt, code) is Outcome.ACCEPTED


class BeginOnly(LoginDriver):
    """Begins, and knows no further."""

    def begin(self, account: Any) -> object:
        return account


class NoEnrolment(BareDriver):
    """Fails when it enrols an account."""

    def enroll(self, account: Any = None) -> str:
        raise ConnectionError("the login is not there")


class TornSecret(BareDriver):
    """Returns something else than was shown."""

    def enroll(self, account: Any = None) -> str:
        super().enroll(account)
        return "JBSWY3DPEHPK3PX1"


class ConfirmsByItself(AccountsDriver):
    """Confirms an enrolment with a code that the battery does not know to be spent."""

    def enroll(self, account: Any = None) -> str:
        source = self.login.begin_enrolment(account)
        assert self.login.confirm_enrolment(account, self.token(source).now())
        return source


class EnrolsWithoutCode(AccountsDriver):
    """Enrols an account behind the login's back."""

    def enroll(self, account: User | None = None) -> str:
        assert account is not None
        source = self.login.begin_enrolment(account)
        account.secret = account.pending
        return source


class EightDigitsOnPaper(HonestLogin):
    """Speaks of eight digits and 60 seconds, and takes six, and 30."""

    period = 60

    def uri(self, secret: str) -> str:
        self.period = 30
        return f"otpauth://totp/Shop:alice?secret={secret}&digits=8&period=60"


@pytest.mark.parametrize("driver", [BareDriver, AccountsDriver, ConfirmsByItself])
def test_honest_driver(driver: type[BareDriver]) -> None:
    """Right codes are accepted and wrong ones are refused; the length and the period of a code are known then."""
    context = context_of(driver_of(HonestLogin, driver))
    assert problem_of(context) is None
    assert context.progress.measured == Measured(period=30, digits=6)
    assert context.progress.parameters == {}


@pytest.mark.parametrize(
    ("driver", "problem"),
    [
        (AlwaysTrue, "Driver.submit() says ACCEPTED for a wrong code too: it does not look at what the login answers"),
        (
            Swapped,
            "Driver.submit() says ACCEPTED for a wrong code and REFUSED for a right one: it takes success for failure",
        ),
        (AlwaysRefuses, "Driver.submit() says REFUSED for a right code too: it does not see success"),
        (AlwaysThrottled, "Driver.submit() says THROTTLED for the first code of a fresh account"),
        (ThrottledForWrong, "Driver.submit() says THROTTLED for the first wrong code of an account: REFUSED is for"),
    ],
)
def test_mistake(driver: type[BareDriver], problem: str) -> None:
    """It is told in a sentence."""
    found = problem_of(context_of(driver_of(HonestLogin, driver)))
    assert found is not None
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("login", "driver", "failures", "side_by_side"),
    [
        (HonestLogin, AccountsDriver, 4, True),
        (LocksEarly, AccountsDriver, 2, False),
        (EndsAttempts, AccountsDriver, 4, False),
        (OneSuccessEndsAll, AccountsDriver, 4, False),
        (HonestLogin, BareDriver, 2, False),
        (HonestLogin, OneCodeForEachAttempt, 2, False),
    ],
)
def test_what_an_account_bears(
    login: type[HonestLogin], driver: type[BareDriver], failures: int, *, side_by_side: bool
) -> None:
    """How many wrong codes it is sent before a right one, and whether races go on in attempts that lost one."""
    context = context_of(driver_of(login, driver))
    assert problem_of(context) is None
    assert (context.progress.failures, context.progress.side_by_side) == (failures, side_by_side)


@pytest.mark.parametrize("id_", ["V1", "V2", "V3", "V4", "V19"])
def test_attempts_that_take_one_code(id_: str) -> None:
    """The proof that an account is open is made in another one."""
    assert judged(id_, driver=OneCodeForEachAttempt)[0] is Verdict.PASSED


def test_missing_method() -> None:
    """What every driver needs is asked for by its name."""
    driver: Any = BeginOnly()
    driver.login = HonestLogin()
    assert problem_of(context_of(driver)) == (
        "BeginOnly has no enroll() and no submit(); a driver needs enroll(), begin() and submit()"
    )


def test_answer_that_is_no_outcome() -> None:
    """It is said what is accepted."""
    assert problem_of(context_of(driver_of(HonestLogin, AnswersTrue))) == (
        "Driver: a code was answered with True; accepted are Outcome.ACCEPTED, Outcome.REFUSED and Outcome.THROTTLED"
    )


def test_enrolment_that_shows_no_secret() -> None:
    """It is said where it goes wrong, and not shown."""
    problem = problem_of(context_of(driver_of(HonestLogin, TornSecret)))
    assert problem is not None
    assert problem.startswith("Driver: the secret is not base32: character 16 is '1'")


def test_driver_that_fails() -> None:
    """Its own error is what is told."""
    with pytest.raises(ConnectionError, match="the login is not there"):
        problem_of(context_of(driver_of(HonestLogin, NoEnrolment)))


@pytest.mark.parametrize("driver", [AccountsDriver, EnrolsWithoutCode])
def test_login_that_disregards_its_uri(driver: type[BareDriver]) -> None:
    """It is found out what codes it takes, by the enrolment or the login, so that the rules can be judged."""
    context = context_of(driver_of(EightDigitsOnPaper, driver))
    assert problem_of(context) is None
    assert context.progress.parameters == {"digits": 6, "period": 30}
    assert context.progress.measured == Measured(period=30, digits=6)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("begin_enrollment", "begin_enrolment()"),
        ("confirm_enrollment", "confirm_enrolment()"),
        ("recover_codes", "recovery_codes()"),
        ("resetThrottle", "reset_throttle()"),
        ("protectedPage", "protected_page()"),
        ("changeadress", "change_address()"),
        ("enrol", "enroll()"),
        ("concurent", "concurrent"),
    ],
)
def test_name_that_is_misspelt(written: str, meant: str) -> None:
    """It is told, where the rules that need it would be skipped in silence."""
    value = print if meant.endswith("()") else False
    driver = type("OurLogin", (LoginDriver,), {written: value})
    sentence = problem_of(Context(driver(), PROFILES["rfc6238"]))
    call = "()" if meant.endswith("()") else ""
    assert sentence == (
        f"OurLogin has {written}{call}, which the battery does not look for; did you mean {meant}? Write it so, or "
        "begin the name of a helper of your own with an underscore"
    )


def test_attribute_of_a_ready_made_driver_that_is_misspelt() -> None:
    """Those of the driver that it derives from are known as well."""
    driver = type("OurLogin", (HttpLogin,), {"url": "http://127.0.0.1:5000", "logn_path": "/in"})
    assert "OurLogin has logn_path, which" in str(problem_of(Context(driver(), PROFILES["rfc6238"])))


@pytest.mark.parametrize(
    "names", [["_begin_enrollment"], ["client", "log_in", "users", "mail"], ["new_account", "new_accounts"]]
)
def test_names_of_ones_own(names: list[str]) -> None:
    """Helpers are no business of the battery's: private, unlike all that it looks for, or beside the right name."""
    driver = type("OurLogin", (LoginDriver,), dict.fromkeys(names, print))
    assert problem_of(Context(driver(), PROFILES["rfc6238"])) == (
        "OurLogin has no enroll() and no begin() and no submit(); a driver needs enroll(), begin() and submit()"
    )
