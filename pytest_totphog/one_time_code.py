"""A one-time code as it is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_totphog.clock import NANOSECONDS, as_datetime

__all__ = ["OneTimeCode"]


@dataclass(frozen=True)
class OneTimeCode:
    """A code that nobody has been given before, with the facts from the same reading of the clock.

    Attributes:
        code: the digits.
        step: the time step.
        period: length of a time step in seconds.
        remaining_seconds: how long the code lives, whole seconds.
        waited_seconds: how long was waited for it, real seconds.
    """

    code: str
    step: int
    period: int
    remaining_seconds: int
    waited_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the code as the API's JSON object."""
        return {
            "code": self.code,
            "step": self.step,
            "valid_from": as_datetime(self.step * self.period * NANOSECONDS).isoformat(),
            "expires_at": as_datetime((self.step + 1) * self.period * NANOSECONDS).isoformat(),
            "remaining_seconds": self.remaining_seconds,
            "period": self.period,
            "waited_seconds": round(self.waited_seconds, 3),
        }
