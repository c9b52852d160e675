"""Time that somebody else has stopped: found out by looking at it, whoever it was."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

__all__ = ["mover", "stopped_by"]

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
