"""The logins that the battery ran against, put together again from what its tests reported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from pytest_totphog.conformance.finding import Finding, Measured, Rule, Verdict
from pytest_totphog.settings import BATTERY_PROPERTY

__all__ = ["Subject", "number", "record", "subjects"]

"""The name of the user properties that a rule's test reports with, so that pytest-xdist and JUnit XML have them."""

# Where one of them is broken, a guesser has a way around the throttle: new sessions, other addresses, old cookies, the
# password once more.
_THROTTLE_AVOIDED: Final = {"V29", "V30", "V31", "V32"}


@dataclass(frozen=True)
class Subject:
    """A login that the battery ran against: a test class.

    Attributes:
        name: the class's node id, and the parameters that its tests have.
        line: where the class begins in its file.
        findings: one for each rule that was judged, in the rules' order.
        not_run: the rules without a verdict: not selected, or their test ended with an error.
        measured: what was measured of the login.
        problem: why no rule was judged; empty when rules were.
    """

    name: str
    line: int = 1
    findings: tuple[Finding, ...] = ()
    not_run: tuple[Rule, ...] = ()
    measured: Measured = field(default_factory=Measured)
    problem: str = ""

    @property
    def file(self) -> str:
        """The file of the class, relative to pytest's root directory, with forward slashes."""
        return self.name.partition("::")[0]

    @property
    def title(self) -> str:
        """The name of the class."""
        return self.name.partition("::")[2] or self.name

    @property
    def profile(self) -> str:
        """The profile by which it was judged."""
        return ", ".join(sorted({finding.profile for finding in self.findings}))

    @property
    def avoided(self) -> tuple[str, ...]:
        """The rules that are broken, also those that may be, and so show a way around the throttle."""
        broken = (Verdict.FAILED, Verdict.WAIVED)
        ids = [finding.rule.id for finding in self.findings if finding.verdict in broken]
        return tuple(id_ for id_ in ids if id_ in _THROTTLE_AVOIDED)

    @property
    def met(self) -> Measured:
        """What a guesser meets: what was measured, without a throttle that there is a way around."""
        return replace(self.measured, throttled=False) if self.avoided else self.measured

    def with_verdict(self, verdict: Verdict) -> tuple[Finding, ...]:
        """Return the findings with a verdict."""
        return tuple(finding for finding in self.findings if finding.verdict is verdict)

    def counts(self) -> dict[str, int]:
        """Return how many rules there are of each verdict and without one, those first that need a look."""
        return {
            "failed": len(self.with_verdict(Verdict.FAILED)),
            "not run": len(self.not_run),
            "waived": len(self.with_verdict(Verdict.WAIVED)),
            "skipped": len(self.with_verdict(Verdict.SKIPPED)),
            "passed": len(self.with_verdict(Verdict.PASSED)),
        }


def record(item: pytest.Item, value: Finding | Measured | str) -> None:
    """Let a rule's test report what it found or measured; of several findings on one rule the last counts.

    Args:
        item: the test, a method of the class that runs the battery.
        value: the finding, the measurements, or the problem that keeps any rule from being judged.
    """
    parent = item.getparent(pytest.Class) or item
    # A class that runs once for each of some parameters stands for as many logins.
    parameters = f"[{item.callspec.id}]" if hasattr(item, "callspec") else ""
    line = parent.reportinfo()[1] or 0
    data: dict[str, Any] = {"subject": parent.nodeid + parameters, "line": max(line, 0) + 1}
    if isinstance(value, Finding):
        data["finding"] = value.as_dict()
    elif isinstance(value, Measured):
        data["measured"] = value.as_dict()
    else:
        data["problem"] = value
    item.user_properties.append((BATTERY_PROPERTY, json.dumps(data)))


def subjects(properties: Iterable[str], rules: Sequence[Rule] = ()) -> list[Subject]:
    """Return the logins by name, each with its findings, from the user properties named `BATTERY_PROPERTY`.

    Workers of pytest-xdist report in any order, and a test that is run again reports again: the order of the logins
    and findings does not depend on it, and what was reported last of a rule counts.

    Args:
        properties: the values, in the order in which they were reported.
        rules: all rules there are; those without a finding have not run.
    """
    found: dict[str, Subject] = {}
    for text in properties:
        data: dict[str, Any] = json.loads(text)
        name = data["subject"]
        subject = found.get(name, Subject(name, data["line"]))
        if "measured" in data:
            subject = replace(subject, measured=Measured(**data["measured"]).merged(subject.measured))
        elif "problem" in data:
            subject = replace(subject, problem=data["problem"])
        else:
            finding = Finding.from_dict(data["finding"])
            others = tuple(other for other in subject.findings if other.rule.id != finding.rule.id)
            subject = replace(subject, findings=(*others, finding))
        found[name] = subject
    return [_in_order(found[name], rules) for name in sorted(found)]


def _in_order(subject: Subject, rules: Sequence[Rule]) -> Subject:
    judged = {finding.rule.id for finding in subject.findings}
    return replace(
        subject,
        findings=tuple(sorted(subject.findings, key=lambda finding: number(finding.rule))),
        not_run=tuple(sorted((rule for rule in rules if rule.id not in judged), key=number)),
    )


def number(rule: Rule) -> tuple[int, str]:
    """Return what rules are sorted by: V2 stands before V10."""
    digits = re.search(r"\d+", rule.id)
    return (int(digits[0]) if digits else 0, rule.id)
