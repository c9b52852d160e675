"""The recorder: what the running test takes of the plugin, and what its reports show of that."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest

from pytest_totphog.clocks.frozen_clock import FrozenClock, companions_of, overruled_by
from pytest_totphog.failures.usage import KEPT_CODES, Usage
from pytest_totphog.failures.waiting import Waited
from pytest_totphog.settings import FAILURE_PROPERTY, part_of_run

if TYPE_CHECKING:
    from pytest_totphog.authenticator.codes import TakenCode
    from pytest_totphog.stores.ledger import Ledger

__all__ = ["Recorder"]


class Recorder:
    """Records which codes the running test takes, and how it moves the clock; a plugin of pytest's, that reports it.

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
        self._waited_key = pytest.StashKey[Waited]()
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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write into a test's properties what was counted, and into the report of its failure what may explain it."""
        # In a test that is run again the first run's codes count as well.
        waited = item.stash.get(self._waited_key, Waited()) + self._usage.waited
        properties = [each for each in item.user_properties if each[0] not in waited.properties]
        if call.when == "setup":  # and its failure is taken back
            properties = [(name, "" if name == FAILURE_PROPERTY else value) for name, value in properties]
        item.user_properties[:] = [*properties, *(waited.properties.items() if waited != Waited() else ())]
        report = yield
        if report.failed:
            self._explain(item, call, report)
        if call.when == "teardown":
            item.stash[self._waited_key] = waited
            with self._lock:
                record, self._usage = self._usage, self._new_usage()
            self.earlier.extend((code, item.nodeid, part_of_run(item.config)) for code in record.codes)
        return report

    def _explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        from pytest_totphog.failures.facts import Surroundings, failure_of
        from pytest_totphog.failures.html import extra
        from pytest_totphog.failures.section import TITLE, section

        with self._lock:
            usage = self._usage.copy()
        try:
            part = part_of_run(item.config)
            remembered = [(code, test) for code, test, when in self.earlier if when == part]
            around = Surroundings(self.clock, self.ledger, self.app_url, self.server, remembered)
            failure = failure_of(item, call, usage, around)
        except Exception as error:  # noqa: BLE001 # it would end the run, and hide the failure that is to be explained
            report.sections.append((TITLE, f"The facts are not known: {type(error).__name__}"))
            return
        if failure is None:
            return
        report.sections.append((TITLE, section(failure)))
        # The item's are those of the reports to come.
        for properties in (item.user_properties, report.user_properties):
            properties[:] = [each for each in properties if each != (FAILURE_PROPERTY, "")]
            properties.append((FAILURE_PROPERTY, json.dumps(failure.as_dict())))
        if item.config.getoption("htmlpath", default=None):
            # Where pytest-html looks, also where pytest-xdist has carried it.
            vars(report).setdefault("extras", []).append(extra(failure))

    def _new_usage(self) -> Usage:
        usage = Usage()
        usage.show(self.clock.frozen_at, companions_of(self.clock).patch)
        return usage
