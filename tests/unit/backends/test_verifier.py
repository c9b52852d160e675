"""The verifier: which codes it accepts, how often, and when it locks an account."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.backends.verifier import Attempts, LastStep, Verification, Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.sql import SqlStore
from tests.support.threads import in_threads

# For JBSWY3DPEHPK3PXP, by the half minute around 2024-01-15T10:30:00Z, as oathtool has them.
TWO_BEFORE, BEFORE, CURRENT, AFTER, TWO_AFTER = "800273", "286522", "648307", "764426", "812434"
CURRENT_STEP = 56843820

ACCEPTED, INVALID, REPLAYED = Verification("accepted"), Verification("invalid"), Verification("replayed")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the first second of a time step."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    return clock


@pytest.fixture(params=["memory", "SQLite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Where steps and failures live."""
    store: Store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path}/store.db")
    yield store
    store.close()


@pytest.fixture
def verifier(store: Store, clock: Clock) -> Verifier:
    """A verifier with the default policy: one step either way, each step once, five failures, 900 seconds."""
    return Verifier(store, clock, VerifierPolicy())


def token(secret: str = "JBSWY3DPEHPK3PXP", digits: int = 6) -> Token:
    """Return a credential."""
    return Token.create(name="alice", secret=secret, digits=digits, created_at=Clock().now())


def reasons_of(count: int, call: Callable[[], Verification]) -> Counter[str]:
    """Call in so many threads at the same time and return how often each reason came back."""
    return Counter(in_threads(count, lambda _: call().reason))


# The policy


def test_default_policy() -> None:
    """RFC 6238's one step either way and one use, and five failures in a row."""
    assert VerifierPolicy() == VerifierPolicy(window=1, one_time=True, max_failures=5, lockout_seconds=900)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": -1}, "window is -1; accepted are 0 to 100 steps"),
        ({"window": 101}, "window is 101; accepted are 0 to 100 steps"),
        ({"window": 1.0}, "window is 1.0; accepted are 0 to 100 steps"),
        ({"window": True}, "window is True; accepted are 0 to 100 steps"),
        ({"one_time": 1}, "one_time is 1; accepted are True and False"),
        ({"one_time": None}, "one_time is None; accepted are True and False"),
        ({"reregister": 1}, "reregister is 1; accepted are True and False"),
        ({"max_failures": 0}, "max_failures is 0; accepted are 1 and more, or None"),
        ({"max_failures": True}, "max_failures is True; accepted are 1 and more, or None"),
        ({"max_failures": "5"}, "max_failures is '5'; accepted are 1 and more, or None"),
        ({"lockout_seconds": 0}, "lockout_seconds is 0; accepted are seconds above 0"),
        ({"lockout_seconds": -1}, "lockout_seconds is -1; accepted are seconds above 0"),
        ({"lockout_seconds": float("inf")}, "lockout_seconds is inf; accepted are seconds above 0"),
        ({"lockout_seconds": float("nan")}, "lockout_seconds is nan; accepted are seconds above 0"),
        ({"lockout_seconds": True}, "lockout_seconds is True; accepted are seconds above 0"),
        ({"lockout_seconds": "900"}, "lockout_seconds is '900'; accepted are seconds above 0"),
    ],
)
def test_refused_policies(change: dict[str, Any], message: str) -> None:
    """A policy says at once what is wrong with it."""
    with pytest.raises(InvalidInput) as error:
        VerifierPolicy(**change)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "change",
    [{"window": 0}, {"window": 100}, {"max_failures": 1}, {"max_failures": None}, {"lockout_seconds": 0.5}],
)
def test_accepted_policies(change: dict[str, Any]) -> None:
    """The bounds belong to what is accepted."""
    [(name, value)] = change.items()
    assert getattr(VerifierPolicy(**change), name) == value


# Which codes


