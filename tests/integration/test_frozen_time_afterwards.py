"""After the freeze everything is real again, whatever happened meanwhile."""

import asyncio
import copyreg
import datetime as dt
import os
import sys
import time
import uuid
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import freezegun
import pytest

from pytest_totphog import FrozenClock, TotphogError

FROZEN_AT = 1705314600.0  # 2024-01-15T10:30:00Z
YEAR_2025 = 1735689600.0  # any real time is later


def process() -> Any:
    """Return what a freeze may replace in this process, for a comparison before and after."""
    api = freezegun.api
    return {
        # Hashed, so that a failing test does not print the environment.
        "environment": {name: hash(text) for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "zone": (time.tzname, time.timezone, time.localtime(FROZEN_AT).tm_gmtoff, time.localtime(FROZEN_AT).tm_zone),
        "time": {name: value for name, value in vars(time).items() if callable(value)},
        "datetime": (dt.datetime, dt.date, dict(copyreg.dispatch_table)),
        "uuid": (vars(uuid)["_generate_time_safe"], vars(uuid)["_UuidCreate"]),
        "freezegun": (api._get_fake_monotonic, api._get_fake_monotonic_ns, api.call_stack_inspection_limit),
        "freezes": (len(api.freeze_factories), len(api.ignore_lists), len(api.tick_flags), len(api.tz_offsets)),
        "loop": asyncio.SelectorEventLoop.time,
    }


def is_real() -> Any:
    """Return whether the wall clock runs."""
    return time.time() > YEAR_2025 and dt.datetime.now(dt.UTC).year > 2024


@pytest.fixture(params=["freezegun", "time-machine"])
def patch(request: pytest.FixtureRequest) -> Any:
    """What stands still besides server and tokens."""
    return request.param


@pytest.fixture(params=["UTC", "America/New_York", None], ids=str)
def zone(request: pytest.FixtureRequest) -> Iterator[Any]:
    """What the environment says about the local time zone before the freeze."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param is None:
            monkeypatch.delenv("TZ", raising=False)
        else:
            monkeypatch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


class TestEnd:
    """The end of a freeze, however it comes."""

    @pytest.mark.usefixtures("zone")
    def test_leaves_the_process_as_it_was(self, patch: Any) -> None:
        """Functions, classes, environment, time zone and freezegun's own state are those from before."""
        before = process()
        with FrozenClock("2024-01-15T10:30:00Z", patch) as clock:
            clock.tick(3600)
            assert not is_real()
        assert process() == before
        assert is_real()

    def test_comes_with_an_exception_too(self, patch: Any) -> None:
        """A block that fails is left as one that passes."""
        before = process()
        with pytest.raises(ZeroDivisionError), FrozenClock("2024-01-15T10:30:00Z", patch):
            _ = 1 / 0
        assert process() == before

    def test_repeats(self, patch: Any) -> None:
        """The twentieth freeze ends as the first."""
        before = process()
        for _ in range(20):
            with FrozenClock("2024-01-15T10:30:00Z", patch):
                assert time.time() == FROZEN_AT
            assert is_real()
        assert process() == before


class TestEnvironment:
    """What the test itself does to the environment while time stands still."""

    def test_changes_survive(self, patch: Any, zone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Variables that the test sets and removes stay set and removed."""
        monkeypatch.setenv("REMOVED_MEANWHILE", "here before")
        with FrozenClock("2024-01-15T10:30:00Z", patch):
            assert os.environ.get("TZ") == zone
            monkeypatch.setenv("SET_MEANWHILE", "here")
            monkeypatch.delenv("REMOVED_MEANWHILE")
        assert os.environ["SET_MEANWHILE"] == "here"
        assert "REMOVED_MEANWHILE" not in os.environ
        assert os.environ.get("TZ") == zone

    @pytest.mark.usefixtures("zone")
    def test_another_time_zone_survives(self, patch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A time zone that the test sets meanwhile is the process's afterwards."""
        with FrozenClock("2024-01-15T10:30:00Z", patch):
            monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        assert os.environ["TZ"] == "Asia/Kolkata"
        assert time.localtime(FROZEN_AT).tm_gmtoff == 19800

    def test_what_is_undone_later_is_the_zone_from_before(self, patch: Any, zone: Any) -> None:
        """A monkeypatch that outlives the freeze puts back what was there before the freeze."""
        with pytest.MonkeyPatch.context() as monkeypatch:
            with FrozenClock("2024-01-15T10:30:00Z", patch):
                monkeypatch.setenv("TZ", "Asia/Tokyo")
            monkeypatch.undo()
        assert os.environ.get("TZ") == zone

    def test_programs_see_the_same_environment(self, patch: Any, zone: Any) -> None:
        """What the test hands to another program is not changed by the freeze."""
        with FrozenClock("2024-01-15T10:30:00Z", patch):
            assert os.environ.copy().get("TZ") == zone


class TestFailedStart:
    """A freeze that cannot begin leaves nothing behind."""

    @pytest.mark.parametrize("name", ["_get_fake_monotonic", "_get_fake_monotonic_ns", "call_stack_inspection_limit"])
    def test_unknown_freezegun(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """A future freezegun without the names that are replaced is refused by name, not patched in silence."""
        monkeypatch.delattr(freezegun.api, name)
        environment = dict(os.environ)
        with pytest.raises(TotphogError, match=rf"freezegun\.api has no {name}; take patch='time-machine'"):
            FrozenClock("2024-01-15T10:30:00Z", "freezegun")
        assert is_real()
        assert not hasattr(freezegun.api, name)
        monkeypatch.undo()
        assert freezegun.api.call_stack_inspection_limit == 5
        assert freezegun.api._get_fake_monotonic.__module__ == "freezegun.api"
        assert dict(os.environ) == environment

    @pytest.mark.usefixtures("zone")
    def test_module_that_cannot_be_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A module that answers freezegun's question for a name with an error stops it half-way."""
        touchy = ModuleType("touchy")
        touchy.__dir__ = lambda: ["later"]
        touchy.__getattr__ = lambda name: {}[name]
        before = process()
        with monkeypatch.context() as only_here:
            only_here.setitem(sys.modules, "touchy", touchy)
            with pytest.raises(KeyError):
                FrozenClock("2024-01-15T10:30:00Z", "freezegun")
            assert process() == before
            assert is_real()
        with FrozenClock("2024-01-15T10:30:00Z", "freezegun"):
            assert time.time() == FROZEN_AT

    def test_time_machine_inside_freezegun(self) -> None:
        """time-machine refuses to start inside freezegun, and says so; freezegun's freeze goes on and ends."""
        before = process()
        with freezegun.freeze_time("2001-01-01"):
            with pytest.raises(RuntimeError, match="freezegun is active"):
                FrozenClock("2024-01-15T10:30:00Z", "time-machine")
            assert time.time() == 978307200.0
        assert process() == before
