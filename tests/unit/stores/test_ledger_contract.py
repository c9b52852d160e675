"""What every ledger promises, wherever it keeps its claims: every step of a credential once, and only forwards."""

import pytest

from pytest_totphog.stores import Store
from pytest_totphog.stores.ledger import KEPT_STEPS, Claim, Ledger
from tests.support.threads import in_threads

FAR = 2**62


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """An empty ledger of each kind."""
    return store.ledger


def claim(ledger: Ledger, earliest: int, latest: int = FAR, fingerprint: str = "alice", holder: str = "test") -> int:
    """Claim a step and return it; -1 where there is none."""
    claimed = ledger.claim(fingerprint, earliest, latest, holder=holder, claimed_at=1_705_314_600.25)
    assert claimed is None or claimed == Claim(fingerprint, claimed.step, holder, 1_705_314_600.25)
    return -1 if claimed is None else claimed.step


def test_new_ledger_knows_nothing(ledger: Ledger) -> None:
    """No step is spent, so there is no last one."""
    assert ledger.last("alice") is None
    assert ledger.find("alice", 10) is None


def test_first_claim_gets_the_step_it_wants(ledger: Ledger) -> None:
    """It is written down with its holder and the moment, to the fraction of a second."""
    assert claim(ledger, 10, holder="gw1 tests/test_login.py::test_admin") == 10

    written = Claim("alice", 10, "gw1 tests/test_login.py::test_admin", 1_705_314_600.25)
    assert ledger.last("alice") == written
    assert ledger.find("alice", 10) == written
    assert ledger.find("alice", 9) is None
    assert ledger.find("bob", 10) is None


def test_second_claim_gets_the_next_step(ledger: Ledger) -> None:
    """Whoever comes later stands in line behind."""
    assert [claim(ledger, 10) for _ in range(3)] == [10, 11, 12]


def test_steps_go_strictly_forward(ledger: Ledger) -> None:
    """Verifiers refuse a step before the last one they saw, so it is not handed out either."""
    assert [claim(ledger, earliest) for earliest in (10, 12, 11, 9, 20, 15)] == [10, 12, 13, 14, 20, 21]
    assert ledger.find("alice", 11) is None


def test_step_after_the_latest_is_not_claimed(ledger: Ledger) -> None:
    """Whoever would come too late leaves no trace; the last step wanted is still had."""
    assert claim(ledger, 10, 11) == 10
    assert claim(ledger, 10, 11) == 11
    assert claim(ledger, 10, 11) == -1
    assert claim(ledger, 5, 4, "bob") == -1
    assert ledger.last("bob") is None
    assert claim(ledger, 10, 12) == 12


def test_first_and_last_step_can_be_claimed(ledger: Ledger) -> None:
    """Step 0 is a step like any other: a clock may be frozen at 1970."""
    assert claim(ledger, 0, 0) == 0
    assert claim(ledger, 0, 0) == -1
    assert claim(ledger, FAR) == FAR


def test_credentials_do_not_share_steps(ledger: Ledger) -> None:
    """Each account has its own."""
    assert claim(ledger, 10, fingerprint="alice") == 10
    assert claim(ledger, 10, fingerprint="bob") == 10
    assert claim(ledger, 9, fingerprint="carol") == 9
    assert ledger.last("alice") == Claim("alice", 10, "test", 1_705_314_600.25)


def test_claim_that_is_given_back_is_free(ledger: Ledger) -> None:
    """As if it had never been made; the claims before it stay."""
    claim(ledger, 10)
    assert claim(ledger, 10) == 11

    ledger.give_back(Claim("alice", 11, "test", 1_705_314_600.25))

    assert ledger.last("alice") == Claim("alice", 10, "test", 1_705_314_600.25)
    assert claim(ledger, 10, holder="other") == 11


def test_only_claim_that_is_given_back(ledger: Ledger) -> None:
    """The credential is as one that nobody has used, and giving it back again changes nothing."""
    claim(ledger, 10)

    for _ in range(2):
        ledger.give_back(Claim("alice", 10, "test", 1_705_314_600.25))

    assert ledger.last("alice") is None
    assert claim(ledger, 9) == 9


