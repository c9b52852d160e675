"""The most likely cause of a failure, and none where nothing is odd."""

from dataclasses import replace
from typing import Any

import pytest

from pytest_totphog.failures.causes import causes
from pytest_totphog.failures.failure import AppClock, ClockState
from tests.unit.failures.failing import SECONDS, code, failure

APP = "http://127.0.0.1:5000"
FROZEN = ClockState(SECONDS, frozen=True, patch="freezegun")
REFUSED = "An app that accepts each code once refuses the second"

# Nothing is odd


@pytest.mark.parametrize(
    "codes",
    [
        [],
        [code(by="one_time_code()")],
        [code(by="one_time_code()"), code(2, by="one_time_code()", after=30, step=1)],
        [code(after=5)],
        [code(by="wrong_code()", step=None), code(2, by="expired_code()", step=-2)],
        [code(by="expired_code()", step=-2), code(2, by="expired_code()", step=-2, same_as=1)],
        [code(), code(2, by="at()", same_as=1)],
        [code(by="at()"), code(2, same_as=1)],
    ],
    ids=["no code", "one-time", "one-time, twice", "now", "wrong", "same expired one", "now, compared", "compared"],
)
def test_no_cause_is_invented(codes: list[Any]) -> None:
    """Codes that live, and codes that are wrong on purpose, explain nothing."""
    assert causes(failure(*codes, apps=(AppClock(APP, 0),))) == []


def test_code_that_expired_long_before_is_no_cause() -> None:
    """The test went on for minutes after it: it seems to have had what it wanted."""
    assert causes(failure(code(), clock=ClockState(SECONDS + 300.0))) == []
    assert causes(failure(code(after=28), clock=ClockState(SECONDS + 300.0))) == []


def test_error_that_says_its_cause_needs_no_guess() -> None:
    """No code was to be had, and the error says why."""
    assert causes(failure(code(), code(2, same_as=1), explained=True)) == []


# The app's clock


def test_app_at_real_time() -> None:
    """In another process, where the clock does not reach."""
    told = failure(code(), clock=FROZEN, apps=(AppClock(APP, 90_000_000, real=True),))
    assert causes(told) == [
        (
            "Time is frozen at 2024-01-15T10:30:00Z, and the app at http://127.0.0.1:5000 runs at real time: start it "
            "with the environment frozen_clock.subprocess_env()."
        )
    ]


def test_app_at_real_time_that_nothing_was_to_freeze() -> None:
    """Without a patch an app in the test process has the real time as well."""
    told = failure(code(), clock=ClockState(SECONDS, frozen=True), apps=(AppClock(APP, 90_000_000, real=True),))
    assert causes(told) == [
        (
            "Time is frozen at 2024-01-15T10:30:00Z, and the app at http://127.0.0.1:5000 runs at real time: where it "
            "runs in the test process, freeze with patch='auto'; else start it with the environment "
            "frozen_clock.subprocess_env()."
        )
    ]


def test_app_at_real_time_on_another_machine() -> None:
    """Where nothing can be frozen."""
    told = failure(code(), clock=FROZEN, apps=(AppClock("http://10.0.0.7", 90_000_000, real=True, local=False),))
    assert causes(told) == [
        (
            "Time is frozen at 2024-01-15T10:30:00Z, and the app at http://10.0.0.7 runs at real time: no clock on "
            "another machine can be frozen, so take this test without frozen_clock."
        )
    ]


@pytest.mark.parametrize(
    ("clock", "ahead", "cause"),
    [
        (ClockState(SECONDS + 10.0), -41, "41 s behind this machine's: more than a time step."),
        (ClockState(SECONDS + 10.0), 30, "30 s ahead of this machine's: more than a time step."),
        (FROZEN, -3600, "3600 s behind the frozen one: more than a time step."),
        (
            ClockState(SECONDS + 10.0),
            12,
            "12 s ahead of this machine's: near the end of a time step it takes another one for the current.",
        ),
    ],
)
def test_app_whose_clock_is_off(clock: ClockState, ahead: int, cause: str) -> None:
    """By how much, and what that means for codes."""
    told = failure(code(), clock=clock, apps=(AppClock("http://127.0.0.1:1", 0), AppClock(APP, ahead)))
    assert causes(told) == [f"The clock of the app at {APP} is, by the Date of its answer, {cause}"]


# The codes


def test_same_code_twice() -> None:
    """Two logins within one step."""
    assert causes(failure(code(), code(2, same_as=1))) == [
        f"now() gave the same code twice, within one time step. {REFUSED}: take one_time_code()."
    ]


def test_same_code_by_two_ways() -> None:
    """What now() gives, one_time_code() cannot know."""
    assert causes(failure(code(), code(2, by="one_time_code()", same_as=1))) == [
        f"now() and one_time_code() gave the same code, within one time step. {REFUSED}: take one_time_code() for both."
    ]


def test_same_code_as_one_that_is_not_shown_any_more() -> None:
    """Of many codes the first are left out."""
    assert causes(failure(code(15, same_as=3))) == [
        f"now() gave the same code twice, within one time step. {REFUSED}: take one_time_code()."
    ]


