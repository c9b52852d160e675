"""The profiles: by which source the battery judges, because the sources disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pytest_totphog.conformance.finding import Level, Rule
from pytest_totphog.errors import InvalidInput, shown

__all__ = ["PROFILES", "Profile", "profile_of"]

NIST: Final = "NIST SP 800-63B-4"
ASVS: Final = "OWASP ASVS 5.0.0"

_ONCE: Final = ("V1", "V2", "V4", "V5", "V9", "V17")


@dataclass(frozen=True)
class Profile:
    """What one source demands where the sources disagree.

    Attributes:
        name: what the marker, the option and the ini value say.
        secret_bits: the least length of a secret.
        delay_steps: how many steps late, and no more ahead of time, a code may be accepted; None for no limit.
        lifetime: how many seconds in all a code may be accepted; None for no limit.
        references: where this source states a rule, by the rule's id; other rules keep their own source.
    """

    name: str
    secret_bits: int
    delay_steps: int | None = None
    lifetime: int | None = None
    references: Mapping[str, tuple[Level, str, str]] = field(default_factory=dict)

    def stated(self, rule: Rule) -> Rule:
        """Return the rule with this profile's source and level."""
        if rule.id not in self.references:
            return rule
        level, source, section = self.references[rule.id]
        return replace(rule, level=level, source=source, section=section)

    def objection(self, earliest: int, latest: int, period: int) -> str:
        """Return what is wrong with an accepted window; empty when nothing is.

        Args:
            earliest: the earliest step accepted, relative to the current one.
            latest: the latest step accepted, relative to the current one.
            period: length of a time step in seconds.
        """
        lifetime = (latest - earliest + 1) * period
        if self.lifetime is not None and lifetime > self.lifetime:
            return f"at most {self.lifetime} seconds are allowed"
        if self.delay_steps is not None and max(-earliest, latest) > self.delay_steps:
            return f"at most {self.delay_steps} step late or early is recommended"
        return ""


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("rfc6238", secret_bits=128, delay_steps=1),
        Profile(
            "nist-800-63b",
            secret_bits=112,
            references={
                **dict.fromkeys(_ONCE, (Level.MUST, NIST, "3.1.4.2")),
                # "a defined lifetime", and no number: the battery asks that the window has an end on both sides.
                "V6": (Level.MUST, NIST, "3.1.5.2"),
                "V13": (Level.MUST, NIST, "3.1.4.1"),
            },
        ),
        Profile(
            "asvs-5-l2",
            secret_bits=128,
            lifetime=30,
            references={
                **dict.fromkeys((*_ONCE, "V21", "V22"), (Level.MUST, ASVS, "6.5.1")),
                "V6": (Level.MUST, ASVS, "6.5.5"),
                "V34": (Level.MUST, ASVS, "7.5.1"),
            },
        ),
    )
}


def profile_of(name: object) -> Profile:
    """Return the profile of a name.

    Raises:
        InvalidInput: when there is none.
    """
    if not isinstance(name, str) or name not in PROFILES:
        raise InvalidInput(f"the profile is {shown(name)}; accepted are {', '.join(PROFILES)}")
    return PROFILES[name]
