"""Rules on guessing, on logins that break one of them."""

from typing import Any

import pytest

from pytest_totphog.conformance import Outcome
from pytest_totphog.conformance.finding import Verdict
from tests.support.honest_login import BareDriver, HonestDriver, HonestLogin, Session, User
from tests.unit.conformance.judging import RULES, context_of, driver_of, judged


class NeverLocks(HonestLogin):
    """Lets guess."""

    limit = None


class CountsInTheSession(HonestLogin):
    """Counts failures in each session."""

    def throttled(self, session: Session) -> bool:
        return getattr(session, "failures", 0) >= 5

    def count(self, session: Session) -> None:
        session.failures = session.failures + 1


class CountsByAddress(HonestLogin):
    """Counts failures for each account and address."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: dict[tuple[int, int], int] = {}

    def throttled(self, session: Session) -> bool:
        return self.failures.get((id(session.user), session.address), 0) >= 5

    def count(self, session: Session) -> None:
        key = id(session.user), session.address
        self.failures[key] = self.failures.get(key, 0) + 1

    def succeed(self, session: Session) -> None:
        super().succeed(session)
        self.failures.pop((id(session.user), session.address), None)


class CountsInACookie(CountsInTheSession):
    """Counts failures in what the client holds."""


class ForgivesForThePassword(HonestLogin):
    """Forgets failures when the password is right."""

    def log_in(self, user: User) -> Session:
        user.failures, user.locked_until = 0, 0
        return super().log_in(user)


class NeverForgives(HonestLogin):
    """Counts all failures there ever were."""

    def succeed(self, session: Session) -> None:
        session.inside = True


class LocksInSilence(HonestLogin):
    """Says no more than that a code is wrong."""

    limit = 7

    def submit(self, session: Session, code: Any) -> str:
        return "in" if super().submit(session, code) == "in" else "wrong"


class GrowingDelay(HonestLogin):
    """Lets wait 1, 2, 4 seconds and so on after each failure, as django-otp does."""

    def count(self, session: Session) -> None:
        session.user.failures += 1
        session.user.locked_until = self.now() + 2 ** (session.user.failures - 1)


class TwoLimits(HonestLogin):
    """Ends an attempt after 5 failures, and locks the account after 10 in whatever attempts."""

    limit = 10

    def throttled(self, session: Session) -> bool:
        return getattr(session, "failures", 0) >= 5 or super().throttled(session)

    def count(self, session: Session) -> None:
        session.failures = session.failures + 1
        super().count(session)


class HundredFailures(TwoLimits):
    """Locks the account after as many failures as are allowed at most."""

    limit = 100


class HundredInARow(HonestLogin):
    """The same, in one attempt or several."""

    limit = 100


class TwoLimitsForgivingForThePassword(TwoLimits, ForgivesForThePassword):
    """Forgets the account's failures, and its lock, when the password is right."""


class TwoLimitsNeverForgiving(TwoLimits, NeverForgives):
    """Counts the account's failures from before a success as well."""


class TwoLimitsInSilence(TwoLimits):
    """Says no more than that a code is wrong."""

    def submit(self, session: Session, code: Any) -> str:
        return "in" if super().submit(session, code) == "in" else "wrong"


class OneAttemptAtATime(HonestLogin):
    """Ends an attempt when the account begins another."""

    def __init__(self) -> None:
        super().__init__()
        self.latest: dict[int, Session] = {}

    def log_in(self, user: User) -> Session:
        session = self.latest[id(user)] = super().log_in(user)
        return session

    def throttled(self, session: Session) -> bool:
        return self.latest[id(session.user)] is not session or super().throttled(session)


class OneAttemptOpening(OneAttemptAtATime, ForgivesForThePassword):
    """And forgets failures when the password is right."""


