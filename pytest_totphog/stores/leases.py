"""Leases: what one holder at a time has, until it gives it back or dies."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import ClassVar, Final, NamedTuple

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import TotphogError
from pytest_totphog.stores import Repository
from pytest_totphog.stores.records import put

__all__ = ["Holding", "Lease", "Leases"]

# Seconds. A lease is renewed three times in that, so that it outlives a renewal that fails.
TIME_TO_LIVE: Final = 30.0

# Seconds between two looks of the first in the queue; those behind it look less often.
LOOK_AGAIN: Final = 0.05
LOOK_AGAIN_AT_MOST: Final = 1.0


@dataclass(frozen=True)
class Lease:
    """Who has one of the things that are leased.

    Whoever waits for one stands in a queue, and a place in the queue is leased in the same way.

    Attributes:
        id: the key of what is leased, or of a place in the queue.
        holder: who has it, as a reader recognises it: a test's name, a worker; empty when it was given back.
        number: what tells this lease from every other one; empty when it was given back.
        renewals: how often it was renewed.
        turn: larger than that of every lease taken before, so that the smallest is of what was unused for longest.
    """

    collection: ClassVar[str] = "leases_lease"

    id: str
    holder: str = ""
    number: str = ""
    renewals: int = 0
    turn: int = 0


class Holding(NamedTuple):
    """Who has what, for errors.

    Attributes:
        key: the key of what is leased.
        holder: who has it.
        seconds: for how long at least.
    """

    key: str
    holder: str
    seconds: float


class _Seen(NamedTuple):
    """A lease, and for how many seconds this process has seen it as it is."""

    lease: Lease
    unchanged: float


class Leases:
    """Gives each thing to one holder at a time, in every process that uses the same repository.

    A lease expires when it was not renewed for its time to live. Whoever wants it watches that on a clock of its own,
    so machines need not agree on the time, and frozen time changes nothing.

    Args:
        repository: where leases live.
        time_to_live: seconds; the same for all who use the repository.
        monotonic: a clock that only runs forward, in seconds.
    """

    def __init__(
        self,
        repository: Repository[Lease],
        time_to_live: float = TIME_TO_LIVE,
        monotonic: Callable[[], float] = Clock.monotonic,
    ) -> None:
        self._repository = repository
        self._time_to_live = time_to_live
        self._renewed_every = time_to_live / 3
        self._monotonic = monotonic
        # Each lease as it was when last looked at, and since when it has been seen so.
        self._since: dict[str, tuple[Lease, float]] = {}

    def take(self, keys: Sequence[str], holder: str, timeout: float = 0.0) -> Lease | None:
        """Take what has been unused for longest; those who wait for the same keys already go first.

        Args:
            keys: what may be taken, each key once.
            holder: who takes it.
            timeout: how long to wait at the most, in real seconds.

        Returns:
            The lease, to be renewed and given back; None when there was none in time.
        """
        number = uuid.uuid4().hex
        queue = f"queue-{hashlib.sha256(repr(sorted(keys)).encode()).hexdigest()[:16]}-"
        place = Lease(queue + number, holder, number)
        deadline = self._monotonic() + timeout
        waits = False
        try:
            while True:
                seen = self._look()
                ahead = self._ahead(seen, queue, place)
                if (lease := self._take(seen, keys, ahead, place)) is not None:
                    return lease
                left = deadline - self._monotonic()
                if left <= 0:
                    return None
                waits = True
                if place.id not in seen or seen[place.id].unchanged >= self._renewed_every:
                    self.renew(place)
                threading.Event().wait(min(left, LOOK_AGAIN * (ahead + 1), LOOK_AGAIN_AT_MOST))
        finally:
            if waits:
                self._repository.remove(place.id)

    def renew(self, lease: Lease) -> bool:
        """Say that the holder is alive; False when somebody else has been given what it had."""

        def renewed(kept: Lease | None) -> Lease:
            if kept is None:  # the repository was emptied
                return lease
            return replace(kept, renewals=kept.renewals + 1) if kept.number == lease.number else kept

        return put(self._repository, lease.id, renewed).number == lease.number

    def give_back(self, lease: Lease) -> bool:
        """Let others have it; False when somebody else has been given it already."""
        # Replaced, not removed: a removal would not look whose it is.
        free = Lease(lease.id, turn=lease.turn)
        kept = put(self._repository, lease.id, lambda kept: kept if kept and kept.number != lease.number else free)
        return kept == free

    @contextmanager
    def renewing(self, lease: Lease) -> Iterator[None]:
        """Renew a lease, in a thread, until the block ends."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._renewed_every):
                # A store that fails may be back at the next time; what was lost is found when it is given back.
                with suppress(TotphogError):
                    self.renew(lease)

        thread = threading.Thread(target=renew, name="totphog-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(self._time_to_live)

    def holders(self, keys: Sequence[str]) -> list[Holding]:
        """Return who has which of these, in their order; nobody for what is free or has expired."""
        seen = self._look()
        return [
            Holding(key, lease.holder, lease.renewals * self._renewed_every + unchanged)
            for key in keys
            for lease, unchanged in [seen.get(key, _Seen(Lease(key), 0.0))]
            if lease.number and unchanged < self._time_to_live
        ]

    def _look(self) -> dict[str, _Seen]:
        """Read all leases, and note since when each is as it is."""
        leases = {lease.id: lease for lease in self._repository.find()}
        now = self._monotonic()
        since = {}
        for key, lease in leases.items():
            before = self._since.get(key)
            since[key] = before if before is not None and before[0] == lease else (lease, now)
        self._since = since
        return {key: _Seen(lease, now - first) for key, (lease, first) in since.items()}

    def _ahead(self, seen: dict[str, _Seen], queue: str, own: Lease) -> int:
        """Return how many in the queue come before the own place, or before its end for those who have none."""
        ahead = 0
        for key, (_, unchanged) in seen.items():
            if key == own.id:
                break
            if key.startswith(queue):
                if unchanged < self._time_to_live:
                    ahead += 1
                else:
                    self._repository.remove(key)
        return ahead

    def _take(self, seen: dict[str, _Seen], keys: Sequence[str], ahead: int, place: Lease) -> Lease | None:
        """Take what nobody has; as many as are ahead in the queue are left for them."""
        turn = 1 + max((lease.turn for lease, _ in seen.values()), default=0)
        leases = [seen.get(key, _Seen(Lease(key), 0.0)) for key in keys]
        free = [lease for lease, unchanged in leases if not lease.number or unchanged >= self._time_to_live]
        # What was given back comes before what has expired, whose holder may be alive and slow.
        free.sort(key=lambda lease: (lease.number != "", lease.turn))
        for old in free[ahead:]:
            new = Lease(old.id, place.holder, place.number, turn=turn)
            if self._repository.replace(old, new) if old.id in seen else self._repository.add(new):
                return new
        return None
