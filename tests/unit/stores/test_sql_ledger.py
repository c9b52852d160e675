"""The ledger in a database, besides what every ledger promises: any number of processes share it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import freezegun
import pytest

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import StoreError
from pytest_totphog.stores.database import NOW, Database
from pytest_totphog.stores.ledger import Claim, Ledger
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.stores.sql_ledger import SqlLedger
from tests.support.threads import in_threads
from tests.unit.stores.conftest import Children, OwnDatabase

FAR = 2**62


@pytest.fixture
def ledger(database_url: str, query: Callable[..., list[Any]]) -> Iterator[Ledger]:
    """A ledger in either database, which is empty."""
    with closing(SqlStore(database_url)) as store:
        yield store.ledger
    query("DROP TABLE totphog_claims")


def claim(ledger: Ledger, earliest: int, latest: int = FAR, holder: str = "test") -> int:
    """Claim a step of alice's and return it; -1 where there is none."""
    claimed = ledger.claim("alice", earliest, latest, holder=holder, claimed_at=1_705_314_600.25)
    return -1 if claimed is None else claimed.step


@pytest.mark.usefixtures("ledger")
def test_store_has_one_ledger(database_url: str) -> None:
    """Whoever asks first: also eight threads at the same time."""
    with closing(SqlStore(database_url)) as store:
        assert len({id(each) for each in in_threads(8, lambda _: store.ledger)}) == 1


# What is claimed stays claimed


def test_stores_share_one_ledger(database_url: str, ledger: Ledger) -> None:
    """Whatever app opens the database: an account is spent for all of them."""
    with closing(SqlStore(database_url, prefix="totphog")) as one, closing(SqlStore(database_url)) as other:
        assert [claim(each.ledger, 10) for each in (one, other, one)] == [10, 11, 12]
        assert one.ledger is one.ledger

    assert ledger.last("alice") == Claim("alice", 12, "test", 1_705_314_600.25)


def test_claim_outlives_the_process_that_was_killed_after_it(
    database_url: str, ledger: Ledger, children: Children
) -> None:
    """What was answered is spent, whatever comes then: kill -9, for one."""
    program = 'claim = store.ledger.claim("alice", 10, 10, holder="child", claimed_at=5.5); say(claim.step)'
    _, said = children.start(program, database_url)
    assert said.readline() == "10\n"

    children.kill()

    assert ledger.last("alice") == Claim("alice", 10, "child", 5.5)
    assert claim(ledger, 10) == 11


COMPETE = """
say("ready")
ledger = store.ledger
steps = [ledger.claim("alice", 100, 10**6, holder="child", claimed_at=0.0).step for _ in range(25)]
store.close()
say(*steps)
"""


def test_processes_get_every_step_once(database_url: str, ledger: Ledger, children: Children) -> None:
    """Four claim twenty-five steps each at the same time: none comes twice, and none is left out."""
    started = [children.start(COMPETE, database_url) for _ in range(4)]
    assert [said.readline() for _, said in started] == ["ready\n"] * 4
    for told, _ in started:
        told.write("go\n")

    steps = [int(step) for _, said in started for step in said.readline().split()]

    assert sorted(steps) == list(range(100, 200))
    assert ledger.last("alice") == Claim("alice", 199, "child", 0.0)


def test_table_is_created_by_one_of_many_at_the_same_time(database_url: str, query: Callable[..., list[Any]]) -> None:
    """Eight stores find no table, and each of them gets a step of its own."""
    stores = [SqlStore(database_url) for _ in range(8)]

    steps = in_threads(8, lambda number: claim(stores[number].ledger, 10))

    assert sorted(steps) == list(range(10, 18))
    for store in stores:
        store.close()
    query("DROP TABLE totphog_claims")


@pytest.fixture
def database(database_url: str, query: Callable[..., list[Any]]) -> Iterator[Database]:
    """Either database; what is claimed in it is gone with the test."""
    with closing(Database(database_url)) as database:
        yield database
    query("DROP TABLE totphog_claims")


def prune(database: Database, clock: Clock | None = None) -> None:
    """Claim something as a server does that has just been started: that is when it looks for old claims."""
    SqlLedger(database, clock).claim("bob", 0, FAR, holder="test", claimed_at=0.0)


def test_claims_of_a_week_ago_are_forgotten(database: Database, query: Callable[..., list[Any]]) -> None:
    """With the next claim, whosever it is; nobody has to name a namespace, nor to ask for it."""
    ledger = SqlLedger(database)
    for step in (10, 11):
        claim(ledger, step)
    query("UPDATE totphog_claims SET recorded_at = recorded_at - 604810 WHERE step = 10")
    query("UPDATE totphog_claims SET recorded_at = recorded_at - 604000 WHERE step = 11")

    prune(database)

    assert ledger.find("alice", 10) is None
    assert claim(ledger, 10) == 12


