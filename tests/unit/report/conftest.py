"""Two logins, as a run of the battery leaves them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pytest_totphog.conformance.finding import Finding, Level, Measured, Rule, Verdict
from pytest_totphog.conformance.subjects import Subject

V1 = Rule(
    "V1",
    "A code is accepted once",
    Level.MUST,
    "RFC 6238",
    "5.2",
    "Sends a code twice.\n\nWho read it over\na shoulder is in with it.",
    ("CVE-2022-25838", "CVE-2025-69197"),
)
V2 = Rule("V2", "A code is accepted once, also in the trailing window", Level.MUST, "RFC 6238", "5.2", "Waits.")
V6 = Rule("V6", "The accepted window is narrow", Level.SHOULD, "RFC 6238", "5.2", "Measures.")
V10 = Rule("V10", "Only ASCII digits are digits", Level.SHOULD, "RFC 4226", "5.3", "Writes them otherwise.")
V11 = Rule("V11", "No code is no code", Level.MUST, "OWASP WSTG", "WSTG-ATHN-11", "Sends none.")
V28 = Rule("V28", "Guessing is throttled", Level.MUST, "NIST SP 800-63B-4", "3.2.2", "Guesses.")

SHOP = Subject(
    "tests/test_login.py::TestShop",
    line=14,
    findings=(
        Finding(
            V1,
            Verdict.FAILED,
            "The same code was accepted twice in its time step.",
            ("step 56843820: accepted", "step 56843820 again, in a new session: accepted"),
        ),
        Finding(V2, Verdict.SKIPPED, "Not judged: it presupposes V1."),
        Finding(V6, Verdict.PASSED, "Steps -1 to +1 are accepted.", ("step -2: refused",)),
        Finding(V10, Verdict.WAIVED, "Our customers' keyboards write full-width digits."),
        Finding(V11, Verdict.PASSED, "It was refused."),
    ),
    not_run=(V28,),
    measured=Measured(earliest=-1, latest=1, period=30, digits=6),
)
ADMIN = Subject(
    "tests/admin/test_admin login.py::TestAdmin",
    line=3,
    findings=(
        Finding(V6, Verdict.FAILED, "Steps -2 to +2 are accepted; at most 1 is recommended.", profile="nist-800-63b"),
        Finding(V28, Verdict.PASSED, "The sixth code was not looked at.", profile="nist-800-63b"),
    ),
    measured=Measured(-2, 2, 30, 6, failures_before_throttle=5, lockout_seconds=900, throttled=True),
)


@pytest.fixture
def shop() -> Subject:
    """A login with every verdict; rule V28 was not run."""
    return SHOP


@pytest.fixture
def admin() -> Subject:
    """A login with a failure of a SHOULD, in a file whose name has a space."""
    return ADMIN


@pytest.fixture
def avoided() -> Subject:
    """A login that locks after five failures, but counts them in the session: it breaks rule V29."""
    rule = Rule("V29", "The throttle counts across sessions", Level.MUST, "RFC 4226", "7.3", "Logs in often.")
    finding = Finding(rule, Verdict.FAILED, "100 wrong codes led to no throttle", profile="nist-800-63b")
    return replace(ADMIN, findings=(*ADMIN.findings, finding))


@pytest.fixture
def created_at() -> datetime:
    """When the report is made."""
    return datetime(2026, 11, 21, 13, 20, 5, tzinfo=UTC)
