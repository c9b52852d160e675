"""How many one-time codes tests took, and how long they waited for them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pytest_totphog.one_time_code import OneTimeCode

__all__ = ["CODES", "Waiting", "summary"]

# The names of the properties of a test's report, which JUnit XML carries too.
CODES: Final = "totphog_one_time_codes"
WAITED_FOR: Final = "totphog_codes_waited_for"
SECONDS: Final = "totphog_waited_seconds"


@dataclass(frozen=True)
class Waited:
    """What one test waited.

    Attributes:
        codes: how many codes it took.
        waited_for: how many of them were waited for.
        seconds: how long, in all, real seconds.
    """

    codes: int = 0
    waited_for: int = 0
    seconds: float = 0.0

    def __add__(self, other: Waited) -> Waited:
        return Waited(self.codes + other.codes, self.waited_for + other.waited_for, self.seconds + other.seconds)


class Waiting:
    """Counts the codes that the running test takes, in any thread; a plugin of pytest's, that reports them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = Waited()
        self._item_key = pytest.StashKey[Waited]()

    def record(self, code: OneTimeCode) -> None:
        """Count a code that was just handed out."""
        # What is shorter would be told as 0.0 s.
        one = Waited(1, int(code.waited_seconds >= 0.05), code.waited_seconds)
        with self._lock:
            self._running += one

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> None:
        """Write what was counted into the properties of a test; a test that took no code gets none."""
        with self._lock:
            running, self._running = self._running, Waited()
        waited = item.stash[self._item_key] = item.stash.get(self._item_key, Waited()) + running
        if waited.codes:
            own = {CODES: waited.codes, WAITED_FOR: waited.waited_for, SECONDS: round(waited.seconds, 1)}
            item.user_properties[:] = [each for each in item.user_properties if each[0] not in own] + [*own.items()]


def summary(reports: Iterable[pytest.TestReport]) -> str:
    """Return a line about all tests of a run.

    Args:
        reports: the tests' last reports, of those that took codes.
    """
    # A test that was run again has reported its first run too, and another worker may run a test of that name.
    last = {(report.nodeid, getattr(report, "worker_id", "")): report for report in reports}
    tests = [(_waited(report), report.nodeid) for report in last.values()]
    total = sum((waited for waited, _ in tests), Waited())
    line = f"totphog: {total.codes} one-time code{'s' if total.codes != 1 else ''}"
    if not total.waited_for:
        return f"{line}, none waited for"
    slowest, nodeid = max(tests, key=lambda test: test[0].seconds)
    return (
        f"{line}, {total.seconds:.1f} s waited for {total.waited_for} of them; "
        f"slowest test {nodeid}, {slowest.seconds:.1f} s"
    )


def _waited(report: pytest.TestReport) -> Waited:
    properties = dict(report.user_properties)
    return Waited(int(str(properties[CODES])), int(str(properties[WAITED_FOR])), float(str(properties[SECONDS])))
