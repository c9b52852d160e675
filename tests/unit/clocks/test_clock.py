"""The clock: live and frozen time, waiting."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pytest_totphog import Clock, ClockNotFrozen, InvalidInput
from pytest_totphog.clocks.instants import NANOSECONDS, as_nanoseconds

# One instant in many spellings.
SECONDS = 1_705_314_600
HALF_PAST_TEN = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
KATHMANDU = timezone(timedelta(hours=5, minutes=45))
LAST_SECOND = 253_402_300_799


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at 2024-01-15T10:30:00Z."""
    clock = Clock()
    clock.freeze(SECONDS)
    return clock


# Live time


def test_live_clock_shows_the_systems_time() -> None:
    """A new clock is live."""
    clock = Clock()

    before = time.time_ns()
    told = clock.time_ns()

    assert clock.mode == "live"
    assert before <= told <= time.time_ns()


def test_live_clock_says_the_same_in_every_unit() -> None:
    """Nanoseconds, seconds and datetime of a live clock are readings of one time."""
    clock = Clock()

    readings = [clock.time_ns(), round(clock.time() * NANOSECONDS), as_nanoseconds(clock.now()), clock.time_ns()]

    # A float and a datetime hold microseconds.
    assert [reading // 1_000_000 for reading in readings] == sorted(reading // 1_000_000 for reading in readings)
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("method", "move"),
    [
        ("tick", lambda clock: clock.tick(30)),
        ("move_to", lambda clock: clock.move_to(SECONDS)),
        ("next_step", lambda clock: clock.next_step()),
    ],
)
def test_live_clock_cannot_be_moved(method: str, move: Callable[[Clock], object]) -> None:
    """The error says how to freeze it first."""
    clock = Clock()

    with pytest.raises(ClockNotFrozen) as caught:
        move(clock)

    assert str(caught.value) == (
        f"{method}() moves a frozen clock, but this one is live; freeze it first: "
        "clock.freeze('2024-01-15T10:30:00Z'), or take the frozen_clock fixture"
    )
    assert clock.mode == "live"


# Frozen time


def test_frozen_clock_stands_still(clock: Clock) -> None:
    """Every reading is the frozen instant."""
    assert clock.mode == "frozen"
    assert clock.time_ns() == 1_705_314_600_000_000_000
    assert clock.time() == 1_705_314_600.0
    assert clock.now() == HALF_PAST_TEN
    assert clock.now().tzinfo is UTC


def test_freezing_a_frozen_clock_moves_it(clock: Clock) -> None:
    """It may be frozen as often as one likes, forward and back."""
    clock.freeze("2030-01-01T00:00:00Z")
    assert clock.now() == HALF_PAST_TEN.replace(year=2030, day=1, hour=0, minute=0)

    clock.freeze("2020-01-01T00:00:00Z")
    assert clock.now() == HALF_PAST_TEN.replace(year=2020, day=1, hour=0, minute=0)


def test_unfrozen_clock_is_live(clock: Clock) -> None:
    """It follows the system's time again, and unfreezing twice does nothing more."""
    clock.unfreeze()
    clock.unfreeze()

    assert clock.mode == "live"
    assert clock.time_ns() >= time.time_ns() - 60 * NANOSECONDS


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, 1_705_314_600.0),
        (1, 1_705_314_601.0),
        (0.5, 1_705_314_600.5),
        (86_400, 1_705_401_000.0),
        (timedelta(minutes=5), 1_705_314_900.0),
        (timedelta(microseconds=500_000), 1_705_314_600.5),
    ],
)
def test_tick_moves_forward(clock: Clock, seconds: float | timedelta, shown: float) -> None:
    """It returns the new time."""
    assert clock.tick(seconds) == shown
    assert clock.time() == shown


def test_tick_is_a_second_unless_said(clock: Clock) -> None:
    """As in freezegun."""
    assert clock.tick() == 1_705_314_601.0


