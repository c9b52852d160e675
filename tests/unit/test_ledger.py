"""The ledger: every step of a credential once, and only forwards."""

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from pytest_totphog.ledger import KEPT_CLAIMS, Claim, MemoryLedger


def claim(step: int, fingerprint: str = "alice", holder: str = "test_login") -> Claim:
    """Return a claim on a step."""
    return Claim(fingerprint, step, holder, claimed_at=1_705_314_600.0)


def test_new_ledger_knows_nothing() -> None:
    """No step is spent, so there is no last one."""
    ledger = MemoryLedger()

    assert ledger.last("alice") is None
    assert ledger.find("alice", 10) is None


def test_step_is_claimed_once() -> None:
    """The second one is told no, and the first keeps it."""
    ledger = MemoryLedger()

    assert ledger.claim(claim(10, holder="test_login")) is True
    assert ledger.claim(claim(10, holder="test_logout")) is False
    assert ledger.find("alice", 10) == claim(10, holder="test_login")


def test_steps_are_claimed_strictly_forward() -> None:
    """Verifiers refuse a step before the last one they saw, so it is not handed out either."""
    ledger = MemoryLedger()

    assert [ledger.claim(claim(step)) for step in (10, 12, 11, 9, 12, 13)] == [True, True, False, False, False, True]
    assert ledger.last("alice") == claim(13)
    assert ledger.find("alice", 11) is None


def test_first_step_of_the_epoch_can_be_claimed() -> None:
    """Step 0 is a step like any other: a clock may be frozen at 1970."""
    ledger = MemoryLedger()

    assert ledger.claim(claim(0)) is True
    assert ledger.claim(claim(0)) is False
    assert ledger.last("alice") == claim(0)


def test_credentials_do_not_share_steps() -> None:
    """Each account has its own."""
    ledger = MemoryLedger()

    assert ledger.claim(claim(10, "alice")) is True
    assert ledger.claim(claim(10, "bob")) is True
    assert ledger.claim(claim(9, "carol")) is True
    assert ledger.last("alice") == claim(10, "alice")


@pytest.fixture
def _restless() -> Iterator[None]:
    """Let Python switch between threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(count: int, call: Callable[[str], object]) -> dict[str, object]:
    """Call with the name of each of some threads, all at the same time, and return what came back by name."""
    barrier = threading.Barrier(count)
    results = {}

    def run(name: str) -> None:
        barrier.wait(10)
        results[name] = call(name)

    threads = [threading.Thread(target=run, args=(f"thread {number}",)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return results


@pytest.mark.usefixtures("_restless")
def test_one_of_many_threads_gets_a_step() -> None:
    """Sixteen threads claim one step at the same time: exactly one succeeds, and is written down."""
    ledger = MemoryLedger()

    successes = in_threads(16, lambda name: ledger.claim(claim(10, holder=name)))

    [winner] = [name for name, success in successes.items() if success]
    assert len(successes) == 16
    assert ledger.find("alice", 10) == claim(10, holder=winner)


@pytest.mark.usefixtures("_restless")
@pytest.mark.parametrize("_attempt", range(8))  # a race shows itself in one of two
def test_many_threads_share_many_steps(_attempt: int) -> None:
    """Sixteen threads claim a thousand steps, one after the other: each step is one thread's, and written down so."""
    ledger = MemoryLedger()

    def compete(name: str) -> list[Claim]:
        return [each for each in (claim(step, holder=name) for step in range(KEPT_CLAIMS)) if ledger.claim(each)]

    won = [each for claims in in_threads(16, compete).values() for each in claims]

    assert sorted(each.step for each in won) == list(range(KEPT_CLAIMS))
    assert won == [ledger.find("alice", each.step) for each in won]


def test_oldest_claims_are_forgotten_and_never_the_last() -> None:
    """The memory of a credential is bounded, and its forgotten steps stay spent."""
    ledger = MemoryLedger()
    for step in range(KEPT_CLAIMS + 1):
        assert ledger.claim(claim(step))

    assert ledger.find("alice", 0) is None
    assert ledger.find("alice", 1) == claim(1)
    assert ledger.last("alice") == claim(KEPT_CLAIMS)
    assert ledger.claim(claim(0)) is False


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
    assert claim(10, holder="gw1 test_login").describe(now) == f"step 10 was handed to gw1 test_login {since}"
