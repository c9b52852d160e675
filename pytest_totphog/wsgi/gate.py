"""The gate: what is refused before a request reaches any route."""

from __future__ import annotations

import hmac
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Protocol

from pytest_totphog.errors import ServerError
from pytest_totphog.wsgi.errors import HttpError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["LOOPBACK_HOSTS", "PRIVATE_HEADERS", "WELCOME", "Gate", "Guard", "gate_for"]

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
MAX_BODY_BYTES: Final = 1024 * 1024
# What every answer has, because most hold secrets: no page of another origin may show it, no cache may keep it.
PRIVATE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# In the environ of a request that may come from a page of another origin.
WELCOME: Final = "totphog.welcome"

# Werkzeug's host_is_trusted knows no IPv6 address and takes capital letters for another name.
_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{0,5})?", re.IGNORECASE | re.ASCII)


class Guard(Protocol):
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
        foreign_pages: whether the pages of other origins may send requests, though they cannot read the answers.
    """

    def __init__(
        self,
        trusted_hosts: tuple[str, ...] | None = LOOPBACK_HOSTS,
        api_key: str | None = None,
        max_body: int = MAX_BODY_BYTES,
        foreign_pages: bool = False,
    ) -> None:
        self._trusted_hosts = trusted_hosts
        self._api_key = api_key
        self._max_body = max_body
        self._foreign_pages = foreign_pages

    def for_pages(self) -> Gate:
        """Return this gate for what holds no secret and changes nothing: no key, and links lead there from anywhere."""
        return Gate(self._trusted_hosts, None, self._max_body, foreign_pages=True)

    def check(self, environ: WSGIEnvironment) -> None:
        """Let a request pass.

        Raises:
            HttpError: 411 and 413 for a body without or over a length; 400 for a broken length and a foreign
                `Host`; 403 for a page of another origin; 401 without the key.
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
        if not self._foreign_pages and WELCOME not in environ and _is_foreign(environ):
            raise HttpError(403, "Pages of another origin are not served; this server's own are, and clients are")
        if self._api_key is not None:
            scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            given = key.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""
            if not given:
                raise HttpError(401, "Send the API key as 'Authorization: Bearer …'", {"WWW-Authenticate": "Bearer"})
            if not hmac.compare_digest(given, self._api_key.encode("utf-8", "replace")):
                raise HttpError(401, "The API key that was sent is not this server's", {"WWW-Authenticate": "Bearer"})


def _is_foreign(environ: WSGIEnvironment) -> bool:
    """Return whether a page of another origin has sent a request, which a browser does without asking anybody."""
    if (site := environ.get("HTTP_SEC_FETCH_SITE")) is not None:  # Fetch Metadata: not even a proxy changes it
        followed = environ["REQUEST_METHOD"] in {"GET", "HEAD"} and environ.get("HTTP_SEC_FETCH_DEST") == "document"
        return site not in {"same-origin", "none"} and not followed  # a link, whose target the page cannot read
    # Over plain http browsers say no more than the origin. A proxy may change Host; a page that adds a header has to
    # ask first, with a preflight request that is refused.
    if (origin := environ.get("HTTP_ORIGIN")) is None or "HTTP_X_REQUESTED_WITH" in environ:
        return False
    forwarded = environ.get("HTTP_X_FORWARDED_HOST", "").partition(",")[0].strip()
    own = {_without_port(environ.get("HTTP_HOST", "")), _without_port(forwarded)}
    return _without_port(origin.partition("//")[2]) not in own - {""}


def _without_port(host: str) -> str:
    """Return a host, in lower case, without the port that its scheme implies."""
    return host.lower().removesuffix(":80").removesuffix(":443")


def gate_for(
    host: str, *, api_key: str | None = None, insecure: bool = False, permissions: str = "api_key=… or insecure=True"
) -> Gate:
    """Return the gate of a server on an address.

    Args:
        host: the address.
        api_key: what clients must send.
        insecure: whether an address beyond loopback is allowed without a key.
        permissions: how the caller gives either, for an error.

    Raises:
        ServerError: for an address beyond loopback without a key, unless `insecure` says so.
    """
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and api_key is None and not insecure:
        raise ServerError(
            f"{host} is reachable from other machines, and whoever reaches this server reads its secrets; "
            f"listen on 127.0.0.1, or give {permissions} where it is meant"
        )
    own = f"[{host}]" if ":" in host else host
    trusted_hosts = tuple(dict.fromkeys((*LOOPBACK_HOSTS, own))) if loopback else None
    return Gate(trusted_hosts=trusted_hosts, api_key=api_key)