@pytest.mark.parametrize(
    "seconds", [-1, -0.001, float("nan"), float("inf"), True, "1", None, timedelta(seconds=-1)], ids=str
)
def test_tick_refuses_what_is_no_way_forward(clock: Clock, seconds: Any) -> None:
    """The message says how to go back, and the clock stands where it stood."""
    with pytest.raises(
        InvalidInput, match=r"cannot tick by .+; accepted are zero or more seconds, and to go back, set"
    ):
        clock.tick(seconds)

    assert clock.time() == 1_705_314_600.0


def test_move_to_goes_forward_and_back(clock: Clock) -> None:
    """It takes whatever is a point in time, and returns the new time."""
    assert clock.move_to("2024-01-15T10:31:00Z") == 1_705_314_660.0
    assert clock.move_to(HALF_PAST_TEN - timedelta(days=1)) == 1_705_228_200.0
    assert clock.time() == 1_705_228_200.0


def test_move_to_a_naive_time_is_refused(clock: Clock) -> None:
    """The clock stands where it stood."""
    with pytest.raises(InvalidInput, match="has no time zone"):
        clock.move_to("2024-01-15T10:31:00")

    assert clock.time() == 1_705_314_600.0


@pytest.mark.parametrize(
    ("at", "period", "shown"),
    [
        ("2024-01-15T10:30:00Z", 30, "2024-01-15T10:30:30Z"),
        ("2024-01-15T10:30:07Z", 30, "2024-01-15T10:30:30Z"),
        ("2024-01-15T10:30:29.999999Z", 30, "2024-01-15T10:30:30Z"),
        ("2024-01-15T10:30:07Z", 60, "2024-01-15T10:31:00Z"),
        ("2024-01-15T10:30:07.500Z", 1, "2024-01-15T10:30:08Z"),
        ("2024-01-15T10:30:07Z", 86_400, "2024-01-16T00:00:00Z"),
    ],
)
def test_next_step_goes_to_its_very_start(clock: Clock, at: str, period: int, shown: str) -> None:
    """From anywhere in a step, its first instant included, to the first instant of the next one."""
    clock.move_to(at)

    assert clock.next_step(period) * NANOSECONDS == as_nanoseconds(shown)
    assert clock.time_ns() == as_nanoseconds(shown)


@pytest.mark.parametrize(
    ("at", "period", "start"),
    [
        ("2024-01-15T10:30:00Z", 30, 1_705_314_600),
        ("2024-01-15T10:30:29.999999Z", 30, 1_705_314_600),
        ("2024-01-15T10:30:30Z", 30, 1_705_314_630),
        ("2024-01-15T10:30:30Z", 60, 1_705_314_600),
    ],
)
def test_step_start_is_where_the_current_step_began(clock: Clock, at: str, period: int, start: int) -> None:
    """A step's first instant belongs to it."""
    clock.move_to(at)

    assert clock.step_start(period) == start


def test_step_start_of_a_live_clock() -> None:
    """A live clock knows its step as well: it began within the last period."""
    clock = Clock()

    before = clock.time_ns() // NANOSECONDS
    start = clock.step_start(86_400)

    assert start % 86_400 == 0
    assert before - 86_400 < start <= clock.time_ns() // NANOSECONDS


@pytest.mark.parametrize("method", ["step_start", "next_step"])
def test_steps_of_a_refused_period(clock: Clock, method: str) -> None:
    """A period of 0 has no steps."""
    with pytest.raises(InvalidInput, match="period is 0; accepted are whole seconds from 1 to 86400"):
        getattr(clock, method)(0)

    assert clock.time() == 1_705_314_600.0


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.tick(1),
        lambda clock: clock.tick(1e305),
        lambda clock: clock.tick(10**400),
        lambda clock: clock.next_step(),
        lambda clock: clock.wait_until((LAST_SECOND + 1) * NANOSECONDS, timeout=0),
    ],
    ids=["tick", "tick-float", "tick-integer", "next_step", "wait_until"],
)
def test_clock_cannot_leave_the_year_9999(clock: Clock, move: Callable[[Clock], object]) -> None:
    """It says so, and stands where it stood."""
    clock.freeze(LAST_SECOND)

    with pytest.raises(InvalidInput, match="the clock cannot move past the year 9999"):
        move(clock)

    assert clock.time() == LAST_SECOND


