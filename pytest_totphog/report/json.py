"""The battery's report as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pytest_totphog.conformance.finding import Finding, Rule
from pytest_totphog.conformance.odds import Odds
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.failures.causes import causes
from pytest_totphog.failures.failure import Failure
from pytest_totphog.report.links import source_url
from pytest_totphog.version import __version__

__all__ = ["VERSION", "battery", "render", "verdict"]

VERSION: Final = 1
"""The version of the format; it grows when something is renamed or removed, not when something is added."""


def render(subjects: Sequence[Subject], created_at: datetime, failures: Sequence[Failure] = ()) -> str:
    """Return the report as JSON; docs/battery-report.md describes it."""
    report = {
        "version": VERSION,
        "tool": {"name": "pytest-totphog", "version": __version__},
        "created_at": created_at.isoformat(timespec="seconds"),
        "battery": battery(subjects),
        "tests": [{**failure.as_dict(), "causes": causes(failure)} for failure in failures],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def battery(subjects: Sequence[Subject]) -> dict[str, Any]:
    """Return the battery's section of the report."""
    return {"subjects": [_subject(subject) for subject in subjects]}


def verdict(finding: Finding) -> dict[str, Any]:
    """Return a finding, with its rule."""
    return {
        "rule": _rule(finding.rule),
        "verdict": finding.verdict.value,
        "summary": finding.summary,
        "evidence": list(finding.evidence),
    }


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "file": subject.file,
        "line": subject.line,
        "profile": subject.profile,
        "counts": {name.replace(" ", "_"): count for name, count in subject.counts().items()},
        "problem": subject.problem or None,
        "measured": subject.measured.as_dict(),
        "throttle_avoided": list(subject.avoided),
        "odds": [
            {
                "requests_per_second": odds.rate,
                "seconds": odds.seconds,
                "guesses": odds.guesses,
                "chance": float(f"{odds.chance:.4g}"),
            }
            for odds in Odds.of(subject.met)
        ],
        "findings": [verdict(finding) for finding in subject.findings],
        "not_run": [rule.id for rule in subject.not_run],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "level": rule.level.value,
        "source": rule.source,
        "section": rule.section,
        "url": source_url(rule),
        "explanation": rule.explanation,
        "cves": list(rule.cves),
    }
