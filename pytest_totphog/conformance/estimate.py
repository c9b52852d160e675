"""The estimate: how long the battery will take on a login, from how long the control checks took on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from pytest_totphog.conformance.check import Check
from pytest_totphog.conformance.progress import Progress

__all__ = ["WORK", "estimate"]

WORK: Final = ("accounts enrolled", "logins begun", "codes sent")
"""What a rule's `work` counts, by the names that evidence has for it."""


def estimate(checks: Sequence[Check], progress: Progress, steps: int) -> str:
    """Return how many rules there are, and about how long they will take.

    Args:
        checks: the rules.
        progress: what the control checks have measured.
        steps: how many time steps are waited for; 0 on a frozen clock.
    """
    seconds = float(steps * (progress.measured.period or 30))
    for event, numbers in zip(WORK, zip(*(check.work for check in checks), strict=True), strict=False):
        count, took = progress.pace.get(event, (0, 0.0))
        seconds += sum(numbers) * took / max(count, 1)
    rules = f"{len(checks)} rule{'' if len(checks) == 1 else 's'}"
    where = f" on a live clock; time steps waited for: {steps}" if steps else ""
    return f"{rules}{where}, about {_about(seconds)}"


def _about(seconds: float) -> str:
    if seconds < 120:
        whole = max(1, round(seconds))
        return f"{whole} second{'' if whole == 1 else 's'}"
    return f"{math.ceil(seconds / 60)} minutes"
