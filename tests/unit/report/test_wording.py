"""What terminal and page say in the same words."""

import pytest

from pytest_totphog.conformance.finding import Measured
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report import wording


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Measured(-1, 1, 30, 6), "steps -1 to +1: 3 codes of 6 digits accepted at a time, each for 90 seconds"),
        (Measured(-1, 0, 30, 8), "steps -1 to 0: 2 codes of 8 digits accepted at a time, each for 1 minute"),
        (Measured(0, 0, 30, 6), "step 0: 1 code of 6 digits accepted at a time, each for 30 seconds"),
        (Measured(-2, 2), "steps -2 to +2: 5 codes accepted at a time"),
        (Measured(), "not measured"),
    ],
)
def test_window(measured: Measured, expected: str) -> None:
    """Which steps' codes are accepted, how many at a time, and how long each lives."""
    assert wording.window(measured) == expected


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Measured(), "not measured"),
        (Measured(failures_before_throttle=100, throttled=False), "none within 100 wrong codes"),
        (Measured(throttled=False), "none within 100 wrong codes"),
        (Measured(failures_before_throttle=5, throttled=True), "after 5 wrong codes"),
        (Measured(failures_before_throttle=1, lockout_seconds=5, throttled=True), "after 1 wrong code, for 5 seconds"),
        (
            Measured(failures_before_throttle=5, lockout_seconds=900, throttled=True),
            "after 5 wrong codes, for 15 minutes",
        ),
        (
            Measured(failures_before_throttle=1, lockout_seconds=4, lockout_grows=True, throttled=True),
            "after 1 wrong code, for 4 seconds and growing",
        ),
        (
            Measured(failures_before_throttle=10, failures_per_attempt=5, lockout_seconds=61, throttled=True),
            "after 10 wrong codes, 5 in one attempt, for 61 seconds",
        ),
        (
            Measured(failures_per_attempt=5, throttled=True),
            "none of the account; an attempt ends after 5 wrong codes",
        ),
        (Measured(throttled=True), "yes"),
    ],
)
def test_throttle(measured: Measured, expected: str) -> None:
    """After how many wrong codes, and for how long."""
    assert wording.throttle(Subject("a.py::TestA", measured=measured)) == expected


def test_throttle_with_a_way_around(avoided: Subject) -> None:
    """The rules that show it are named."""
    assert wording.throttle(avoided) == "after 5 wrong codes, for 15 minutes; V29 shows a way around it"


def test_sentence() -> None:
    """Reasons begin small and have no full stop where they stand in a line of their own."""
    assert wording.as_sentence("the driver has no disable()") == "The driver has no disable()."
    assert wording.as_sentence("Our customers want it.") == "Our customers want it."


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1, "1 second"),
        (0.5, "0.5 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (86_400, "1 day"),
        (172_800, "2 days"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    """In the largest unit that it is a whole number of."""
    assert wording.duration(seconds) == expected


def test_headline(shop: Subject, admin: Subject) -> None:
    """How many rules on how many logins, and what came of them."""
    assert wording.headline([]) == "No rule was judged"
    assert wording.headline([shop]) == "6 rules on 1 login: 1 failed, 1 not run, 1 waived, 1 skipped, 2 passed"
    assert wording.headline([shop, admin]) == "8 rules on 2 logins: 2 failed, 1 not run, 1 waived, 1 skipped, 3 passed"


def test_printable() -> None:
    """What steers a terminal or turns a page's direction is escaped; letters and digits of all scripts are not."""
    assert wording.printable("\N{FULLWIDTH DIGIT ONE} \N{ARABIC-INDIC DIGIT TWO} é") == "\uff11 \u0662 é"
    assert wording.printable("\x1b[31mred\x07\n\u202e\ud800") == "\\x1b[31mred\\x07\\n\\u202e\\ud800"
