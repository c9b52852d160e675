"""The gate: what is refused before a request reaches any route."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final, Protocol

from pytest_totphog.wsgi.errors import HttpError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["LOOPBACK_HOSTS", "Check", "Gate"]

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
MAX_BODY_BYTES: Final = 1024 * 1024

# Werkzeug's host_is_trusted knows no IPv6 address and takes capital letters for another name.
_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{0,5})?", re.IGNORECASE | re.ASCII)


class Check(Protocol):
    """What an app asks before anything else."""

    def check(self, environ: WSGIEnvironment) -> None:
        """Let a request pass, or raise an `HttpError`."""
        ...


class Gate:
    """Checks on every request.

    Args:
        trusted_hosts: the names, in lower case, that a `Host` header may have; None for any. A page on a foreign
            name that resolves to this machine (DNS rebinding) must not read the secrets here.
        api_key: what `Authorization: Bearer …` must carry; None for no such demand.
        max_body: bytes a request's body may have.
    """

    def __init__(
        self,
        trusted_hosts: tuple[str, ...] | None = LOOPBACK_HOSTS,
        api_key: str | None = None,
        max_body: int = MAX_BODY_BYTES,
    ) -> None:
        self._trusted_hosts = trusted_hosts
        self._api_key = api_key
        self._max_body = max_body

    def without_key(self) -> Gate:
        """Return this gate without its demand for a key, for what holds no secret."""
        return Gate(self._trusted_hosts, None, self._max_body)

    def check(self, environ: WSGIEnvironment) -> None:
        """Let a request pass.

        Raises:
            HttpError: 411 and 413 for a body without or over a length; 400 for a broken length and a foreign
                `Host`; 401 without the key.
        """
        # Refused before anything touches the stream: a chunked body that ends early spins Werkzeug's reader.
        if "HTTP_TRANSFER_ENCODING" in environ:
            raise HttpError(411, "Transfer-Encoding is not accepted; send a Content-Length")
        length = environ.get("CONTENT_LENGTH", "")
        if length and not (length.isascii() and length.isdigit()):
            raise HttpError(400, "Content-Length is not a whole number")
        if length and (len(length) > 18 or int(length) > self._max_body):
            raise HttpError(413, f"The body is too large; accepted are {self._max_body} bytes")
        host = environ.get("HTTP_HOST", "")
        name = _HOST.fullmatch(host)
        if self._trusted_hosts is not None and (name is None or name[1].lower() not in self._trusted_hosts):
            raise HttpError(400, f"Host {host[:100]!a} is not served here; accepted: {', '.join(self._trusted_hosts)}")
        if self._api_key is not None:
            scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            given = key.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""
            if not given:
                raise HttpError(401, "Send the API key as 'Authorization: Bearer …'", {"WWW-Authenticate": "Bearer"})
            if not hmac.compare_digest(given, self._api_key.encode("utf-8", "replace")):
                raise HttpError(401, "The API key that was sent is not this server's", {"WWW-Authenticate": "Bearer"})
