"""An app on a port: bound in the caller's thread, served in threads that end with it."""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from werkzeug.serving import ThreadedWSGIServer, generate_adhoc_ssl_context

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import MissingExtra, ServerError
from pytest_totphog.wsgi.access_log import AccessLog
from pytest_totphog.wsgi.connection import MAX_LINE, Connection
from pytest_totphog.wsgi.gate import PRIVATE_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["Server", "SslContext", "listen"]

SslContext: TypeAlias = "ssl.SSLContext | Literal['adhoc'] | None"

# What the system says when there are no more files or no more memory for them.
EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Seconds until the next attempt to serve a connection, unless another one ends before.
PAUSE: Final = 0.05
# The answer to a connection that can have no thread.
BUSY: Final = (
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in PRIVATE_HEADERS.items())
    + "\r\n"
).encode()


class Listener(ThreadedWSGIServer):
    """Werkzeug's threaded server with an owner: it stops at once, and no thread or socket outlives it.

    When threads or files run out, it closes the connection that has been idle for longest, waits, and goes on.

    Attributes:
        idle: the connections that have no request under way, oldest first.
    """

    daemon_threads = True

    def __init__(self, app: WSGIApplication, listening: socket.socket, host: str, port: int) -> None:
        super().__init__(host, port, app, Connection, fd=listening.fileno())
        self._wake, self._woken = socket.socketpair()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._room = threading.Event()
        self.idle: dict[socket.socket, None] = {}

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Accept connections until `stop`; waits for events and polls nothing."""
        self.socket.setblocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is not self._woken for key, _ in selector.select()):
                self.accept()

    def accept(self) -> None:
        """Take a waiting connection, if it still waits and there is room for one more."""
        try:
            request, client_address = self.get_request()
        except OSError as error:  # most likely it was broken off meanwhile
            if error.errno in EXHAUSTED:
                self._make_room()
            return
        self.process_request(request, client_address)

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection; its thread makes the TLS handshake, so that a silent client keeps nobody waiting."""
        connection, client_address = super().get_request()
        if self.ssl_context is not None:
            try:
                connection.getpeername()  # fails for a client that is gone, for whom wrap_socket would leak the socket
                connection = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            except OSError:
                connection.close()
                raise
        return connection, client_address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own; where there can be no thread, say so and close it."""
        for _ in range(2):
            thread = threading.Thread(
                target=self.process_request_thread,
                args=(request, client_address),
                name="totphog-connection",
                daemon=True,
            )
            self._open[thread] = request
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                del self._open[thread]
                self._make_room()
            else:
                return
        with suppress(OSError):
            request.setblocking(False)
            request.send(BUSY)
            request.recv(MAX_LINE)  # what is unread when it is closed would take the answer along
        self.shutdown_request(request)

    def _make_room(self) -> None:
        self._room.clear()
        for connection in list(self.idle)[:1]:
            _break_off(connection)
        self._room.wait(PAUSE)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and forget it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(threading.current_thread(), None)
            self._room.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about a client that breaks off, in a TLS handshake above all."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def wake(self) -> None:
        """Make `serve_forever` return."""
        self._wake.send(b"\0")

    def close_connections(self, deadline: float, release: Callable[[], object]) -> int:
        """Close every connection, release those who wait, and return how many are still busy at the deadline."""
        still_open = dict(self._open)
        for connection in still_open.values():
            _break_off(connection)
        release()
        for thread in still_open:
            thread.join(max(0, deadline - Clock.monotonic()))
        return sum(thread.is_alive() for thread in still_open)

    def server_close(self) -> None:
        """Close the sockets."""
        super().server_close()
        if hasattr(self, "_wake"):  # Werkzeug closes a first socket before this class is initialised
            self._wake.close()
            self._woken.close()


class Server:
    """Runs a WSGI app on a port, in threads.

    Args:
        app: what is served.
        host: the address to listen on; `127.0.0.1` and `::1` are loopback.
        port: the port to listen on; 0 for a free one.
        ssl_context: serve https with this context, or with a throw-away certificate for `"adhoc"`.
        access_log: called with a line for every request; None for no log.
        port_option: the option that an error about a busy port names.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: SslContext = None,
        access_log: Callable[[str], None] | None = None,
        port_option: str = "port=0",
    ) -> None:
        self._app = app if access_log is None else AccessLog(app, access_log)
        self._asked = (host, port)
        self._ssl_context = ssl_context
        self._port_option = port_option
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it accepts requests."""
        return self._listener is not None

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._asked[0]

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            ServerError: while it is not running and was given no fixed port.
        """
        if self._listener is not None:
            return self._listener.port
        if self._asked[1]:
            return self._asked[1]
        raise ServerError("the server is not running, so it has no port yet; start() it first")

    @property
    def url(self) -> str:
        """Its base URL, without a slash at the end."""
        scheme = "http" if self._ssl_context is None else "https"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def start(self, listening: socket.socket | None = None) -> None:
        """Listen; requests are accepted when this returns.

        Args:
            listening: a socket that listens already, of which a duplicate is used; its port counts.

        Raises:
            ServerError: when it runs already or the address cannot be had; it names the address and what to do.
        """
        if self._listener is not None:
            raise ServerError(f"the server is running already, at {self.url}")
        context = _adhoc_context() if self._ssl_context == "adhoc" else self._ssl_context
        with listen(*self._asked, self._port_option) if listening is None else listening.dup() as own:
            listener = Listener(self._app, own, self.host, own.getsockname()[1])
        listener.ssl_context = context
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, name="totphog-server", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5, release: Callable[[], object] = int) -> None:
        """Stop listening and end every connection; does nothing when it is not running.

        Args:
            timeout: seconds to wait for requests under way.
            release: called when all connections are closed; makes those give up that wait for something.

        Raises:
            ServerError: when a request is still under way after that.
        """
        if self._listener is None or self._thread is None:
            return
        listener, thread = self._listener, self._thread
        self._listener = self._thread = None
        deadline = Clock.monotonic() + timeout
        listener.wake()
        thread.join(timeout)
        listener.server_close()
        if busy := listener.close_connections(deadline, release):
            raise ServerError(f"{busy} requests were still under way {timeout} s after the server was asked to stop")


def listen(host: str, port: int, port_option: str) -> socket.socket:
    """Return a socket that listens on an address.

    Args:
        host: the address.
        port: the port; 0 for a free one.
        port_option: the option that an error about a busy port names.

    Raises:
        ServerError: when the address cannot be had; it names the address and what to do.
    """
    if not 0 <= port <= 65535:  # the system would take it modulo 65,536
        raise ServerError(f"port {port} does not exist; accepted are 0 to 65535, 0 for a free one")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except (OSError, UnicodeError) as error:  # UnicodeError for a name that cannot be one
        reason = str(getattr(error, "strerror", error)).partition(" (while attempting")[0]  # the address again
        raise ServerError(
            f"cannot listen on {host} port {port}: {reason}. Choose another port, or let {port_option} find a free one"
        ) from None


def _break_off(connection: socket.socket) -> None:
    with suppress(OSError):
        # Not the TLS socket's own shutdown, which pulls the state from under the thread that reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _adhoc_context() -> ssl.SSLContext:
    try:
        return generate_adhoc_ssl_context()
    except TypeError:  # what Werkzeug raises for it
        raise MissingExtra("ssl_context='adhoc'", "cryptography", "serve") from None
