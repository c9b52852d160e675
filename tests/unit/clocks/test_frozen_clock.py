"""The frozen clock: the wall clock of the process stands with it, and nothing else does."""

import gc
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import freezegun
import pytest

from pytest_totphog import Clock, FrozenClock, InvalidInput, MissingExtra
from pytest_totphog.clocks.clock import real_time_ns
from pytest_totphog.clocks.frozen_clock import companions_of
from pytest_totphog.clocks.patches import PatchName
from tests.support.system import require_libfaketime

SECONDS = 1_705_314_600.0
HALF_PAST_TEN = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)

every_patch = pytest.mark.parametrize("patch", ["freezegun", "time-machine", None])
every_real_patch = pytest.mark.parametrize("patch", ["freezegun", "time-machine"])


def is_real() -> bool:
    """Return whether the wall clock runs: it is years after the instants of these tests."""
    return time.time() > SECONDS + 86_400 * 365 and datetime.now(UTC).year > 2024


@every_patch
def test_clock_stands_still(patch: PatchName | None) -> None:
    """Where it was told to, whatever else stands."""
    with FrozenClock("2024-01-15T10:30:00Z", patch) as clock:
        assert isinstance(clock, Clock)
        assert clock.mode == "frozen"
        assert clock.time() == SECONDS
        assert clock.now() == HALF_PAST_TEN

    assert clock.mode == "live"


@every_real_patch
def test_wall_clock_stands_with_it(patch: PatchName) -> None:
    """In every way that Python tells the time, and runs again afterwards."""
    with FrozenClock(HALF_PAST_TEN, patch):
        assert time.time() == SECONDS
        assert time.time_ns() == 1_705_314_600_000_000_000
        assert datetime.now(UTC) == HALF_PAST_TEN
        assert time.gmtime()[:6] == (2024, 1, 15, 10, 30, 0)

    assert is_real()


def test_wall_clock_runs_on_without_a_patch() -> None:
    """Only what reads this clock stands still."""
    with FrozenClock(HALF_PAST_TEN, patch=None):
        assert is_real()


@every_patch
def test_other_clocks_run_on(patch: PatchName | None) -> None:
    """Time-outs are counted on them; they are read here until they have moved on."""
    with FrozenClock(HALF_PAST_TEN, patch):
        for clock in (time.monotonic, time.perf_counter, Clock.monotonic):
            before = clock()
            assert any(clock() > before for _ in range(1_000_000))
            assert clock() < before + 3600


@every_real_patch
def test_wall_clock_moves_with_it(patch: PatchName) -> None:
    """By hand, forward and back, to the microsecond."""
    with FrozenClock(HALF_PAST_TEN, patch) as clock:
        clock.tick(0.000_001)
        assert datetime.now(UTC) == HALF_PAST_TEN.replace(microsecond=1)

        clock.next_step()
        assert time.time() == SECONDS + 30

        clock.move_to("2020-01-01T00:00:00Z")
        assert datetime.now(UTC) == datetime(2020, 1, 1, tzinfo=UTC)

        clock.freeze("2030-01-01T00:00:00Z")
        assert datetime.now(UTC) == datetime(2030, 1, 1, tzinfo=UTC)

    assert is_real()


@every_real_patch
def test_other_threads_see_it(patch: PatchName) -> None:
    """An app under test in the same process runs in a thread of its own."""
    seen = []

    with FrozenClock(HALF_PAST_TEN, patch):
        thread = threading.Thread(target=lambda: seen.append(time.time()))
        thread.start()
        thread.join(10)

    assert seen == [SECONDS]


@every_real_patch
def test_waiting_moves_it_and_takes_no_time(patch: PatchName) -> None:
    """A token that asks for the next step gets it at once, and the app under test is there as well."""
    with FrozenClock(HALF_PAST_TEN, patch) as clock:
        assert clock.wait_until((1_705_314_600 + 3600) * 1_000_000_000, timeout=0) is True
        assert time.time() == SECONDS + 3600


@every_patch
def test_everything_runs_again_after_an_error(patch: PatchName | None) -> None:
    """Leaving the block unfreezes, whatever it is left with."""
    clock = FrozenClock(HALF_PAST_TEN, patch)

    with pytest.raises(LookupError), clock:
        raise LookupError

    assert clock.mode == "live"
    assert is_real()


