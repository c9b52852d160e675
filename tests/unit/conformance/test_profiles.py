"""The profiles: what each demands."""

import pytest

from pytest_totphog import settings
from pytest_totphog.conformance.finding import Level
from pytest_totphog.conformance.profiles import PROFILES, profile_of
from pytest_totphog.conformance.rules import CHECKS
from pytest_totphog.errors import InvalidInput

RULES = {check.rule.id: check.rule for check in CHECKS}


def test_names() -> None:
    """There are three."""
    assert list(PROFILES) == ["rfc6238", "nist-800-63b", "asvs-5-l2"]
    assert profile_of("asvs-5-l2") is PROFILES["asvs-5-l2"]


@pytest.mark.parametrize("name", ["nist", "", None, 5])
def test_unknown_name(name: object) -> None:
    """The error lists what there is."""
    with pytest.raises(InvalidInput, match="accepted are rfc6238, nist-800-63b, asvs-5-l2"):
        profile_of(name)


@pytest.mark.parametrize(
    ("profile", "earliest", "latest", "period", "objection"),
    [
        ("rfc6238", -1, 1, 30, ""),
        ("rfc6238", -2, 0, 30, "at most 1 step late or early is recommended"),
        ("rfc6238", 0, 2, 30, "at most 1 step late or early is recommended"),
        ("nist-800-63b", -9, 9, 30, ""),
        ("asvs-5-l2", 0, 0, 30, ""),
        ("asvs-5-l2", -1, 0, 15, ""),
        ("asvs-5-l2", -1, 0, 30, "at most 30 seconds are allowed"),
        ("asvs-5-l2", 0, 0, 60, "at most 30 seconds are allowed"),
    ],
)
def test_window(profile: str, earliest: int, latest: int, period: int, objection: str) -> None:
    """RFC 6238 counts steps, ASVS seconds, and NIST gives no number."""
    assert profile_of(profile).objection(earliest, latest, period) == objection


@pytest.mark.parametrize(
    ("profile", "id_", "stated"),
    [
        ("rfc6238", "V1", (Level.MUST, "RFC 6238", "5.2")),
        ("rfc6238", "V6", (Level.SHOULD, "RFC 6238", "5.2")),
        ("nist-800-63b", "V1", (Level.MUST, "NIST SP 800-63B-4", "3.1.4.2")),
        ("nist-800-63b", "V13", (Level.MUST, "NIST SP 800-63B-4", "3.1.4.1")),
        ("asvs-5-l2", "V6", (Level.MUST, "OWASP ASVS 5.0.0", "6.5.5")),
        ("asvs-5-l2", "V34", (Level.MUST, "OWASP ASVS 5.0.0", "7.5.1")),
        ("asvs-5-l2", "V13", (Level.MUST, "RFC 4226", "4 (R6)")),
    ],
)
def test_source(profile: str, id_: str, stated: tuple[Level, str, str]) -> None:
    """A profile states a rule with its own section where it has one, and leaves the others where they stand."""
    rule = profile_of(profile).stated(RULES[id_])
    assert (rule.level, rule.source, rule.section) == stated


def test_references_are_to_rules_that_exist() -> None:
    """No profile speaks of a rule that there is not."""
    assert [id_ for profile in PROFILES.values() for id_ in profile.references if id_ not in RULES] == []


def test_the_settings_name_the_profiles() -> None:
    """All of them: an option is looked at before the battery is imported."""
    assert tuple(PROFILES) == settings.PROFILES