def test_same_code_over_http() -> None:
    """The advice is for those who ask over HTTP."""
    by = "GET /tokens/…/code"
    assert causes(failure(code(by=by), code(2, by=by, same_as=1))) == [
        f"{by} gave the same code twice, within one time step. {REFUSED}: take POST /tokens/…/one-time-code."
    ]


def test_code_that_somebody_else_had() -> None:
    """An earlier test, or another worker."""
    assert causes(failure(code(given_before="to gw1 test_login.py::test_admin"))) == [
        (
            "The code of now() had been given before, to gw1 test_login.py::test_admin. An app that accepts each code "
            "once, and remembers that, refuses it now: take one_time_code()."
        )
    ]


def test_same_time_in_every_test() -> None:
    """Where each test freezes it, the tests before had the same code as well."""
    assert causes(failure(code(given_before="to test_login.py::test_admin"), clock=FROZEN)) == []


def test_code_that_was_repeated_before_the_last() -> None:
    """The test went on with it, so it was accepted."""
    assert causes(failure(code(1), code(2, same_as=1), code(3, by="one_time_code()", after=30, step=1))) == []


def test_code_that_was_about_to_expire() -> None:
    """It was taken late in its step, and gone at the end."""
    assert causes(failure(code(after=28), clock=ClockState(SECONDS + 59.0))) == [
        (
            "The code of now() had 2 s to live when it was taken, and had expired when the test failed. "
            "Take one_time_code(), which gives none that is about to expire."
        )
    ]


def test_code_that_expired_before_the_end() -> None:
    """It had time enough; perhaps it was sent late."""
    assert causes(failure(code(by="one_time_code()", after=15), clock=ClockState(SECONDS + 36.0))) == [
        (
            "The last code had expired 6 s before the test failed: if it was sent after that, take it right before it "
            "is sent."
        )
    ]


def test_code_that_expired_on_a_clock_that_was_moved() -> None:
    """By a minute or two, as for a code that is too old; who moves it far, ends a session or a lockout."""
    assert causes(failure(code(), clock=ClockState(SECONDS + 95.0, frozen=True, patch="freezegun"))) == [
        (
            "The last code had expired 65 s before the test failed, because the clock was moved on after it was taken: "
            "if it was sent after that, take it right before it is sent."
        )
    ]
    assert causes(failure(code(), clock=ClockState(SECONDS + 900.0, frozen=True, patch="freezegun"))) == []


def test_code_of_a_step_to_come() -> None:
    """With lookahead."""
    assert causes(failure(code(by="one_time_code()", after=18, step=1))) == [
        (
            "The code was taken with lookahead, 12 s before its time step began: the app must accept codes of the next "
            "step."
        )
    ]


def test_clock_that_was_moved_back() -> None:
    """Apps count steps forward only."""
    told = failure(code(), clock=ClockState(SECONDS, True, "freezegun", (-60.0,), 1, moved_back=True))
    assert causes(told) == [
        "The clock was moved back: an app that has seen a later time step refuses the codes of earlier ones."
    ]


def test_clock_that_was_moved_by_the_same_test() -> None:
    """When it is run again, the first run's code was the test's own."""
    moved = code(by="one_time_code()", after=30, step=1, moved_from=SECONDS)
    (cause,) = causes(failure(replace(moved, spent_by="gw1 test_login.py::test_login (ci-7)"), clock=FROZEN))
    assert cause.startswith(
        "one_time_code() moved the clock on by 30 s, from 2024-01-15T10:30:00Z to 2024-01-15T10:30:30Z: "
        "this test, when it ran before, had taken the code of the step before"
    )
    (cause,) = causes(failure(replace(moved, spent_by="test_login.py::test_login_2"), clock=FROZEN))
    assert "30Z: test_login.py::test_login_2 had taken" in cause


def test_two_causes_at_the_most() -> None:
    """The most likely first."""
    clock = ClockState(SECONDS, True, "freezegun", (-60.0,), 1, moved_back=True)
    told = failure(code(), code(2, same_as=1), clock=clock, apps=(AppClock(APP, 90_000_000, real=True),))
    assert [cause.partition(" ")[0] for cause in causes(told)] == ["Time", "now()"]


# freezegun


def test_types_that_freezegun_has_left() -> None:
    """Where they are, and what to do; first, because tests fail by them that have nothing to do with codes."""
    held = tuple(f"shop.models.T{number}" for number in range(5))
    (cause,) = causes(failure(tokens=(), leftovers=held, fake_type="FakeDatetime"))
    assert cause == (
        "freezegun's types are still in shop.models.T0, shop.models.T1, shop.models.T2 and 2 more, which a frozen test "
        "was the first to import. Import that before, for example in conftest.py, or freeze with patch='time-machine', "
        "which has no types of its own (pip install 'pytest-totphog[time-machine]')."
    )


def test_type_of_freezegun_in_an_error() -> None:
    """A library that does not know it."""
    (cause,) = causes(failure(clock=FROZEN, fake_type="FakeDatetime"))
    assert cause == (
        "The error is about FakeDatetime, which freezegun puts in the place of the real type, and not all libraries "
        "know it: freeze with patch='time-machine', which has no types of its own (pip install "
        "'pytest-totphog[time-machine]')."
    )