@every_patch
def test_unfreezing_twice_does_nothing_more(patch: PatchName | None) -> None:
    """A test may unfreeze by hand before its fixture does."""
    clock = FrozenClock(HALF_PAST_TEN, patch)

    clock.unfreeze()
    clock.unfreeze()

    assert clock.mode == "live"
    assert is_real()


def test_clock_is_live_until_it_is_frozen() -> None:
    """Making one stops nothing."""
    clock = FrozenClock()

    assert clock.mode == "live"
    assert is_real()


def test_freezing_takes_nothing_along_unless_told() -> None:
    """Over HTTP somebody else's clock is frozen; that must not stop the time of this process."""
    clock = FrozenClock()

    clock.freeze(HALF_PAST_TEN)

    assert clock.mode == "frozen"
    assert is_real()


@every_real_patch
def test_freezing_a_frozen_clock_keeps_its_patch(patch: PatchName) -> None:
    """It only moves, and the wall clock with it."""
    with FrozenClock(HALF_PAST_TEN, patch) as clock:
        clock.freeze("2030-01-01T00:00:00Z")
        assert datetime.now(UTC).year == 2030

    assert is_real()


@every_patch
def test_freezing_again_after_unfreezing_keeps_its_patch(patch: PatchName | None) -> None:
    """Whatever it was made with, until it is given another."""
    with FrozenClock(HALF_PAST_TEN, patch) as clock:
        clock.unfreeze()
        clock.freeze(HALF_PAST_TEN)
        assert companions_of(clock).patch == patch
        assert is_real() is (patch is None)

        clock.freeze(HALF_PAST_TEN, patch=None)
        assert companions_of(clock).patch is None
        assert is_real()

        clock.unfreeze()
        clock.freeze(HALF_PAST_TEN)
        assert is_real()


def test_clock_frozen_inside_a_freeze_of_the_users() -> None:
    """It goes before, and what it found is there again afterwards."""
    with freezegun.freeze_time("2020-01-01T00:00:00Z"):
        with FrozenClock(HALF_PAST_TEN):
            assert time.time() == SECONDS

        assert datetime.now(UTC) == datetime(2020, 1, 1, tzinfo=UTC)

    assert is_real()


@pytest.mark.parametrize("at", ["2024-01-15T10:30:00", "soon", -1, float("nan"), True])
def test_refused_instant_stops_nothing(at: Any) -> None:
    """The error comes before anything is frozen."""
    with pytest.raises(InvalidInput):
        FrozenClock(at)

    assert is_real()


@pytest.mark.parametrize("patch", ["libfaketime", "", "FREEZEGUN", 1])
def test_unknown_patch_stops_nothing(patch: PatchName) -> None:
    """The message says which there are."""
    with pytest.raises(InvalidInput, match=r"^patch is .+; accepted are 'auto', 'time-machine', 'freezegun' and None$"):
        FrozenClock(HALF_PAST_TEN, patch)

    assert is_real()


def test_missing_time_machine_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader can copy the command from the message, and the clock is still live."""
    monkeypatch.setitem(sys.modules, "time_machine", None)
    clock = FrozenClock()

    with pytest.raises(MissingExtra) as caught:
        clock.freeze(HALF_PAST_TEN, patch="time-machine")

    assert str(caught.value) == (
        "patch='time-machine' needs time-machine; install it with: pip install 'pytest-totphog[time-machine]'"
    )
    assert clock.mode == "live"
    assert is_real()


def test_patch_unless_said_is_the_best_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """time-machine leaves nothing behind; freezegun is always there, and works inside somebody's `freeze_time()`."""
    with FrozenClock(SECONDS) as clock:
        assert companions_of(clock).patch == "time-machine"
        clock.freeze(SECONDS, "auto")
        assert companions_of(clock).patch == "time-machine"
    with freezegun.freeze_time("2001-01-01"), FrozenClock(SECONDS) as clock:
        assert companions_of(clock).patch == "freezegun"
    monkeypatch.setitem(sys.modules, "time_machine", None)
    with FrozenClock(SECONDS) as clock:
        assert companions_of(clock).patch == "freezegun"


