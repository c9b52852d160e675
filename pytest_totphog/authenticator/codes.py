"""Codes: as the ledger hands them out, and as tests take them from a token."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_totphog.clocks.instants import NANOSECONDS, as_datetime

if TYPE_CHECKING:
    from pytest_totphog.credentials.token import Token

__all__ = ["CodeOrigin", "OneTimeCode", "TakenCode"]


class CodeOrigin(StrEnum):
    """What gives a code, as a reader recognises it."""

    NOW = "now()"
    AT = "at()"
    ONE_TIME_CODE = "one_time_code()"
    WRONG_CODE = "wrong_code()"
    EXPIRED_CODE = "expired_code()"
    FUTURE_CODE = "future_code()"
    HTTP_CODE = "GET /tokens/…/code"
    HTTP_CODE_AT = "GET /tokens/…/code?at=…"
    HTTP_CODES = "POST /codes"
    HTTP_CODES_AT = "POST /codes?at=…"
    HTTP_ONE_TIME_CODE = "POST /tokens/…/one-time-code"

    @property
    def for_login(self) -> bool:
        """Whether an app should accept its codes; the others are wrong, or of another time, on purpose."""
        return self not in _ON_PURPOSE

    @property
    def one_time(self) -> CodeOrigin:
        """What gives each code once, in the same place."""
        return CodeOrigin.ONE_TIME_CODE if self.endswith("()") else CodeOrigin.HTTP_ONE_TIME_CODE


_ON_PURPOSE = frozenset(
    {
        CodeOrigin.AT,
        CodeOrigin.WRONG_CODE,
        CodeOrigin.EXPIRED_CODE,
        CodeOrigin.FUTURE_CODE,
        CodeOrigin.HTTP_CODE_AT,
        CodeOrigin.HTTP_CODES_AT,
    }
)


@dataclass(frozen=True)
class OneTimeCode:
    """A code that was never handed out before, with the facts from the same reading of the clock.

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


# Not a dataclass: one is made for each code, and a frozen dataclass costs four times as much.
class TakenCode(NamedTuple):
    """A code that a token has given.

    Attributes:
        token: whose code it is.
        by: what gave it.
        step: its time step; None for a code of no step.
        code: the digits.
        moment: when it was taken, in nanoseconds since the epoch on the clock that the codes follow.
        holder: who has the code, where it was given.
        waited_seconds: how long was waited for it, real seconds; None for codes that are not waited for.
        moved_from: where a frozen clock stood, in nanoseconds since the epoch, that had to be moved past steps which
            were handed out before; None where there were none in its way.
    """

    token: Token
    by: CodeOrigin
    step: int | None
    code: str
    moment: int
    holder: str | None = None
    waited_seconds: float | None = None
    moved_from: int | None = None
