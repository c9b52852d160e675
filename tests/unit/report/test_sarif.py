"""The failures as SARIF, valid by its schema.

sarif-2.1.0.schema.json is OASIS's schema as the npm package @microsoft/sarif-multitool-ts 5.7.0 (MIT licence, Copyright
(c) Microsoft Corporation) has it.
"""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_totphog import __version__
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report.sarif import render
from tests.unit.failures.failing import failure

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.schema.json").read_text("utf-8"))


def run(subjects: list[Subject], created_at: datetime) -> dict[str, Any]:
    """Return the only run of the log, which is valid."""
    log = json.loads(render(subjects, created_at))
    jsonschema.validate(log, SCHEMA)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    return only


def test_schema_refuses(shop: Subject, created_at: datetime) -> None:
    """The schema that the other tests validate by knows a mistake."""
    log = json.loads(render([shop], created_at))
    log["runs"][0]["results"][0]["level"] = "MUST"
    with pytest.raises(jsonschema.ValidationError, match="'MUST' is not one of"):
        jsonschema.validate(log, SCHEMA)


def test_failure(shop: Subject, created_at: datetime) -> None:
    """What failed is a result: why, what was seen, and the class that runs the battery as its place."""
    assert run([shop], created_at)["results"] == [
        {
            "ruleId": "V1",
            "ruleIndex": 0,
            "kind": "fail",
            "level": "error",
            "message": {
                "text": "The same code was accepted twice in its time step.\n"
                "- step 56843820: accepted\n"
                "- step 56843820 again, in a new session: accepted"
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "tests/test_login.py", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 14},
                    },
                    "logicalLocations": [{"fullyQualifiedName": "tests/test_login.py::TestShop", "kind": "type"}],
                }
            ],
        }
    ]


def test_level(admin: Subject, created_at: datetime) -> None:
    """A MUST is an error and a SHOULD a warning; the file's name is a URI."""
    (result,) = run([admin], created_at)["results"]
    assert result["level"] == "warning"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tests/admin/test_admin%20login.py"


def test_rules(shop: Subject, admin: Subject, created_at: datetime) -> None:
    """Each rule that was judged stands there once, in the rules' order, and the results point at theirs."""
    found = run([admin, shop], created_at)
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["V1", "V2", "V6", "V10", "V11", "V28"]
    assert [(result["ruleId"], result["ruleIndex"]) for result in found["results"]] == [("V6", 2), ("V1", 0)]
    assert rules[0] == {
        "id": "V1",
        "shortDescription": {"text": "A code is accepted once"},
        "fullDescription": {"text": "Sends a code twice.\n\nWho read it over\na shoulder is in with it."},
        "help": {
            "text": "Sends a code twice.\n\nWho read it over\na shoulder is in with it.\n\n"
            "MUST in RFC 6238 §5.2. Advisories: CVE-2022-25838, CVE-2025-69197.",
            "markdown": "Sends a code twice.\n\nWho read it over\na shoulder is in with it.\n\n"
            "MUST in [RFC 6238 §5.2](https://www.rfc-editor.org/rfc/rfc6238#section-5.2). "
            "Advisories: [CVE-2022-25838](https://www.cve.org/CVERecord?id=CVE-2022-25838), "
            "[CVE-2025-69197](https://www.cve.org/CVERecord?id=CVE-2025-69197).",
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "authentication", "CVE-2022-25838", "CVE-2025-69197"]},
        "helpUri": "https://www.rfc-editor.org/rfc/rfc6238#section-5.2",
    }


def test_source_that_is_not_public(admin: Subject, created_at: datetime) -> None:
    """A rule of one's own has no link."""
    finding = replace(admin.findings[0], rule=replace(admin.findings[0].rule, source="our handbook", section="7"))
    (rule,) = run([replace(admin, findings=(finding,))], created_at)["tool"]["driver"]["rules"]
    assert "helpUri" not in rule
    assert rule["help"]["markdown"] == "Measures.\n\nSHOULD in our handbook §7."


def test_verdicts(shop: Subject, created_at: datetime) -> None:
    """Every verdict is in the run's property bag: as a result, also a pass would be an alert on GitHub."""
    found = run([shop], created_at)
    assert found["properties"]["subjects"] == [
        {
            "name": "tests/test_login.py::TestShop",
            "profile": "rfc6238",
            "verdicts": {
                "V1": "failed: The same code was accepted twice in its time step.",
                "V2": "skipped: Not judged: it presupposes V1.",
                "V6": "passed: Steps -1 to +1 are accepted.",
                "V10": "waived: Our customers' keyboards write full-width digits.",
                "V11": "passed: It was refused.",
            },
            "notRun": ["V28"],
            "window": "steps -1 to +1: 3 codes of 6 digits accepted at a time, each for 90 seconds",
            "throttle": "not measured",
        }
    ]


@pytest.mark.parametrize(("complete", "successful"), [(True, True), (False, False)])
def test_invocation(shop: Subject, created_at: datetime, complete: bool, successful: bool) -> None:
    """When it ended, by which version; without success when rules were not run."""
    found = run([replace(shop, not_run=()) if complete else shop], created_at)
    assert found["invocations"] == [
        {
            "executionSuccessful": successful,
            "endTimeUtc": "2026-11-21T13:20:05Z",
            "toolExecutionNotifications": [],
        }
    ]
    assert found["tool"]["driver"]["name"] == "pytest-totphog"
    assert found["tool"]["driver"]["version"] == __version__


def test_problem(created_at: datetime) -> None:
    """A login of which no rule was judged is no result, but an error of the run."""
    found = run([Subject("a.py::TestA", problem="the driver accepts wrong codes")], created_at)
    assert found["results"] == []
    assert found["invocations"][0]["toolExecutionNotifications"] == [
        {
            "level": "error",
            "message": {"text": "a.py::TestA: no rule was judged: the driver accepts wrong codes"},
        }
    ]


def test_no_login(created_at: datetime) -> None:
    """A run without the battery is a valid log without results."""
    assert run([], created_at)["results"] == []


def test_failed_tests_are_no_alerts(shop: Subject, created_at: datetime) -> None:
    """A code that has expired is no weakness of what is scanned."""
    assert render([shop], created_at, [failure()]) == render([shop], created_at)
