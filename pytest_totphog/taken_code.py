"""A code as somebody took it from a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_totphog.tokens import Token

__all__ = ["TakenCode"]


# Not a dataclass: one is made for each code, and a frozen dataclass costs four times as much.
class TakenCode(NamedTuple):
    """A code that a token has given.

    Attributes:
        token: whose code it is.
        by: what gave it, as a reader recognises it: `"now()"`.
        step: its time step; None for a code of no step.
        code: the digits.
        moment: when it was taken, in nanoseconds since the epoch on the clock that the codes follow.
        holder: who has the code, where its taker has said so.
        waited_seconds: how long was waited for it, real seconds; None where nobody waits.
    """

    token: Token
    by: str
    step: int | None
    code: str
    moment: int
    holder: str | None = None
    waited_seconds: float | None = None
