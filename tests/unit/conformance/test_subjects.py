"""The logins, put together from what the rules' tests reported."""

import json
from typing import Any

import pytest

from pytest_totphog.conformance.finding import Finding, Level, Measured, Rule, Verdict
from pytest_totphog.conformance.subjects import Subject, record, subjects

NAME = "tests/test_login.py::TestShop"


def rule(id: str) -> Rule:
    """Return a rule."""
    return Rule(
        id, f"Rule {id}", Level.MUST, "RFC 6238", "5.2", "Sends a code twice.", ("CVE-2022-25838",), ("disable",)
    )


def found(id: str, verdict: Verdict = Verdict.PASSED, name: str = NAME) -> str:
    """Return a property with a finding."""
    finding = Finding(rule(id), verdict, "Because.", ("step 1: accepted",))
    return json.dumps({"subject": name, "line": 7, "finding": finding.as_dict()})


def measured(name: str = NAME, **values: Any) -> str:
    """Return a property with measurements."""
    return json.dumps({"subject": name, "line": 7, "measured": Measured(**values).as_dict()})


def test_one_login() -> None:
    """Name, line, file and title of the class, its findings, and what was measured."""
    (subject,) = subjects([found("V1"), measured(earliest=-1, latest=0)])
    assert subject == Subject(
        NAME,
        7,
        (Finding(rule("V1"), Verdict.PASSED, "Because.", ("step 1: accepted",)),),
        (),
        Measured(earliest=-1, latest=0),
    )
    assert subject.file == "tests/test_login.py"
    assert subject.title == "TestShop"
    assert subject.profile == "rfc6238"


def test_nothing_reported() -> None:
    """Where the battery did not run there is no login, whatever rules there are."""
    assert subjects([], [rule("V1")]) == []


@pytest.mark.parametrize("order", [("V1", "V2", "V10"), ("V10", "V1", "V2"), ("V2", "V10", "V1")])
def test_order_of_findings(order: tuple[str, ...]) -> None:
    """Workers report in any order; the findings stand in that of the rules' numbers."""
    (subject,) = subjects(found(each) for each in order)
    assert [finding.rule.id for finding in subject.findings] == ["V1", "V2", "V10"]


def test_several_logins() -> None:
    """They stand by name, and nothing of one gets into the other."""
    shop, admin = "tests/test_b.py::TestShop", "tests/test_a.py::TestAdmin"
    both = subjects(
        [
            found("V1", Verdict.FAILED, shop),
            found("V1", Verdict.PASSED, admin),
            measured(shop, digits=6),
            measured(admin, digits=8),
        ]
    )
    assert [subject.name for subject in both] == [admin, shop]
    assert [subject.findings[0].verdict for subject in both] == [Verdict.PASSED, Verdict.FAILED]
    assert [subject.measured.digits for subject in both] == [8, 6]


def test_rule_judged_again() -> None:
    """A test that is run again reports again, and its last verdict counts, as it does for pytest."""
    (subject,) = subjects([found("V1", Verdict.FAILED), found("V2"), found("V1", Verdict.PASSED)])
    assert [(each.rule.id, each.verdict) for each in subject.findings] == [
        ("V1", Verdict.PASSED),
        ("V2", Verdict.PASSED),
    ]


def test_measured_by_several_workers() -> None:
    """What each has measured is put together; of two measurements the later one counts."""
    (subject,) = subjects(
        [measured(earliest=-2, latest=2), measured(throttled=True, failures_before_throttle=5), measured(earliest=-1)]
    )
    assert subject.measured == Measured(earliest=-1, latest=2, throttled=True, failures_before_throttle=5)


def test_rules_without_a_verdict() -> None:
    """A rule that was not selected, or whose test broke off, is told as not run; no rule gets lost."""
    (subject,) = subjects([found("V2")], [rule("V10"), rule("V1"), rule("V2")])
    assert [each.id for each in subject.not_run] == ["V1", "V10"]
    assert subject.counts() == {"failed": 0, "not run": 2, "waived": 0, "skipped": 0, "passed": 1}


def test_problem() -> None:
    """A driver with a mistake in it is told with its login, of which no rule has run."""
    (subject,) = subjects(
        [json.dumps({"subject": NAME, "line": 7, "problem": "the driver accepts wrong codes"})], [rule("V1")]
    )
    assert subject == Subject(NAME, 7, not_run=(rule("V1"),), problem="the driver accepts wrong codes")


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.WAIVED])
@pytest.mark.parametrize("id", ["V29", "V30", "V31", "V32"])
def test_throttle_with_a_way_around(id: str, verdict: Verdict) -> None:
    """A throttle that counts in the session, by the address, at the client, or up to the password stops no guesser."""
    (subject,) = subjects([found(id, verdict), measured(throttled=True, failures_before_throttle=5)])
    assert subject.avoided == (id,)
    assert subject.measured.throttled is True
    assert subject.met.throttled is False


@pytest.mark.parametrize(
    ("id", "verdict"), [("V29", Verdict.PASSED), ("V30", Verdict.SKIPPED), ("V33", Verdict.FAILED)]
)
def test_throttle_without_a_way_around(id: str, verdict: Verdict) -> None:
    """Nothing was found that helps a guesser: a count that no success resets does not."""
    (subject,) = subjects([found(id, verdict), measured(throttled=True, failures_before_throttle=5)])
    assert subject.avoided == ()
    assert subject.met == subject.measured


def test_counts() -> None:
    """How many rules there are of each verdict, first those that need a look."""
    verdicts = [Verdict.FAILED, Verdict.SKIPPED, Verdict.PASSED, Verdict.WAIVED, Verdict.PASSED]
    (shop,) = subjects([found(f"V{number}", verdict) for number, verdict in enumerate(verdicts)], [rule("V28")])
    assert list(shop.counts().items()) == [("failed", 1), ("not run", 1), ("waived", 1), ("skipped", 1), ("passed", 2)]


class TestRecording:
    """What a rule's test reports with."""

    def test_finding(self, request: pytest.FixtureRequest) -> None:
        """The finding goes into the test's user properties as JSON, under the node id and line of its class."""
        finding = Finding(rule("V1"), Verdict.FAILED, "Because.", ("step 1: accepted",))
        record(request.node, finding)
        name, value = request.node.user_properties.pop()
        assert name == "totphog_battery"
        (subject,) = subjects([value])
        assert subject.findings == (finding,)
        assert subject.title == "TestRecording"
        assert subject.file.endswith("tests/unit/conformance/test_subjects.py")
        line = subject.line
        assert request.path.read_text("utf-8").splitlines()[line - 1] == "class TestRecording:"

    def test_measured(self, request: pytest.FixtureRequest) -> None:
        """Measurements go the same way."""
        record(request.node, Measured(digits=8))
        (subject,) = subjects([request.node.user_properties.pop()[1]])
        assert subject.measured == Measured(digits=8)
        assert subject.findings == ()

    def test_problem(self, request: pytest.FixtureRequest) -> None:
        """So does what keeps the rules from being judged."""
        record(request.node, "the driver accepts wrong codes")
        (subject,) = subjects([request.node.user_properties.pop()[1]])
        assert subject.problem == "the driver accepts wrong codes"

    @pytest.mark.parametrize("policy", ["strict", "lax"])
    def test_parameters(self, request: pytest.FixtureRequest, policy: str) -> None:
        """A class that runs once for each of some parameters is as many logins: no verdict hides another's."""
        record(request.node, Measured(digits=8))
        (subject,) = subjects([request.node.user_properties.pop()[1]])
        assert subject.title == f"TestRecording[{policy}]"
