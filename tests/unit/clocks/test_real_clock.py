"""The real clock: no patch of the process reaches it."""

import subprocess
import sys
import time
from pathlib import Path

import freezegun
import pytest

from pytest_totphog.clocks import real_clock
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.clocks.patches import PatchName
from pytest_totphog.clocks.real_clock import RealClock

# An hour: the kernel's clock is exact to a second, and a machine may stand still for a while.
NEAR = 3600


@pytest.fixture(params=["kernel", "system"])
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RealClock:
    """The real clock, also where the kernel does not say when it was started."""
    if request.param == "system":
        monkeypatch.setattr(real_clock, "STAT", tmp_path / "stat")
    return RealClock()


def test_it_is_the_systems_time(clock: RealClock) -> None:
    """Unless somebody patches that."""
    assert abs(clock.time() - time.time()) < NEAR
    assert clock.mode == "live"


def test_freezegun_does_not_reach_it(clock: RealClock) -> None:
    """Not even where everything else stands still."""
    with freezegun.freeze_time("2050-01-01"):
        frozen, real = time.time(), clock.time()

    assert frozen == 2_524_608_000
    assert abs(real - time.time()) < NEAR


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_frozen_clock_does_not_reach_it(clock: RealClock, patch: PatchName) -> None:
    """Under every patch."""
    if patch == "time-machine":
        pytest.importorskip("time_machine")
    with FrozenClock("2050-01-01T00:00:00Z", patch=patch):
        real = clock.time()

    assert abs(real - time.time()) < NEAR


@pytest.mark.skipif(sys.platform != "linux", reason="libfaketime is used on Linux only")
def test_libfaketime_does_not_reach_it() -> None:
    """A server may be started with it as any program."""
    program = (
        "import time; from pytest_totphog.clocks.real_clock import RealClock; print(time.time(), RealClock().time())"
    )
    with FrozenClock("2050-01-01T00:00:00Z", patch=None) as frozen:
        output = subprocess.check_output([sys.executable, "-c", program], env=frozen.subprocess_env(), text=True)

    faked, real = map(float, output.split())
    assert faked == 2_524_608_000
    assert abs(real - time.time()) < NEAR


@pytest.mark.parametrize("uptime", ["", "soon"])
def test_kernel_that_says_something_else(
    clock: RealClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uptime: str
) -> None:
    """As a sandbox may: then it is the system's time."""
    (tmp_path / "uptime").write_text(uptime)
    monkeypatch.setattr(real_clock, "UPTIME", tmp_path / "uptime")

    assert abs(clock.time() - time.time()) < NEAR


def test_it_can_be_frozen(clock: RealClock) -> None:
    """As any clock."""
    clock.freeze("2050-01-01T00:00:00Z")

    assert clock.time() == 2_524_608_000
