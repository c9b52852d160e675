"""One client's connection: HTTP/1.1 with keep-alive, and strict about what a request is.

Werkzeug's own handler closes every connection, writes headers and body as two packets (which costs a client 40 ms
where Nagle's algorithm meets a delayed acknowledgement), and parses headers as e-mail. This one reads a request,
calls the app, and writes one answer.
"""

from __future__ import annotations

import io
import re
import socket
import sys
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.serving import WSGIRequestHandler

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import PRIVATE_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


__all__ = ["MAX_LINE", "Connection"]

MAX_LINE: Final = 65_536
MAX_HEADERS: Final = 100
MAX_DRAINED: Final = 64 * 1024 * 1024
DRAIN_SECONDS: Final = 2.0
# The length of a body that does not say its length properly, or breaks it: no other request can follow.
ENDLESS: Final = sys.maxsize

_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) (\S+) HTTP/1\.([01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)


class Body(io.RawIOBase):
    """A request's body: what the Content-Length announced, and not a byte of the next request."""

    def __init__(self, stream: io.BufferedIOBase, length: int, connection: socket.socket, *, awaited: bool) -> None:
        self._stream = stream
        self.remaining = length
        self._connection = connection
        self._awaited = awaited  # the client sends it when it is asked to (Expect: 100-continue)

    @property
    def can_be_skipped(self) -> bool:
        """Whether what is left of it surely comes, and soon, so that another request may follow."""
        return not self.remaining or (not self._awaited and self.remaining <= MAX_LINE)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has arrived of the body."""
        if self._awaited:
            self._awaited = False
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        wanted = min(len(buffer), self.remaining)
        try:
            data = self._stream.read1(wanted)
        except TimeoutError:
            self.remaining = ENDLESS
            raise HttpError(408, "The body did not arrive in time") from None
        if wanted and not data:
            self.remaining = ENDLESS
            raise HttpError(400, "The body is shorter than its Content-Length")
        buffer[: len(data)] = data
        self.remaining -= len(data)
        return len(data)


class Connection(WSGIRequestHandler):
    """Serves the requests of one connection, one after the other."""

    disable_nagle_algorithm = True
    timeout = 60
    server: Any  # a Listener

    def handle(self) -> None:
        """Serve requests until either side is done."""
        try:
            while self._serve_request():
                pass
        except (OSError, HttpError):  # the client went away, fell silent or broke off, or the server stops
            pass

    def _serve_request(self) -> bool:
        """Answer one request; False when the connection is done."""
        self.server.idle[self.connection] = None
        try:
            environ = self._read_head()
        except HttpError as error:
            text = f"{error.message}\n".encode()
            headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text))), ("Connection", "close")]
            headers += PRIVATE_HEADERS.items()
            self._write(f"{error.status} {HTTP_STATUS_CODES[error.status]}", headers, text)
            self._drain()
            return False
        finally:
            self.server.idle.pop(self.connection, None)
        if environ is None:
            return False
        status, headers, content = self._call_app(environ)
        body: Body = environ["wsgi.input"]
        keep = (
            environ["SERVER_PROTOCOL"] == "HTTP/1.1"
            and "close" not in environ.get("HTTP_CONNECTION", "").lower()
            and body.can_be_skipped
        )
        if not keep:
            headers.append(("Connection", "close"))
        self._write(status, headers, content)
        if not keep:
            self._drain()
        while keep and body.remaining and body.read(MAX_LINE):
            pass  # the next request begins where this one's body ends
        return keep

    def _call_app(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return the app's answer: status, headers, body."""
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            answer[:] = status, list(headers)

        chunks = self.server.app(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return answer[0], answer[1], content

    def _read_head(self) -> WSGIEnvironment | None:
        """Return the environ of the next request; None when the client has no more.

        Raises:
            HttpError: for what is no HTTP/1.1 request.
        """
        line = self._read_line(414)
        if line == "":  # an empty line before a request is passed over (RFC 9112 section 2.2)
            line = self._read_line(414)
        if line is None:
            return None
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            raise HttpError(400, "Malformed request line")
        method, target, minor = match.groups()
        environ: WSGIEnvironment = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http" if self.server.ssl_context is None else "https",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "SERVER_NAME": self._server_name(),
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": f"HTTP/1.{minor}",
            "REMOTE_ADDR": self.client_address[0],
        }
        self._read_headers(environ)
        if (absolute := _ABSOLUTE.match(target)) is not None:
            environ["HTTP_HOST"] = absolute[1]
            target = "/" + target[absolute.end() :].removeprefix("/")
        if not target.startswith("/"):
            raise HttpError(400, "The request target is no path")
        path, _, query = target.partition("?")
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path
        environ["QUERY_STRING"] = query
        length = environ.get("CONTENT_LENGTH", "0")
        if not length:  # for a WSGI app it would be the same as none
            raise HttpError(400, "The Content-Length is empty")
        known = length.isascii() and length.isdigit() and len(length) < 19 and "HTTP_TRANSFER_ENCODING" not in environ
        environ["wsgi.input"] = Body(
            self.rfile,
            int(length) if known else ENDLESS,  # which the app's gate refuses, before the body is touched
            self.connection,
            awaited=minor == "1" and environ.get("HTTP_EXPECT", "").lower() == "100-continue",
        )
        return environ

    def _server_name(self) -> str:
        """Return the address that the server listens on; where that is any, the one that the client has reached."""
        host: str = self.server.host
        return self.connection.getsockname()[0] if host in {"0.0.0.0", "::"} else host  # noqa: S104 -- listens nowhere

    def _read_headers(self, environ: WSGIEnvironment) -> None:
        for _ in range(MAX_HEADERS + 1):
            line = self._read_line(431)
            if line is None:
                raise HttpError(400, "The request is cut short")
            if not line:
                return
            match = _HEADER.fullmatch(line)
            if match is None:
                raise HttpError(400, "Malformed header")
            name, value = match.groups()
            if "_" in name:  # it would pass for the header with dashes
                continue
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            value = value.rstrip(" \t")
            if key in environ:
                if key in ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST"):
                    raise HttpError(400, f"The header {name} is given twice")
                value = f"{environ[key]},{value}"
            environ[key] = value
        raise HttpError(431, f"More than {MAX_HEADERS} headers")

    def _read_line(self, too_long: int) -> str | None:
        """Return a line without its end; None at the end of the stream.

        Raises:
            HttpError: 400 for a line without an end, and the status `too_long`.
        """
        line = self.rfile.readline(MAX_LINE + 1)
        if not line:
            return None
        if len(line) > MAX_LINE:
            raise HttpError(too_long, f"A line of the request is longer than {MAX_LINE} bytes")
        if not line.endswith(b"\n"):
            raise HttpError(400, "The request is cut short")
        return line[: -2 if line.endswith(b"\r\n") else -1].decode("latin-1")

    def _write(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        # One packet for head and body: with two, Nagle's algorithm waits for the client's acknowledgement.
        self.connection.sendall(head + content)

    def _drain(self) -> None:
        """Take what the client still sends, for a while, so that it reads the answer and not a reset."""
        deadline = Clock.monotonic() + DRAIN_SECONDS
        self.connection.settimeout(DRAIN_SECONDS / 4)
        self.connection.shutdown(socket.SHUT_WR)
        drained = 0
        while drained < MAX_DRAINED and Clock.monotonic() < deadline and (data := self.rfile.read1(MAX_LINE)):
            drained += len(data)
