"""Leases: one holder at a time, for as long as it lives, in every process."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pytest_totphog.api.namespaces import create_app
from pytest_totphog.errors import StoreError
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.leases import Holding, Lease, Leases
from pytest_totphog.stores.memory import MemoryRepository
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.wsgi.server import Server
from tests.support.threads import in_threads, wait_for


class Watch:
    """A clock that runs when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Return what it shows."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    """What the leases below expire on."""
    return Watch()


@pytest.fixture(params=["memory", "sqlite", "postgresql", "remote"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository[Lease]]:
    """An empty repository of each kind; the remote one is that of a running server."""
    if request.param == "memory":
        yield MemoryRepository()
        return
    if request.param == "remote":
        server = Server(create_app())
        server.start()
        store: Store = RemoteStore(server.url)
    else:
        url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else sqlite_url(tmp_path)
        store = SqlStore(url)
    yield store.repository(Lease)
    store.clear()
    store.close()
    if request.param == "remote":
        server.stop()


def sqlite_url(folder: Path) -> str:
    """Return the URL of a database in a file."""
    return f"sqlite:///{folder}/leases.db"


@pytest.fixture
def leases(repository: Repository[Lease], watch: Watch) -> Leases:
    """Leases that live for 30 seconds."""
    return Leases(repository, 30.0, watch)


@pytest.fixture
def others(repository: Repository[Lease], watch: Watch) -> Leases:
    """The same leases as another process sees them."""
    return Leases(repository, 30.0, watch)


def taken(leases: Leases, *keys: str, holder: str = "test_login") -> Lease:
    """Return a lease on one of the keys, one of which is free."""
    lease = leases.take(keys, holder)
    assert lease is not None
    return lease


# Taking and giving back


def test_what_is_free_is_taken_at_once(leases: Leases) -> None:
    """The lease says what it is of, and who has it."""
    lease = leases.take(["alice"], "gw1 test_login")

    assert lease is not None
    assert (lease.id, lease.holder) == ("alice", "gw1 test_login")


def test_what_is_taken_is_not_given_again(leases: Leases, others: Leases) -> None:
    """Neither to this process nor to another one, nor to a holder of the same name."""
    taken(leases, "alice")

    assert leases.take(["alice"], "test_login") is None
    assert others.take(["alice"], "test_login") is None


def test_others_are_free(leases: Leases, others: Leases) -> None:
    """Each key has its own lease; who asks for several gets one that nobody has."""
    taken(leases, "alice")

    assert taken(others, "alice", "bob").id == "bob"
    assert others.take(["alice", "bob"], "test_login") is None


def test_what_was_given_back_is_free(leases: Leases, others: Leases) -> None:
    """Whoever comes next gets it."""
    lease = taken(leases, "alice")

    assert leases.give_back(lease) is True
    assert taken(others, "alice", holder="test_logout").holder == "test_logout"


def test_the_one_unused_for_longest_comes_first(leases: Leases, others: Leases) -> None:
    """First what nobody had yet, in the order of the list; then what was taken the longest time ago."""
    keys = ["alice", "bob", "carol"]
    turns = []
    for each in [leases, others, others, leases, leases]:
        lease = taken(each, *keys)
        each.give_back(lease)
        turns.append(lease.id)

    assert turns == ["alice", "bob", "carol", "alice", "bob"]


@pytest.mark.parametrize("before", ["never taken", "given back", "expired"])
def test_one_of_many_threads_takes_it(repository: Repository[Lease], watch: Watch, before: str) -> None:
    """Sixteen threads, each as a process of its own, want the same at the same time: one gets it."""
    processes = [Leases(repository, 30.0, watch) for _ in range(16)]
    if before != "never taken":
        lease = taken(processes[0], "alice")
        if before == "given back":
            processes[0].give_back(lease)
    for each in processes:
        each.holders([])
    watch.seconds += 30

    got = in_threads(16, lambda number: processes[number].take(["alice"], f"thread {number}"))

    [lease] = [each for each in got if each is not None]
    assert got.index(lease) == int(lease.holder.removeprefix("thread "))
    assert repository.get("alice") == lease


@pytest.mark.slow
def test_all_threads_have_their_turn(repository: Repository[Lease]) -> None:
    """Eight threads share two things, five times each: nobody ever meets another one, and nobody is left out."""
    occupied = {"alice": threading.Lock(), "bob": threading.Lock()}

    def use(number: int) -> list[str]:
        leases, used = Leases(repository), []
        for _ in range(5):
            lease = leases.take(["alice", "bob"], f"thread {number}", timeout=60)
            assert lease is not None
            assert occupied[lease.id].acquire(blocking=False)
            assert [each.holder for each in leases.holders([lease.id])] == [f"thread {number}"]
            occupied[lease.id].release()
            assert leases.give_back(lease) is True
            used.append(lease.id)
        return used

    assert [len(used) for used in in_threads(8, use)] == [5] * 8
    assert len(repository.find()) == 2  # nobody stands in the queue


# Expiry


def test_lease_expires_when_it_is_not_renewed(leases: Leases, others: Leases, watch: Watch) -> None:
    """Its holder has died: whoever has watched it stand still for its time to live gets what it had."""
    taken(leases, "alice")

    assert others.take(["alice"], "test_logout") is None
    watch.seconds += 29.9
    assert others.take(["alice"], "test_logout") is None
    watch.seconds += 0.1
    assert taken(others, "alice", holder="test_logout").holder == "test_logout"


def test_renewed_lease_lives_on(leases: Leases, others: Leases, watch: Watch) -> None:
    """As long as it is renewed in time, for however long in all."""
    lease = taken(leases, "alice")

    for _ in range(10):
        assert others.take(["alice"], "test_logout") is None
        watch.seconds += 29.9
        assert leases.renew(lease) is True


def test_time_to_live_begins_when_somebody_looks(leases: Leases, others: Leases, watch: Watch) -> None:
    """Who has not looked before cannot know whether the holder still lives; so clocks need not agree."""
    taken(leases, "alice")
    watch.seconds += 1_000_000

    assert others.take(["alice"], "test_logout") is None


def test_what_was_given_back_is_taken_before_what_has_expired(leases: Leases, others: Leases, watch: Watch) -> None:
    """A holder that seems dead may only be slow."""
    taken(leases, "alice")
    bob = taken(leases, "bob")
    others.take(["alice", "bob"], "test_logout")
    watch.seconds += 30
    leases.give_back(bob)

    assert taken(others, "alice", "bob").id == "bob"
    assert taken(others, "alice", "bob").id == "alice"


def test_lost_lease_is_neither_renewed_nor_given_back(leases: Leases, others: Leases, watch: Watch) -> None:
    """A holder that was slow and not dead is told, and the new one keeps what it got."""
    lease = taken(leases, "alice")
    others.take(["alice"], "test_logout")
    watch.seconds += 30
    new = taken(others, "alice", holder="test_logout")

    assert leases.renew(lease) is False
    assert leases.give_back(lease) is False
    assert others.holders(["alice"]) == [Holding("alice", "test_logout", 0.0)]
    assert others.renew(new) is True
    assert others.give_back(new) is True


def test_expired_lease_that_nobody_wanted_is_still_held(leases: Leases, watch: Watch) -> None:
    """A laptop that slept for a night goes on with its test."""
    lease = taken(leases, "alice")
    watch.seconds += 30_000

    assert leases.renew(lease) is True
    assert leases.give_back(lease) is True


def test_lease_survives_a_repository_that_was_emptied(
    leases: Leases, others: Leases, repository: Repository[Lease]
) -> None:
    """A server that keeps leases in memory was started anew: the next renewal tells it."""
    lease = taken(leases, "alice")
    repository.clear()

    assert leases.renew(lease) is True
    assert others.take(["alice"], "test_logout") is None
    repository.clear()
    assert leases.give_back(lease) is True
    assert taken(others, "alice").id == "alice"


class Renewals(MemoryRepository[Lease]):
    """A repository that tells when a lease was renewed, and may fail at it."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.renewed = threading.Event()
        self.failures = failures

    def replace(self, old: Lease, new: Lease) -> bool:
        """See `Repository.replace`."""
        if new.renewals > 0 and self.failures:
            self.failures -= 1
            raise StoreError("the database failed")
        done = super().replace(old, new)
        if done and new.renewals == 3:
            self.renewed.set()
        return done


