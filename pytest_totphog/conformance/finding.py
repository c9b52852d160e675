"""What the battery finds: rules, verdicts, findings and measurements, as values that JSON can carry."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Broken", "Finding", "Level", "Measured", "NotJudged", "Rule", "Verdict"]


class Level(StrEnum):
    """How binding a rule is in its source (RFC 2119; NIST's SHALL and ASVS's "Verify that" are MUST)."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Verdict(StrEnum):
    """What came of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    WAIVED = "waived"


class Broken(Exception):
    """The login breaks the rule; says how."""


class NotJudged(Exception):
    """The rule cannot be judged on this login; says why."""


@dataclass(frozen=True)
class Rule:
    """A rule on a login with TOTP.

    Attributes:
        id: `"V1"` and so on; stays when rules are added.
        title: what holds when the rule is kept, in a few words.
        level: how binding it is, in its source.
        source: where it stands, such as `"RFC 6238"`.
        section: the section or requirement there.
        explanation: what is done, and why.
        cves: advisories about logins that broke it.
        needs: the optional methods of the driver that it uses.
        throttle: whether it locks accounts; such rules run last, and on a live target only when asked for.
    """

    id: str
    title: str
    level: Level
    source: str
    section: str
    explanation: str
    cves: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    throttle: bool = False


@dataclass(frozen=True)
class Finding:
    """A rule's verdict on a login.

    Attributes:
        rule: the rule.
        verdict: what came of it.
        summary: why, in a sentence; for a waived rule the reason, for a skipped one what is missing.
        evidence: what was done and seen, a line each: requests and time steps, never a secret or a code.
        profile: by which the rule was judged.
    """

    rule: Rule
    verdict: Verdict
    summary: str
    evidence: tuple[str, ...] = ()
    profile: str = "rfc6238"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """Return the finding that `as_dict` wrote."""
        rule = dict(data["rule"])
        rule["level"] = Level(rule["level"])
        rule["cves"], rule["needs"] = tuple(rule["cves"]), tuple(rule["needs"])
        return cls(
            **data | {"rule": Rule(**rule), "verdict": Verdict(data["verdict"]), "evidence": tuple(data["evidence"])}
        )


@dataclass(frozen=True)
class Measured:
    """What the battery measured of a login; None where it did not.

    Attributes:
        earliest: the earliest time step accepted, relative to the current one (-1: one step late).
        latest: the latest time step accepted, relative to the current one.
        period: length of a time step in seconds.
        digits: length of a code.
        failures_before_throttle: how many wrong codes were looked at before an account took none in any attempt.
        failures_per_attempt: how many were looked at in one attempt before that took none, where others still did.
        lockout_seconds: how long the account was closed: the last of several times in a row, to the second.
        lockout_grows: whether a second and third lockout lasted longer than the first.
        throttled: whether guessing was throttled at all within 100 failures.
    """

    earliest: int | None = None
    latest: int | None = None
    period: int | None = None
    digits: int | None = None
    failures_before_throttle: int | None = None
    failures_per_attempt: int | None = None
    lockout_seconds: float | None = None
    lockout_grows: bool | None = None
    throttled: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the measurements as a JSON object."""
        return asdict(self)

    def merged(self, other: Measured) -> Measured:
        """Return these measurements, and what the other has where these have none."""
        return Measured(
            **{name: mine if mine is not None else getattr(other, name) for name, mine in asdict(self).items()}
        )
