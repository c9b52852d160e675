"""Local time while the clock stands still: one zone for naive datetimes and the C library, whichever it is."""

# ruff: noqa: DTZ001, DTZ002, DTZ005, DTZ006, DTZ011 -- naive datetimes are what is tested here
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from pytest_totphog import FrozenClock

FROZEN_AT = 1705314600.0  # 2024-01-15T10:30:00Z
SUMMER = 1721039400.0  # 2024-07-15T10:30:00Z


pytestmark = pytest.mark.usefixtures("zone")


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Where the machine stands: the local time zone, set before anything is frozen."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.fixture(params=["freezegun", "time-machine"])
def clock(request: pytest.FixtureRequest) -> Any:
    """The frozen clock under each patch and in each zone, at 2024-01-15T10:30:00Z."""
    request.applymarker(pytest.mark.frozen_clock(patch=request.param))
    return request.getfixturevalue("frozen_clock")


@pytest.mark.parametrize("instant", [FROZEN_AT, SUMMER], ids=["winter", "summer"])
def test_naive_datetimes_convert_to_the_frozen_instant(clock: FrozenClock, instant: Any) -> None:
    """What a naive datetime says is the frozen instant again, by every way there is back."""
    clock.move_to(instant)
    assert datetime.now().timestamp() == instant
    assert datetime.now().astimezone().timestamp() == instant
    assert time.mktime(datetime.now().timetuple()) == instant
    assert time.mktime(time.localtime()) == instant


@pytest.mark.parametrize("instant", [FROZEN_AT, SUMMER], ids=["winter", "summer"])
def test_dates_agree(clock: FrozenClock, instant: Any) -> None:
    """Today is the same day wherever it is asked for."""
    clock.move_to(instant)
    assert date.today() == datetime.today().date() == datetime.fromtimestamp(instant).date()
    assert date.today() == datetime(*time.localtime()[:3]).date()
    assert time.strftime("%Y-%m-%d") == date.today().isoformat()
