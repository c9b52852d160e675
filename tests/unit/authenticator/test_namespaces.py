"""Namespaces: each test run has tokens and a clock of its own on one server, and all share one ledger."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import freezegun
import pytest

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.namespaces import Namespace, Namespaces
from pytest_totphog.authenticator.replay_scope import ReplayScope
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import ClockNotFrozen, CodeUnavailable, InvalidInput, StoreError, TokenNotFound
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.sql import SqlStore
from tests.support.threads import in_threads

SECRET = "JBSWY3DPEHPK3PXP"
HALF_PAST_TEN = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
STEP = 56_843_820


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    if request.param == "memory":
        yield MemoryStore()
        return
    with closing(SqlStore(f"sqlite:///{tmp_path}/store.db")) as store:
        yield store


@pytest.fixture
def now() -> Clock:
    """Real time, which these tests move."""
    clock = Clock()
    clock.freeze(clock.time())
    return clock


@pytest.fixture
def namespaces(store: Store, now: Clock) -> Namespaces:
    """The namespaces of a server."""
    return Namespaces(store, clock=now)


@pytest.fixture
def replica(store: Store, now: Clock) -> Namespaces:
    """The namespaces of another server on the same store."""
    return Namespaces(store, clock=now)


# Names


@pytest.mark.parametrize("name", ["a", "7", "job-7", "5f3c9e_gw0.4711", "A" * 100])
def test_namespace_is_there_as_soon_as_it_is_named(namespaces: Namespaces, name: str) -> None:
    """And it is the same one the next time."""
    assert namespaces.get(name).tokens == []
    assert namespaces.get(name) is namespaces.get(name)
    assert name in namespaces


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".job", "-job", "_job", "job 7", "job/7", "job%207", "job\n", "jöb", "\u0667", "a\0", "A" * 101],
)
def test_other_names_are_refused(store: Store, namespaces: Namespaces, name: str) -> None:
    """They stand in URLs; nothing is kept of them."""
    with pytest.raises(InvalidInput) as caught:
        namespaces.get(name)

    assert str(caught.value).startswith("the namespace is ")
    assert str(caught.value).endswith(
        "; accepted are 1 to 100 letters, digits, dots, dashes and underscores, the first of them a letter or a digit"
    )
    assert store.repository(Namespace).find() == []


# Tokens


def test_tokens_of_one_namespace_are_not_in_another(namespaces: Namespaces) -> None:
    """Nor do those who name no namespace see them."""
    mine, other, nameless = namespaces.get("mine"), namespaces.get("other"), namespaces.default
    alice = mine.add(mine.make(name="alice"))
    bob = nameless.add(nameless.make(name="bob"))

    assert (mine.tokens, other.tokens, nameless.tokens) == ([alice], [], [bob])


def test_tokens_of_another_namespace_are_not_found_by_their_id(namespaces: Namespaces) -> None:
    """Whoever has learnt the id can neither read nor remove the token."""
    mine, other = namespaces.get("mine"), namespaces.get("other")
    alice = mine.add(mine.make(name="alice"))

    for stranger in (other, namespaces.default):
        for call in (stranger.get, stranger.remove):
            with pytest.raises(TokenNotFound, match=r"^Token not found$"):
                call(alice.id)

    assert mine.get(alice.id) == alice


def test_clearing_and_restoring_leaves_the_others(namespaces: Namespaces) -> None:
    """Two test runs begin and end without regard to each other."""
    mine, other = namespaces.get("mine"), namespaces.get("other")
    alice, bob = mine.add(mine.make(name="alice")), other.add(other.make(name="bob"))

    assert mine.clear() == 1
    mine.restore([alice])
    namespaces.default.clear()

    assert (mine.tokens, other.tokens) == ([alice], [bob])


def test_codes_are_explained_by_the_own_tokens(namespaces: Namespaces) -> None:
    """What belongs to another test run is not told."""
    mine, other = namespaces.get("mine"), namespaces.get("other")
    mine.clock.freeze(HALF_PAST_TEN)
    other.clock.freeze(HALF_PAST_TEN)
    alice = mine.add(mine.make(name="alice", secret=SECRET))
    bob = other.add(other.make(name="bob"))

    assert bob.explain(alice.now()).verdict == "unknown"


def test_tokens_are_kept_for_every_server_of_the_store(namespaces: Namespaces, replica: Namespaces) -> None:
    """Whichever one answers the next request."""
    mine = namespaces.get("mine")
    alice = mine.add(mine.make(name="alice"))

    assert replica.get("mine").tokens == [alice]
    assert replica.get("other").tokens == []


# Claims


def test_claims_on_one_secret_are_shared(namespaces: Namespaces, replica: Namespaces) -> None:
    """It is one account of the app under test, whoever logs in: no code twice, in no namespace."""
    steps = []
    for authenticator in (namespaces.get("mine"), replica.get("mine"), replica.get("other"), namespaces.default):
        authenticator.clock.freeze(HALF_PAST_TEN)
        steps.append(issuer_of(authenticator.make(name="alice", secret=SECRET)).claim().step)

    assert steps == [STEP, STEP + 1, STEP + 2, STEP + 3]


def test_holder_is_told_to_others(store: Store) -> None:
    """A server says who asks it, unless the request does."""
    mine = Namespaces(store, holder=lambda: "job 7").get("mine")
    token = mine.make(name="alice", secret=SECRET, period=86_400)

    claimed = issuer_of(token).claim(min_remaining=0)

    claim = store.ledger.find(issuer_of(token).token.fingerprint, claimed.step)
    assert claim is not None
    assert claim.holder == "job 7"


# Clocks


def test_clock_of_a_namespace_is_its_own(namespaces: Namespaces) -> None:
    """A test run that freezes time does not stop that of others."""
    mine = namespaces.get("mine").clock

    mine.freeze(HALF_PAST_TEN)

    assert (mine.mode, mine.now()) == ("frozen", HALF_PAST_TEN)
    assert [namespaces.get("other").clock.mode, namespaces.default.clock.mode] == ["live", "live"]


@pytest.mark.parametrize("name", ["mine", ""])
def test_clock_is_that_of_every_server_of_the_store(namespaces: Namespaces, replica: Namespaces, name: str) -> None:
    """Frozen, moved and released in one, it is so in the other, whether it has looked before or not."""
    here = (namespaces.get(name) if name else namespaces.default).clock
    there = (replica.get(name) if name else replica.default).clock
    assert there.mode == "live"

    here.freeze(HALF_PAST_TEN)
    assert (there.mode, there.now()) == ("frozen", HALF_PAST_TEN)

    there.tick(1.5)
    assert here.now() == HALF_PAST_TEN + timedelta(seconds=1.5)

    here.next_step()
    assert there.now() == HALF_PAST_TEN + timedelta(seconds=30)

    there.move_to("2020-01-01T00:00:00Z")
    assert here.now() == datetime(2020, 1, 1, tzinfo=UTC)

    here.unfreeze()
    assert there.mode == "live"
    with pytest.raises(ClockNotFrozen):
        there.tick()


def test_clock_outlives_the_server(store: Store, namespaces: Namespaces) -> None:
    """One that is started anew on the same store shows what was frozen."""
    namespaces.get("mine").clock.freeze(HALF_PAST_TEN)

    assert Namespaces(store).get("mine").clock.now() == HALF_PAST_TEN


def test_frozen_clock_moves_on_in_every_server(namespaces: Namespaces, replica: Namespaces) -> None:
    """A code that one hands out is current in the other."""
    here, there = namespaces.get("mine"), replica.get("mine")
    here.clock.freeze(HALF_PAST_TEN)
    alice = here.add(here.make(name="alice", secret=SECRET))

    codes = [alice.one_time_code(), there.get(alice.id).one_time_code(), alice.one_time_code()]

    assert codes == ["648307", "764426", "812434"]
    assert there.get(alice.id).now() == "812434"


def test_ticks_of_several_servers_add_up(namespaces: Namespaces, replica: Namespaces) -> None:
    """None of them is lost, however they fall together."""
    clocks = [namespaces.get("mine").clock, replica.get("mine").clock]
    clocks[0].freeze(HALF_PAST_TEN)

    in_threads(8, lambda number: [clocks[number % 2].tick() for _ in range(10)])

    assert clocks[0].now() == HALF_PAST_TEN + timedelta(seconds=80)


def test_frozen_clock_never_goes_back_by_itself(namespaces: Namespaces, replica: Namespaces) -> None:
    """Codes that two servers hand out at the same time move it on, to the latest of them and no further."""
    authenticators = [namespaces.get("mine"), replica.get("mine")]
    authenticators[0].clock.freeze(HALF_PAST_TEN)

    def take(number: int) -> list[int]:
        authenticator = authenticators[number % 2]
        token = authenticator.make(name="alice", secret=SECRET)
        steps = []
        for _ in range(10):
            steps.append(issuer_of(token).claim().step)
            assert issuer_of(token).token.step_at(authenticator.clock.time_ns()) >= steps[-1]
        return steps

    steps = [step for each in in_threads(4, take) for step in each]

    # Of a step that another one has moved the clock past meanwhile nobody is given the code.
    assert len(set(steps)) == 40
    last = authenticators[0].ledger.last(
        issuer_of(authenticators[0].make(name="alice", secret=SECRET)).token.fingerprint
    )
    assert last is not None
    assert authenticators[0].clock.time() == last.step * 30 == max(steps) * 30


def test_frozen_clock_cannot_move_past_the_year_9999(namespaces: Namespaces) -> None:
    """It stays where it was."""
    clock = namespaces.get("mine").clock
    clock.freeze("9999-12-31T23:59:59Z")

    for move in (clock.tick, clock.next_step):
        with pytest.raises(InvalidInput, match="the clock cannot move past the year 9999"):
            move()

    assert clock.now() == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_freezing_in_one_server_ends_the_wait_in_another(namespaces: Namespaces, replica: Namespaces) -> None:
    """Who waits there looks again now and then, because nobody can wake it."""
    clock, waits = namespaces.get("mine").clock, threading.Event()

    with ThreadPoolExecutor(1) as pool:
        far = clock.time_ns() + 86_400 * 10**9
        waiter = pool.submit(clock.wait_until, far, 86_400, lambda: waits.set() or False)  # type: ignore[func-returns-value]
        assert waits.wait(10)
        replica.get("mine").clock.freeze(HALF_PAST_TEN)

        assert waiter.result(10) is True


# Ending


@pytest.mark.parametrize("name", ["mine", ""])
def test_closing_ends_all_waiting(namespaces: Namespaces, name: str) -> None:
    """In every namespace: the server stops."""
    authenticator = namespaces.get(name) if name else namespaces.default
    token = authenticator.make(name="alice", period=86_400)
    token.one_time_code(min_remaining=0)

    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(token.one_time_code, 0, 0, 86_400)
        while (
            authenticator.ledger.find(
                issuer_of(token).token.fingerprint, issuer_of(token).token.step_at(authenticator.clock.time_ns()) + 1
            )
            is None
        ):
            assert not waiter.done()
        namespaces.close()

        with pytest.raises(CodeUnavailable, match="its server was stopped before the next one began"):
            waiter.result(10)
        # And the step that nobody was given is free.
        assert (
            authenticator.ledger.find(
                issuer_of(token).token.fingerprint, issuer_of(token).token.step_at(authenticator.clock.time_ns()) + 1
            )
            is None
        )


@pytest.mark.parametrize("named", ["before", "meanwhile"])
def test_opening_again_lets_all_wait(namespaces: Namespaces, named: str) -> None:
    """In every namespace, whenever it was named first: a server that was stopped is started again."""
    namespaces.get("before")
    namespaces.close()
    with pytest.raises(CodeUnavailable, match="its server was stopped before the next one began"):
        take_two(namespaces.get("meanwhile"), period=80)

    namespaces.open("http://127.0.0.1:8045/api/v1")

    for authenticator in (namespaces.get(named), namespaces.default):
        first, second = take_two(authenticator)
        assert first < second


def take_two(authenticator: Authenticator, period: int = 1) -> tuple[int, int]:
    """Take a code and the next one, which is waited for, at most a period, and return their steps."""
    token = authenticator.make(name="alice", period=period)
    return issuer_of(token).claim(min_remaining=0).step, issuer_of(token).claim(min_remaining=0).step


# Pruning


def pass_time(store: Store, now: Clock, seconds: int) -> None:
    """Let real time go on, and make all uses of namespaces as much older by the store's clock."""
    now.tick(seconds)
    namespaces = store.repository(Namespace)
    for namespace in namespaces.find():
        namespaces.replace(namespace, replace(namespace, used_at=namespace.used_at - seconds))


