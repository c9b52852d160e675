"""Time as an argument: a clock that follows the system's, or stands still."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Literal

from pytest_totphog.clocks.followers import Followers
from pytest_totphog.clocks.instants import (
    END,
    NANOSECONDS,
    Instant,
    as_datetime,
    as_nanoseconds,
    as_period,
    within_range,
)
from pytest_totphog.clocks.stopped_time import stopped_by
from pytest_totphog.errors import ClockNotFrozen, CodeUnavailable, InvalidInput, hidden_in_reports, shown
from pytest_totphog.inputs import is_number

__all__ = ["Clock", "is_real", "real_time_ns", "require_moving"]

__tracebackhide__ = hidden_in_reports

# A time that is further off was not meant to be the real one.
REAL_TIME_TOLERANCE: Final = 60 * NANOSECONDS


def _running_monotonic() -> Callable[[], float]:
    """Return `time.monotonic`, the real one also where this module is first imported under somebody's frozen time."""
    freezegun = sys.modules.get("freezegun.api")
    monotonic: Callable[[], float] = time.monotonic if freezegun is None else freezegun.real_monotonic
    return monotonic


def real_time_ns() -> int:
    """Return the system's time as whole nanoseconds since the epoch, also while the process's stands still."""
    # time-machine first: it stops the functions that freezegun remembers.
    if (time_machine := sys.modules.get("time_machine")) is not None and time_machine.escape_hatch.is_travelling():
        return int(time_machine.escape_hatch.time.time_ns())
    if (freezegun := sys.modules.get("freezegun.api")) is not None:
        return int(freezegun.real_time_ns())
    return time.time_ns()


def is_real(clock: Clock) -> bool:
    """Return whether a clock shows the real time, as exactly as machines agree on it."""
    off = time.time_ns() - real_time_ns()  # something else may have stopped the system's
    return clock.frozen_at is None and abs(off) < REAL_TIME_TOLERANCE


def require_moving() -> None:
    """Do nothing, unless the process's time stands still.

    Raises:
        CodeUnavailable: when it does.
    """
    if by := stopped_by(Clock.monotonic):
        raise CodeUnavailable(
            f"time is stopped by {by}, not by frozen_clock; a wait for the next code would never end. Take "
            "frozen_clock instead, which one_time_code() moves on, or let the time run"
        )


