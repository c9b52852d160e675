"""A running `totphog serve`, which many test runs share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pytest_totphog.api.app import BASE_PATH
from pytest_totphog.api.namespaces import PREFIX
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.replay_scope import ReplayScope, ScopedLedger
from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import ServerError, StoreError, hidden_in_reports
from pytest_totphog.inputs import base_url
from pytest_totphog.servers.place import Place
from pytest_totphog.stores.remote import RemoteStore

__all__ = ["SharedPlace"]

__tracebackhide__ = hidden_in_reports


class SharedPlace(Place):
    """A running `totphog serve`: tokens of a namespace of one's own there, and the ledger that all share.

    Args:
        url: the server's base URL.
        api_key: what is sent as `Authorization: Bearer …`.
        namespace: which tokens are one's own: 1 to 100 letters, digits, dots, dashes and underscores.
        clock: what the codes of its tokens follow; the system's time unless given. Where it is frozen, the clock of
            the namespace stands too; whatever moves that one over HTTP moves it alone.
        scope: returns where what its tokens hand out counts; for the whole namespace unless given.
        options: `holder`, `min_remaining`, `timeout`, `on_code` and `on_token`, as `Authenticator` takes them.

    Attributes:
        store: where the server keeps what test runs share.

    Raises:
        InvalidInput: when the URL is none of http or https.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        namespace: str,
        clock: FrozenClock | None = None,
        scope: Callable[[], ReplayScope] | None = None,
        **options: Any,
    ) -> None:
        self._base = base_url(url)
        name = f"the totphog server at {self._base}"
        self.store = RemoteStore(self._base + PREFIX + namespace, api_key=api_key, name=name)
        self._sent_scope = ReplayScope(namespace)
        self._scope: Callable[[], ReplayScope] = partial(ReplayScope, namespace) if scope is None else scope
        self._clock = FrozenClock() if clock is None else clock
        ledger = ScopedLedger(self.store, self._clock, self._scope)
        super().__init__(
            Authenticator(self._clock, self.store.repository(Token), ledger, namespace=namespace, **options)
        )
        self._started = False
        self._clock_lock = threading.Lock()
        self._sent_changes = -1  # of the clock

    @property
    def running(self) -> bool:
        """Whether the server has answered."""
        return self._started

    @property
    def url(self) -> str:
        """The base URL of the namespace."""
        return self.store.url

    @property
    def host(self) -> str:
        """The server's host."""
        return urlsplit(self._base).hostname or ""

    @property
    def port(self) -> int:
        """The server's port."""
        parts = urlsplit(self._base)
        return parts.port or (443 if parts.scheme == "https" else 80)

    def start(self) -> None:
        """See that the server answers.

        Raises:
            ServerError: when it does not, when it refuses the API key, and when it is no totphog server.
        """
        try:
            self.authenticator.clear()
        except StoreError as error:
            raise ServerError(f"{error}. Is `totphog serve` running there, and TOTPHOG_API_KEY its key?") from None
        self.authenticator.open(self.api_url)
        self._started = True
        self._sent_changes = -1
        self._clock.followers.add(self)
        self.send_scope()

    def send_scope(self) -> None:
        """Let what is handed out over HTTP count where it does in Python.

        Raises:
            StoreError: when the server does not answer.
        """
        scope = self._scope()
        if self._started and scope != self._sent_scope:
            self.store.ask("ledger", "scope", bool, scope=str(scope))
            self._sent_scope = scope

    def start_when_possible(self) -> None:
        """See that the server answers, unless it has: the sockets for that were taken before any test."""
        if not self.running:
            self.start()

    def stop(self) -> None:
        """Remove the tokens of the namespace and give up all waiting; the server goes on."""
        if self._started:
            self._started = False
            self._clock.followers.remove(self)
            self.authenticator.close()
            # That a server is gone was reported before, and one that comes back forgets the namespace after a day.
            with suppress(StoreError):
                self.authenticator.clear()
            self.store.close()

    def reset(self) -> None:
        """Remove all tokens and let the clock run, here and on the server."""
        super().reset()
        self._send_clock()

    def restore(self, tokens: list[TotpToken]) -> None:
        """Keep just these tokens, in this order, and send the clock's time to the server."""
        super().restore(tokens)
        self._send_clock()

    def follow(self) -> None:
        """Freeze or release the clock of the namespace, so that codes over HTTP are those in Python."""
        with self._clock_lock:
            changes, nanoseconds = self._clock.changes, self._clock.frozen_at
            if self._started and changes != self._sent_changes:
                method = "DELETE" if nanoseconds is None else "PUT"
                body = None if nanoseconds is None else {"frozen_at": as_datetime(nanoseconds).isoformat()}
                self.store.request(method, f"{BASE_PATH}/clock", body, bool)
                self._sent_changes = changes

    def _send_clock(self) -> None:
        with self._clock_lock:
            self._sent_changes = -1  # over HTTP it may have been moved anywhere
        self.follow()
