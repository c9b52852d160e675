"""How far the app under test remembers used codes, and a ledger in which a step counts just as far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pytest_totphog.clocks.clock import Clock, is_real
from pytest_totphog.inputs import as_text
from pytest_totphog.stores import Store
from pytest_totphog.stores.leases import Lease
from pytest_totphog.stores.ledger import Claim

__all__ = ["ADVICE", "UNNAMED", "ReplayScope", "ScopedLedger"]

ADVICE: Final = (
    "If the app forgets used codes between tests, as with a fresh database for each, say so: ini totphog_replay_scope "
    '= function, @pytest.mark.totp_replay_scope("function"), or totp_replay_scope = "function" in a TotpTestCase'
)


@dataclass(frozen=True)
class ReplayScope:
    """Where a claim counts.

    Attributes:
        run: the test run, within which a step counts in real and in frozen time; empty where no other run shares the
            ledger.
        part: the part of the run after which the app forgets used codes, unlike every other part of any run; empty for
            the whole run.
    """

    run: str = ""
    part: str = ""

    @classmethod
    def parse(cls, text: object) -> ReplayScope:
        """Return the scope that `str` has written.

        Raises:
            InvalidInput: for another text.
        """
        run, _, part = as_text("scope", text).partition("/")
        return cls(run, part)

    def __str__(self) -> str:
        return f"{self.run}/{self.part}"

    def keys(self, fingerprint: str, real: bool) -> tuple[str, ...]:
        """Return the ledger's keys under which a credential's steps count, in real time or in frozen time."""
        if self.part:
            return (f"{fingerprint}/{self.part}",)
        if not self.run:
            return (fingerprint,)
        # An app in real time may be every run's. No other run's has the time of this one's frozen clock, and where
        # both are frozen that is not known.
        return (fingerprint if real else f"{fingerprint}/frozen", f"{fingerprint}/{self.run}")


UNNAMED: Final = ReplayScope("-")
"""Where a claim without a namespace counts; no namespace has this name."""


class ScopedLedger:
    """A ledger in which a step counts as far as the app remembers it; see `Ledger` for what its methods promise.

    An account that is leased is shared by all tests: what was handed out of it counts for the whole run.

    Args:
        store: where claims and leases are.
        clock: what the codes follow.
        scope: says where a claim counts now.
    """

    def __init__(self, store: Store, clock: Clock, scope: Callable[[], ReplayScope]) -> None:
        self._store = store
        self._clock = clock
        self._scope = scope

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
        first, *more = [key for each in (fingerprint, *also) for key in self._keys(each)]
        claim = self._store.ledger.claim(first, earliest, latest, holder=holder, claimed_at=claimed_at, also=more)
        return None if claim is None else replace(claim, fingerprint=fingerprint)

    def give_back(self, claim: Claim) -> None:
        """Forget a claim whose code was not handed out; see `Ledger.give_back`."""
        # The clock may have been frozen since.
        keys = {
            key for real in (True, False) for key in self._scope_of(claim.fingerprint).keys(claim.fingerprint, real)
        }
        for key in keys:
            self._store.ledger.give_back(replace(claim, fingerprint=key))

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        found = (self._store.ledger.last(key) for key in self._keys(fingerprint))
        claims = [replace(claim, fingerprint=fingerprint) for claim in found if claim is not None]
        return max(claims, key=lambda claim: claim.step, default=None)

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        found = (self._store.ledger.find(key, step) for key in self._keys(fingerprint))
        return next((replace(claim, fingerprint=fingerprint) for claim in found if claim is not None), None)

    def _keys(self, fingerprint: str) -> tuple[str, ...]:
        return self._scope_of(fingerprint).keys(fingerprint, is_real(self._clock))

    def _scope_of(self, fingerprint: str) -> ReplayScope:
        scope = self._scope()
        if scope.part and self._store.repository(Lease).get(fingerprint) is not None:
            return replace(scope, part="")
        return scope
