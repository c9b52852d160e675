"""Rules on what a code is good for, on logins that break one of them."""

import pytest

from pytest_totphog.conformance.finding import Verdict
from pytest_totphog.conformance.rules.codes import window
from tests.support.honest_login import PERIOD, BareDriver, HonestDriver, HonestLogin, Session, User
from tests.unit.conformance.judging import RULES, context_of, driver_of, judged


class Forgetful(HonestLogin):
    """Remembers no step."""

    def spend(self, user: User, step: int) -> bool:
        return True


class ForgetfulAtTheStepsEnd(HonestLogin):
    """Forgets what was used when its time step ends."""

    def spend(self, user: User, step: int) -> bool:
        current = int(self.now()) // PERIOD
        if user.last_step == step == current:
            return False
        user.last_step = step
        return True


class AnyOrder(HonestLogin):
    """Takes each step once, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[tuple[int, int]] = set()

    def spend(self, user: User, step: int) -> bool:
        if (id(user), step) in self.used:
            return False
        self.used.add((id(user), step))
        return True


class LastOnly(HonestLogin):
    """Remembers the last code, and not that others came before it."""

    def spend(self, user: User, step: int) -> bool:
        used, user.last_step = user.last_step == step, step
        return not used


class TwoMemories(HonestLogin):
    """Disabling remembers nothing of what the login used."""

    def disable(self, session: Session, code: object) -> str:
        if not session.inside or self.step_of(session.user.secret, code) is None:
            return "wrong"
        session.user.secret = ""
        return "in"


class Window(HonestLogin):
    """Accepts one step late, and none early."""

    def step_of(self, secret: str, code: object) -> int | None:
        step = super().step_of(secret, code)
        return None if step is not None and step > int(self.now()) // PERIOD else step


class NoWindow(HonestLogin):
    """Accepts the current step only."""

    window = 0


class WideWindow(HonestLogin):
    """Accepts four steps before and after the current one."""

    window = 4


class EndlessWindow(HonestLogin):
    """Accepts whatever is asked."""

    window = 15


class LearnsDrift(HonestLogin):
    """Takes a code's step for the user's clock from then on, as django-otp does."""

    def __init__(self) -> None:
        super().__init__()
        self.drifts: dict[str, int] = {}

    def step_of(self, secret: str, code: object) -> int | None:
        if not secret or not self.is_code(code):
            return None
        now, drift = self.now, self.drifts.get(secret, 0)
        self.now = lambda: now() + drift * PERIOD
        step = super().step_of(secret, code)
        self.now = now
        if step is not None:
            self.drifts[secret] = step - int(now()) // PERIOD
        return step


@pytest.mark.parametrize("id_", ["V1", "V2", "V3", "V4", "V5", "V6", "V7"])
def test_honest_login_passes(id_: str) -> None:
    """A login that does everything right."""
    assert judged(id_)[0] is Verdict.PASSED


@pytest.mark.parametrize("id_", ["V1", "V2", "V3", "V4", "V6", "V7"])
def test_single_account(id_: str) -> None:
    """They are judged on a driver with the three methods only, too."""
    assert judged(id_, driver=BareDriver)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("id_", "login", "summary"),
    [
        ("V1", Forgetful, "a code that had been accepted was accepted again"),
        ("V2", ForgetfulAtTheStepsEnd, "a code that had been accepted was accepted again one time step later"),
        ("V3", AnyOrder, "after a code was accepted, the unused code of the time step before it was accepted too"),
        ("V3", LastOnly, "after a code was accepted, the unused code of the time step before it was accepted too"),
        ("V5", TwoMemories, "a code that the login had accepted was accepted again for disabling TOTP"),
        (
            "V6",
            WideWindow,
            "codes of the steps -4 to +4 are accepted, 270 seconds in all; at most 1 step late or early is recommended",
        ),
        (
            "V6",
            EndlessWindow,
            (
                "codes of the steps -10 to +10 are accepted, 630 seconds in all at least: the window has no end within "
                "10 steps"
            ),
        ),
    ],
)
def test_broken(id_: str, login: type[HonestLogin], summary: str) -> None:
    """Each is found, and told in a sentence."""
    assert judged(id_, login) == (Verdict.FAILED, summary)


@pytest.mark.parametrize("id_", ["V2", "V3", "V4", "V5", "V9", "V17"])
def test_presupposing_single_use(id_: str) -> None:
    """What accepts every code twice is one failure, not seven."""
    verdict, summary = judged(id_, Forgetful)
    assert verdict is Verdict.SKIPPED
    assert summary.startswith("not judged: presupposes V1")


@pytest.mark.parametrize(
    ("login", "accepted"), [(HonestLogin, (-1, 1)), (Window, (-1, 0)), (NoWindow, (0, 0)), (WideWindow, (-4, 4))]
)
@pytest.mark.parametrize("driver", [HonestDriver, BareDriver])
def test_window_is_measured(login: type[HonestLogin], accepted: tuple[int, int], driver: type[BareDriver]) -> None:
    """With as many accounts as needed, and with one."""
    context = context_of(driver_of(login, driver))
    window(context)
    assert (context.progress.measured.earliest, context.progress.measured.latest) == accepted
    assert (context.progress.measured.period, context.progress.measured.digits) == (30, 6)


@pytest.mark.parametrize("driver", [HonestDriver, BareDriver])
def test_window_of_a_login_that_learns(driver: type[BareDriver]) -> None:
    """A code that is accepted early moves the window of its account; the next one is measured on another, or later."""
    context = context_of(driver_of(LearnsDrift, driver))
    assert RULES["V6"].judge(context) == "codes of the steps -1 to +1 are accepted, 90 seconds in all"


@pytest.mark.parametrize(
    ("profile", "login", "verdict"),
    [
        ("rfc6238", HonestLogin, Verdict.PASSED),
        ("rfc6238", WideWindow, Verdict.FAILED),
        ("nist-800-63b", HonestLogin, Verdict.PASSED),
        ("nist-800-63b", WideWindow, Verdict.PASSED),
        ("nist-800-63b", EndlessWindow, Verdict.FAILED),
        ("asvs-5-l2", HonestLogin, Verdict.FAILED),
        ("asvs-5-l2", Window, Verdict.FAILED),
        ("asvs-5-l2", NoWindow, Verdict.PASSED),
    ],
)
def test_profiles_disagree_on_the_window(profile: str, login: type[HonestLogin], verdict: Verdict) -> None:
    """RFC 6238 recommends one step, NIST wants some end, and ASVS allows 30 seconds."""
    assert judged("V6", login, profile=profile)[0] is verdict
