"""The store that pytest-xdist's controller serves to the processes it starts, so that no two of them get one code."""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pytest_totphog.stores.remote import RemoteStore

__all__ = ["ADDRESS", "ControllerStore", "address", "controller_store", "share", "share_with_restarts"]

# The name in `workerinput` under which workers find the address of the store.
ADDRESS: Final = "totphog_controller"
# The environment variable in which the runs of --looponfail find it.
VARIABLE: Final = "TOTPHOG_CONTROLLER"

_address_key: pytest.StashKey[dict[str, str]] = pytest.StashKey()

# Seconds that requests under way may take when the run ends.
STOP_TIMEOUT: Final = 5


class ControllerStore:
    """A ledger and the leases of accounts on loopback, for processes that have its key.

    Nothing heavy is imported before the first worker connects, which most test runs never do.

    Attributes:
        address: its URL and its key, for the workers.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._wake, self._woken = socket.socketpair()
        self._api_key = os.urandom(32).hex()
        self._process = os.getpid()
        self.address = {"url": f"http://127.0.0.1:{self._listening.getsockname()[1]}", "api_key": self._api_key}
        self._thread = threading.Thread(target=self._serve, name="totphog-controller", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; does nothing when it was closed before, or in a process forked from the one that serves."""
        if self._process != os.getpid():
            return
        with suppress(OSError):
            self._wake.send(b"\0")
        self._thread.join(STOP_TIMEOUT)
        self._wake.close()
        self._woken.close()

    def _serve(self) -> None:
        with self._listening:
            connected, _, _ = select.select([self._listening, self._woken], [], [])
            if self._woken in connected:
                return
            from pytest_totphog.api.store import store_app
            from pytest_totphog.stores.leases import Lease
            from pytest_totphog.stores.memory import MemoryStore
            from pytest_totphog.wsgi.gate import Gate
            from pytest_totphog.wsgi.server import Server

            server = Server(store_app(MemoryStore(), Gate(api_key=self._api_key), Lease))
            server.start(self._listening)
        select.select([self._woken], [], [])
        server.stop()


def share(config: pytest.Config) -> dict[str, str]:
    """Return the address of the store that a test run shares; a process that was given none serves one."""
    shared = address(config)
    if shared is None:
        store = ControllerStore()
        config.add_cleanup(store.close)
        shared = config.stash[_address_key] = store.address
    return shared


def share_with_restarts(config: pytest.Config) -> None:
    """Serve a store for the runs that this process starts one after the other."""
    shared = share(config)
    # Not among the options, which pytest may print.
    os.environ[VARIABLE] = f"{shared['url']} {shared['api_key']}"
    config.add_cleanup(partial(os.environ.__delitem__, VARIABLE))


def address(config: pytest.Config) -> dict[str, str] | None:
    """Return the address of the store that this process shares; None where it shares none."""
    if (worker := getattr(config, "workerinput", None)) is not None:
        shared: dict[str, str] | None = worker.get(ADDRESS)
        return shared
    if _address_key in config.stash:
        return config.stash[_address_key]
    url, _, api_key = os.environ.get(VARIABLE, "").partition(" ")
    return {"url": url, "api_key": api_key} if url else None


def controller_store(config: pytest.Config) -> RemoteStore | None:
    """Return the store that this process shares; None where it shares none, and in a worker that fails the test."""
    shared = address(config)
    if shared is None:
        if hasattr(config, "workerinput"):
            # Codes of a ledger of one's own would be handed out twice, and no failure would say why.
            pytest.fail(
                "this worker of pytest-xdist has got no address of the ledger from its controller: is pytest-totphog "
                "installed, in the same version, and not switched off where the controller runs?",
                pytrace=False,
            )
        return None
    from pytest_totphog.stores.remote import RemoteStore

    store = RemoteStore(**shared, name="the ledger that pytest-xdist's controller serves to its workers")
    config.add_cleanup(store.close)
    return store
