"""How many one-time codes tests took, and how long they waited for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_totphog.errors import plural

if TYPE_CHECKING:
    import pytest

__all__ = ["Waited", "summary"]

# What stands beside the number of codes.
WAITED_FOR: Final = "totphog_codes_waited_for"
SECONDS: Final = "totphog_waited_seconds"
# What is shorter would be reported as 0.0 s.
LEAST: Final = 0.05


@dataclass(frozen=True)
class Waited:
    """What one test waited.

    Attributes:
        codes: how many one-time codes it took.
        waited_for: how many of them were waited for.
        seconds: how long, in all, real seconds.
    """

    codes: int = 0
    waited_for: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, seconds: float, codes: int = 1) -> Waited:
        """Return what one code was waited for, or none: what is waited before a code is taken, or between two."""
        return cls(codes, int(seconds >= LEAST), seconds)

    def __add__(self, other: Waited) -> Waited:
        return Waited(self.codes + other.codes, self.waited_for + other.waited_for, self.seconds + other.seconds)

    @property
    def properties(self) -> dict[str, float]:
        """What stands in the report of a test that took codes."""
        from pytest_totphog.settings import CODES_PROPERTY  # which needs pytest

        return {CODES_PROPERTY: self.codes, WAITED_FOR: self.waited_for, SECONDS: round(self.seconds, 1)}


def summary(reports: Iterable[pytest.TestReport]) -> str:
    """Return a line about all tests of a run.

    Args:
        reports: the tests' last reports, of those that took codes.
    """
    # A test that was run again has reported its first run too, and another worker may run a test of that name.
    last = {(report.nodeid, getattr(report, "worker_id", "")): report for report in reports}
    tests = [(_waited(report), report.nodeid) for report in last.values()]
    total = sum((waited for waited, _ in tests), Waited())
    line = f"totphog: {plural(total.codes, 'one-time code')}"
    if total.seconds < LEAST:
        return f"{line}, none waited for"
    slowest, nodeid = max(tests, key=lambda test: test[0].seconds)
    what = f" for {total.waited_for} of them" if total.waited_for else ""
    return f"{line}, {total.seconds:.1f} s waited{what}; slowest test {nodeid}, {slowest.seconds:.1f} s"


def _waited(report: pytest.TestReport) -> Waited:
    from pytest_totphog.settings import CODES_PROPERTY

    properties = dict(report.user_properties)
    return Waited(
        int(str(properties[CODES_PROPERTY])), int(str(properties[WAITED_FOR])), float(str(properties[SECONDS]))
    )
