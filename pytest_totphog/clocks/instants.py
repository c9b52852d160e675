"""Points in time and lengths of time steps, as users give them and as clocks count them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown
from pytest_totphog.inputs import is_whole

__all__ = [
    "END",
    "MAX_PERIOD",
    "NANOSECONDS",
    "Instant",
    "as_datetime",
    "as_nanoseconds",
    "as_period",
    "within_range",
]

__tracebackhide__ = hidden_in_reports

NANOSECONDS: Final = 1_000_000_000
MAX_PERIOD: Final = 86_400
END: Final = 253_402_300_800 * NANOSECONDS  # the year 10,000: no datetime is later

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Instant: TypeAlias = int | float | str | datetime
"""A point in time: seconds since the epoch, an ISO 8601 text with an offset, or an aware datetime."""


def as_nanoseconds(when: Instant) -> int:
    """Return a point in time as whole nanoseconds since the epoch.

    Args:
        when: seconds since the epoch (number or text), ISO 8601 text with an offset, or an aware datetime.

    Raises:
        InvalidInput: for a naive datetime, a text without an offset, a time before 1970 or after 9999,
            and anything that is no point in time.
    """
    remedy = "give it one: tzinfo=timezone.utc"
    if isinstance(when, str):
        when, remedy = _parse(when), "append 'Z', or an offset such as '+02:00'"
    if isinstance(when, datetime):
        if when.utcoffset() is None:
            raise InvalidInput(
                f"the time {when.isoformat(' ')!r} has no time zone, so it means another instant on another machine; "
                f"{remedy}"
            )
        microseconds: float = (when - _EPOCH) // _MICROSECOND
    elif isinstance(when, bool) or not isinstance(when, (int, float)):
        raise InvalidInput(
            f"{shown(when)} is no point in time; accepted are seconds since the epoch, ISO 8601 text "
            "such as '2024-01-15T10:30:00Z', and aware datetimes"
        )
    else:
        microseconds = when * 1_000_000
    if not 0 <= microseconds * 1000 < END:
        raise InvalidInput(f"the time {shown(when)} is out of range; accepted are the years 1970 to 9999")
    # Whole microseconds, so that the same instant is the same as a datetime.
    return round(microseconds) * 1000


def _parse(text: str) -> datetime | float:
    stripped = text.strip()
    try:
        return float(stripped)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(stripped.upper())
    except ValueError:
        raise InvalidInput(
            f"{shown(text)} is no point in time; accepted are seconds since the epoch and ISO 8601 "
            "such as '2024-01-15T10:30:00Z'"
        ) from None


def as_datetime(nanoseconds: int) -> datetime:
    """Return nanoseconds since the epoch as an aware datetime in UTC; the last one there is for all that is later."""
    return _EPOCH + timedelta(microseconds=min(nanoseconds, END - 1) // 1000)


def as_period(period: object) -> int:
    """Return `period` when it is a time step's length in whole seconds.

    Raises:
        InvalidInput: unless it is an integer from 1 to 86,400.
    """
    if not is_whole(period, 1, MAX_PERIOD):
        raise InvalidInput(f"period is {shown(period)}; accepted are whole seconds from 1 to {MAX_PERIOD}")
    return period


def within_range(nanoseconds: int) -> int:
    """Return what a clock can show.

    Raises:
        InvalidInput: past the year 9999.
    """
    if nanoseconds >= END:
        raise InvalidInput("the clock cannot move past the year 9999")
    return nanoseconds
