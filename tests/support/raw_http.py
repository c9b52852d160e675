"""An HTTP client that sends what no other client would: bytes as the test writes them."""

import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True)
class RawResponse:
    """An answer as it came over the wire; header names in lower case."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


class RawClient(AbstractContextManager["RawClient"]):
    """A connection to a server on loopback.

    Args:
        port: the server's port.
        host: the server's address.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=30)
        self._reader = self.socket.makefile("rb")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def finish(self) -> None:
        """Tell the server that nothing more will come; answers can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def response(self, *, of_head: bool = False) -> RawResponse:
        """Read one answer.

        Args:
            of_head: whether the request was HEAD, whose answer has a length but no body.
        """
        version, status, reason = self._reader.readline().decode("ascii").rstrip("\r\n").split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {}
        while line := self._reader.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = line.partition(":")
            assert name.lower() not in headers
            headers[name.lower()] = value.strip()
        body = b"" if of_head else self._reader.read(int(headers.get("content-length", 0)))
        return RawResponse(int(status), reason, headers, body)

    def is_closed(self) -> bool:
        """Wait for the server and return whether it closes the connection instead of sending more."""
        try:
            return self._reader.read(1) == b""
        except ConnectionResetError:
            return True