@pytest.mark.parametrize(
    ("window", "accepted"),
    [(0, {CURRENT}), (1, {BEFORE, CURRENT, AFTER}), (2, {TWO_BEFORE, BEFORE, CURRENT, AFTER, TWO_AFTER})],
)
def test_window_has_as_many_steps_on_either_side(store: Store, clock: Clock, window: int, accepted: set[str]) -> None:
    """And no further one."""
    verifier = Verifier(store, clock, VerifierPolicy(window=window, one_time=False))
    codes = {TWO_BEFORE, BEFORE, CURRENT, AFTER, TWO_AFTER}
    assert {code for code in codes if verifier.verify("alice", token(), code).accepted} == accepted


def test_window_moves_with_the_clock(verifier: Verifier, clock: Clock) -> None:
    """A code lives until the end of the step after its own."""
    clock.tick(59)
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED
    assert verifier.verify("bob", token(), CURRENT) == ACCEPTED
    clock.tick(1)
    assert verifier.verify("carol", token(), CURRENT) == INVALID


def test_no_step_is_before_the_epoch(store: Store, clock: Clock) -> None:
    """The first step's window is cut off, and the first code of RFC 4226 is right there."""
    clock.move_to(0)
    verifier = Verifier(store, clock, VerifierPolicy(window=2))
    assert verifier.verify("alice", token("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "755224") == ACCEPTED


@pytest.mark.parametrize(
    "code",
    [
        "\uff16\uff14\uff18\uff13\uff10\uff17",
        "\u0666\u0664\u0668\u0663\u0660\u0667",
        "\u2076\u2074\u2078\u00b3\u2070\u2077",
        "64830\uff17",
        "648 307",
        " 648307",
        "648307 ",
        "648307\n",
        "648307\0",
        "+48307",
        "64830",
        "6483070",
        "",
        "\ud800",
        648307,
        b"648307",
        ["6", "4", "8", "3", "0", "7"],
        None,
    ],
    ids=[
        "full-width",
        "Arabic-Indic",
        "superscript",
        "one full-width",
        "space inside",
        "space before",
        "space behind",
        "newline behind",
        "NUL behind",
        "sign",
        "short",
        "long",
        "empty",
        "half a pair",
        "number",
        "bytes",
        "list",
        "nothing",
    ],
)
def test_right_code_in_another_form_is_invalid(verifier: Verifier, code: Any) -> None:
    """Only ASCII digits of the exact length are a code; pyotp's comparison normalises them (CVE-2025-6014)."""
    assert verifier.verify("alice", token(), code) == INVALID
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED


def test_code_has_as_many_digits_as_its_credential(verifier: Verifier) -> None:
    """The last six of eight are no code."""
    assert verifier.verify("alice", token(digits=8), "648307") == INVALID
    assert verifier.verify("alice", token(digits=8), "95648307") == ACCEPTED


# Once, and only forwards


def test_code_is_accepted_once(verifier: Verifier) -> None:
    """RFC 6238 section 5.2; also when the same credential is enrolled again meanwhile, for its code is the same."""
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED
    assert verifier.verify("alice", token(), CURRENT) == REPLAYED


def test_used_code_is_refused_in_the_trailing_window(verifier: Verifier, clock: Clock) -> None:
    """It is the code of the step before by then, and still used (CVE-2021-43177)."""
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED
    clock.tick(30)
    assert verifier.verify("alice", token(), CURRENT) == REPLAYED


def test_earlier_step_is_refused_though_it_was_never_used(verifier: Verifier) -> None:
    """Steps are accepted forwards only."""
    assert verifier.verify("alice", token(), AFTER) == ACCEPTED
    assert verifier.verify("alice", token(), CURRENT) == REPLAYED
    assert verifier.verify("alice", token(), BEFORE) == REPLAYED


def test_used_code_is_refused_when_the_clock_goes_back(verifier: Verifier, clock: Clock) -> None:
    """A corrected clock brings no code back."""
    clock.tick(30)
    assert verifier.verify("alice", token(), AFTER) == ACCEPTED
    clock.move_to("2024-01-15T10:30:00Z")
    assert verifier.verify("alice", token(), AFTER) == REPLAYED


def test_code_is_accepted_as_often_as_sent_without_one_time(store: Store, clock: Clock) -> None:
    """Some documents demand no more."""
    verifier = Verifier(store, clock, VerifierPolicy(one_time=False))
    assert [verifier.verify("alice", token(), CURRENT) for _ in range(3)] == [ACCEPTED] * 3


def test_new_credential_does_not_inherit_the_last_step_of_the_old_one(verifier: Verifier) -> None:
    """Who enrols anew logs in at once, at the same step."""
    assert verifier.verify("alice", token(), AFTER) == ACCEPTED
    anew = token("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert verifier.verify("alice", anew, anew.code_at_step(CURRENT_STEP)) == ACCEPTED


def test_another_account_with_the_same_secret_spends_its_own_steps(verifier: Verifier) -> None:
    """Nobody makes another's code a replay by having the secret."""
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED
    assert verifier.verify("bob", token(), CURRENT) == ACCEPTED


def test_of_sixteen_threads_with_one_code_one_succeeds(verifier: Verifier) -> None:
    """Whether the others come too late for the code or find the account locked by so many replays."""
    reasons = reasons_of(16, lambda: verifier.verify("alice", token(), CURRENT))
    assert reasons["accepted"] == 1
    assert reasons["replayed"] + reasons["locked"] == 15


def test_of_sixteen_threads_with_one_code_one_succeeds_without_lockout(store: Store, clock: Clock) -> None:
    """Each of them through a verifier of its own, as processes on one database are."""
    policy = VerifierPolicy(max_failures=None)
    reasons = reasons_of(16, lambda: Verifier(store, clock, policy).verify("alice", token(), CURRENT))
    assert reasons == {"accepted": 1, "replayed": 15}


@given(attempts=st.lists(st.tuples(st.sampled_from([-45, 0, 10, 30, 60]), st.integers(-2, 2)), min_size=1, max_size=20))
@settings(max_examples=50, derandomize=True, database=None, deadline=None)
def test_accepted_steps_only_increase(attempts: list[tuple[int, int]]) -> None:
    """Wherever the clock goes and whichever codes are sent, and each is one of the window of its moment."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    verifier = Verifier(MemoryStore(), clock, VerifierPolicy(max_failures=None))
    accepted = []
    for seconds, offset in attempts:
        clock.move_to(clock.time() + seconds)
        step = token().step_at(clock.time_ns()) + offset
        if verifier.verify("alice", token(), token().code_at_step(step)).accepted:
            assert abs(offset) <= 1
            accepted.append(step)
    assert accepted == sorted(set(accepted))


# How often


def test_failures_lock_the_account(verifier: Verifier) -> None:
    """After five in a row the right code is refused too, with the seconds until it is not."""
    assert [verifier.verify("alice", token(), "000000") for _ in range(5)] == [INVALID] * 5
    assert verifier.verify("alice", token(), CURRENT) == Verification("locked", 900)
    assert verifier.locked("alice") == Verification("locked", 900)


def test_failures_are_counted_across_sessions(store: Store, clock: Clock) -> None:
    """A new verifier on the same store goes on counting: a new session gives no new guesses."""
    for _ in range(5):
        assert Verifier(store, clock, VerifierPolicy()).verify("alice", token(), "000000") == INVALID
    assert Verifier(store, clock, VerifierPolicy()).verify("alice", token(), CURRENT).reason == "locked"


def test_failures_are_counted_across_credentials(verifier: Verifier) -> None:
    """Enrolling anew gives no new guesses either."""
    for secret in ("AAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCC", "DDDDDDDDDDDDDDDD", "EEEEEEEEEEEEEEEE"):
        assert verifier.verify("alice", token(secret), "000000") == INVALID
    assert verifier.verify("alice", token(), CURRENT).reason == "locked"


def test_of_guesses_sent_at_once_five_are_looked_at(verifier: Verifier) -> None:
    """Sixteen threads get no more guesses than one."""
    assert reasons_of(16, lambda: verifier.verify("alice", token(), "000000")) == {"invalid": 5, "locked": 11}


def test_lockout_lifts_when_the_clock_ticks(verifier: Verifier, clock: Clock) -> None:
    """To the second, and not by waiting in real time."""
    for _ in range(5):
        verifier.verify("alice", token(), "000000")
    clock.tick(899)
    code = token().code_at_step(token().step_at(clock.time_ns()))
    assert verifier.verify("alice", token(), code) == Verification("locked", 1)
    clock.tick(1)
    assert verifier.locked("alice") is None
    assert verifier.verify("alice", token(), token().code_at_step(token().step_at(clock.time_ns()))) == ACCEPTED


def test_attempts_during_a_lockout_do_not_prolong_it(verifier: Verifier, clock: Clock) -> None:
    """Else whoever keeps asking could lock a user out for good."""
    for _ in range(5):
        verifier.verify("alice", token(), "000000")
    clock.tick(600)
    assert [verifier.verify("alice", token(), "000000") for _ in range(5)] == [Verification("locked", 300)] * 5
    verifier.fail("alice")
    assert verifier.locked("alice") == Verification("locked", 300)


def test_lockout_that_is_over_starts_a_new_count(verifier: Verifier, clock: Clock) -> None:
    """There are five guesses again, and then the next lockout."""
    for _ in range(5):
        verifier.verify("alice", token(), "000000")
    clock.tick(900)
    assert [verifier.verify("alice", token(), "000000") for _ in range(5)] == [INVALID] * 5
    assert verifier.verify("alice", token(), "000000") == Verification("locked", 900)


def test_success_forgives(verifier: Verifier) -> None:
    """Failures are counted in a row."""
    for _ in range(4):
        verifier.verify("alice", token(), "000000")
    assert verifier.failures("alice") == 4
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED
    assert verifier.failures("alice") == 0


def test_right_code_after_the_last_failure_but_one_is_accepted(store: Store, clock: Clock) -> None:
    """An attempt counts only when it fails, also where one failure locks."""
    verifier = Verifier(store, clock, VerifierPolicy(max_failures=1))
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED
    assert verifier.locked("alice") is None


def test_replay_is_a_failure(verifier: Verifier) -> None:
    """Who replays has no right code."""
    verifier.verify("alice", token(), CURRENT)
    assert [verifier.verify("alice", token(), CURRENT) for _ in range(5)] == [REPLAYED] * 5
    assert verifier.verify("alice", token(), AFTER).reason == "locked"


def test_other_accounts_are_not_locked(verifier: Verifier) -> None:
    """Also with the same credential."""
    for _ in range(5):
        verifier.verify("alice", token(), "000000")
    assert verifier.verify("bob", token(), CURRENT) == ACCEPTED


def test_nobody_is_locked_without_a_limit(store: Store, clock: Clock) -> None:
    """The failures are counted all the same."""
    verifier = Verifier(store, clock, VerifierPolicy(max_failures=None))
    assert [verifier.verify("alice", token(), "000000") for _ in range(20)] == [INVALID] * 20
    assert verifier.failures("alice") == 20
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED


def test_failures_of_other_kinds_are_counted_with_them(verifier: Verifier) -> None:
    """Guessing recovery codes gives no more guesses."""
    for _ in range(3):
        verifier.verify("alice", token(), "000000")
    verifier.fail("alice")
    assert verifier.locked("alice") is None
    verifier.fail("alice")
    assert verifier.locked("alice") == Verification("locked", 900)


def test_forgiving_lifts_a_lockout(verifier: Verifier) -> None:
    """As after a password reset."""
    for _ in range(5):
        verifier.fail("alice")
    verifier.forgive("alice")
    assert verifier.locked("alice") is None
    assert verifier.verify("alice", token(), CURRENT) == ACCEPTED


def test_account_that_was_never_wrong(verifier: Verifier) -> None:
    """It is neither locked nor counted, and forgiving it does nothing."""
    verifier.forgive("alice")
    assert verifier.failures("alice") == 0
    assert verifier.locked("alice") is None


# What is kept and shown


def test_secrets_and_codes_are_not_kept(verifier: Verifier, store: Store) -> None:
    """The store holds steps and counts, under the account and the credential's fingerprint."""
    verifier.verify("alice", token(), CURRENT)
    verifier.verify("alice", token(), "000000")
    assert store.repository(LastStep).find() == [LastStep(f"{token().fingerprint}/alice", CURRENT_STEP)]
    assert store.repository(Attempts).find() == [Attempts("alice", failures=1)]