@pytest.mark.parametrize("days", [-8, 8])
@pytest.mark.parametrize("wrong", ["server", "database"])
def test_clock_that_is_days_off_makes_no_claim_old(
    database: Database, monkeypatch: pytest.MonkeyPatch, wrong: str, days: int
) -> None:
    """A claim must be old by the database's clock and by real time: one of many servers may be set wrong, or that."""
    off = None
    if wrong == "server":
        off = Clock()
        off.freeze(Clock().time() + days * 86_400)
    for step, clock in ((10, None), (11, off)):
        claim(SqlLedger(database, clock), step)
    if wrong == "database":
        monkeypatch.setitem(NOW, database.dialect, f"({NOW[database.dialect]} + {days * 86_400})")
        claim(SqlLedger(database), 12)

    for clock in (off, None, off):
        prune(database, clock)

    ledger = SqlLedger(database)
    assert [ledger.find("alice", step) is not None for step in (10, 11)] == [True, True]


def test_frozen_time_makes_no_claim_old(database: Database) -> None:
    """Of a test that calls a server in its own process."""
    ledger = SqlLedger(database)
    claim(ledger, 10)
    with freezegun.freeze_time("2050-01-01"):
        prune(database)
    with freezegun.freeze_time("1990-01-01"):
        claim(ledger, 11)
    prune(database)

    assert claim(ledger, 10) == 12


@pytest.mark.parametrize("holder", ["gw1 tests/test_login.py::test_[\U0001f511]", "'); DROP TABLE totphog_claims; --"])
def test_holder_comes_back_as_it_was(ledger: Ledger, holder: str) -> None:
    """Tests have all kinds of names."""
    claim(ledger, 10, holder=holder)

    last = ledger.last("alice")
    assert last is not None
    assert last.holder == holder


# Errors


def test_database_that_fails_is_an_error(ledger: Ledger, query: Callable[..., list[Any]]) -> None:
    """From every method; nobody is given a code that is not written down."""
    query("ALTER TABLE totphog_claims RENAME TO gone")
    for call in (
        lambda: claim(ledger, 10),
        lambda: ledger.last("alice"),
        lambda: ledger.find("alice", 10),
    ):
        with pytest.raises(StoreError, match=r"^the database .+ failed: .*totphog_claims"):
            call()
    query("ALTER TABLE gone RENAME TO totphog_claims")

    assert claim(ledger, 10) == 10


def test_postgresql_that_is_gone_for_a_moment(own_database: OwnDatabase) -> None:
    """Whoever claims meanwhile is told; afterwards everything that was claimed is still there."""
    with closing(SqlStore(own_database.url)) as store:
        assert claim(store.ledger, 10) == 10
        own_database.administrate("ALTER DATABASE own ALLOW_CONNECTIONS false")
        own_database.disconnect()

        with pytest.raises(StoreError, match=r"the database own on localhost failed: "):
            claim(store.ledger, 10)

        own_database.administrate("ALTER DATABASE own ALLOW_CONNECTIONS true")
        assert claim(store.ledger, 10) == 11


# PostgreSQL, where several transactions write at the same time


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize(("ends", "step"), [("COMMIT", 11), ("ROLLBACK", 10)])
def test_postgresql_claim_waits_for_one_that_was_faster(
    own_database: OwnDatabase, isolation: str, ends: str, step: int
) -> None:
    """Whether that one is kept or not decides, and no isolation level makes an error of it."""
    own_database.administrate(f"ALTER DATABASE own SET default_transaction_isolation = '{isolation}'")
    with closing(SqlStore(own_database.url)) as store, ThreadPoolExecutor() as pool:
        ledger = store.ledger
        with own_database.connect() as faster:
            faster.execute("INSERT INTO totphog_claims VALUES ('alice', 10, 'faster', 0, 0)")
            claimed = pool.submit(claim, ledger, 10)
            own_database.wait_until_blocked(1)
            faster.execute(ends)

        assert claimed.result(10) == step


def test_postgresql_claim_does_not_wait_for_other_credentials(own_database: OwnDatabase) -> None:
    """Accounts have nothing to do with each other."""
    with closing(SqlStore(own_database.url)) as store, own_database.connect() as other:
        ledger = store.ledger
        other.execute("INSERT INTO totphog_claims VALUES ('bob', 10, 'other', 0, 0)")

        assert claim(ledger, 10) == 10