def test_claim_before_another_that_is_given_back_leaves_a_gap(ledger: Ledger) -> None:
    """Steps go only forwards: a verifier may have seen the later one."""
    for _ in range(2):
        claim(ledger, 10)

    ledger.give_back(Claim("alice", 10, "test", 1_705_314_600.25))

    assert ledger.find("alice", 10) is None
    assert claim(ledger, 10) == 12


def test_claim_of_somebody_else_is_not_given_back(ledger: Ledger) -> None:
    """Whoever lost theirs does not take away what another has been given since."""
    claim(ledger, 10, holder="other")

    ledger.give_back(Claim("alice", 10, "test", 1_705_314_600.25))

    assert ledger.last("alice") == Claim("alice", 10, "other", 1_705_314_600.25)


def test_clearing_the_store_keeps_what_was_handed_out(store: Store, ledger: Ledger) -> None:
    """A verifier does not forget either."""
    claim(ledger, 10)

    store.clear()

    assert claim(ledger, 10) == 11


def test_old_steps_are_forgotten_and_never_the_last(ledger: Ledger) -> None:
    """The memory of a credential is bounded, and its forgotten steps stay spent."""
    for step in (1, 2, 1 + KEPT_STEPS, 2 + KEPT_STEPS):
        assert claim(ledger, step) == step

    assert ledger.find("alice", 1) is None
    assert ledger.find("alice", 2) == Claim("alice", 2, "test", 1_705_314_600.25)
    assert claim(ledger, 1) == 3 + KEPT_STEPS


def test_threads_get_every_step_once(ledger: Ledger) -> None:
    """Sixteen threads claim ten steps each at the same time: none comes twice, none is left out, all are written."""

    def compete(number: int) -> list[int]:
        return [claim(ledger, 100, holder=f"thread {number}") for _ in range(10)]

    claimed = in_threads(16, compete)

    assert sorted(step for steps in claimed for step in steps) == list(range(100, 260))
    assert all(steps == sorted(steps) for steps in claimed)
    for number, steps in enumerate(claimed):
        assert [ledger.find("alice", step).holder for step in steps] == [f"thread {number}"] * 10


def test_threads_in_a_narrow_window(ledger: Ledger) -> None:
    """Sixteen threads want one of three steps: three get one, and thirteen are told that there is none."""
    claimed = in_threads(16, lambda _: claim(ledger, 100, 102))

    assert sorted(claimed) == [-1] * 13 + [100, 101, 102]


def test_claim_under_several_keys(ledger: Ledger) -> None:
    """A step is free when it is later than the last of every key, and is spent under each of them, or under none."""
    claim(ledger, 10, fingerprint="alice")
    claim(ledger, 12, fingerprint="alice/mine")

    both = ledger.claim("alice", 9, 13, holder="test", claimed_at=1.5, also=["alice/mine", "alice/new"])
    assert both == Claim("alice", 13, "test", 1.5)
    assert ledger.claim("alice", 9, 13, holder="test", claimed_at=1.5, also=["alice/mine"]) is None
    assert ledger.find("alice/mine", 13) == Claim("alice/mine", 13, "test", 1.5)
    assert [claim(ledger, 9, fingerprint=key) for key in ("alice", "alice/mine", "alice/new", "bob")] == [14, 14, 14, 9]
    twice = ledger.claim("carol", 9, 9, holder="test", claimed_at=1.5, also=["carol"])
    assert twice == Claim("carol", 9, "test", 1.5)


def test_threads_with_keys_in_common(ledger: Ledger) -> None:
    """Whichever keys of theirs are the same, no two get one step under one of them."""
    kinds: list[list[str]] = [["all"], ["all", "mine"], ["mine"]]

    def compete(number: int) -> list[tuple[str, int]]:
        first, *also = keys = kinds[number % 3]
        claims = [ledger.claim(first, 100, FAR, holder="test", claimed_at=1.5, also=also) for _ in range(10)]
        return [(key, made.step) for made in claims if made is not None for key in keys]

    spent = [each for taken in in_threads(12, compete) for each in taken]

    assert len(spent) == 160
    assert len(set(spent)) == len(spent)