def test_namespace_is_forgotten_after_a_day_without_use(store: Store, namespaces: Namespaces, now: Clock) -> None:
    """With its tokens and its clock; whoever comes next makes room."""
    dead = namespaces.get("dead")
    dead.add(dead.make(name="alice"))
    dead.clock.freeze(HALF_PAST_TEN)
    pass_time(store, now, 86_401)

    namespaces.get("new")

    assert [token.name for token in store.repository(Token).find()] == []
    assert [namespace.id for namespace in store.repository(Namespace).find()] == ["new"]
    assert "dead" not in namespaces
    assert namespaces.get("dead") is not dead
    assert (namespaces.get("dead").tokens, namespaces.get("dead").clock.mode) == ([], "live")


def test_namespace_is_kept_for_a_day(store: Store, namespaces: Namespaces, now: Clock) -> None:
    """A test run may stand still for long, in a debugger for one."""
    mine = namespaces.get("mine")
    alice = mine.add(mine.make(name="alice"))
    mine.clock.freeze(HALF_PAST_TEN)
    pass_time(store, now, 86_300)

    namespaces.get("new")

    assert (namespaces.get("mine").tokens, namespaces.get("mine").clock.now()) == ([alice], HALF_PAST_TEN)


def test_namespace_in_use_is_kept(store: Store, namespaces: Namespaces, replica: Namespaces, now: Clock) -> None:
    """Whichever server it is used on: a soak test may take a week."""
    mine = namespaces.get("mine")
    alice = mine.add(mine.make(name="alice"))
    for _ in range(7 * 24):
        pass_time(store, now, 3600)
        replica.get("mine")

    namespaces.get("new")

    assert namespaces.get("mine").tokens == [alice]


