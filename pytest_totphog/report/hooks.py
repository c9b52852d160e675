"""What the plugin's hooks do for the battery's report; the plugin imports this when there is one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.conformance.rules import CHECKS
from pytest_totphog.conformance.subjects import Subject, subjects
from pytest_totphog.errors import InvalidInput
from pytest_totphog.failures.failure import Failure
from pytest_totphog.report.files import checked_path, write
from pytest_totphog.report.terminal import write_table
from pytest_totphog.settings import BATTERY_PROPERTY, FAILURE_PROPERTY, option, setting

__all__ = ["check_path", "summarise", "write_report"]

_path_key = pytest.StashKey[Path]()
_outcome_key = pytest.StashKey[str]()


def check_path(config: pytest.Config) -> None:
    """Look at what --totphog-report says, before the run.

    Raises:
        pytest.UsageError: when no report can be written there.
    """
    try:
        config.stash[_path_key] = checked_path(option(config, "report"))
    except InvalidInput as error:
        raise pytest.UsageError(f"{setting(config, 'report')}: {error}") from None


def write_report(session: pytest.Session, tests: Sequence[pytest.TestReport]) -> None:
    """Write the file that --totphog-report names; where that fails, so does the run.

    Args:
        session: the run that ends.
        tests: the last reports of the tests, of which those that failed tell why, see `Failure`.
    """
    config = session.config
    # A test that was run again has reported its first run too, and another worker may run a test of that name.
    last = {(report.nodeid, getattr(report, "worker_id", "")): report for report in tests}
    told = [
        value
        for report in last.values()
        for name, value in report.user_properties
        if name == FAILURE_PROPERTY and value
    ]
    failures = sorted((Failure.from_dict(json.loads(str(each))) for each in told), key=lambda failure: failure.test)
    try:
        write(config.stash[_path_key], _subjects(tests), Clock().now(), failures)
        config.stash[_outcome_key] = f"report written to {option(config, 'report')}"
    except OSError as error:
        config.stash[_outcome_key] = f"ERROR: no report: {error}"
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def summarise(reporter: pytest.TerminalReporter, tests: Sequence[pytest.TestReport]) -> None:
    """Write the table of what the battery found, and where the report is.

    Args:
        reporter: pytest's.
        tests: the last reports of the tests.
    """
    if found := _subjects(tests):
        write_table(reporter, found)
    if outcome := reporter.config.stash.get(_outcome_key, ""):
        reporter.write_sep("-", outcome, red=outcome.startswith("ERROR"))


def _subjects(tests: Sequence[pytest.TestReport]) -> list[Subject]:
    properties = [each for report in tests for each in report.user_properties]
    findings = [str(value) for name, value in properties if name == BATTERY_PROPERTY]
    return subjects(findings, [check.rule for check in CHECKS])
