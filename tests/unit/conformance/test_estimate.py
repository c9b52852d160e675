"""The estimate: how long the battery will take."""

import pytest

from pytest_totphog.conformance.battery import verdict_of
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.control import problem_of
from pytest_totphog.conformance.estimate import WORK, estimate
from pytest_totphog.conformance.finding import Measured
from pytest_totphog.conformance.progress import Progress
from pytest_totphog.conformance.rules import CHECKS, race
from tests.support.honest_login import HonestLogin
from tests.unit.conformance.judging import RULES, context_of, driver_of
from tests.unit.conformance.rules.test_access import TalkativeDriver
from tests.unit.conformance.rules.test_throttle import TravellingDriver

PACE = {"accounts enrolled": (1, 0.7), "logins begun": (2, 0.5), "codes sent": (4, 0.2)}


class WholeDriver(TravellingDriver, TalkativeDriver):
    """A driver with every method."""


def test_work_is_what_a_login_is_seen_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts, logins and codes of each rule, on one that keeps all of them; no rule sends more unnoticed."""
    monkeypatch.setattr(race, "ROUNDS", race.LEAST_ROUNDS)
    context = context_of(driver_of(HonestLogin, WholeDriver))
    assert problem_of(context) is None
    seen = {}
    for check in CHECKS:
        context.clock.tick(3600)
        rule_context = Context(context.driver, context.profile, context.progress)
        verdict_of(check, rule_context)
        counts = dict(each.split(": ") for each in rule_context.evidence.lines()[-1].split(", ") if ": " in each)
        seen[check.rule.id] = tuple(int(counts.get(event, 0)) for event in WORK)
    assert seen == {check.rule.id: check.work for check in CHECKS}


@pytest.mark.parametrize(
    ("rules", "steps", "line"),
    [
        # 1 account, 2 logins and 3 codes each.
        (["V1"], 0, "1 rule, about 1 second"),
        (["V1", "V2", "V3"], 0, "3 rules, about 4 seconds"),
        (["V1", "V2"], 4, "2 rules on a live clock; time steps waited for: 4, about 3 minutes"),
        (["V1", "V2"], 40, "2 rules on a live clock; time steps waited for: 40, about 21 minutes"),
    ],
)
def test_sentence(rules: list[str], steps: int, line: str) -> None:
    """By what the control checks took on average, and by the steps that a live clock makes one wait for."""
    progress = Progress(measured=Measured(period=30), pace=PACE)
    assert estimate([RULES[id_] for id_ in rules], progress, steps) == line


def test_nothing_to_measure_by() -> None:
    """It is still said how many rules there are."""
    assert estimate([RULES["V7"]], Progress(), 0) == "1 rule, about 1 second"