@pytest.mark.parametrize("patch", ["freezegun", "time-machine", None])
def test_patch_is_told(patch: PatchName | None) -> None:
    """While the clock is frozen; a live one has none."""
    with FrozenClock(SECONDS, patch) as clock:
        assert companions_of(clock).patch == patch
        clock.unfreeze()
        assert companions_of(clock).patch is None


@pytest.mark.parametrize("patch", ["freezegun", "time-machine", None])
def test_real_time_can_be_read_all_the_same(patch: PatchName | None) -> None:
    """Whatever makes the process's wall clock stand, for who compares it with other machines' clocks."""
    before = time.time_ns()
    with FrozenClock(SECONDS, patch):
        real = real_time_ns()
    assert before <= real <= time.time_ns()


def test_repr_says_mode_and_time() -> None:
    """A failing assertion shows where the clock stands."""
    with FrozenClock(HALF_PAST_TEN, patch=None) as clock:
        assert repr(clock) == "<FrozenClock frozen at 2024-01-15T10:30:00+00:00>"


def told(environment: dict[str, str]) -> str:
    """Return what processes with this environment read in place of the time."""
    return Path(environment["FAKETIME_TIMESTAMP_FILE"]).read_text().strip()


@every_patch
def test_other_processes_are_told_every_change(patch: PatchName | None) -> None:
    """Whatever else stands still, and whichever way the clock is moved."""
    require_libfaketime()
    with FrozenClock(HALF_PAST_TEN, patch) as clock:
        environment = clock.subprocess_env()
        assert told(environment) == "1705314600.0000000005"

        clock.tick(0.25)
        assert told(environment) == "1705314600.2500000005"

        clock.next_step()
        assert told(environment) == "1705314630.0000000005"

        clock.move_to("2020-01-01T00:00:00Z")
        assert told(environment) == "1577836800.0000000005"

        clock.wait_until(1_577_836_890 * 1_000_000_000, timeout=0)
        assert told(environment) == "1577836890.0000000005"

        clock.unfreeze()
        assert told(environment) == "+0"

        clock.freeze("2030-01-01T00:00:00Z", patch)
        assert told(environment) == "1893456000.0000000005"


def test_other_processes_have_the_real_time_while_the_clock_is_live() -> None:
    """They may be started long before the first freeze."""
    require_libfaketime()
    with FrozenClock() as clock:
        environment = clock.subprocess_env()
        assert told(environment) == "+0"

        clock.freeze(HALF_PAST_TEN)
        assert told(environment) == "1705314600.0000000005"


def test_all_processes_of_a_clock_read_one_file() -> None:
    """Another clock has another."""
    require_libfaketime()
    with FrozenClock() as clock, FrozenClock() as other:
        first, second, another = clock.subprocess_env(), clock.subprocess_env(), other.subprocess_env()
        assert first == second
        assert first["FAKETIME_TIMESTAMP_FILE"] != another["FAKETIME_TIMESTAMP_FILE"]


def test_file_is_gone_after_the_block() -> None:
    """What still runs finds none, which means the real time; the clock can be used again and makes a new one."""
    require_libfaketime()
    with FrozenClock(HALF_PAST_TEN) as clock:
        path = Path(clock.subprocess_env()["FAKETIME_TIMESTAMP_FILE"])
    assert not path.parent.exists()

    with clock:
        clock.freeze(HALF_PAST_TEN)
        assert told(clock.subprocess_env()) == "1705314600.0000000005"


@pytest.fixture
def importing_collector() -> Iterator[None]:
    """A garbage collection that imports something each time, as a thread that gets its turn in it may."""
    names: list[str] = []
    threshold = gc.get_threshold()

    def import_something(_phase: str, _info: Any) -> None:
        names.append(f"imported_by_the_collector_{len(names)}")
        sys.modules[names[-1]] = ModuleType(names[-1])

    gc.callbacks.append(import_something)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*threshold)
    gc.callbacks.remove(import_something)
    for name in names:
        del sys.modules[name]


@pytest.mark.usefixtures("importing_collector")
def test_module_imported_while_freezegun_looks_through_them() -> None:
    """Before Python 3.12, a collection that came while freezegun listed the modules made the freeze fail."""
    garbage = [(number, number) for number in range(5000)]
    with FrozenClock(HALF_PAST_TEN) as clock:
        assert clock.mode == "frozen"
    assert is_real()
    assert len(garbage) == 5000
