"""The TOTP server: the authenticator, its API, and a port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast, overload

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.issuer import DEFAULT_TIMEOUT
from pytest_totphog.authenticator.replay_scope import UNNAMED, ScopedLedger
from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.browsers.pages import AsyncPage, SyncPage, WebDriver
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.credentials.token import DEFAULT_ISSUER, Token
from pytest_totphog.enrolment.sources import Source
from pytest_totphog.errors import InvalidCall, hidden_in_reports
from pytest_totphog.servers.own_place import OwnPlace
from pytest_totphog.servers.place import Place
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.gate import gate_for
from pytest_totphog.wsgi.server import SslContext

if TYPE_CHECKING:
    from typing import Never, Self

__all__ = ["TotpServer", "place_of", "server_at"]

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
    ) -> None:
        store = MemoryStore() if store is None else store
        clock = FrozenClock() if clock is None else clock
        ledger = ScopedLedger(store, clock, lambda: UNNAMED)
        authenticator = Authenticator(
            clock, store.repository(Token), ledger, min_remaining=min_remaining, timeout=timeout
        )
        gate = gate_for(host, api_key=api_key, insecure=insecure)
        self._place: Place = OwnPlace(authenticator, store, gate, host, port, ssl_context, access_log)

    def __repr__(self) -> str:
        return f"<TotpServer {self._place}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether requests are answered."""
        return self._place.running

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self._place.url

    @property
    def api_url(self) -> str:
        """The base URL of the TOTPHog API."""
        return self._place.api_url

    @property
    def host(self) -> str:
        """The address the server listens on."""
        return self._place.host

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return self._place.port

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
        self._place.start()

    def stop(self) -> None:
        """Stop listening, end every connection and give up all waiting; the tokens stay."""
        self._place.stop()

    def reset(self) -> None:
        """Remove all tokens and let the clock run, unless `frozen_clock` holds it; what was handed out stays spent."""
        self._place.reset()

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
        from pytest_totphog.enrolment.setup_page import enroll_from_page

        self.clock.followers.call()  # what another thread has moved, the page shows only from here
        return enroll_from_page(page, locator, partial(self.enroll, name=name), timeout)

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

    @property
    def _authenticator(self) -> Authenticator:
        return self._place.authenticator


def server_at(place: Place) -> TotpServer:
    """Return the server whose tokens live at a place."""
    server = TotpServer.__new__(TotpServer)
    server._place = place  # noqa: SLF001 # of this module
    return server


def place_of(server: TotpServer) -> Place:
    """Return where the tokens of a server live."""
    return server._place  # noqa: SLF001 # of this module
