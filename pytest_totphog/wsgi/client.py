"""The plugin's own HTTP client, whose requests no mock of a test meets and no recorder writes down.

It stands on the interpreter's C sockets: what tests replace (`socket.socket` and its methods, `getaddrinfo`, classes of
`http.client`, `ssl.SSLSocket`, urllib3, requests) is built on these, and not the other way round.
"""

from __future__ import annotations

import _socket
import os
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from pytest_totphog.version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = ["Address", "Answer", "Client", "Connection", "HTTPException", "addresses"]

# How long to wait for a connection, and for the next piece of an answer, in seconds.
TIMEOUT: Final = 10
# How many connections are kept for the next requests.
MAX_IDLE: Final = 64

# What a path may have beside letters and digits (RFC 3986, section 3.3), and the mark of what is quoted already.
_SAFE: Final = "/%:@!$&'()*+,;=~"


@dataclass(frozen=True)
class Address:
    """Where a server listens: what a socket is made with, and connects to."""

    family: int
    place: Any

    @property
    def host(self) -> str:
        """The IP address, without a zone."""
        return str(self.place[0]).partition("%")[0]


@dataclass(frozen=True)
class Answer:
    """The answer to a request.

    Attributes:
        status: its code.
        reason: the words beside the code.
        headers: by name, in lower case.
        body: what follows them.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Sends requests to one server, from any thread and process; connections are kept for the next requests.

    It knows no proxy, follows no redirection and reads no `.netrc`: what it sends holds secrets.

    Args:
        url: the server's base URL, http or https.
        headers: what goes with every request.
        timeout: seconds to wait for a connection, and for the next piece of an answer.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self._timeout = timeout
        self._idle: deque[Connection] = deque()

    def __del__(self) -> None:
        self.close()

    def send(self, method: str, path: str, body: bytes | None = None, media_type: str = "application/json") -> Answer:
        """Send a request, and return the answer, whatever it is.

        Args:
            method: the method of HTTP.
            path: what follows the base URL.
            body: what is sent.
            media_type: what the body is.

        Raises:
            OSError: when there is no connection, no trust in it (`ssl.SSLError`), or no answer in time.
            HTTPException: when the answer is none of HTTP, or breaks off.
        """
        headers = self._headers | ({} if body is None else {"Content-Type": media_type})
        connection = self._kept() or self._connect()
        try:
            answer = connection.send(method, self._url + path, headers, body)
        except BaseException:  # a time-out of the test's own too: the rest of the answer may still come
            connection.close()
            raise
        if connection.closed or len(self._idle) >= MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Let go of the connections that are kept."""
        with suppress(IndexError):  # other threads take and close as well
            while True:
                self._idle.pop().close()

    def _kept(self) -> Connection | None:
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.usable:
                    return connection
                connection.close()
        return None

    def _connect(self) -> Connection:
        parts = urlsplit(self._url)
        failure: OSError = OSError(f"{parts.hostname} has no address")
        for address in addresses(self._url):
            try:
                return Connection(address, parts.hostname or "", self._tls, self._timeout)
            except OSError as error:
                failure = error
        raise failure

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        return _trusting() if urlsplit(self._url).scheme == "https" else None


class Connection:
    """A connection to a server.

    Args:
        address: where it listens.
        host: what its certificate must name.
        tls: how to encrypt; not at all unless given.
        timeout: seconds to wait for the connection, and for the next piece of an answer.

    Raises:
        OSError: when there is none in time, or no trust in it.
    """

    def __init__(self, address: Address, host: str, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._process = os.getpid()
        self._timeout = timeout
        self._socket = _socket.socket(address.family, _socket.SOCK_STREAM)
        self.closed = False
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(address.place)
            self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            self._stream: Any = self._socket if tls is None else _Encrypted(self._socket, tls, host)
        except BaseException:
            self.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether another request may be sent: not on what a server has closed, nor on what a parent process has."""
        if self._process != os.getpid():
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._socket.settimeout(self._timeout)
        return False  # closed, or an answer to nothing

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Send a request and return the answer; see `Client.send`."""
        parts = urlsplit(url)
        path = quote(parts.path, safe=_SAFE) or "/"
        lines = {"Host": parts.netloc.encode("idna").decode(), "User-Agent": f"pytest-totphog/{__version__}", **headers}
        if method not in {"GET", "HEAD"}:
            lines["Content-Length"] = str(len(body or b""))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._stream.sendall(f"{head}\r\n".encode() + (body or b""))
        response = HTTPResponse(_Incoming(self._stream.recv), method=method)  # type: ignore[arg-type] # all it calls
        try:
            response.begin()
            answer = Answer(
                response.status,
                response.reason,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
            if response.will_close:
                self.close()
        finally:
            response.close()
        return answer

    def close(self) -> None:
        """Close it."""
        self.closed = True
        self._socket.close()


class _Incoming(RawIOBase):
    """What comes on a connection, as `http.client` reads it: its end does not close the connection."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive

    def makefile(self, _mode: str) -> BufferedReader:
        """Return what `HTTPResponse` takes of a socket."""
        return BufferedReader(self)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come."""
        data = self._receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Encrypted:
    """TLS over a socket, without the class that `ssl` makes of sockets."""

    def __init__(self, socket: _socket.socket, tls: ssl.SSLContext, host: str) -> None:
        import ssl

        self._wanted = ssl.SSLWantReadError
        self._ended = ssl.SSLEOFError
        self._socket = socket
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._when_ready(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        while data:
            data = data[self._when_ready(self._tls.write, data) :]

    def recv(self, size: int) -> bytes:
        try:
            return bytes(self._when_ready(self._tls.read, size))
        except self._ended:  # without the word that TLS has for it
            return b""

    def _when_ready(self, call: Callable[..., Any], *arguments: Any) -> Any:
        while True:
            try:
                return call(*arguments)
            except self._wanted:
                pass
            finally:
                if self._outgoing.pending:
                    self._socket.sendall(self._outgoing.read())
            if received := self._socket.recv(65536):
                self._incoming.write(received)
            else:
                self._incoming.write_eof()


def addresses(url: str) -> list[Address]:
    """Return where the server of a URL may listen, in the order of the system's preference.

    Raises:
        OSError: when its host is not known.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = _socket.getaddrinfo(parts.hostname or "", port, 0, _socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(0, f"{parts.hostname!a} is no name of a host") from None
    return list(dict.fromkeys(Address(family, place) for family, _, _, _, place in found))


def _trusting() -> ssl.SSLContext:
    """Return TLS that trusts whom requests trusts: REQUESTS_CA_BUNDLE, or else the authorities of certifi."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not (bundle := os.environ.get("REQUESTS_CA_BUNDLE")):
        import certifi

        bundle = certifi.where()
    try:
        context.load_verify_locations(bundle)
    except FileNotFoundError:
        raise OSError(0, f"REQUESTS_CA_BUNDLE is {bundle!r}, which is not there") from None
    except (IsADirectoryError, PermissionError):  # Windows says the latter
        context.load_verify_locations(capath=bundle)
    return context
