"""The battery's table in pytest's terminal summary."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

import pytest

from pytest_totphog.conformance.finding import Finding, Verdict
from pytest_totphog.conformance.odds import sentence
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report import wording

__all__ = ["write_table"]

_COLOURS: Final = {
    Verdict.PASSED: {"green": True},
    Verdict.FAILED: {"red": True, "bold": True},
    Verdict.SKIPPED: {"yellow": True},
    Verdict.WAIVED: {"yellow": True},
}
_INDENT: Final = 22


def write_table(reporter: pytest.TerminalReporter, subjects: Sequence[Subject]) -> None:
    """Write a table of rules, verdicts and reasons for each login, and below it what was measured.

    Args:
        reporter: pytest's, which knows the width and whether there are colours.
        subjects: the logins.
    """
    reporter.write_sep("=", "TOTP battery")
    for subject in subjects:
        heading = f"{subject.name}, profile {subject.profile}" if subject.profile else subject.name
        reporter.write_line("")
        reporter.write_line(textwrap.fill(wording.printable(heading), _width(reporter)), bold=True)
        reporter.write_line("")
        if subject.problem:
            _write_fact(reporter, "problem", f"no rule was judged: {subject.problem}")
        if subject.findings:
            _write_findings(reporter, subject)


def _write_findings(reporter: pytest.TerminalReporter, subject: Subject) -> None:
    for finding in subject.findings:
        _write_row(reporter, finding)
    reporter.write_line("")
    _write_fact(reporter, "rules", wording.counts([subject]))
    if subject.not_run:
        _write_fact(reporter, "not run", ", ".join(rule.id for rule in subject.not_run))
    _write_fact(reporter, "window", wording.window(subject.measured))
    _write_fact(reporter, "throttle", wording.throttle(subject))
    _write_fact(reporter, "odds", sentence(subject.met))


def _write_row(reporter: pytest.TerminalReporter, finding: Finding) -> None:
    """Write a rule: its title when it passed, and why when it did not."""
    verdict = finding.verdict
    text = finding.rule.title if verdict is Verdict.PASSED else finding.summary
    first, *more = _wrap(reporter, text, _INDENT)
    reporter.write(f"{finding.rule.id:<5}")
    reporter.write(f"{verdict.value.upper() if verdict is Verdict.FAILED else verdict.value:<9}", **_COLOURS[verdict])
    reporter.write_line(f"{finding.rule.level.value:<8}{first}")
    for line in more:
        reporter.write_line(line)


def _write_fact(reporter: pytest.TerminalReporter, name: str, text: str) -> None:
    first, *more = _wrap(reporter, text, 10)
    reporter.write_line(f"{name:<10}{first}")
    for line in more:
        reporter.write_line(line)


def _wrap(reporter: pytest.TerminalReporter, text: str, indent: int) -> list[str]:
    """Return a text's lines below each other in a column; the first, without its indent, is never missing."""
    lines = textwrap.wrap(
        wording.printable(text),
        _width(reporter),
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
    return [lines[0][indent:], *lines[1:]] if lines else [""]


def _width(reporter: pytest.TerminalReporter) -> int:
    # One less than the terminal has, as pytest's own lines: some begin a new line after the last column.
    return max(40, min(reporter._tw.fullwidth, 100) - 1)  # noqa: SLF001 # pytest tells the width nowhere else
