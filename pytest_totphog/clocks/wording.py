"""Instants and durations in the words of reports and errors."""

from __future__ import annotations

from pytest_totphog.clocks.instants import NANOSECONDS, as_datetime

__all__ = ["duration", "instant", "time_of_day"]


def instant(seconds: float) -> str:
    """Return a point in time: `"2024-01-15T10:30:00Z"`."""
    return as_datetime(int(seconds * NANOSECONDS)).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of_day(seconds: float) -> str:
    """Return the time of a point in time, in UTC: `"10:30:00Z"`."""
    return instant(seconds)[11:]


def duration(seconds: float, decimals: int = 0) -> str:
    """Return a time span in seconds, or in a unit that a reader can compare: `"41 s"`, `"3.1 years"`.

    Args:
        seconds: how long, zero or more.
        decimals: how exactly seconds are shown.
    """
    for length, unit in ((31_557_600, "years"), (86_400, "days"), (3600, "hours")):
        if seconds >= 2 * length:
            count = seconds / length
            return f"{round(count, 1 if count < 10 else None):g} {unit}"
    return f"{seconds:.{decimals}f} s"
