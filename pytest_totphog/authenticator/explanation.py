"""What a string that was typed as a code is: the answer to "why was it refused?"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.clocks.wording import duration
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import plural
from pytest_totphog.stores.ledger import Ledger

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Explanation", "explain"]

# How far from the current step a code is looked for: an hour of default steps each way.
SEARCHED_STEPS: Final = 120
# Other tokens may be thousands: of theirs only the codes that a verifier might take now are looked at.
OTHERS_STEPS: Final = 1


class Explanation(str):
    """A sentence about a code, with its facts.

    Attributes:
        verdict: `"current"`, `"old"`, `"ahead"`, `"other token"`, `"malformed"` or `"unknown"`.
        steps: how many time steps from now, negative for the past; None when it is no code of the token.
    """

    __slots__ = ("steps", "verdict")

    verdict: str
    steps: int | None

    def __new__(cls, sentence: str, verdict: str, steps: int | None = None) -> Self:
        """Return the sentence with its facts attached."""
        explanation = super().__new__(cls, sentence)
        explanation.verdict = verdict
        explanation.steps = steps
        return explanation


def explain(code: str, token: Token, others: Iterable[Token], ledger: Ledger, now_ns: int) -> Explanation:
    """Say what `code` is to `token` at an instant.

    Args:
        code: what was typed.
        token: whose code it should be.
        others: tokens it might have been mistaken for.
        ledger: knows which codes were handed out.
        now_ns: the instant, nanoseconds since the epoch.
    """
    if len(code) != token.digits or not (code.isascii() and code.isdigit()):
        return Explanation(
            f"malformed: it has {len(code)} characters; a code of {token.name!r} is {token.digits} ASCII digits",
            "malformed",
        )
    seconds = now_ns // NANOSECONDS
    current = seconds // token.period
    steps = _distance(code, token, current, SEARCHED_STEPS)
    if steps is not None:
        step = current + steps
        count = plural(abs(steps), "step")
        if steps == 0:
            verdict, sentence = "current", f"current: the code of step {step}, {token.period - seconds % token.period}"
            sentence += " s left"
        elif steps < 0:
            ago = seconds - (step + 1) * token.period
            verdict, sentence = "old", f"{count} old: the code of step {step}, which ended {duration(ago)} ago"
        else:
            ahead = step * token.period - seconds
            verdict, sentence = "ahead", f"{count} ahead: the code of step {step}, which begins in {duration(ahead)}"
        claim = ledger.find(token.fingerprint, step)
        if claim is not None:
            sentence += f"; handed out {claim.since(now_ns / NANOSECONDS)} to {claim.holder}"
        return Explanation(sentence, verdict, steps)
    for other in others:
        if other.fingerprint != token.fingerprint and other.digits == token.digits:
            elsewhere = _distance(code, other, seconds // other.period, OTHERS_STEPS)
            if elsewhere is not None:
                when = "the current code" if elsewhere == 0 else f"the code {plural(abs(elsewhere), 'step')} away"
                return Explanation(f"another token's: {when} of {other.name!r} (id {other.id})", "other token")
    return Explanation(
        f"unknown: no code of {token.name!r} within {SEARCHED_STEPS} steps, nor a current one of another token",
        "unknown",
    )


def _distance(code: str, token: Token, current: int, farthest: int) -> int | None:
    """Return how many steps from `current` the code is, the nearest first."""
    for away in range(farthest + 1):
        for steps in dict.fromkeys((-away, away)):
            if current + steps >= 0 and token.code_at_step(current + steps) == code:
                return steps
    return None
