"""The ledger: which time steps of a credential have been handed out, and to whom."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["Claim", "Ledger", "MemoryLedger"]

# Older claims of a credential are forgotten; the last one never is.
KEPT_CLAIMS: Final = 1000


@dataclass(frozen=True)
class Claim:
    """One time step's code, handed out once.

    Attributes:
        fingerprint: the credential, as `Token.fingerprint` tells it.
        step: the time step (RFC 6238's T).
        holder: who has the code, as a reader recognises it: a test's name, a worker.
        claimed_at: when, in seconds since the epoch on the clock of the server.
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
        return "just now" if age == 0 else f"{age} s ago" if age > 0 else f"at a clock {-age} s ahead"


class Ledger(Protocol):
    """Where claims are kept. Keyed by credential, so two tokens with one secret share their steps."""

    def claim(self, claim: Claim) -> bool:
        """Record a claim; atomically, and only for a step later than every one claimed before.

        Verifiers remember the last step and accept only later ones (RFC 6238 section 5.2).

        Returns:
            False when the step, or a later one, has been claimed already.
        """
        ...

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        ...

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        ...


class MemoryLedger:
    """A ledger in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Dictionaries keep their order, and steps only grow: the last entry is the latest step.
        self._claims: dict[str, dict[int, Claim]] = {}

    def claim(self, claim: Claim) -> bool:
        """Record a claim; see `Ledger.claim`."""
        with self._lock:
            steps = self._claims.setdefault(claim.fingerprint, {})
            if steps and claim.step <= next(reversed(steps)):
                return False
            steps[claim.step] = claim
            if len(steps) > KEPT_CLAIMS:
                del steps[next(iter(steps))]
            return True

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        with self._lock:
            steps = self._claims.get(fingerprint)
            return steps[next(reversed(steps))] if steps else None

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        with self._lock:
            return self._claims.get(fingerprint, {}).get(step)
