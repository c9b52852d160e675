"""The recorder: what the running test takes, and what may explain its failure."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_totphog.clocks.frozen_clock import FrozenClock, companions_of, overruled_by
from pytest_totphog.failures.usage import KEPT_CODES, Usage
from pytest_totphog.failures.waiting import Waited

if TYPE_CHECKING:
    from pytest_totphog.authenticator.codes import TakenCode
    from pytest_totphog.failures.facts import FailedTest
    from pytest_totphog.failures.failure import Failure
    from pytest_totphog.stores.ledger import Ledger

__all__ = ["Recorder"]


class Recorder:
    """Records which codes the running test takes, and how it moves the clock.

    Args:
        clock: the one that all codes of this process follow.
        ledger: gives the ledger of what was handed out, when it is needed.
        app_url: where the app under test is; if empty, where the test's fixtures show one; None to compare none.
        server: the URL of the shared server; empty without one.

    Attributes:
        earlier: the latest codes of the tests before the running one, each with the test that took it, and the part of
            the run for which the app remembers it.
    """

    def __init__(
        self, clock: FrozenClock, ledger: Callable[[], Ledger], app_url: str | None = "", server: str = ""
    ) -> None:
        self.clock = clock
        self.ledger = ledger
        self.app_url = app_url
        self.server = server
        self.earlier: deque[tuple[TakenCode, str, str]] = deque(maxlen=KEPT_CODES)
        self._lock = threading.Lock()
        self._usage = self._new_usage()
        clock.followers.add(self)

    def record(self, code: TakenCode) -> None:
        """Record a code that was just taken, in any thread."""
        by = self._usage.overruled_by or overruled_by(self.clock)
        with self._lock:
            self._usage.add(code)
            self._usage.overruled_by = by

    def follow(self) -> None:
        """Record where the clock stands."""
        with self._lock:
            self._usage.show(self.clock.frozen_at, companions_of(self.clock).patch)

    def wait(self, waited: Waited) -> None:
        """Record a wait that no token knows of, in any thread."""
        with self._lock:
            self._usage.waited += waited

    @property
    def waited(self) -> Waited:
        """How many one-time codes the running test took, and how long it waited for them."""
        return self._usage.waited

    def explain(self, test: FailedTest, part: str) -> Failure | None:
        """Return what may explain the failure of the running test; None when there is nothing to tell.

        Args:
            test: the test.
            part: the part of the run for which the app remembers its codes.
        """
        from pytest_totphog.failures.facts import Surroundings, failure_of

        with self._lock:
            usage = self._usage.copy()
        remembered = [(code, name) for code, name, when in self.earlier if when == part]
        around = Surroundings(self.clock, self.ledger, self.app_url, self.server, remembered)
        return failure_of(test, usage, around)

    def end(self, test: str, part: str) -> None:
        """Let the running test end: what is recorded from now on is the next one's.

        Args:
            test: its name.
            part: see `explain`.
        """
        with self._lock:
            usage, self._usage = self._usage, self._new_usage()
        self.earlier.extend((code, test, part) for code in usage.codes)

    def _new_usage(self) -> Usage:
        usage = Usage()
        usage.show(self.clock.frozen_at, companions_of(self.clock).patch)
        return usage