def test_namespaces_leave_the_memory_of_every_server(
    store: Store, namespaces: Namespaces, replica: Namespaces, now: Clock
) -> None:
    """Also of one that has not pruned them itself, and that never stops."""
    for each in (namespaces, replica):
        each.get("dead")
    pass_time(store, now, 86_401)
    namespaces.get("new")

    replica.get("newer")

    assert ["dead" in namespaces, "dead" in replica] == [False, False]


def test_tokens_without_a_namespace_are_never_pruned(store: Store, namespaces: Namespaces, now: Clock) -> None:
    """They belong to whoever runs the server, and so does that clock."""
    bob = namespaces.default.add(namespaces.default.make(name="bob"))
    namespaces.default.clock.freeze(HALF_PAST_TEN)
    pass_time(store, now, 365 * 86_400)

    namespaces.get("new")

    assert namespaces.default.tokens == [bob]
    assert namespaces.default.clock.now() == HALF_PAST_TEN


@pytest.mark.parametrize("name", ["", "other"])
def test_frozen_time_of_one_does_not_reach_real_time_of_others(namespaces: Namespaces, name: str) -> None:
    """Neither makes the other wait, or moves its clock; within one namespace both count."""
    mine, other = namespaces.get("mine"), namespaces.get(name) if name else namespaces.default
    tokens = [each.make(name="alice", secret=SECRET, period=86_400) for each in (mine, other)]
    mine.clock.freeze("2150-01-01T12:00:00Z")
    tokens[0].one_time_code()

    tokens[1].one_time_code(min_remaining=0, timeout=0)
    other.clock.freeze(HALF_PAST_TEN)
    assert issuer_of(tokens[1]).claim().step > STEP // 2880
    mine.clock.unfreeze()
    with pytest.raises(CodeUnavailable, match=r"on a clock frozen 12\d years ahead, at 2150-01-01T12:00:00Z"):
        tokens[0].one_time_code(min_remaining=0, timeout=0)


