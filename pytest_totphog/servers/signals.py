"""The signals that end a process: blocked before any thread starts, and then waited for."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Self

__all__ = ["EndSignals"]

# Windows has none of it; there Ctrl-C is an exception.
POSIX: Final = hasattr(signal, "sigwait")


class EndSignals:
    """SIGINT, SIGTERM and SIGHUP, blocked in this thread and those that it starts until the block ends.

    A handler would run between two instructions of the main thread, which may be on its way into a wait that nothing
    ends then; and a signal that another thread receives wakes nothing.

    Args:
        others: further signals to wait for.
    """

    def __init__(self, *others: int) -> None:
        self._numbers = {signal.SIGINT, signal.SIGTERM, *others}
        # nohup ignores it, so that the process outlives the terminal.
        if POSIX and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._numbers.add(signal.SIGHUP)

    def __enter__(self) -> Self:
        if POSIX:
            self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)
        return self

    def __exit__(self, *exception: object) -> None:
        if POSIX:
            while signal.sigpending() & self._numbers:  # a second Ctrl-C
                self.wait()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def wait(self) -> int:
        """Return the number of the next signal, once it comes."""
        if POSIX:
            return signal.sigwait(self._numbers)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(1)
        return signal.SIGINT
