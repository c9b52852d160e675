"""The ledger: which time steps of a credential have been handed out, and to whom."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Protocol

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.wording import duration
from pytest_totphog.errors import StoreError
from pytest_totphog.wsgi.forks import at_fork

if TYPE_CHECKING or sys.platform != "win32":
    from pytest_totphog.stores.claim_log import ClaimLog

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

    def give_back(self, claim: Claim) -> None:
        """Forget a claim whose code nobody was given; the next claim gets the step unless a later one is claimed."""
        ...

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        ...

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        ...


class MemoryLedger:
    """A ledger in this process and those that are forked from it; see `Ledger` for what its methods promise.

    Args:
        monotonic: a clock that only runs forward, in seconds.
        log: what it shares with the ledgers of other processes; unless given, that is one for those that are forked.
    """

    def __init__(self, monotonic: Callable[[], float] = Clock.monotonic, log: ClaimLog | None = None) -> None:
        # Entered again where a signal's handler forks.
        self._lock = threading.RLock()
        self._monotonic = monotonic
        self._prune_at = monotonic() + PRUNE_INTERVAL
        # Dictionaries keep their order, and steps only grow: the last entry is the latest step.
        self._claims: dict[str, dict[int, Claim]] = {}
        self._used_at: dict[str, float] = {}
        # What processes that were forked from one another have in common; as long as there is one, nothing.
        self._log: ClaimLog | nullcontext[None] = nullcontext() if log is None else log
        self._cut_off = False
        at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._after_fork_in_child)

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
        """Claim the first free step; see `Ledger.claim`.

        Raises:
            StoreError: in a forked process that could not be given a share in its parent's claims.
        """
        if self._cut_off:
            raise StoreError(
                "this process was forked from the one that has the ledger, when the system had no file left for what "
                "they share; take codes in the parent, or give both a TotpServer of one database"
            )
        keys = (fingerprint, *also)
        with self._lock, self._log as log:
            self._read(log)
            step = earliest
            for key in keys:
                if steps := self._claims.get(key):
                    step = max(step, next(reversed(steps)) + 1)
            if step > latest:
                return None
            for key in keys:
                claim = Claim(key, step, holder, claimed_at)
                if log is not None:
                    log.write(asdict(claim))
                self._add(claim)
            return self._claims[fingerprint][step]

    def give_back(self, claim: Claim) -> None:
        """Forget a claim whose code nobody was given; see `Ledger.give_back`."""
        with self._lock, self._log as log:
            self._read(log)
            if self._claims.get(claim.fingerprint, {}).get(claim.step) == claim:
                if log is not None:
                    log.write({"given back": asdict(claim)})
                self._remove(claim)

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        with self._lock, self._log as log:
            self._read(log)
            steps = self._claims.get(fingerprint)
            return steps[next(reversed(steps))] if steps else None

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        with self._lock, self._log as log:
            self._read(log)
            return self._claims.get(fingerprint, {}).get(step)

    def _read(self, log: ClaimLog | None) -> None:
        """Learn what other processes have claimed."""
        for entry in () if log is None else log.news():
            if "given back" in entry:
                self._remove(Claim(**entry["given back"]))
            else:
                self._add(Claim(**entry))

    def _add(self, claim: Claim) -> None:
        steps = self._claims.setdefault(claim.fingerprint, {})
        steps[claim.step] = claim
        while (oldest := next(iter(steps))) < claim.step - KEPT_STEPS:
            del steps[oldest]
        self._used_at[claim.fingerprint] = now = self._monotonic()
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_INTERVAL
            for fingerprint in [each for each, used_at in self._used_at.items() if used_at < now - KEPT_SECONDS]:
                del self._claims[fingerprint], self._used_at[fingerprint]

    def _remove(self, claim: Claim) -> None:
        steps = self._claims.get(claim.fingerprint, {})
        steps.pop(claim.step, None)
        if not steps:
            self._claims.pop(claim.fingerprint, None)
            self._used_at.pop(claim.fingerprint, None)

    def _before_fork(self) -> None:
        self._lock.acquire()  # no other thread is in the middle of a claim
        if isinstance(self._log, nullcontext):
            with suppress(OSError):
                self._log = ClaimLog()

    def _after_fork(self) -> None:
        with suppress(RuntimeError):  # another thread has just made this ledger
            self._lock.release()

    def _after_fork_in_child(self) -> None:
        self._cut_off = isinstance(self._log, nullcontext)
        self._after_fork()