def test_scope_that_a_run_tells(namespaces: Namespaces, replica: Namespaces) -> None:
    """Every server on the store follows it, and whatever else is known of the namespace stays."""
    mine = namespaces.get("mine")
    mine.clock.freeze(HALF_PAST_TEN)
    token = mine.make(name="alice", secret=SECRET)
    steps = []
    for part in "a", "a", "b", "", "a":
        assert mine.on_scope is not None
        mine.on_scope(ReplayScope("run", part))
        same = replica.get("mine").make(name="alice", secret=SECRET)
        mine.clock.freeze(HALF_PAST_TEN)
        steps.append((issuer_of(token).claim().step - STEP, issuer_of(same).claim().step - STEP))

    assert steps == [(0, 1), (2, 3), (0, 1), (0, 1), (4, 5)]


@pytest.mark.parametrize("days", [-8, 8])
def test_tokens_of_a_live_namespace_outlive_a_clock_that_is_off(
    store: Store, namespaces: Namespaces, days: int
) -> None:
    """One of two servers is set wrong: neither removes what the other has, nor loses its own."""
    off = Clock()
    off.freeze(Clock().time() + days * 86_400)
    others = Namespaces(store, clock=off)
    alice = namespaces.get("right").add(namespaces.get("right").make(name="alice"))
    bob = others.get("off").add(others.get("off").make(name="bob"))

    for each, name in (others, "a"), (namespaces, "b"), (others, "c"):
        each.get(name)

    assert (namespaces.get("right").tokens, others.get("off").tokens) == ([alice], [bob])


def test_frozen_time_makes_no_namespace_old(store: Store) -> None:
    """Neither one that is first named then, nor the one whose clock is frozen then, nor those that were there."""
    namespaces = Namespaces(store)
    alice = namespaces.get("mine").add(namespaces.get("mine").make(name="alice"))
    with freezegun.freeze_time("2050-01-01"):
        namespaces.get("new")
    with freezegun.freeze_time("1990-01-01"):
        namespaces.default.clock.freeze(HALF_PAST_TEN)
        old = namespaces.get("old")
        bob = old.add(old.make(name="bob"))
    Namespaces(store).get("newer")

    assert (namespaces.get("mine").tokens, namespaces.get("old").tokens) == ([alice], [bob])


def test_store_that_fails_is_told(tmp_path: Path, now: Clock) -> None:
    """Whoever names a namespace hears of it; the next one may have more luck."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/store.db")) as store:
        namespaces = Namespaces(store, clock=now)
        store.close()
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        (tmp_path / "store.db").mkdir()
        with pytest.raises(StoreError):
            namespaces.get("mine")
        (tmp_path / "store.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "store.db")

        assert namespaces.get("mine").tokens == []
