"""What stands still: the wall clock of the test process, and when it runs again."""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from datetime import datetime as datetime_under_another_name
from multiprocessing.pool import ThreadPool
from time import time as time_bound_at_import
from types import ModuleType
from typing import Any

import freezegun.config
import pytest
import requests

from pytest_totphog import ClockNotFrozen, FrozenClock, TotpServer

FROZEN_AT = 1705314600.0  # 2024-01-15T10:30:00Z
YEAR_2025 = 1735689600.0  # any real time is later


@pytest.fixture(params=["freezegun", "time-machine"])
def patch(request: pytest.FixtureRequest) -> Any:
    """What stands still besides server and tokens."""
    return request.param


@pytest.fixture
def clock(request: pytest.FixtureRequest, patch: Any) -> Any:
    """The frozen clock under each patch, at 2024-01-15T10:30:00Z."""
    request.applymarker(pytest.mark.frozen_clock(patch=patch))
    return request.getfixturevalue("frozen_clock")


def module(name: str, source: str) -> Any:
    """Return a new module, as an import would make it."""
    made = ModuleType(name)
    exec(source, vars(made))
    return made


@pytest.mark.usefixtures("clock")
def test_time_and_datetime_stand_still() -> None:
    """Every way to ask Python for the time gives the frozen instant."""
    assert time.time() == FROZEN_AT
    assert time.time_ns() == 1705314600_000_000_000
    assert time.gmtime()[:6] == (2024, 1, 15, 10, 30, 0)
    assert datetime.now(UTC) == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert datetime.fromtimestamp(time.time(), UTC).isoformat() == "2024-01-15T10:30:00+00:00"


def test_moves_with_the_clock(clock: FrozenClock) -> None:
    """tick, next_step and move_to take the process with them at once, also back."""
    clock.tick(0.25)
    assert time.time() == FROZEN_AT + 0.25
    clock.next_step()
    assert time.time() == FROZEN_AT + 30
    clock.move_to("2023-12-31T23:59:59+00:00")
    assert datetime.now(UTC).isoformat() == "2023-12-31T23:59:59+00:00"


@pytest.mark.usefixtures("clock")
def test_references_bound_at_import_stand_still() -> None:
    """`from time import time` and `from datetime import datetime`, done long before, are no way around it."""
    assert time_bound_at_import() == FROZEN_AT
    assert datetime_under_another_name.now(UTC).year == 2024