def test_no_tick_is_lost_between_threads(clock: Clock) -> None:
    """Eight threads ticking a hundred times each move the clock by 800 seconds."""
    barrier = threading.Barrier(8)

    def tick() -> None:
        barrier.wait(10)
        for _ in range(100):
            clock.tick(1)

    threads = [threading.Thread(target=tick) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert clock.time() == SECONDS + 800


def test_repr_says_mode_and_time(clock: Clock) -> None:
    """A failing assertion shows where the clock stands."""
    assert repr(clock) == "<Clock frozen at 2024-01-15T10:30:00+00:00>"


# Waiting


def test_waiting_moves_a_frozen_clock(clock: Clock) -> None:
    """Nobody else would move it, so no time is waited for."""
    assert clock.wait_until((SECONDS + 3600) * NANOSECONDS, timeout=0) is True
    assert clock.time() == SECONDS + 3600


def test_waiting_never_moves_a_frozen_clock_back(clock: Clock) -> None:
    """What has passed need not be waited for."""
    assert clock.wait_until((SECONDS - 1) * NANOSECONDS, timeout=0) is True
    assert clock.time() == SECONDS


def test_waiting_on_a_live_clock_ends_when_the_time_has_come() -> None:
    """Not before it, and long before the time-out."""
    clock = Clock()
    when = clock.time_ns() + 30_000_000

    assert clock.wait_until(when, timeout=60) is True
    assert clock.time_ns() >= when


def test_waiting_on_a_live_clock_for_what_has_passed() -> None:
    """It returns at once, whatever the time-out."""
    clock = Clock()

    assert clock.wait_until(clock.time_ns(), timeout=0) is True


def test_waiting_on_a_live_clock_ends_at_the_timeout() -> None:
    """The time-out is counted in real seconds, and the answer is no."""
    clock = Clock()

    assert clock.wait_until(clock.time_ns() + 3600 * NANOSECONDS, timeout=0.01) is False


class Waiter(threading.Thread):
    """A thread that waits for an hour from now on a live clock, and keeps the answer."""

    def __init__(self, clock: Clock) -> None:
        """Start, and return once the thread waits."""
        super().__init__(daemon=True)
        self.clock = clock
        self.give_up = False
        self.answer: bool | None = None
        self.looked = threading.Event()
        self.start()
        assert self.looked.wait(10)

    def run(self) -> None:
        """Wait."""
        self.answer = self.clock.wait_until(self.clock.time_ns() + 3600 * NANOSECONDS, 3600, unless=self._unless)

    def _unless(self) -> bool:
        # Asked with the clock's lock held: who gets that lock next finds this thread waiting.
        self.looked.set()
        return self.give_up


def test_freezing_ends_a_wait() -> None:
    """Who waits on a live clock looks again when another thread freezes it, and leaves it where it was frozen."""
    clock = Clock()
    waiter = Waiter(clock)

    clock.freeze(SECONDS)
    waiter.join(10)

    assert waiter.answer is True
    assert clock.time() == SECONDS


def test_wait_can_be_given_up() -> None:
    """Woken, the waiter asks whether to go on."""
    clock = Clock()
    waiter = Waiter(clock)

    waiter.give_up = True
    clock.wake()
    waiter.join(10)

    assert waiter.answer is False
    assert clock.mode == "live"


def test_waking_without_a_reason_changes_nothing() -> None:
    """A waiter that is not told to give up goes on waiting, and can still be ended."""
    clock = Clock()
    waiter = Waiter(clock)

    waiter.looked.clear()
    clock.wake()
    assert waiter.looked.wait(10)
    assert waiter.is_alive()

    waiter.give_up = True
    clock.wake()
    waiter.join(10)
    assert waiter.answer is False
