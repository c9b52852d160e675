"""Flaws of a verifier: the mistakes that real ones were found with, each a small deviation from the right way.

A flaw is a subclass that overrides as little as it takes; `pytest_totphog.backends.flawed` puts several together.
"""

from __future__ import annotations

import time
import unicodedata
from dataclasses import replace
from typing import Final

from pytest_totphog.backends.verifier import Attempts, LastStep, Verification, Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores import Store
from pytest_totphog.stores.records import put

__all__ = ["CODES", "MEMORY", "THROTTLE", "between_check_and_set"]

BETWEEN_CHECK_AND_SET: Final = 0.005


def between_check_and_set() -> None:
    """Take the time that a database takes to answer: what is read before it is old after it."""
    time.sleep(BETWEEN_CHECK_AND_SET)


# What is remembered of codes


class Replay(Verifier):
    """Nothing is remembered: a code is accepted again and again (CVE-2022-25838)."""

    def _spend(self, account: str, token: Token, step: int) -> bool:
        return True


class TrailingReplay(Verifier):
    """Spent codes are forgotten when the time step ends, though they are good for one more (CVE-2021-43177)."""

    def _spend(self, account: str, token: Token, step: int) -> bool:
        return super()._spend(f"{account}/{token.step_at(self._clock.time_ns())}", token, step)


class Backwards(Verifier):
    """Each code is remembered by itself, so an older one is accepted after a newer one."""

    def _spend(self, account: str, token: Token, step: int) -> bool:
        return super()._spend(f"{account}/{step}", token, step)


class Race(Verifier):
    """It is looked up whether a code is spent, and written down afterwards (CVE-2026-48505)."""

    def _spend(self, account: str, token: Token, step: int) -> bool:
        key = f"{token.fingerprint}/{account}"
        last = self._steps.get(key)
        if last is not None and last.step >= step:
            return False
        between_check_and_set()
        put(self._steps, key, lambda _: LastStep(key, step))
        return True


class RespelledReplay(Verifier):
    """Codes are remembered as they were sent, and stripped of spaces afterwards (CVE-2025-6014)."""

    def __init__(self, store: Store, clock: Clock, policy: VerifierPolicy) -> None:
        super().__init__(store, clock, policy)
        self._respelled = _Respelled(store, clock, policy)

    def verify(self, account: str, token: Token, code: object) -> Verification:
        """Accept a code with spaces around it though it is spent without them."""
        if isinstance(code, str) and code != code.strip():
            return self._respelled.verify(account, token, code.strip())
        return super().verify(account, token, code)


class _Respelled(Verifier):
    def _spend(self, account: str, token: Token, step: int) -> bool:
        return super()._spend(f"{account}/respelled", token, step)


# What is a code


class WideWindow(Verifier):
    """Codes of the four time steps before and after are accepted, whatever the policy says."""

    def __init__(self, store: Store, clock: Clock, policy: VerifierPolicy) -> None:
        super().__init__(store, clock, replace(policy, window=4))


class LostZeros(Verifier):
    """Codes are compared as numbers, so that zeros at the front may be left out or added."""

    def _matching_step(self, token: Token, code: object, current: int) -> int | None:
        if isinstance(code, str) and code.isascii() and code.isdigit():
            code = code.lstrip("0").zfill(token.digits)
        return super()._matching_step(token, code, current)


class UnicodeDigits(Verifier):
    """Whatever Unicode calls a digit is one: full-width, Arabic-Indic, superscript (CVE-2025-6014)."""

    def _matching_step(self, token: Token, code: object, current: int) -> int | None:
        if isinstance(code, str) and code.isdigit():
            code = "".join(str(unicodedata.digit(character)) for character in code)
        return super()._matching_step(token, code, current)


class MasterCode(Verifier):
    """000000 is always accepted; somebody once tested with it."""

    def verify(self, account: str, token: Token, code: object) -> Verification:
        """Accept zeros without a look at anything."""
        return Verification("accepted") if code == "0" * token.digits else super().verify(account, token, code)


# How often one may be wrong


class NoThrottle(Verifier):
    """Nobody is ever locked, whatever the policy says (CVE-2024-0227)."""

    def __init__(self, store: Store, clock: Clock, policy: VerifierPolicy) -> None:
        super().__init__(store, clock, replace(policy, max_failures=None))


class NoReset(Verifier):
    """Failures are counted for ever: a right code is none, but takes back no other."""

    def forgive(self, account: str) -> None:
        """Take back the failure that was counted before the right code was looked at, and no other."""
        put(
            self._attempts,
            account,
            lambda old: Attempts(account, 0 if old is None else max(0, old.failures - 1)),
        )


MEMORY: Final[dict[str, tuple[type, ...]]] = {
    "replay": (Replay,),
    "trailing-replay": (TrailingReplay,),
    "backwards": (Backwards,),
    "race": (Race,),
    "respelled-replay": (RespelledReplay,),
}
CODES: Final[dict[str, tuple[type, ...]]] = {
    "wide-window": (WideWindow,),
    "lost-zeros": (LostZeros,),
    "unicode-digits": (UnicodeDigits,),
    "master-code": (MasterCode,),
}
THROTTLE: Final[dict[str, tuple[type, ...]]] = {
    "no-throttle": (NoThrottle,),
    "no-reset": (NoReset,),
}
