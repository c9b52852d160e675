"""Time that somebody else has stopped, whoever it was."""

from contextlib import AbstractContextManager, nullcontext
from unittest import mock

import freezegun
import pytest
import time_machine

from pytest_totphog import Clock, ClockHeld, CodeUnavailable, FrozenClock
from pytest_totphog.clocks.clock import is_real
from pytest_totphog.clocks.frozen_clock import overruled_by
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.clocks.patches import PatchName
from pytest_totphog.clocks.stopped_time import require_own_time, stopped_by

YEAR_2001 = "2001-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("somebody", "by"),
    [
        (nullcontext(), ""),
        (freezegun.freeze_time(YEAR_2001), "freezegun"),
        (freezegun.freeze_time(YEAR_2001, tick=True), ""),
        (time_machine.travel(YEAR_2001, tick=False), "time-machine"),
        (time_machine.travel(YEAR_2001), ""),
        (mock.patch("time.time_ns", return_value=978_307_200_000_000_000), "something else"),
    ],
    ids=["nobody", "freezegun", "freezegun, ticking", "time-machine", "time-machine, ticking", "a mock"],
)
def test_who_stopped_it(somebody: AbstractContextManager[object], by: str) -> None:
    """A wall clock that does not move while the monotonic one does is stopped, unlike one that only is wrong."""
    with somebody:
        assert stopped_by(Clock.monotonic) == by


def test_waiting_for_it() -> None:
    """A wait fails at once instead of at its end; for what has come already there is none."""
    clock = Clock()
    with time_machine.travel(YEAR_2001, tick=False):
        now = clock.time_ns()
        assert clock.wait_until(now, timeout=3600)
        with pytest.raises(CodeUnavailable, match=r"^time is stopped by time-machine, not by frozen_clock"):
            clock.wait_until(now + 3600 * NANOSECONDS, timeout=3600)


def test_clock_that_is_frozen_itself() -> None:
    """It is nobody else's, whatever stands still with it."""
    for patch in "freezegun", "time-machine", None:
        with FrozenClock("2024-01-15T10:30:00Z", patch) as clock:
            assert overruled_by(clock) == ""
            assert clock.wait_until(clock.time_ns() + 1_000, timeout=0)


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_frozen_clock_whose_process_has_another_time(patch: PatchName) -> None:
    """Whoever stops or moves the process's time inside is named; without a patch it was left to them."""
    with FrozenClock("2024-01-15T10:30:00Z", patch) as clock:
        with time_machine.travel(YEAR_2001) if patch == "time-machine" else freezegun.freeze_time(YEAR_2001):
            assert overruled_by(clock) == patch
        assert overruled_by(clock) == ""
    with FrozenClock("2024-01-15T10:30:00Z", None) as clock, freezegun.freeze_time(YEAR_2001):
        assert overruled_by(clock) == ""


def test_clock_shows_real_time() -> None:
    """Unless it is frozen, or somebody else shows another time."""
    clock = Clock()
    assert is_real(clock)
    for somebody in freezegun.freeze_time(YEAR_2001), time_machine.travel(YEAR_2001):
        with somebody:
            assert not is_real(clock)
    clock.freeze(clock.time())
    assert not is_real(clock)


@pytest.mark.parametrize(
    ("by", "patch", "fixtures", "advice"),
    [
        ("freezegun", "time-machine", [], "time is stopped by freezegun, not by frozen_clock; take one of them"),
        ("something else", "auto", [], "time is stopped by something else, not by frozen_clock; take one of them"),
        ("time-machine", "freezegun", [], "--totphog-clock-patch time-machine"),
        ("", "freezegun", ["time_machine"], "--totphog-clock-patch time-machine"),
    ],
)
def test_time_that_is_not_its_own(by: str, patch: PatchName, fixtures: list[str], advice: str) -> None:
    """The error says what stops it, and what to do."""
    with pytest.raises(ClockHeld, match=advice):
        require_own_time(by, patch, fixtures)