class CountsDifferentCodes(HonestLogin):
    """Counts a wrong code once, however often it is sent: nobody is locked out by a double click."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, object]] = set()

    def submit(self, session: Session, code: Any) -> str:
        if (id(session.user), code) in self.seen and not self.throttled(session):
            return "wrong"
        self.seen.add((id(session.user), code))
        return super().submit(session, code)


class LocksFor(HonestLogin):
    """Locks for some seconds."""

    seconds = 61.0

    def count(self, session: Session) -> None:
        super().count(session)
        if session.user.locked_until > self.now():
            session.user.locked_until = self.now() + self.seconds


class ProlongsItsLock(LocksFor):
    """Begins its lock anew with each code that is sent meanwhile, as django-axes does."""

    def throttled(self, session: Session) -> bool:
        locked = super().throttled(session)
        if locked:
            session.user.locked_until = self.now() + self.seconds
        return locked


class TravellingDriver(HonestDriver):
    """A driver that can go elsewhere, and send earlier cookies again."""

    address = 1

    def begin(self, account: User | None) -> Session:
        session = super().begin(account)
        session.address = self.address
        return session

    def submit(self, attempt: Session, code: Any) -> Outcome:
        attempt.address = self.address
        return super().submit(attempt, code)

    def change_address(self) -> None:
        self.address += 1

    def rewind(self, attempt: Session) -> Session:
        if isinstance(self.login, CountsInACookie):
            attempt.failures = 0
        return attempt


THROTTLE = ["V28", "V29", "V30", "V31", "V32", "V33"]


@pytest.mark.parametrize("id_", THROTTLE)
@pytest.mark.parametrize(
    "login",
    [HonestLogin, LocksInSilence, TwoLimits, TwoLimitsInSilence, OneAttemptAtATime, CountsDifferentCodes],
)
def test_honest_login_passes(id_: str, login: type[HonestLogin]) -> None:
    """A login that does everything right, whatever it counts, and whether it says that an account is locked or not."""
    assert judged(id_, login, TravellingDriver)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("id_", "login", "summary"),
    [
        ("V28", NeverLocks, "100 wrong codes in a row were looked at, and a right one was accepted after them"),
        ("V29", CountsInTheSession, "100 wrong codes, at most 5 in each session, led to no throttle"),
        ("V30", CountsByAddress, "an account that was throttled took a right code from another network address"),
        (
            "V31",
            CountsInACookie,
            "an attempt that was throttled was so no longer with what the client held before",
        ),
        (
            "V32",
            ForgivesForThePassword,
            "an account that was throttled took a right code after the right password was given anew",
        ),
        ("V33", NeverForgives, "failures from before a success were counted after it"),
        (
            "V32",
            TwoLimitsForgivingForThePassword,
            "an account that was throttled took a right code after the right password was given anew",
        ),
        ("V33", TwoLimitsNeverForgiving, "failures from before a success were counted after it"),
        ("V29", OneAttemptOpening, "100 wrong codes, at most 5 in each session, led to no throttle"),
    ],
)
def test_broken(id_: str, login: type[HonestLogin], summary: str) -> None:
    """That rule is broken, and no other: what follows from it is not judged."""
    assert judged(id_, login, TravellingDriver) == (Verdict.FAILED, summary)
    others = {other: judged(other, login, TravellingDriver)[0] for other in THROTTLE if other != id_}
    assert [other for other, verdict in others.items() if verdict is Verdict.FAILED] == []


@pytest.mark.parametrize(
    ("login", "failures", "seconds", "grows"),
    [
        (HonestLogin, 5, 900, False),
        (GrowingDelay, 1, 4, True),
        (LocksInSilence, 7, 900, None),
        (LocksFor, 5, 61, False),
        (ProlongsItsLock, 5, 61, False),
    ],
)
def test_measured(login: type[HonestLogin], failures: int, seconds: int | None, grows: bool | None) -> None:
    """How many failures it takes, how long it lasts, and whether longer the next time: a silent lock does not tell."""
    context = context_of(driver_of(login))
    assert RULES["V28"].judge(context).startswith(f"after {failures} failure")
    measured = context.progress.measured
    assert (measured.failures_before_throttle, measured.throttled) == (failures, True)
    assert (measured.lockout_seconds, measured.lockout_grows) == (seconds, grows)


@pytest.mark.parametrize("seconds", [3, 14, 59, 600, 1000, 5400])
def test_lockout_is_measured_to_the_second(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Whatever it is; a report of more would promise what is not so."""
    monkeypatch.setattr(LocksFor, "seconds", seconds)
    context = context_of(driver_of(LocksFor))
    RULES["V28"].judge(context)
    assert context.progress.measured.lockout_seconds == seconds


@pytest.mark.parametrize(
    ("login", "account", "attempt", "seconds"),
    [
        (TwoLimits, 10, 5, 900),
        (TwoLimitsInSilence, 10, 5, 900),
        (TwoLimitsNeverForgiving, 10, 5, 900),
        (TwoLimitsForgivingForThePassword, 10, 5, None),
        (CountsInTheSession, None, 5, None),
        (HundredFailures, 100, 5, 900),
        (HundredInARow, 100, None, 900),
        (ForgivesForThePassword, 5, None, None),
    ],
)
def test_two_limits_are_measured_apart(
    login: type[HonestLogin], account: int | None, attempt: int | None, seconds: int | None
) -> None:
    """The account's is what a guesser meets; a lock that the password ends has no length."""
    context = context_of(driver_of(login))
    RULES["V28"].judge(context)
    measured = context.progress.measured
    assert (measured.failures_before_throttle, measured.failures_per_attempt) == (account, attempt)
    assert (measured.lockout_seconds, measured.throttled) == (seconds, True)


def test_never_locked() -> None:
    """That is measured too."""
    context = context_of(driver_of(NeverLocks))
    with pytest.raises(Exception, match="100 wrong codes in a row"):
        RULES["V28"].judge(context)
    assert (context.progress.measured.failures_before_throttle, context.progress.measured.throttled) == (None, False)


@pytest.mark.parametrize("id_", [id_ for id_ in RULES if id_ not in {"V27", "V33"}])
def test_growing_delays(id_: str) -> None:
    """A login that lets one wait a little after each failure is judged by all rules all the same."""
    assert judged(id_, GrowingDelay, TravellingDriver)[0] is Verdict.PASSED


@pytest.mark.parametrize("id_", THROTTLE)
def test_bare_driver(id_: str) -> None:
    """Nobody's only account is locked."""
    verdict, summary = judged(id_, driver=BareDriver)
    assert verdict is Verdict.SKIPPED
    assert summary.startswith("the driver has no new_account()")
