"""Where a claim counts: in which part of which run, and in which time."""

import pytest

from pytest_totphog import Clock, InvalidInput
from pytest_totphog.authenticator.replay_scope import ReplayScope, ScopedLedger
from pytest_totphog.stores.leases import Lease
from pytest_totphog.stores.memory import MemoryStore

NOTHING = ReplayScope()


def claim(ledger: ScopedLedger, earliest: int = 10, fingerprint: str = "alice") -> int:
    """Claim a step and return it."""
    claimed = ledger.claim(fingerprint, earliest, 2**62, holder="test", claimed_at=1.5)
    assert claimed is not None
    assert ledger.find(fingerprint, claimed.step) == ledger.last(fingerprint) == claimed
    return claimed.step


def ledgers(store: MemoryStore, *scopes: ReplayScope, frozen: bool = False) -> list[ScopedLedger]:
    """Return a ledger for each scope over one store."""
    clock = Clock()
    if frozen:
        clock.freeze("2030-01-01T00:00:00Z")

    def ledger(scope: ReplayScope) -> ScopedLedger:
        return ScopedLedger(store, clock, lambda: scope)

    return [ledger(scope) for scope in scopes]


def test_ledger_of_one_run() -> None:
    """Without a scope everything counts everywhere, and the keys are the credentials."""
    store = MemoryStore()
    (live,), (frozen,) = ledgers(store, NOTHING), ledgers(store, NOTHING, frozen=True)
    assert [claim(live), claim(frozen), claim(live), claim(live, fingerprint="bob")] == [10, 11, 12, 10]
    assert store.ledger.find("alice", 12) is not None


def test_parts_of_a_run() -> None:
    """Each has its own steps, in real and in frozen time."""
    store = MemoryStore()
    parts = [ReplayScope("run", "a"), ReplayScope("run", "b"), ReplayScope("run")]
    assert [claim(each) for each in ledgers(store, *parts)] == [10, 10, 10]
    assert [claim(each) for each in ledgers(store, *parts, frozen=True)] == [11, 11, 11]


def test_leased_account_counts_for_the_whole_run() -> None:
    """All tests share it, whatever their own apps forget."""
    store = MemoryStore()
    store.repository(Lease).add(Lease("alice"))
    parts = ledgers(store, ReplayScope("run", "a"), ReplayScope("run", "b"), ReplayScope("run"))
    assert [claim(each) for each in parts] == [10, 11, 12]
    assert [claim(each, fingerprint="bob") for each in parts] == [10, 10, 10]


def test_runs_that_share_a_ledger() -> None:
    """Real time is one for all, and frozen time for all that are frozen; a run alone knows its own of both."""
    store = MemoryStore()
    runs = ReplayScope("a"), ReplayScope("b")
    live, other_live = ledgers(store, *runs)
    frozen, other_frozen = ledgers(store, *runs, frozen=True)

    assert claim(frozen, 1000) == 1000
    assert [claim(other_live), claim(other_live), claim(live)] == [10, 11, 1001]
    assert [claim(other_frozen), claim(frozen)] == [1001, 1002]


@pytest.mark.parametrize("scope", [NOTHING, ReplayScope("run"), ReplayScope("run", "part")], ids=str)
def test_claim_that_is_given_back(scope: ReplayScope) -> None:
    """It is free again wherever it counted, also when the clock was frozen meanwhile."""
    store, clock = MemoryStore(), Clock()
    ledger = ScopedLedger(store, clock, lambda: scope)
    claimed = ledger.claim("alice", 10, 10, holder="test", claimed_at=1.5)
    assert claimed is not None

    clock.freeze("2024-01-15T10:30:00Z")
    ledger.give_back(claimed)

    assert ledger.last("alice") is None
    clock.unfreeze()
    assert ledger.last("alice") is None
    assert claim(ledger) == 10


def test_scope_as_text() -> None:
    """As it travels to a shared server; a text that is too long, or unprintable, is refused."""
    for scope in ReplayScope("run", "part"), ReplayScope("run"), NOTHING:
        assert ReplayScope.parse(str(scope)) == scope
    for text in "", "a" * 201, "a\n/b", None, 3:
        with pytest.raises(InvalidInput, match=r"^scope "):
            ReplayScope.parse(text)
