"""What a measured window and throttle mean: the chance of one who has the password and guesses codes online.

A code is one of `10**digits`, each as likely as any other to one who lacks the secret, and the codes of different time
steps are independent of each other: RFC 4226 finds in section 6 and appendix A that its outputs can be taken for
uniform and independent, and the bias of the last digits for negligible. A guess therefore misses one accepted code with
the chance `1 - 10**-digits`, all `n` accepted codes with the `n`-th power of that, and `g` guesses miss with the `g`-th
power again. The chance to get in is exactly

    1 - (1 - 10**-digits) ** (n * g)

for guesses at random. RFC 4226 section 6 has its upper bound, `n * g / 10**digits` (there `s` accepted codes and `v`
attempts); who never guesses the same code twice while it is valid lies between the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from pytest_totphog.conformance.finding import Measured

__all__ = ["HORIZONS", "RATE", "Odds", "accepted_codes", "chance", "guesses", "percent", "sentence"]

RATE: Final = 10
"""Requests a second that a guesser is taken to make."""

HORIZONS: Final = ((3600, "an hour"), (86_400, "a day"), (2_592_000, "30 days"))
"""The times, in seconds and in words, after which the chance is told."""


def guesses(seconds: float, rate: float = RATE, allowed: int | None = None, lockout_seconds: float = 0) -> int:
    """Return how many guesses are looked at within a time.

    Without a throttle that is `rate * seconds`. With one, `allowed` guesses are made, the lockout is waited for, and
    so on: every `allowed / rate + lockout_seconds` seconds, `allowed` guesses.

    Args:
        seconds: the time.
        rate: guesses that are sent a second.
        allowed: guesses that are looked at before the throttle; None where there is none.
        lockout_seconds: how long the throttle then lasts.
    """
    # Fractions, so that a guess that is just in time is counted.
    time, speed = Fraction(seconds), Fraction(rate)
    if allowed is None:
        return math.floor(speed * time)
    lockouts, rest = divmod(time, allowed / speed + Fraction(lockout_seconds))
    return lockouts * allowed + min(allowed, math.floor(speed * rest))


def chance(guesses: int, accepted_codes: int, digits: int = 6) -> float:
    """Return the chance, from 0 to 1, that one of some guesses is right; the formula stands at the module's top.

    Args:
        guesses: how many are looked at.
        accepted_codes: how many time steps' codes are accepted at the same time.
        digits: length of a code.
    """
    # As 1 - (1 - 10**-digits) ** n, without the rounding of numbers next to 1.
    return -math.expm1(accepted_codes * guesses * math.log1p(-(10.0**-digits)))


def percent(chance: float) -> str:
    """Return a chance in per cent with two digits: `"16 %"`."""
    if chance > 0.99:
        return "over 99 %"
    if 0 < chance < 0.000_001:
        return "under 0.0001 %"
    return f"{100 * chance:.2g} %"


@dataclass(frozen=True)
class Odds:
    """The chance of a guesser within a time.

    Attributes:
        seconds: the time.
        words: the time in words.
        rate: guesses sent a second.
        guesses: how many of them are looked at.
        chance: that one of them is right, from 0 to 1.
    """

    seconds: int
    words: str
    rate: float
    guesses: int
    chance: float

    @classmethod
    def of(cls, measured: Measured, rate: float = RATE) -> tuple[Odds, ...]:
        """Return the chances within an hour, a day and 30 days; a throttle that was not measured counts as none.

        Nothing is returned where the window was not measured, nor where it is not known how long a throttle lasts.
        """
        codes = accepted_codes(measured)
        # What ends the attempt alone stops nobody: the next is begun at once.
        throttled = measured.throttled and measured.failures_before_throttle is not None
        if codes is None or (throttled and measured.lockout_seconds is None):
            return ()
        allowed = measured.failures_before_throttle if throttled else None
        found = []
        for seconds, words in HORIZONS:
            looked_at = guesses(seconds, rate, allowed, measured.lockout_seconds or 0)
            found.append(cls(seconds, words, rate, looked_at, chance(looked_at, codes, measured.digits or 6)))
        return tuple(found)


def accepted_codes(measured: Measured) -> int | None:
    """Return how many time steps' codes are accepted at the same time; None where that was not measured."""
    if measured.earliest is None or measured.latest is None:
        return None
    return measured.latest - measured.earliest + 1


def sentence(measured: Measured) -> str:
    """Return what the measured window and throttle mean, as one or two sentences."""
    codes, odds = accepted_codes(measured), Odds.of(measured)
    if codes is None:
        return "The accepted window was not measured."
    if not odds:
        before = chance(measured.failures_before_throttle or 0, codes, measured.digits or 6)
        return f"A guesser has {percent(before)} before the throttle, and how long that lasts is not known."
    condition = ", were nothing throttled (not measured)," if measured.throttled is None else ""
    # The first lockouts were shorter, but all that follow will be longer.
    most = " at most" if measured.throttled and measured.lockout_grows else ""
    *others, last = (f"{percent(each.chance)} after {each.words}" for each in odds)
    return f"At {RATE} requests a second{condition} a guesser has{most} {', '.join(others)} and {last}."
