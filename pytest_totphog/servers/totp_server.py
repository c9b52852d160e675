"""The TOTP server: the authenticator, its API, and a port."""

from __future__ import annotations

import socket
import threading
import warnings
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast, overload

from pytest_totphog.api.app import BASE_PATH
from pytest_totphog.api.namespaces import NamespacedApp
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.codes import TakenCode
from pytest_totphog.authenticator.issuer import DEFAULT_TIMEOUT
from pytest_totphog.authenticator.namespaces import Namespaces
from pytest_totphog.authenticator.replay_scope import UNNAMED, ReplayScope, ScopedLedger
from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.browsers.pages import AsyncPage, SyncPage, WebDriver
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.credentials.token import DEFAULT_ISSUER, Token
from pytest_totphog.enrolment.sources import Source
from pytest_totphog.errors import InvalidCall, ServerError, hidden_in_reports
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.gate import LOOPBACK_HOSTS, Gate
from pytest_totphog.wsgi.server import Server, SslContext

if TYPE_CHECKING:
    from typing import Never, Self

__all__ = ["TotpServer", "gate_for"]

__tracebackhide__ = hidden_in_reports


class TotpServer:
    """A running authenticator: tokens in Python, and the TOTPHog API over HTTP.

    Usable without pytest: `with TotpServer() as server: …`

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        clock: what the codes follow; the system's time unless given.
        store: where tokens and what was handed out live; in memory unless given.
        ssl_context: serve https with this context, or with a throw-away certificate for `"adhoc"`.
        api_key: what clients must send as `Authorization: Bearer …`; required beyond loopback.
        insecure: allow an address beyond loopback without a key.
        access_log: called with a line for every request; None for no log.
        min_remaining: seconds that a one-time code must have to live unless its taker says otherwise; unless given 10,
            or half of a period below 20.
        timeout: real seconds to wait for one at the most unless its taker says otherwise.
        on_code: called with every code that a token gives.
        on_token: called with every token before anybody else has it, and perhaps again.
        scope: says where what its tokens hand out counts; for all who name no namespace unless given.

    Raises:
        ServerError: for an address beyond loopback without a key.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: FrozenClock | None = None,
        store: Store | None = None,
        ssl_context: SslContext = None,
        api_key: str | None = None,
        insecure: bool = False,
        access_log: Callable[[str], None] | None = None,
        min_remaining: float | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        on_code: Callable[[TakenCode], None] | None = None,
        on_token: Callable[[Token], None] | None = None,
        scope: Callable[[], ReplayScope] = lambda: UNNAMED,
    ) -> None:
        store = MemoryStore() if store is None else store
        clock = FrozenClock() if clock is None else clock
        self._authenticator = Authenticator(
            clock,
            store.repository(Token),
            ScopedLedger(store, clock, scope),
            min_remaining=min_remaining,
            timeout=timeout,
            on_code=on_code,
            on_token=on_token,
        )
        self._namespaces = Namespaces(store, self._authenticator)
        app = NamespacedApp(self._namespaces, gate_for(host, api_key=api_key, insecure=insecure))
        self._server = Server(app, host, port, ssl_context, access_log)
        self._waiting = False
        self._starting = threading.RLock()

    def __repr__(self) -> str:
        state = f"at {self.url}" if self.running else "waiting" if self._waiting else "stopped"
        return f"<TotpServer {state}, {len(self.tokens)} tokens>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether requests are answered."""
        return self._server.running

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self._asked.url

    @property
    def api_url(self) -> str:
        """The base URL of the TOTPHog API."""
        return self.url + BASE_PATH

    @property
    def host(self) -> str:
        """The address the server listens on."""
        return self._server.host

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return self._asked.port

    @property
    def clock(self) -> FrozenClock:
        """What all codes follow; freeze, move and release it here or over HTTP."""
        return cast("FrozenClock", self._authenticator.clock)  # which was given it

    @property
    def tokens(self) -> list[TotpToken]:
        """All tokens, oldest first."""
        return self._authenticator.tokens

    def start(self) -> None:
        """Listen; requests are answered when this returns.

        Raises:
            ServerError: when it runs already or the address cannot be had.
        """
        with self._starting:
            self._server.start()
            self._waiting = False
        self._namespaces.open(self.api_url)

    def start_when_possible(self) -> None:
        """Start unless it runs; where sockets are forbidden, wait until somebody asks for its URL or port.

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

    def reset(self) -> None:
        """Remove all tokens and let the clock run, unless `frozen_clock` holds it; what was handed out stays spent."""
        self._authenticator.clear()
        if not self.clock.held:
            self.clock.unfreeze()

    def add_token(
        self,
        *positional: Never,
        name: str = "account",
        secret: str | bytes | None = None,
        issuer: str = DEFAULT_ISSUER,
        digits: int = 6,
        period: int = 30,
        algorithm: str = "sha1",
    ) -> TotpToken:
        """Add a token; every argument has its name, so that none is taken for another.

        Args:
            positional: none; an error that says how to call it.
            name: the account's name.
            secret: base32 in any usual spelling, or the raw key as bytes; a random one of 160 bits unless given.
            issuer: the service's name; may be empty.
            digits: length of a code: 6, 7 or 8.
            period: length of a time step in seconds, 1 to 86,400.
            algorithm: sha1, sha256 or sha512 in any usual spelling.

        Raises:
            InvalidCall: for an argument without a name, which is not shown: it may be the secret.
            InvalidInput: when an argument is not what is accepted; nothing is added.
        """
        if positional:
            raise InvalidCall(
                f"add_token() takes arguments by name, and was given {len(positional)} without one (not shown, it may "
                "be a secret): write add_token(secret=…), add_token(name='alice', secret=…)"
            )
        authenticator = self._authenticator
        return authenticator.add(
            authenticator.make(
                name=name, secret=secret, issuer=issuer, digits=digits, period=period, algorithm=algorithm
            )
        )

    def add_uri(self, uri: str) -> TotpToken:
        """Add a token from an `otpauth://totp/` URI.

        Raises:
            InvalidInput: when the URI is not what is accepted; nothing is added.
        """
        # For `make` None is a token without a URI.
        return self._authenticator.add(self._authenticator.make("" if uri is None else uri))

    def enroll(self, source: Source, name: str = "account") -> TotpToken:
        """Add a token from what an enrolment page shows.

        Confirm the enrolment with `token.one_time_code()`, so that its code counts as spent.

        Args:
            source: an `otpauth://totp/` or `otpauth-migration://` URI, the secret in base32 as printed (80 bits or
                more; `add_token` takes any length), or a picture of the QR code: its bytes (PNG, JPEG, WebP, SVG), its
                path, its address with the URI in it, a `data:` URL, or an SVG element. A text that ends in `.png`,
                `.jpg`, `.jpeg`, `.webp` or `.svg` is a path.
            name: what to call it when the source is a bare secret.

        Raises:
            InvalidInput: when the source is nothing of that, or shows several accounts; nothing is added.
            MissingExtra: for a picture, without the extra `qr`.
        """
        return self._authenticator.enroll(source, name)

    @overload
    def enroll_from(
        self, page: AsyncPage, locator: Any = None, name: str = "account", *, timeout: float = 10
    ) -> Awaitable[TotpToken]: ...

    @overload
    def enroll_from(
        self, page: SyncPage | WebDriver, locator: Any = None, name: str = "account", *, timeout: float = 10
    ) -> TotpToken: ...

    def enroll_from(self, page: Any, locator: Any = None, name: str = "account", *, timeout: float = 10) -> Any:
        """Add a token from what a set-up page shows in a browser, and return it; with an async page, await it.

        Confirm the enrolment with `fill_code(page, …, token)`, so that its code counts as spent.

        Args:
            page: a WebDriver of Selenium's, or a page or frame of Playwright's, sync or async.
            locator: the element with the QR code (a picture, a canvas, inline SVG, or whatever it is painted with), the
                `otpauth://` link, or the secret as text or in a field. For Selenium a CSS selector, a
                `(By.…, "value")` tuple or a WebElement; for Playwright a selector, a Locator or an ElementHandle.
                Unless given, a QR code anywhere on the page, or else an `otpauth://` link.
            name: what to call it when the page shows a bare secret.
            timeout: how long to wait until it is shown, in real seconds.

        Raises:
            BrowserError: when the page shows nothing to enrol with in time.
            InvalidInput: when page or locator are not what is accepted.
            MissingExtra: for a picture, without the extra `qr`.
        """
        return self._authenticator.enroll_from(page, locator, name, timeout=timeout)

    def enroll_all(self, source: Source, name: str = "account") -> list[TotpToken]:
        """Add a token for each account that a source shows.

        Accounts that are no TOTP are skipped, with a warning that names them.

        Args:
            source: what `enroll` takes, and what has several accounts: a text or file with a URI a line, a file or text
                of an unencrypted export of Aegis, andOTP, Bitwarden, Ente, 2FAS or Raivo, a picture with several QR
                codes, or a list of any of them, such as all QR codes of one export of Google Authenticator.
            name: what to call it when the source is a bare secret.

        Raises:
            InvalidInput: when one of them is not what is accepted, or a QR code of an export is missing; nothing is
                added.
            MissingExtra: for a picture, without the extra `qr`.
        """
        return self._authenticator.enroll_all(source, name)

    def remove(self, token: TotpToken | str) -> None:
        """Remove a token, given itself or its id; what was handed out stays spent.

        Raises:
            TokenNotFound: when it is not there.
        """
        self._authenticator.remove(token)

    def clear(self) -> None:
        """Remove all tokens; what was handed out stays spent."""
        self._authenticator.clear()

    def restore(self, tokens: list[TotpToken]) -> None:
        """Keep just these tokens, in this order: remove the others, put back the missing."""
        self._authenticator.restore(tokens)

    @property
    def _asked(self) -> Server:
        """What listens; somebody asks where."""
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


def gate_for(
    host: str, *, api_key: str | None = None, insecure: bool = False, permissions: str = "api_key=… or insecure=True"
) -> Gate:
    """Return the gate of a server on an address.

    Args:
        host: the address.
        api_key: what clients must send.
        insecure: whether an address beyond loopback is allowed without a key.
        permissions: how the caller says either, for an error.

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
