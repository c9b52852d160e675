"""The battery's failures as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from pytest_totphog.conformance.finding import Finding, Level, Rule, Verdict
from pytest_totphog.conformance.subjects import Subject, number
from pytest_totphog.failures.failure import Failure
from pytest_totphog.report import wording
from pytest_totphog.report.links import advisory_url, citation, source_url
from pytest_totphog.version import __version__

__all__ = ["render"]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# SARIF's severities.
_LEVELS: Final = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "note"}


def render(subjects: Sequence[Subject], created_at: datetime, _: Sequence[Failure] = ()) -> str:
    """Return a SARIF log of one run: what failed as results, and every verdict in the run's property bag.

    Tests that failed are not in it: a code that has expired is no weakness of the code that is scanned.

    A result with the kind "pass" is what SARIF has for a rule that is kept, but GitHub shows each result as an alert,
    whatever its kind.
    """
    judged = {finding.rule.id: finding.rule for subject in subjects for finding in subject.findings}
    rules = sorted(judged.values(), key=number)
    indices = {rule.id: index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "pytest-totphog",
                "version": __version__,
                "informationUri": "https://pypi.org/project/pytest-totphog/",
                "rules": [_descriptor(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": "totphog-battery/"},
        "invocations": [
            {
                "executionSuccessful": not any(subject.not_run for subject in subjects),
                "endTimeUtc": f"{created_at:%Y-%m-%dT%H:%M:%SZ}",
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"{subject.name}: no rule was judged: {subject.problem}"}}
                    for subject in subjects
                    if subject.problem
                ],
            }
        ],
        "results": [
            _result(subject, finding, indices[finding.rule.id])
            for subject in subjects
            for finding in subject.with_verdict(Verdict.FAILED)
        ],
        "properties": {"subjects": [_verdicts(subject) for subject in subjects]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _descriptor(rule: Rule) -> dict[str, Any]:
    """Return a rule as SARIF's reportingDescriptor."""
    source = f"{rule.level.value} in {citation(rule)}."
    cves = f" Advisories: {', '.join(rule.cves)}." if rule.cves else ""
    url = source_url(rule)
    linked = f"{rule.level.value} in [{citation(rule)}]({url})." if url else source
    linked_cves = ", ".join(f"[{cve}]({advisory_url(cve)})" for cve in rule.cves)
    if linked_cves:
        linked += f" Advisories: {linked_cves}."
    descriptor: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation or rule.title},
        "help": {
            "text": f"{rule.explanation}\n\n{source}{cves}",
            "markdown": f"{rule.explanation}\n\n{linked}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"tags": ["security", "authentication", *rule.cves]},
    }
    return descriptor | ({"helpUri": url} if url else {})


def _result(subject: Subject, finding: Finding, index: int) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "kind": "fail",
        "level": _LEVELS[finding.rule.level],
        "message": {
            "text": "\n".join([wording.as_sentence(finding.summary), *(f"- {line}" for line in finding.evidence)])
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(subject.file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": subject.line},
                },
                "logicalLocations": [{"fullyQualifiedName": subject.name, "kind": "type"}],
            }
        ],
    }


def _verdicts(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "profile": subject.profile,
        "verdicts": {finding.rule.id: f"{finding.verdict.value}: {finding.summary}" for finding in subject.findings},
        "notRun": [rule.id for rule in subject.not_run],
        "window": wording.window(subject.measured),
        "throttle": wording.throttle(subject),
    }
