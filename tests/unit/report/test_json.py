"""The report as JSON: a documented format with a version."""

import json
from datetime import datetime

from pytest_totphog import __version__
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report.json import render
from tests.unit.failures.failing import code, failure


def test_report(admin: Subject, created_at: datetime) -> None:
    """All that is known of a login."""
    assert json.loads(render([admin], created_at)) == {
        "version": 1,
        "tool": {"name": "pytest-totphog", "version": __version__},
        "created_at": "2026-11-21T13:20:05+00:00",
        "battery": {
            "subjects": [
                {
                    "name": "tests/admin/test_admin login.py::TestAdmin",
                    "file": "tests/admin/test_admin login.py",
                    "line": 3,
                    "profile": "nist-800-63b",
                    "counts": {"failed": 1, "not_run": 0, "waived": 0, "skipped": 0, "passed": 1},
                    "problem": None,
                    "measured": {
                        "earliest": -2,
                        "latest": 2,
                        "period": 30,
                        "digits": 6,
                        "failures_before_throttle": 5,
                        "lockout_seconds": 900,
                        "failures_per_attempt": None,
                        "lockout_grows": None,
                        "throttled": True,
                    },
                    "throttle_avoided": [],
                    "odds": [
                        {"requests_per_second": 10, "seconds": 3600, "guesses": 20, "chance": 0.0001},
                        {"requests_per_second": 10, "seconds": 86_400, "guesses": 480, "chance": 0.002397},
                        {"requests_per_second": 10, "seconds": 2_592_000, "guesses": 14_395, "chance": 0.06945},
                    ],
                    "findings": [
                        {
                            "rule": {
                                "id": "V6",
                                "title": "The accepted window is narrow",
                                "level": "SHOULD",
                                "source": "RFC 6238",
                                "section": "5.2",
                                "url": "https://www.rfc-editor.org/rfc/rfc6238#section-5.2",
                                "explanation": "Measures.",
                                "cves": [],
                            },
                            "verdict": "failed",
                            "summary": "Steps -2 to +2 are accepted; at most 1 is recommended.",
                            "evidence": [],
                        },
                        {
                            "rule": {
                                "id": "V28",
                                "title": "Guessing is throttled",
                                "level": "MUST",
                                "source": "NIST SP 800-63B-4",
                                "section": "3.2.2",
                                "url": "https://pages.nist.gov/800-63-4/sp800-63b.html",
                                "explanation": "Guesses.",
                                "cves": [],
                            },
                            "verdict": "passed",
                            "summary": "The sixth code was not looked at.",
                            "evidence": [],
                        },
                    ],
                    "not_run": [],
                }
            ]
        },
        "tests": [],
    }


def test_every_verdict(shop: Subject, created_at: datetime) -> None:
    """Verdicts, evidence and advisories stand with their rules; what was not run is told as well."""
    (subject,) = json.loads(render([shop], created_at))["battery"]["subjects"]
    assert {each["rule"]["id"]: each["verdict"] for each in subject["findings"]} == {
        "V1": "failed",
        "V2": "skipped",
        "V6": "passed",
        "V10": "waived",
        "V11": "passed",
    }
    assert subject["findings"][0]["evidence"] == [
        "step 56843820: accepted",
        "step 56843820 again, in a new session: accepted",
    ]
    assert subject["findings"][0]["rule"]["cves"] == ["CVE-2022-25838", "CVE-2025-69197"]
    assert subject["not_run"] == ["V28"]


def test_nothing_measured(created_at: datetime) -> None:
    """Where nothing was measured there are nulls, and no odds."""
    (subject,) = json.loads(render([Subject("a.py::TestA")], created_at))["battery"]["subjects"]
    assert set(subject["measured"].values()) == {None}
    assert subject["odds"] == []


def test_no_login(created_at: datetime) -> None:
    """A run without the battery has an empty section."""
    assert json.loads(render([], created_at))["battery"] == {"subjects": []}


def test_throttle_with_a_way_around(avoided: Subject, created_at: datetime) -> None:
    """The odds are those without the throttle that was measured."""
    (subject,) = json.loads(render([avoided], created_at))["battery"]["subjects"]
    assert subject["measured"]["throttled"] is True
    assert subject["throttle_avoided"] == ["V29"]
    assert subject["odds"][0] == {"requests_per_second": 10, "seconds": 3600, "guesses": 36_000, "chance": 0.1647}


def test_problem(created_at: datetime) -> None:
    """A login of which no rule was judged says why."""
    report = render([Subject("a.py::TestA", problem="the driver accepts wrong codes")], created_at)
    (subject,) = json.loads(report)["battery"]["subjects"]
    assert subject["problem"] == "the driver accepts wrong codes"
    assert subject["findings"] == []


def test_failed_tests(created_at: datetime) -> None:
    """What they took stands there with the most likely causes; a run without a battery has them too."""
    failed = failure(code(1), code(2, same_as=1))

    report = json.loads(render([], created_at, [failed]))

    assert report["battery"] == {"subjects": []}
    (test,) = report["tests"]
    assert test["test"] == "test_login.py::test_login"
    assert test["codes"][1]["same_as"] == 1
    (cause,) = test["causes"]
    assert cause.startswith("now() gave the same code twice, within one time step.")
