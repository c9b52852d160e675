"""The user's own freezes, around the clock and inside it."""

import datetime as dt
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from types import BuiltinFunctionType
from typing import Any

import freezegun
import pytest
import time_machine

from pytest_totphog import FrozenClock, TotphogError

FROZEN_AT = 1705314600.0  # 2024-01-15T10:30:00Z
YEAR_2001 = 978307200.0
YEAR_2025 = 1735689600.0  # any real time is later


def is_real() -> Any:
    """Return whether the wall clock runs, and is Python's own again."""
    own = isinstance(time.time, BuiltinFunctionType) and isinstance(time.monotonic, BuiltinFunctionType)
    return own and type(dt.datetime) is type and time.time() > YEAR_2025


@pytest.fixture(params=["freezegun", "time-machine"])
def patch(request: pytest.FixtureRequest) -> Any:
    """What stands still besides server and tokens."""
    return request.param


@pytest.fixture
def new_york() -> Iterator[Any]:
    """A local time that is not UTC."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def test_inside_freezegun() -> None:
    """The clock's instant holds inside, freezegun's holds again after it, and time-outs run all the time inside."""
    with freezegun.freeze_time("2001-01-01"):
        with FrozenClock("2024-01-15T10:30:00Z") as clock:
            assert time.time() == FROZEN_AT
            clock.tick()
            assert time.time() == FROZEN_AT + 1
            assert max(time.monotonic(), time.perf_counter()) < YEAR_2001
        assert time.time() == YEAR_2001
    assert is_real()


def test_inside_time_machine(patch: Any) -> None:
    """Either patch works inside somebody else's time travel, and gives it back."""
    with time_machine.travel("2001-01-01T00:00:00+00:00", tick=False):
        with FrozenClock("2024-01-15T10:30:00Z", patch) as clock:
            clock.tick()
            assert time.time() == FROZEN_AT + 1
        assert time.time() == YEAR_2001
    assert is_real()


def test_around_freezegun() -> None:
    """A freeze_time inside moves the process, and the clock with its server and tokens keeps its own instant."""
    with FrozenClock("2024-01-15T10:30:00Z") as clock:
        with freezegun.freeze_time("2001-01-01"):
            clock.tick()
            assert (time.time(), clock.time()) == (YEAR_2001, FROZEN_AT + 1)
        assert time.time() == FROZEN_AT + 1
    assert is_real()


def test_around_time_machine() -> None:
    """A time travel inside moves the process, and the clock with its server and tokens keeps its own instant."""
    with FrozenClock("2024-01-15T10:30:00Z", "time-machine") as clock:
        with time_machine.travel("2001-01-01T00:00:00+00:00", tick=False):
            assert (time.time(), clock.time()) == (YEAR_2001, FROZEN_AT)
        assert time.time() == FROZEN_AT
    assert is_real()


@pytest.mark.usefixtures("new_york")
def test_inside_itself(patch: Any) -> None:
    """A clock in another clock's freeze gives it its instant and its local time back."""
    with FrozenClock("2024-01-15T10:30:00Z", patch):
        with FrozenClock("2001-01-01T00:00:00Z", patch):
            assert time.time() == YEAR_2001
        assert time.mktime(dt.datetime.now().timetuple()) == time.time() == FROZEN_AT  # noqa: DTZ005 -- local time
    assert is_real()


def test_under_a_decorator(project: pytest.Pytester) -> None:
    """A test under freeze_time or travel that also takes frozen_clock has the decorator's time."""
    project.makepyfile("""
        import time
        import freezegun, pytest, time_machine

        @freezegun.freeze_time("2001-01-01")
        def test_freezegun(frozen_clock):
            assert (time.time(), frozen_clock.time()) == (978307200, 1705314600)

        @pytest.mark.frozen_clock(patch="time-machine")
        @time_machine.travel("2001-01-01T00:00:00+00:00", tick=False)
        def test_time_machine(frozen_clock):
            assert (time.time(), frozen_clock.time()) == (978307200, 1705314600)

        @pytest.mark.frozen_clock(patch=None)
        @freezegun.freeze_time("2001-01-01")
        def test_freezegun_alone(frozen_clock):
            assert (time.time(), frozen_clock.time()) == (978307200, 1705314600)

        def test_is_real():
            assert time.time() > 1735689600
    """)
    project.runpytest().assert_outcomes(passed=4)


def test_unfreezing_inside_a_later_freeze_is_refused() -> None:
    """While a later freeze_time is on, freezegun would end that one instead; afterwards the clock can be unfrozen."""
    clock = FrozenClock("2024-01-15T10:30:00Z", "freezegun")
    with freezegun.freeze_time("2001-01-01"):
        with pytest.raises(TotphogError, match=r"inside a freeze_time\(\) that began later; end that one first"):
            clock.unfreeze()
        assert (time.time(), clock.mode) == (YEAR_2001, "frozen")
    clock.unfreeze()
    assert is_real()


def test_first_import_inside_freezegun_keeps_real_time_outs() -> None:
    """A package that is first imported while somebody else's time stands still knows that, and does not wait."""
    script = """
        import freezegun

        with freezegun.freeze_time("2001-01-01T00:00:29.9Z"):
            from pytest_totphog import CodeUnavailable, TotpServer

            token = TotpServer().add_token()
            token.one_time_code(min_remaining=0)
            try:
                token.one_time_code(min_remaining=0, timeout=0.2)
            except CodeUnavailable as error:
                print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert ran.stdout.startswith("time is stopped by freezegun, not by frozen_clock")
