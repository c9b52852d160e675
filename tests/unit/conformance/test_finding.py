"""Findings and measurements, there and back as JSON."""

import json

from pytest_totphog.conformance.finding import Finding, Level, Measured, Rule, Verdict

RULE = Rule(
    id="V1",
    title="A code is accepted once",
    level=Level.MUST,
    source="RFC 6238",
    section="5.2",
    explanation="A right code is sent twice.",
    cves=("CVE-2022-25838",),
    needs=("disable",),
)


def test_finding_as_json() -> None:
    """It comes back as it was."""
    finding = Finding(RULE, Verdict.FAILED, "it was accepted again", ("a right code: accepted",), "asvs-5-l2")
    assert Finding.from_dict(json.loads(json.dumps(finding.as_dict()))) == finding


def test_measured_as_json() -> None:
    """What was not measured is null."""
    measured = Measured(earliest=-1, latest=1, period=30, digits=6)
    data = measured.as_dict()
    assert data["failures_before_throttle"] is None
    assert Measured(**json.loads(json.dumps(data))) == measured


def test_measured_in_parts() -> None:
    """The first has its way, and the other fills what it lacks."""
    window = Measured(earliest=-1, latest=1, period=30)
    throttle = Measured(period=60, failures_before_throttle=5, throttled=True)
    assert window.merged(throttle) == Measured(
        earliest=-1, latest=1, period=30, failures_before_throttle=5, throttled=True
    )
