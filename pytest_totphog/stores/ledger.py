"""The ledger: which time steps of a credential have been handed out, and to whom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.wording import duration

__all__ = ["KEPT_SECONDS", "KEPT_STEPS", "MAX_HOLDER", "MAX_STEP", "PRUNE_INTERVAL", "Claim", "Ledger", "MemoryLedger"]

# The last step: no clock shows it, and every store can still count the one after it.
MAX_STEP: Final = 2**62

# Claims on steps further behind the last one are forgotten.
KEPT_STEPS: Final = 1000
# So are claims of a week ago, even the last one: no step is longer than a day, so nobody asks for it any more.
KEPT_SECONDS: Final = 7 * 86_400
# How often a ledger looks for those, in seconds.
PRUNE_INTERVAL: Final = 3600
# How long the name of a holder may be, in characters.
MAX_HOLDER: Final = 500


@dataclass(frozen=True)
class Claim:
    """One time step's code, handed out once.

    Attributes:
        fingerprint: the credential, as `Token.fingerprint` tells it; or that, `/`, and where the claim counts.
        step: the time step (RFC 6238's T).
        holder: who has the code, as a reader recognises it: a test's name, a worker.
        claimed_at: when, in seconds since the epoch on the clock that the codes follow.
    """

    fingerprint: str
    step: int
    holder: str
    claimed_at: float

    def describe(self, now: float) -> str:
        """Say who holds the step and since when, for errors."""
        return f"step {self.step} was handed to {self.holder} {self.since(now)}"

    def since(self, now: float) -> str:
        """Say how long ago the step was handed out; a frozen clock may stand before it."""
        age = round(now - self.claimed_at)
        if age == 0:
            return "just now"
        return f"{duration(age)} ago" if age > 0 else f"at a clock {duration(-age)} ahead"


class Ledger(Protocol):
    """Where claims are kept. Keyed by credential, so two tokens with one secret share their steps.

    It forgets by itself what was surely claimed a week ago, whatever time the codes and the process are in.
    """

    def claim(
        self,
        fingerprint: str,
        earliest: int,
        latest: int,
        *,
        holder: str,
        claimed_at: float,
        also: Sequence[str] = (),
    ) -> Claim | None:
        """Claim the first step that is later than every one claimed before; atomically, and recorded on return.

        Verifiers remember the last step and accept only later ones (RFC 6238 section 5.2). The step may be one to
        come: whoever claims it waits until it begins, and others line up behind.

        Args:
            fingerprint: the credential.
            earliest: the first step that is wanted.
            latest: the last step that is wanted.
            holder: who takes it.
            claimed_at: seconds since the epoch on the clock that the codes follow.
            also: further keys under which the step must be free, and is spent; always in the same order.

        Returns:
            The claim, or None, and nothing recorded, when the first free step is later than `latest`.
        """
        ...

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        ...

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        ...


class MemoryLedger:
    """A ledger in this process; see `Ledger` for what its methods promise.

    Args:
        monotonic: a clock that only runs forward, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = Clock.monotonic) -> None:
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._prune_at = monotonic() + PRUNE_INTERVAL
        # Dictionaries keep their order, and steps only grow: the last entry is the latest step.
        self._claims: dict[str, dict[int, Claim]] = {}
        self._used_at: dict[str, float] = {}

    def claim(
        self,
        fingerprint: str,
        earliest: int,
        latest: int,
        *,
        holder: str,
        claimed_at: float,
        also: Sequence[str] = (),
    ) -> Claim | None:
        """Claim the first free step; see `Ledger.claim`."""
        keys = (fingerprint, *also)
        with self._lock:
            step = earliest
            for key in keys:
                if steps := self._claims.get(key):
                    step = max(step, next(reversed(steps)) + 1)
            if step > latest:
                return None
            now = self._monotonic()
            for key in keys:
                steps = self._claims.setdefault(key, {})
                steps[step] = Claim(key, step, holder, claimed_at)
                while (oldest := next(iter(steps))) < step - KEPT_STEPS:
                    del steps[oldest]
                self._used_at[key] = now
            if now >= self._prune_at:
                self._prune_at = now + PRUNE_INTERVAL
                self._prune(now - KEPT_SECONDS)
            return self._claims[fingerprint][step]

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        with self._lock:
            steps = self._claims.get(fingerprint)
            return steps[next(reversed(steps))] if steps else None

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        with self._lock:
            return self._claims.get(fingerprint, {}).get(step)

    def _prune(self, before: float) -> None:
        """Forget the credentials of which nothing was claimed since."""
        for fingerprint in [each for each, used_at in self._used_at.items() if used_at < before]:
            del self._claims[fingerprint], self._used_at[fingerprint]
