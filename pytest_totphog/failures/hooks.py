"""What pytest's reports say of codes: how many a test took, and what may explain its failure."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_totphog.failures.waiting import Waited
from pytest_totphog.settings import BATTERY_PROPERTY, FAILURE_PROPERTY, part_of_run

if TYPE_CHECKING:
    from pytest_totphog.failures.recorder import Recorder

__all__ = ["RecorderHooks"]

_waited_key = pytest.StashKey[Waited]()


class RecorderHooks:
    """A plugin of pytest's that reports what a recorder has recorded.

    Args:
        recorder: records what the running test takes.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write into a test's properties what was counted, and into the report of its failure what may explain it."""
        # In a test that is run again the first run's codes count as well.
        waited = item.stash.get(_waited_key, Waited()) + self._recorder.waited
        properties = [each for each in item.user_properties if each[0] not in waited.properties]
        if call.when == "setup":  # and its failure is taken back
            properties = [(name, "" if name == FAILURE_PROPERTY else value) for name, value in properties]
        item.user_properties[:] = [*properties, *(waited.properties.items() if waited != Waited() else ())]
        report = yield
        # A rule of the battery has evidence of its own.
        if report.failed and all(name != BATTERY_PROPERTY for name, _ in item.user_properties):
            self._explain(item, call, report)
        if call.when == "teardown":
            item.stash[_waited_key] = waited
            self._recorder.end(item.nodeid, part_of_run(item.config))
        return report

    def _explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        from pytest_totphog.failures.facts import FailedTest
        from pytest_totphog.failures.html import extra
        from pytest_totphog.failures.section import TITLE, section

        error = None if call.excinfo is None else call.excinfo.value
        fixtures: Mapping[str, object] = getattr(item, "funcargs", None) or {}
        # pytest tells of a test case's failure after its clean-ups.
        released = call.when == "teardown" or hasattr(getattr(item, "cls", None), "totp_replay_scope")
        test = FailedTest(item.nodeid, call.when, error, fixtures, released)
        try:
            failure = self._recorder.explain(test, part_of_run(item.config))
        except Exception as mistake:  # noqa: BLE001 # it would end the run, and hide the failure that is to be explained
            report.sections.append((TITLE, f"The facts are not known: {type(mistake).__name__}"))
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
