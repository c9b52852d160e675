"""The store that pytest-xdist's controller serves to its workers."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from pytest_totphog.errors import StoreError
from pytest_totphog.stores.leases import Lease
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.xdist import ADDRESS, VARIABLE, ControllerStore, address, share, share_with_restarts
from tests.support.threads import in_threads


@pytest.fixture
def controller() -> Iterator[ControllerStore]:
    """A store that is served."""
    controller = ControllerStore()
    yield controller
    controller.close()


def port(controller: ControllerStore) -> int:
    """Return where it listens."""
    return int(controller.address["url"].rpartition(":")[2])


def test_address_is_all_that_a_worker_needs(controller: ControllerStore) -> None:
    """URL and key, as plain texts: pytest-xdist takes nothing else to another process."""
    assert controller.address == {
        "url": f"http://127.0.0.1:{port(controller)}",
        "api_key": controller.address["api_key"],
    }
    with closing(RemoteStore(**controller.address)) as store:
        assert store.ledger.claim("alice", 10, 10, holder="gw0", claimed_at=0.0) is not None


def test_workers_share_the_ledger(controller: ControllerStore) -> None:
    """Eight workers connect at the same time, the first ones before anything is loaded: each gets its own step."""
    stores = [RemoteStore(**controller.address) for _ in range(8)]

    def claim(number: int) -> int:
        claimed = stores[number].ledger.claim("alice", 10, 17, holder=f"gw{number}", claimed_at=0.0)
        assert claimed is not None
        return claimed.step

    steps = in_threads(8, claim)

    assert sorted(steps) == list(range(10, 18))
    for store in stores:
        store.close()


def test_workers_share_leases(controller: ControllerStore) -> None:
    """No two of them have one account."""
    with closing(RemoteStore(**controller.address)) as one, closing(RemoteStore(**controller.address)) as other:
        assert one.repository(Lease).add(Lease("alice", "gw0")) is True
        assert other.repository(Lease).find() == [Lease("alice", "gw0")]


# What a TOTP server answers, and most of it without a key.
PATHS = ("/", "/docs", "/openapi.json", "/api/v1/health", "/api/v1/tokens", "/namespaces/a/", "/namespaces/a/docs")


@pytest.mark.parametrize("key", ["open sesame", "", None])
def test_others_are_not_answered(controller: ControllerStore, key: str | None) -> None:
    """Other users of the machine can connect, and do not have the key: there is not even a page."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    for path in ("/api/v1/store/ledger/last", *PATHS):
        for method in ("GET", "POST"):
            answer = requests.request(method, f"{controller.address['url']}{path}", headers=headers, timeout=30)
            assert answer.status_code == 401


def test_nothing_but_the_ledger_and_leases_is_served(controller: ControllerStore) -> None:
    """Also to those who have the key: a worker's tokens are its own."""
    headers = {"Authorization": f"Bearer {controller.address['api_key']}"}
    for path in (*PATHS, "/api/v1/store/tokens_token/find"):
        answer = requests.post(f"{controller.address['url']}{path}", json={}, headers=headers, timeout=30)
        assert answer.status_code == 404


def test_every_controller_has_a_key_of_its_own() -> None:
    """Long enough that nobody guesses it."""
    controllers = [ControllerStore() for _ in range(2)]
    keys = {controller.address["api_key"] for controller in controllers}
    for controller in controllers:
        controller.close()

    assert len(keys) == 2
    assert {len(key) for key in keys} == {64}


def test_key_is_not_in_the_repr(controller: ControllerStore) -> None:
    """Reports show local variables."""
    assert controller.address["api_key"] not in repr(controller)


def test_only_one_address_is_listened_on(controller: ControllerStore) -> None:
    """Nobody on the network can connect: not even this machine by another of its addresses."""
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port(controller)), timeout=10):
        pass


@pytest.mark.parametrize("used", [False, True])
def test_closing_ends_it(used: bool) -> None:
    """Whether anybody has connected or not: the port is free, connections are cut, and no thread is left."""
    before = set(threading.enumerate())
    controller = ControllerStore()
    with closing(RemoteStore(**controller.address)) as store:
        if used:
            assert store.ledger.last("alice") is None

        controller.close()

        assert [thread.name for thread in threading.enumerate() if thread not in before] == []
        with pytest.raises(StoreError, match=r"failed: (Connection refused|the connection was broken off)$"):
            store.ledger.last("alice")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port(controller)), timeout=10)


def test_closing_twice_is_closing_once(controller: ControllerStore) -> None:
    """It is closed by whoever comes first."""
    controller.close()
    controller.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port(controller)), timeout=10)


def test_closing_cuts_off_who_is_silent(controller: ControllerStore) -> None:
    """A worker that hangs keeps the controller from nothing."""
    with socket.create_connection(("127.0.0.1", port(controller)), timeout=10) as connection:
        connection.sendall(b"POST /api/v1/store/ledger/last HTTP/1.1\r\n")
        with closing(RemoteStore(**controller.address)) as store:  # the server runs
            store.ledger.last("alice")

        controller.close()

        assert connection.recv(1) == b""


LAZY = """
import sys
from pytest_totphog.xdist import ControllerStore

before = set(sys.modules)
controller = ControllerStore()
print(sorted(name for name in set(sys.modules) - before))
controller.close()
print(sorted(name for name in sys.modules if name.startswith("pytest_totphog")))
print(sorted({"pyotp", "requests", "werkzeug", "freezegun", "sqlalchemy", "http.server"} & set(sys.modules)))
"""


def test_nothing_heavy_is_imported_before_somebody_connects() -> None:
    """Most test runs never ask: a socket and a thread is all they pay for."""
    output = subprocess.check_output([sys.executable, "-W", "error", "-c", LAZY], text=True)

    assert output.splitlines() == ["[]", "['pytest_totphog', 'pytest_totphog.xdist']", "[]"]


# Who shares it


@pytest.fixture(autouse=True)
def _told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process was told no address, unless a test does."""
    monkeypatch.delenv(VARIABLE, raising=False)


def test_run_alone_shares_nothing(pytester: pytest.Pytester) -> None:
    """Nobody asks it."""
    assert address(pytester.parseconfig()) is None


def test_run_with_workers_shares_one_store(pytester: pytest.Pytester) -> None:
    """However many workers there are; it ends with the run."""
    config = pytester.parseconfig()
    shared = share(config)
    assert share(config) == address(config) == shared
    with closing(RemoteStore(**shared)) as store:
        assert store.ledger.last("alice") is None

        config._ensure_unconfigure()

        with pytest.raises(StoreError, match="Connection refused"):
            store.ledger.last("alice")


def test_worker_knows_what_its_controller_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, controller: ControllerStore
) -> None:
    """And nothing else: whoever told it nothing shares nothing."""
    worker: Any = pytester.parseconfig()
    other: Any = pytester.parseconfig()
    worker.workerinput = {ADDRESS: controller.address}
    other.workerinput = {}
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9 sesame")

    assert address(worker) == controller.address
    assert address(other) is None


def test_runs_one_after_the_other_share_one_store(pytester: pytest.Pytester) -> None:
    """The process that starts them tells them by the environment, and its own end is theirs."""
    config, run, next_run = (pytester.parseconfig() for _ in range(3))

    share_with_restarts(config)

    assert address(run) == share(run) == share(next_run) == address(config)
    run._ensure_unconfigure()
    with closing(RemoteStore(**share(next_run))) as store:
        assert store.ledger.last("alice") is None
    config._ensure_unconfigure()
    assert VARIABLE not in os.environ
