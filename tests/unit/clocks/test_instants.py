"""Points in time and lengths of time steps, in every spelling."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.clocks.instants import NANOSECONDS, as_datetime, as_nanoseconds, as_period
from pytest_totphog.errors import shown

# One instant in many spellings.
SECONDS = 1_705_314_600
HALF_PAST_TEN = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
KATHMANDU = timezone(timedelta(hours=5, minutes=45))
LAST_SECOND = 253_402_300_799


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
