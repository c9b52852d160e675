"""The store that pytest-xdist's controller serves to the processes it starts, so that no two of them get one code."""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["ADDRESS", "ControllerStore", "address", "share"]

# Under which name pytest-xdist's controller tells others where its store is.
ADDRESS: Final = "totphog_controller"

# Seconds that requests under way may take when the run ends.
STOP_TIMEOUT: Final = 5


class ControllerStore:
    """A store on loopback, for those who have its key.

    Nothing heavy is imported before the first worker connects, which most test runs never do.

    Attributes:
        address: its URL and its key, for the workers.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._wake, self._woken = socket.socketpair()
        self._api_key = os.urandom(32).hex()
        self.address = {"url": f"http://127.0.0.1:{self._listening.getsockname()[1]}", "api_key": self._api_key}
        self._thread = threading.Thread(target=self._serve, name="totphog-controller", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; does nothing when it was closed before."""
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
            from pytest_totphog.api.namespaces import create_app
            from pytest_totphog.wsgi.gate import Gate
            from pytest_totphog.wsgi.server import Server

            server = Server(create_app(Gate(api_key=self._api_key)))
            server.start(self._listening)
        select.select([self._woken], [], [])
        server.stop()


def share(config: pytest.Config) -> dict[str, str]:
    """Serve a store until the test run ends, and return its address; that of whoever started this process, if any."""
    if not hasattr(config.option, ADDRESS):
        store = ControllerStore()
        config.add_cleanup(store.close)
        # pytest-xdist gives the options to the processes that it starts.
        setattr(config.option, ADDRESS, store.address)
    shared: dict[str, str] = getattr(config.option, ADDRESS)
    return shared


def address(config: pytest.Config) -> Any:
    """Return the address that this process was told; None where it was told none."""
    told = getattr(config, "workerinput", None) or vars(config.option)
    return told.get(ADDRESS)
