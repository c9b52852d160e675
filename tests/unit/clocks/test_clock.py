"""The clock: points in time, live and frozen time, waiting."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_totphog import Clock, ClockNotFrozen, InvalidInput
from pytest_totphog.clocks.clock import NANOSECONDS, as_datetime, as_nanoseconds, as_period
from pytest_totphog.errors import shown

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


# Points in time


@pytest.mark.parametrize(
    "when",
    [
        SECONDS,
        float(SECONDS),
        "1705314600",
        "1705314600.0",
        "2024-01-15T10:30:00Z",
        "2024-01-15T10:30:00z",
        "2024-01-15 10:30:00Z",
        "2024-01-15T10:30:00+00:00",
        "2024-01-15T12:30:00+02:00",
        "2024-01-15T10:30:00.000Z",
        "  2024-01-15T10:30:00Z\n",
        HALF_PAST_TEN,
        HALF_PAST_TEN.astimezone(KATHMANDU),
    ],
)
def test_spellings_of_one_instant(when: Any) -> None:
    """Numbers, texts and aware datetimes of one instant are one instant."""
    assert as_nanoseconds(when) == 1_705_314_600_000_000_000


def test_fractions_of_a_second_count_to_the_microsecond() -> None:
    """A datetime knows no smaller part, and the same instant must be the same everywhere."""
    assert as_nanoseconds(1705314600.25) == 1_705_314_600_250_000_000
    assert as_nanoseconds("2024-01-15T10:30:00.250Z") == 1_705_314_600_250_000_000
    assert as_nanoseconds(0.000_000_6) == 1_000


def moments(last_year: int) -> st.SearchStrategy[datetime]:
    """Return a strategy of datetimes in UTC, from 1970 on."""
    first, last = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat(f"{last_year}-12-31T23:59:59.999999")
    return st.datetimes(first, last, timezones=st.just(UTC))


@given(moments(9999))
def test_every_datetime_is_given_back(when: datetime) -> None:
    """No microsecond is lost between a datetime and the integer inside."""
    assert as_datetime(as_nanoseconds(when)) == when


@given(moments(2100))
def test_datetime_and_its_timestamp_are_one_instant(when: datetime) -> None:
    """The rounding of a float never moves an instant, up to the year 2100."""
    assert as_nanoseconds(when.timestamp()) == as_nanoseconds(when)


@pytest.mark.parametrize(
    ("when", "advice"),
    [
        (HALF_PAST_TEN.replace(tzinfo=None), "give it one: tzinfo=timezone.utc"),
        ("2024-01-15T10:30:00", "append 'Z', or an offset such as '+02:00'"),
        ("2024-01-15 10:30:00", "append 'Z', or an offset such as '+02:00'"),
    ],
    ids=["datetime", "text", "text-with-space"],
)
def test_time_without_a_zone_is_refused_with_advice(when: Any, advice: str) -> None:
    """A naive time means another instant on another machine, so what to write instead is said."""
    with pytest.raises(InvalidInput) as caught:
        as_nanoseconds(when)

    assert str(caught.value) == (
        f"the time '2024-01-15 10:30:00' has no time zone, so it means another instant on another machine; {advice}"
    )


@pytest.mark.parametrize("when", [None, True, b"1705314600", [], "", "yesterday", "2024-13-01T00:00:00Z"])
def test_what_is_no_point_in_time_is_refused(when: Any) -> None:
    """The message says what is accepted."""
    with pytest.raises(InvalidInput, match="is no point in time; accepted are seconds since the epoch"):
        as_nanoseconds(when)


@pytest.mark.parametrize(
    "when",
    [
        -1,
        -0.5,
        "1969-12-31T23:59:59Z",
        LAST_SECOND + 1,
        float("nan"),
        float("inf"),
        "-Infinity",
        1e305,
        "1e305",
        10**400,
        # An hour of the year 10,000, and one before the year 1.
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=shown,
)
def test_time_beyond_the_years_of_a_datetime_is_refused(when: Any) -> None:
    """Accepted are the years 1970 to 9999, and no number is too large to be told so."""
    with pytest.raises(InvalidInput, match="is out of range; accepted are the years 1970 to 9999"):
        as_nanoseconds(when)


def test_first_and_last_second_are_accepted() -> None:
    """The range includes its ends."""
    assert as_nanoseconds("1970-01-01T00:00:00Z") == 0
    assert as_nanoseconds("9999-12-31T23:59:59Z") == LAST_SECOND * NANOSECONDS


def test_datetime_after_the_last_is_the_last() -> None:
    """The end of the last time step of the year 9999 has no datetime of its own."""
    assert as_datetime((LAST_SECOND + 1) * NANOSECONDS) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("period", [1, 30, 86_400])
def test_period_in_whole_seconds_is_accepted(period: int) -> None:
    """A time step lasts between a second and a day."""
    assert as_period(period) == period


@pytest.mark.parametrize("period", [0, -30, 86_401, 30.0, True, "30", None, float("nan"), 10**5000], ids=type)
def test_other_periods_are_refused(period: Any) -> None:
    """The message says what is accepted."""
    with pytest.raises(InvalidInput, match=r"^period is .+; accepted are whole seconds from 1 to 86400$"):
        as_period(period)


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
