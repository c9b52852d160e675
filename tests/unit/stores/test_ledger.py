"""The ledger in memory, and what a claim says; what every ledger promises is in stores/test_ledger_contract.py."""

import sys
from collections.abc import Iterator

import pytest

from pytest_totphog import Clock
from pytest_totphog.stores.ledger import Claim, MemoryLedger
from tests.support.threads import in_threads


@pytest.fixture
def _restless() -> Iterator[None]:
    """Let Python switch between threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_restless")
@pytest.mark.parametrize("_attempt", range(8))  # a race shows itself in one of two
def test_many_threads_share_many_steps(_attempt: int) -> None:
    """Sixteen threads claim a thousand steps: each step is one thread's, and written down so."""
    ledger = MemoryLedger()

    def compete(number: int) -> list[Claim]:
        wanted = (ledger.claim("alice", 0, 999, holder=f"thread {number}", claimed_at=0.0) for _ in range(1001))
        return [claim for claim in wanted if claim is not None]

    won = [claim for claims in in_threads(16, compete) for claim in claims]

    assert sorted(claim.step for claim in won) == list(range(1000))
    assert won == [ledger.find("alice", claim.step) for claim in won]


def test_pruning_goes_by_real_time() -> None:
    """A credential is as old as its last claim, on the ledger's own clock."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    clock.freeze(1000)
    ledger.claim("alice", 10, 10, holder="test", claimed_at=5.0)
    clock.freeze(2000)
    ledger.claim("bob", 10, 10, holder="test", claimed_at=5.0)

    ledger.prune(before=2000)

    assert ledger.last("alice") is None
    assert ledger.last("bob") == Claim("bob", 10, "test", 5.0)


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (1_705_314_600.0, "just now"),
        (1_705_314_600.4, "just now"),
        (1_705_314_612.0, "12 s ago"),
        (1_705_314_570.0, "at a clock 30 s ahead"),
    ],
)
def test_claim_tells_who_and_since_when(now: float, since: str) -> None:
    """A frozen clock may have gone back since, which the sentence says."""
    assert (
        Claim("alice", 10, "gw1 test_login", 1_705_314_600.0).describe(now)
        == f"step 10 was handed to gw1 test_login {since}"
    )
