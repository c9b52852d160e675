"""The rules as a list."""

import re

from pytest_totphog.conformance.driver import OPTIONAL
from pytest_totphog.conformance.rules import CHECKS

RULES = [check.rule for check in CHECKS]


def test_ids() -> None:
    """They are V1 to V34, each once."""
    assert {rule.id for rule in RULES} == {f"V{number}" for number in range(1, 35)}
    assert len(RULES) == 34


def test_rules_that_lock_accounts_are_last() -> None:
    """What they do to an address troubles no other rule."""
    assert [rule.throttle for rule in RULES] == sorted(rule.throttle for rule in RULES)
    assert [rule.id for rule in RULES if rule.throttle] == ["V28", "V29", "V30", "V31", "V32", "V33"]


def test_each_says_what_it_does_and_where_it_stands() -> None:
    """A stranger understands a failure from these."""
    assert [rule.id for rule in RULES if not re.fullmatch(r"[A-Z0-9].{40,}\.", rule.explanation, re.DOTALL)] == []
    assert [rule.id for rule in RULES if not (rule.source and rule.section)] == []
    assert [cve for rule in RULES for cve in rule.cves if not re.fullmatch(r"CVE-\d{4}-\d{4,6}", cve)] == []


def test_needs_are_methods() -> None:
    """A rule needs what a driver may have."""
    assert {need for rule in RULES for need in rule.needs} <= {*OPTIONAL, "concurrent"}


def test_names_of_the_tests() -> None:
    """They begin with the rule's id, so that `-k V1_` selects one."""
    assert CHECKS[0].name == "test_V1_single_use"
    assert len({check.name for check in CHECKS}) == 34
