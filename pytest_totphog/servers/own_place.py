"""A server in this process: an app and a port of its own."""

from __future__ import annotations

import socket
import threading
import warnings
from typing import TYPE_CHECKING

from pytest_totphog.api.namespaces import NamespacedApp
from pytest_totphog.authenticator.namespaces import Namespaces
from pytest_totphog.errors import hidden_in_reports
from pytest_totphog.servers.place import Place
from pytest_totphog.wsgi.server import Server, SslContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_totphog.authenticator.authenticator import Authenticator
    from pytest_totphog.stores import Store
    from pytest_totphog.wsgi.gate import Gate

__all__ = ["OwnPlace"]

__tracebackhide__ = hidden_in_reports


class OwnPlace(Place):
    """A server in this process.

    Args:
        authenticator: keeps the tokens of no namespace.
        store: where tokens and what was handed out live.
        gate: what is refused beforehand.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        ssl_context: see `TotpServer`.
        access_log: see `TotpServer`.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        store: Store,
        gate: Gate,
        host: str,
        port: int,
        ssl_context: SslContext = None,
        access_log: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(authenticator)
        self._namespaces = Namespaces(store, authenticator)
        self._server = Server(NamespacedApp(self._namespaces, gate), host, port, ssl_context, access_log)
        self._waiting = False
        self._starting = threading.RLock()

    def __str__(self) -> str:
        state = super().__str__() if self.running else "waiting" if self._waiting else "stopped"
        return f"{state}, {len(self.authenticator.credentials)} tokens"

    @property
    def running(self) -> bool:
        """Whether requests are answered."""
        return self._server.running

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self._started.url

    @property
    def host(self) -> str:
        """The address the server listens on."""
        return self._server.host

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return self._started.port

    def start(self) -> None:
        """Listen; requests are answered when this returns."""
        with self._starting:
            self._server.start()
            self._waiting = False
        self._namespaces.open(self.api_url)

    def start_when_possible(self) -> None:
        """Start unless it runs; where sockets are forbidden, only when the URL or the port is read.

        Tokens can be used all the same. pytest-socket forbids them, and so do many suites on their own.

        Raises:
            ServerError: when its address cannot be had.
        """
        if not self.running:
            self._waiting = _sockets_are_forbidden()
            if self._waiting:
                self._namespaces.open(lambda: self.api_url)
            else:
                self.start()

    def stop(self) -> None:
        """Stop listening, end every connection and give up all waiting; the tokens stay."""
        self._waiting = False
        self._namespaces.close()
        self._server.stop()

    @property
    def _started(self) -> Server:
        """What listens, for whatever reads where."""
        with self._starting:
            if self._waiting:
                self.start()
        return self._server


def _sockets_are_forbidden() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytest-socket warns of each attempt
        try:
            socket.socket().close()
        except OSError:  # the system's reason; to listen fails as well, and says more
            return False
        except Exception:  # noqa: BLE001 # each has one of its own
            return True
    return False
