"""Time that something else has stopped: found out by looking at it, whatever it was."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from typing import Final

from pytest_totphog.errors import ClockHeld

__all__ = ["mover", "require_own_time", "stopped_by"]

# Seconds in which every system's wall clock moves: the coarsest ticks every 16 ms.
RESOLUTION: Final = 0.02


def stopped_by(monotonic: Callable[[], float]) -> str:
    """Return what keeps this process's wall clock from moving; empty, and at once, where it moves.

    Args:
        monotonic: a clock that runs, in seconds.
    """
    stood_at, started = time.time_ns(), monotonic()
    while time.time_ns() == stood_at:
        if monotonic() - started >= RESOLUTION:
            return mover()
    return ""


def mover() -> str:
    """Return what shows this process another time than the real one, as far as it is known."""
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return "freezegun"
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return "time-machine"
    return "something else"


def require_own_time(by: str, patch: str | None, fixtures: Collection[str]) -> None:
    """Do nothing, unless frozen_clock would freeze time that something else has stopped, or would move.

    Args:
        by: what keeps the wall clock from moving, see `stopped_by`.
        patch: what else is to stand still.
        fixtures: the names of the test's fixtures.

    Raises:
        ClockHeld: when it would.
    """
    if patch == "freezegun" and (by == "time-machine" or "time_machine" in fixtures):
        raise ClockHeld(
            "time-machine moves the time of this test, and does not reach what freezegun has stopped; let frozen_clock "
            "stop it by time-machine too: --totphog-clock-patch time-machine"
        )
    # time-machine nests; and without a patch the process's time is left to whom it belongs.
    if by not in {"", "time-machine"} and patch is not None:
        raise ClockHeld(
            f"time is stopped by {by}, not by frozen_clock; take one of them. frozen_clock stops time.time and "
            "datetime too, and its tick(), move_to() and one_time_code() move them"
        )
