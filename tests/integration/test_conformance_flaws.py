"""The battery against the practice backends: hardened they keep every rule, and each flaw breaks its own rule alone."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from examples.practice_backends import login_drivers
from examples.practice_backends.login_drivers import InProcess, LoginDemoDriver, SimpleDriver
from pytest_totphog import TotpServer
from pytest_totphog.backends.email_mfa.flaws import FLAWS as FLAWS_OF_EMAIL_MFA
from pytest_totphog.backends.login_demo.flaws import FLAWS
from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.simple.flaws import FLAWS as FLAWS_OF_SIMPLE
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.conformance.battery import verdict_of
from pytest_totphog.conformance.context import Context, Progress
from pytest_totphog.conformance.control import problem_of
from pytest_totphog.conformance.finding import Verdict
from pytest_totphog.conformance.profiles import profile_of
from pytest_totphog.conformance.rules import CHECKS, race
from pytest_totphog.credentials import qr

# The rule that finds each flaw.
RULES = {
    "replay": "V1",
    "trailing-replay": "V2",
    "backwards": "V3",
    "race": "V4",
    "surface-replay": "V5",
    "wide-window": "V6",
    "long-period": "V7",
    "lost-zeros": "V8",
    "respelled-replay": "V9",
    "unicode-digits": "V10",
    "empty-code": "V11",
    "master-code": "V12",
    "short-secret": "V13",
    "shared-secret": "V14",
    "uri-mismatch": "V15",
    "unconfirmed-enrolment": "V16",
    "unspent-enrolment": "V17",
    "eager-enrolment": "V18",
    "any-users-code": "V19",
    "shared-recovery": "V20",
    "recovery-reuse": "V21",
    "recovery-race": "V22",
    "old-recovery": "V23",
    "half-login": "V24",
    "half-disable": "V25",
    "free-disable": "V34",
    "reset-skips": "V26",
    "leaky-responses": "V27",
    "no-throttle": "V28",
    "session-throttle": "V29",
    "address-throttle": "V30",
    "client-counter": "V31",
    "password-resets-throttle": "V32",
    "no-reset": "V33",
}


@pytest.fixture(autouse=True)
def cheap_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of accounts are made: their bcrypt hashes and QR codes would take nine tenths of the time.

    A race with a pause between check and set shows in the first rounds, without the threads' being made to take turns.
    """
    monkeypatch.setattr(PasswordHasher, "hash", lambda _, password: hashlib.sha256(password.encode()).hexdigest())
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, password, hashed: self.hash(password) == hashed)
    monkeypatch.setattr(qr, "data_uri", str)
    monkeypatch.setattr(login_drivers, "scan", str)
    monkeypatch.setattr(race, "ROUNDS", race.LEAST_ROUNDS)
    monkeypatch.setattr(race, "sleep", lambda _: None)


def judged(driver: InProcess, *flaws: str, profile: str = "rfc6238") -> dict[Verdict, set[str]]:
    """Return the rules by what came of them, on a backend with some flaws."""
    driver.flaws = frozenset(flaws)
    driver.clock = FrozenClock()
    driver.clock.freeze("2024-01-15T10:30:00Z", patch=None)
    driver.server = TotpServer(clock=driver.clock)
    progress = Progress()
    by = profile_of(profile)
    assert problem_of(Context(driver, by, progress)) is None
    driver._parameters = progress.parameters
    verdicts: dict[Verdict, set[str]] = {verdict: set() for verdict in Verdict}
    for check in CHECKS:
        driver.clock.tick(3600)
        verdict, _ = verdict_of(check, Context(driver, by, progress))
        verdicts[verdict].add(check.rule.id)
    return verdicts


def test_every_rule_has_its_flaw() -> None:
    """One each, and login-demo can have them all."""
    assert set(RULES) == set(FLAWS)
    assert sorted(RULES.values()) == sorted(check.rule.id for check in CHECKS)


def test_the_documentation_has_every_flaw_with_its_rule() -> None:
    """And with the backends that can have it."""
    page = (Path(__file__).parents[2] / "docs" / "backends.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| ([se ]*) ?\| .+ \| (V\d+) \|$", page, re.MULTILINE)
    assert {flaw: rule for flaw, _, rule in rows} == RULES
    assert {flaw for flaw, backends, _ in rows if "s" in backends} == set(FLAWS_OF_SIMPLE)
    assert {flaw for flaw, backends, _ in rows if "e" in backends} == set(FLAWS_OF_EMAIL_MFA)


@pytest.mark.parametrize(("profile", "window"), [("rfc6238", 1), ("nist-800-63b", 1), ("asvs-5-l2", 0)])
def test_hardened_login_demo_keeps_every_rule(profile: str, window: int) -> None:
    """None is skipped either; ASVS allows no step of drift."""
    driver = LoginDemoDriver()
    driver.policy = replace(driver.policy, window=window)
    assert judged(driver, profile=profile)[Verdict.PASSED] == set(RULES.values())


@pytest.mark.parametrize("flaw", RULES)
def test_flaw_of_login_demo_breaks_its_own_rule_alone(flaw: str) -> None:
    """What cannot be judged beside it is skipped."""
    assert judged(LoginDemoDriver(), flaw)[Verdict.FAILED] == {RULES[flaw]}


def test_hardened_simple_keeps_every_rule_that_applies() -> None:
    """The others are skipped: it has no password, recovery codes, or set-up to confirm."""
    verdicts = judged(SimpleDriver())
    assert verdicts[Verdict.FAILED] == set()
    assert verdicts[Verdict.SKIPPED] == {
        *("V5", "V16", "V17", "V18", "V20", "V21", "V22", "V23", "V24", "V25", "V26", "V31", "V34"),
    }


@pytest.mark.parametrize("flaw", FLAWS_OF_SIMPLE)
def test_flaw_of_simple_breaks_its_own_rule_alone(flaw: str) -> None:
    """The verifier is the same as login-demo's, and so are the verdicts."""
    assert judged(SimpleDriver(), flaw)[Verdict.FAILED] == {RULES[flaw]}


def test_two_flaws_break_two_rules() -> None:
    """They do not hide each other."""
    assert judged(LoginDemoDriver(), "unicode-digits", "old-recovery")[Verdict.FAILED] == {"V10", "V23"}
