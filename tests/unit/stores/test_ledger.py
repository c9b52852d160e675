"""The ledger in memory, and what a claim says; what every ledger promises is in stores/test_ledger_contract.py."""

import sys
from collections.abc import Iterator

import freezegun
import pytest

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


def test_credential_is_forgotten_a_week_after_its_last_claim() -> None:
    """By itself, with a later claim on any other; so a server that runs for long stays small."""
    now = 1000.0
    ledger = MemoryLedger(lambda: now)

    def claim(fingerprint: str) -> None:
        ledger.claim(fingerprint, 10, 20, holder="test", claimed_at=5.0)

    claim("alice")
    now += 86_400
    claim("bob")
    now += 6 * 86_400
    claim("bob")
    assert ledger.last("alice") is not None

    now += 3600
    claim("carol")
    assert ledger.last("alice") is None
    assert ledger.last("bob") == Claim("bob", 11, "test", 5.0)


@pytest.mark.parametrize("year", ["1990", "2050"])
def test_frozen_time_makes_no_claim_old(year: str) -> None:
    """Whatever patch stops the process's time, at whatever instant: what was claimed stays claimed."""
    ledger = MemoryLedger()
    ledger.claim("alice", 10, 10, holder="test", claimed_at=5.0)
    with freezegun.freeze_time(f"{year}-01-01"):
        ledger.claim("bob", 10, 10, holder="test", claimed_at=5.0)

    assert ledger.claim("alice", 10, 10, holder="test", claimed_at=5.0) is None
    assert ledger.claim("bob", 10, 10, holder="test", claimed_at=5.0) is None


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