@pytest.mark.parametrize("failures", [0, 2])
def test_leases_are_renewed_in_a_thread(failures: int) -> None:
    """As often as it takes, also after a store has failed; and no longer than the block lasts."""
    repository = Renewals(failures)
    leases = Leases(repository, 0.03)
    lease = taken(leases, "alice")
    before = threading.active_count()

    with leases.renewing(lease):
        assert repository.renewed.wait(10)

    wait_for(lambda: threading.active_count() == before)
    assert repository.failures == 0


PROCESS = """
import sys
from pytest_totphog.stores.leases import Lease, Leases
from pytest_totphog.stores.sql import SqlStore

leases = Leases(SqlStore(sys.argv[1]).repository(Lease), 0.6)
with leases.renewing(leases.take(["alice"], "the other process")):
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_killed_process_loses_its_lease(tmp_path: Path) -> None:
    """While it lives nobody gets what it has; after `kill -9` the next one does."""
    url = sqlite_url(tmp_path)
    store = SqlStore(url)
    repository = store.repository(Lease)
    leases = Leases(repository, 2)
    looking = threading.Event()
    command = [sys.executable, "-c", PROCESS, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"taken\n"
        while repository.get("alice").renewals < 12:  # 2.4 seconds: it would have expired
            assert leases.take(["alice"], "test_login") is None
            looking.wait(0.05)
        process.kill()
        process.wait(10)
        lease = leases.take(["alice"], "test_login", timeout=60)

    assert lease is not None
    assert lease.holder == "test_login"
    store.close()


# Waiting


class Waiter:
    """A process that waits for one of some keys, and has stood in the queue since this was made.

    It looks again when it is woken, so that a test says who is faster.
    """

    def __init__(self, repository: Repository[Lease], *keys: str) -> None:
        self._repository = repository
        self._looks = 0
        self._stands, self._woken = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        stand_in: Any = self
        self._lease = self._pool.submit(Leases(stand_in).take, keys, "waiter", 60)
        assert self._stands.wait(10)

    def wake(self) -> Lease | None:
        """Return what it gets."""
        self._woken.set()
        lease = self._lease.result(60)
        self._pool.shutdown()
        return lease

    def find(self) -> list[Lease]:
        """Return all leases; the second time not before it is woken."""
        self._looks += 1
        if self._looks == 2:
            self._stands.set()
            assert self._woken.wait(60)
        return self._repository.find()

    def __getattr__(self, name: str) -> Callable[..., object]:
        return getattr(self._repository, name)


def test_who_waits_gets_what_is_given_back(leases: Leases, repository: Repository[Lease]) -> None:
    """And leaves the queue."""
    lease = taken(leases, "alice")
    waiter = Waiter(repository, "alice")

    leases.give_back(lease)

    got = waiter.wake()
    assert got is not None
    assert (got.id, got.holder) == ("alice", "waiter")
    assert repository.find() == [got]


def test_who_waits_goes_first(leases: Leases, repository: Repository[Lease]) -> None:
    """A worker whose next test wants the same again does not get ahead of one that has waited."""
    lease = taken(leases, "alice")
    waiter = Waiter(repository, "alice")

    leases.give_back(lease)

    assert leases.take(["alice"], "test_login") is None
    assert waiter.wake() is not None


def test_what_is_not_waited_for_is_taken_at_once(leases: Leases, repository: Repository[Lease]) -> None:
    """Of two that are free, the one who waits needs one."""
    alice, bob = taken(leases, "alice", "bob"), taken(leases, "alice", "bob")
    waiter = Waiter(repository, "alice", "bob")

    leases.give_back(alice)
    leases.give_back(bob)

    assert taken(leases, "bob", "alice").id == "bob"
    assert leases.take(["alice", "bob"], "test_login") is None
    got = waiter.wake()
    assert got is not None
    assert got.id == "alice"


def test_waiting_for_other_things_is_another_queue(leases: Leases, repository: Repository[Lease]) -> None:
    """A suite whose pool is empty holds nobody up whose pool is not."""
    lease = taken(leases, "alice")
    waiter = Waiter(repository, "alice")

    assert taken(leases, "bob", "carol").id == "bob"

    leases.give_back(lease)
    assert waiter.wake() is not None


def test_place_in_the_queue_expires(leases: Leases, repository: Repository[Lease], watch: Watch) -> None:
    """Who dies while waiting holds nobody up for longer than a lease lives; who was only slow stands in line again."""
    lease = taken(leases, "alice")
    waiter = Waiter(repository, "alice")
    leases.give_back(lease)
    assert leases.take(["alice"], "test_login") is None

    watch.seconds += 30
    lease = taken(leases, "alice")

    assert repository.find() == [lease]
    leases.give_back(lease)
    assert waiter.wake() is not None


def test_waiting_ends_with_its_timeout(repository: Repository[Lease]) -> None:
    """Nothing was free: None, and no place in the queue is left behind."""
    leases = Leases(repository)
    lease = taken(leases, "alice")

    assert leases.take(["alice"], "test_logout", timeout=0.2) is None
    assert repository.find() == [lease]


def test_who_waits_for_long_is_not_taken_for_dead(repository: Repository[Lease], watch: Watch) -> None:
    """A place in the queue is renewed like a lease, so that whoever looks at it sees it change."""
    leases = Leases(repository, 30.0, watch)
    lease = taken(leases, "alice")
    looking = threading.Event()

    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(leases.take, ["alice"], "waiter", 10_000)
        try:
            while not repository.find(holder="waiter", renewals=3):
                assert watch.seconds < 3000
                assert leases.renew(lease) is True
                looking.wait(0.01)
                watch.seconds += 1
        finally:
            leases.give_back(lease)
        assert waiter.result(60) is not None


# Who has it


def test_holders_are_told(leases: Leases, others: Leases, watch: Watch) -> None:
    """In the order asked for, with the time since this process first looked."""
    taken(leases, "bob", holder="gw1 test_login")
    taken(leases, "alice", holder="gw2 test_admin")
    others.holders([])
    watch.seconds += 12

    assert others.holders(["alice", "bob", "carol"]) == [
        Holding("alice", "gw2 test_admin", 12.0),
        Holding("bob", "gw1 test_login", 12.0),
    ]


def test_time_that_a_lease_is_held_is_told_by_its_renewals(leases: Leases, others: Leases, watch: Watch) -> None:
    """A process that looks for the first time knows of the time before by how often the lease was renewed."""
    lease = taken(leases, "alice", holder="gw2 test_admin")
    for _ in range(6):
        watch.seconds += 10
        leases.renew(lease)

    assert others.holders(["alice"]) == [Holding("alice", "gw2 test_admin", 60.0)]
    watch.seconds += 4
    assert others.holders(["alice"]) == [Holding("alice", "gw2 test_admin", 64.0)]


def test_nobody_holds_what_is_free_or_has_expired(leases: Leases, watch: Watch) -> None:
    """What one could take has no holder."""
    taken(leases, "alice")
    leases.give_back(taken(leases, "bob"))
    leases.holders([])
    watch.seconds += 30

    assert leases.holders(["alice", "bob"]) == []