def test_module_imported_meanwhile_is_released_too(clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is first imported while time stands still has the real time afterwards."""
    late = module("late", "from time import time\nfrom datetime import datetime")
    monkeypatch.setitem(sys.modules, "late", late)
    assert (late.time(), late.datetime.now(UTC).year) == (FROZEN_AT, 2024)
    clock.unfreeze()
    assert late.time() > YEAR_2025
    assert late.datetime.now(UTC).year > 2024


def test_threads_that_run_already_see_it(patch: Any) -> None:
    """A thread that was started before the freeze has the frozen time, and the real one after it."""
    with ThreadPoolExecutor(max_workers=1) as running:
        assert running.submit(time.time).result() > YEAR_2025
        with FrozenClock("2024-01-15T10:30:00Z", patch) as clock:
            assert running.submit(time.time).result() == FROZEN_AT
            clock.tick(5)
            assert running.submit(datetime.now, UTC).result().second == 5
        assert running.submit(time.time).result() > YEAR_2025


@pytest.mark.usefixtures("clock")
def test_functions_called_from_exempt_modules_see_it() -> None:
    """A pool of multiprocessing's threads runs what it is given in frozen time: only the direct caller counts."""
    with ThreadPool(1) as pool:
        assert pool.apply(lambda: (time.time(), datetime.now(UTC).year)) == (FROZEN_AT, 2024)


@pytest.mark.usefixtures("clock")
def test_asyncio_sees_the_frozen_time() -> None:
    """Coroutines and the threads of an executor have the frozen time."""

    async def main() -> Any:
        return time.time(), await asyncio.to_thread(time.time), await asyncio.to_thread(datetime.now, UTC)

    assert asyncio.run(main()) == (FROZEN_AT, FROZEN_AT, datetime(2024, 1, 15, 10, 30, tzinfo=UTC))


def test_monotonic_clocks_make_no_jump(patch: Any) -> None:
    """A duration that spans the freeze is neither negative nor years long."""
    started = (time.monotonic(), time.perf_counter())
    with FrozenClock("2124-01-15T10:30:00Z", patch):
        inside = (time.monotonic(), time.perf_counter())
    ended = (time.monotonic(), time.perf_counter())
    for before, between, after in zip(started, inside, ended, strict=True):
        assert before <= between <= after < before + 3600


@pytest.mark.parametrize("name", ["gifts", "queues", "threading_shop", "multiprocessing_shop"])
def test_apps_named_like_exempt_modules_see_it(monkeypatch: pytest.MonkeyPatch, patch: Any, name: str) -> None:
    """What freezegun exempts is `gi` and `queue`, not every app whose name begins like theirs."""
    app = module(name, "import time\nfrom time import time as bound\ndef now(): return time.time(), bound()")
    monkeypatch.setitem(sys.modules, name, app)
    with FrozenClock("2024-01-15T10:30:00Z", patch):
        assert app.now() == (FROZEN_AT, FROZEN_AT)
    assert min(app.now()) > YEAR_2025


def test_modules_that_the_user_exempts_see_the_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that counts its time-outs on time.time is exempted through freezegun's own configuration."""
    driver = module("driver", "import time\ndef now(): return time.time()")
    monkeypatch.setitem(sys.modules, "driver", driver)
    freezegun.config.configure(extend_ignore_list=["driver"])
    try:
        with FrozenClock("2024-01-15T10:30:00Z", "freezegun"):
            assert driver.now() > YEAR_2025
            assert time.time() == FROZEN_AT
    finally:
        freezegun.config.reset_config()


@pytest.mark.frozen_clock(patch=None)
def test_runs_on_without_a_patch(frozen_clock: FrozenClock) -> None:
    """With patch=None the clock alone stands still."""
    assert frozen_clock.time() == FROZEN_AT
    assert time.time() > YEAR_2025
    assert datetime.now(UTC).year > 2024


def test_unfreezing_in_the_middle_of_a_test(clock: FrozenClock) -> None:
    """The process and the clock get the real time back, and the clock no longer moves by hand."""
    clock.unfreeze()
    assert time.time() > YEAR_2025
    assert datetime.now(UTC).year > 2024
    assert clock.time() > YEAR_2025
    with pytest.raises(ClockNotFrozen, match="this one is live"):
        clock.tick()


def test_unfreezing_and_freezing_again(clock: FrozenClock, patch: Any) -> None:
    """A released clock can be frozen again, with its patch."""
    clock.unfreeze()
    clock.freeze("2024-02-01T00:00:00Z", patch)
    assert time.time() == clock.time() == 1706745600.0


@pytest.mark.usefixtures("clock")
def test_unfreezing_over_http(totp_server: TotpServer) -> None:
    """DELETE /clock releases the whole process, although it is the server's thread that does it."""
    released = requests.delete(f"{totp_server.api_url}/clock", timeout=5).json()
    assert released["mode"] == "live"
    assert time.time() > YEAR_2025


def test_freezing_with_another_patch_changes_it(patch: Any) -> None:
    """A patch that is asked for is never dropped because the clock is frozen already."""
    with FrozenClock("2024-01-15T10:30:00Z", patch=None) as clock:
        clock.freeze("2024-01-15T10:30:10Z", patch)
        assert time.time() == clock.time() == FROZEN_AT + 10
        clock.freeze("2024-01-15T10:30:20Z")
        assert time.time() == clock.time() == FROZEN_AT + 20
    assert time.time() > YEAR_2025
