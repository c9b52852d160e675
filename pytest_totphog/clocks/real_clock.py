"""Real time: the kernel's clock, which no patch of this process reaches."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pytest_totphog.clocks.clock import Clock, real_time_ns
from pytest_totphog.clocks.instants import NANOSECONDS

__all__ = ["RealClock"]

# When the kernel was started, and how long that is ago: texts that neither libfaketime nor Python's patches change.
STAT: Final = Path("/proc/stat")
UPTIME: Final = Path("/proc/uptime")


class RealClock(Clock):
    """A clock that runs on while freezegun, time-machine or libfaketime stop or shift the process's time.

    It is exact to a second, and does not follow when the machine's clock is set. Where the kernel does not say
    when it was started, which only Linux does, it is the system's clock past freezegun and time-machine.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            words = STAT.read_bytes().split()
            self._booted_at = int(words[words.index(b"btime") + 1]) * NANOSECONDS
        except (OSError, LookupError, ValueError):
            self._booted_at = 0

    def time_ns(self) -> int:
        """Return the time as whole nanoseconds since the epoch."""
        if (frozen_at := self.frozen_at) is not None:
            return frozen_at
        if self._booted_at:
            try:
                return self._booted_at + round(float(UPTIME.read_bytes().split()[0]) * NANOSECONDS)
            except (OSError, LookupError, ValueError):
                pass
        return real_time_ns()