class Clock:
    """A clock that follows the system's until it is frozen, and then moves only by hand.

    Server, tokens and practice backends all read one such clock. All methods may be called from any thread.

    Attributes:
        followers: what stands where it does, in places of their own.
        changes: how often it was frozen, moved or unfrozen.
    """

    # Held by the class, because freezegun replaces what modules hold. Waits and time-outs are in real seconds.
    monotonic: staticmethod[[], float] = staticmethod(_running_monotonic())

    # How long a waiter sleeps before it looks again, in seconds, where another process may move the clock.
    _longest_wait = math.inf

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._frozen_at: int | None = None
        self.followers: Followers = Followers()
        self.changes: int = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.mode} at {self.now().isoformat()}>"

    @property
    def frozen_at(self) -> int | None:
        """Where the clock stands, in nanoseconds since the epoch; None while it is live."""
        return self._frozen_at

    @property
    def mode(self) -> Literal["live", "frozen"]:
        """`"live"` while the clock follows the system's, `"frozen"` while it stands still."""
        return "live" if self.frozen_at is None else "frozen"

    def time_ns(self) -> int:
        """Return the time as whole nanoseconds since the epoch."""
        frozen_at = self.frozen_at
        return time.time_ns() if frozen_at is None else frozen_at

    def time(self) -> float:
        """Return the time as seconds since the epoch."""
        return self.time_ns() / NANOSECONDS

    def now(self) -> datetime:
        """Return the time as an aware datetime in UTC."""
        return as_datetime(self.time_ns())

    def step_start(self, period: int = 30) -> int:
        """Return when the current time step began, as seconds since the epoch.

        Args:
            period: length of a time step in seconds.
        """
        return self.time_ns() // NANOSECONDS // as_period(period) * period

    def freeze(self, at: Instant) -> None:
        """Stand still at a point in time; a frozen clock moves there.

        Raises:
            InvalidInput: when `at` is no point in time or has no time zone.
        """
        nanoseconds = as_nanoseconds(at)
        with self._changing():
            self._show(nanoseconds)

    def unfreeze(self) -> None:
        """Follow the system's time again; does nothing on a live clock."""
        with self._changing():
            if self.frozen_at is not None:
                self._show(None)

    def tick(self, seconds: float | timedelta = 1) -> float:
        """Move a frozen clock forward and return its new time.

        Args:
            seconds: how far, zero or more; a number or a timedelta.

        Raises:
            ClockNotFrozen: on a live clock.
            InvalidInput: for a negative or non-finite number.
        """
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        if not is_number(seconds, 0):
            raise InvalidInput(
                f"cannot tick by {shown(seconds)}; accepted are zero or more seconds, and to go back, set the time anew"
            )
        with self._changing():
            self._require_frozen("tick")
            return self._move(lambda now: now + round(min(seconds, END) * 1_000_000) * 1000)

    def move_to(self, when: Instant) -> float:
        """Move a frozen clock to a point in time, forward or back, and return its new time.

        Raises:
            ClockNotFrozen: on a live clock.
            InvalidInput: when `when` is no point in time or has no time zone.
        """
        with self._changing():
            self._require_frozen("move_to")
            nanoseconds = as_nanoseconds(when)
            return self._move(lambda _: nanoseconds)

    def next_step(self, period: int = 30) -> float:
        """Move a frozen clock to the start of the next time step and return its new time.

        Args:
            period: length of a time step in seconds.

        Raises:
            ClockNotFrozen: on a live clock.
        """
        with self._changing():
            self._require_frozen("next_step")
            step = as_period(period) * NANOSECONDS
            return self._move(lambda now: (now // step + 1) * step)

    def wait_until(self, when: int, timeout: float, unless: Callable[[], bool] = lambda: False) -> bool:
        """Return True as soon as the clock shows `when`.

        A live clock is waited for. A frozen clock is moved on to `when`, because nothing else would move it.
        A clock that is frozen during the wait stays where it was frozen, which may be years away from `when`:
        the answer is True as well, and the caller looks at the clock again.

        Args:
            when: nanoseconds since the epoch.
            timeout: how long to wait at the most, in real seconds.
            unless: called whenever the waiter wakes; when it returns True, the wait is given up.

        Returns:
            False when the time has not come within `timeout`, or the wait was given up.

        Raises:
            CodeUnavailable: when it would wait, and something else has stopped the time.
        """
        if self.frozen_at is None and self.time_ns() < when:
            require_moving()
        deadline = self.monotonic() + timeout
        with self._changing():
            frozen_at = self.frozen_at
            if frozen_at is not None and frozen_at < when:
                self._move(lambda now: max(now, when))
            while self.frozen_at is None and (ahead := when - self.time_ns()) > 0:
                left = deadline - self.monotonic()
                if left <= 0 or unless():
                    return False
                self._changed.wait(min(left, max(ahead / NANOSECONDS, 0.001), self._longest_wait))
        return True

    def wake(self) -> None:
        """Let everyone in `wait_until` look again."""
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock for a change, and call the followers after it."""
        try:
            with self._changed:
                yield
        finally:
            self.followers.call()

    def _require_frozen(self, method: str) -> None:
        if self.frozen_at is None:
            raise ClockNotFrozen(
                f"{method}() moves a frozen clock, but this one is live; freeze it first: "
                "clock.freeze('2024-01-15T10:30:00Z'), or take the frozen_clock fixture"
            )

    def _move(self, target: Callable[[int], int]) -> float:
        """Move a frozen clock to what `target` makes of where it stands; the lock is held."""
        nanoseconds = within_range(target(self.time_ns()))
        self._show(nanoseconds)
        return nanoseconds / NANOSECONDS

    def _show(self, nanoseconds: int | None) -> None:
        """Stand at `nanoseconds`, or follow the system's time for None; the lock is held."""
        self._frozen_at = nanoseconds
        self.changes += 1  # last, so that a reader of it reads no older time
        self._changed.notify_all()
