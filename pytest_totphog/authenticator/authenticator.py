"""The authenticator: tokens, the clock they follow, and the ledger of what was handed out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from pytest_totphog.authenticator.codes import TakenCode
from pytest_totphog.authenticator.issuer import DEFAULT_TIMEOUT, Issuer
from pytest_totphog.authenticator.journal import Journal
from pytest_totphog.authenticator.replay_scope import ReplayScope
from pytest_totphog.authenticator.totp_token import TotpToken, issuer_of
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials.token import Token
from pytest_totphog.enrolment.sources import Source, accounts_in
from pytest_totphog.errors import InvalidInput, ServerError, TokenNotFound, hidden_in_reports
from pytest_totphog.stores import Repository
from pytest_totphog.stores.ledger import MAX_HOLDER, Ledger, MemoryLedger
from pytest_totphog.stores.memory import MemoryRepository

__all__ = ["Authenticator", "running_test", "this_process"]

__tracebackhide__ = hidden_in_reports


class Authenticator:
    """Tokens, the clock they follow, and the ledger of what was handed out.

    Args:
        clock: what the codes follow; the system's time unless given.
        tokens: where tokens live; in memory unless given.
        ledger: where claims live; in memory unless given.
        namespace: which of the tokens there are its own.
        holder: returns the name of what takes a one-time code; the running pytest test, or the process, unless given.
        min_remaining: seconds that a one-time code must have to live unless its taker says otherwise; unless given 10,
            or half of a period below 20.
        timeout: real seconds to wait for one at the most unless its taker says otherwise.
        on_code: called with every code that a token gives.
        on_token: called with every token before anybody else has it, and perhaps again.
        on_scope: called with where what is handed out counts from now on, when a test run that it serves says so.

    Attributes:
        journal: what was handed out and verified, for the page.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        tokens: Repository[Token] | None = None,
        ledger: Ledger | None = None,
        namespace: str = "",
        holder: Callable[[], str] | None = None,
        min_remaining: float | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        on_code: Callable[[TakenCode], None] | None = None,
        on_token: Callable[[Token], None] | None = None,
        on_scope: Callable[[ReplayScope], None] | None = None,
    ) -> None:
        self.clock: Clock = Clock() if clock is None else clock
        self.ledger: Ledger = MemoryLedger() if ledger is None else ledger
        self.journal: Journal = Journal()
        self.holder: Callable[[], str] = running_test if holder is None else holder
        self.min_remaining = min_remaining
        self.timeout = timeout
        self.on_code = on_code
        self.on_token = on_token
        self.on_scope = on_scope
        self.closed: bool = False
        self.namespace = namespace
        self._tokens: Repository[Token] = MemoryRepository() if tokens is None else tokens
        self._api_url: str | Callable[[], str] | None = None

    @property
    def api_url(self) -> str:
        """The base URL of the API that serves this authenticator, set by `open`.

        Raises:
            ServerError: while no server runs.
        """
        if self._api_url is None:
            raise ServerError("no server runs for this token; start one: with TotpServer() as server: …")
        return self._api_url() if callable(self._api_url) else self._api_url

    @property
    def tokens(self) -> list[TotpToken]:
        """All tokens, oldest first."""
        return [self._as_token(token) for token in self.credentials]

    @property
    def credentials(self) -> list[Token]:
        """The credentials of all tokens, oldest first."""
        return self._tokens.find(namespace=self.namespace)

    def get(self, id: str) -> TotpToken:
        """Return the token with an id.

        Raises:
            TokenNotFound: when there is none.
        """
        token = self._tokens.get(id)
        if token is None or token.namespace != self.namespace:
            raise TokenNotFound("Token not found")
        return self._as_token(token)

    def make(self, uri: str | None = None, **parameters: Any) -> TotpToken:
        """Return a token that follows this clock and is stored nowhere.

        Args:
            uri: an `otpauth://totp/` URI, or else
            parameters: `name`, and as they are wanted `secret`, `issuer`, `digits`, `period`, `algorithm`.

        Raises:
            InvalidInput: when an argument is not what is accepted.
        """
        created_at = self.clock.now()
        if uri is None:
            token = Token.create(created_at=created_at, namespace=self.namespace, **parameters)
        elif parameters:
            raise InvalidInput(f"uri says it all; also given: {', '.join(sorted(parameters))}")
        else:
            token = Token.from_uri(uri, created_at=created_at, namespace=self.namespace)
        return self._as_token(token)

    def add(self, token: TotpToken) -> TotpToken:
        """Keep a token that `make` has made, and return it."""
        self._tokens.add(issuer_of(token).token)
        return token

    def enroll(self, source: Source, name: str = "account") -> TotpToken:
        """Add a token from what an enrolment page shows; see `TotpServer.enroll`."""
        what, tokens = self._tokens_in(source, name)
        if len(tokens) > 1:
            raise InvalidInput(
                f"{f'this is {what}; ' if what else ''}there are {len(tokens)} accounts: "
                f"{', '.join(map(_account_name, tokens))}; accepted is one; in Python enroll_all() takes all of them"
            )
        return self.add(tokens[0])

    def enroll_all(self, source: Source, name: str = "account") -> list[TotpToken]:
        """Add a token for each account that a source shows; see `TotpServer.enroll_all`."""
        _, tokens = self._tokens_in(source, name)
        self._add(tokens)
        return tokens

    def remove(self, token: TotpToken | str) -> None:
        """Remove a token, given itself or its id; what was handed out stays in the ledger.

        Raises:
            TokenNotFound: when it is not there.
        """
        own = self.get(token if isinstance(token, str) else token.id)
        if self._tokens.remove(own.id) is None:
            raise TokenNotFound("Token not found")

    def clear(self) -> int:
        """Remove all tokens and return how many there were; what was handed out stays in the ledger."""
        return self._tokens.clear(namespace=self.namespace)

    def restore(self, tokens: list[TotpToken]) -> None:
        """Keep just these tokens, in this order: remove the others, put back the missing."""
        self.clear()
        self._add(tokens)

    def open(self, api_url: str | Callable[[], str]) -> None:
        """Let tokens wait for codes. Their API is at this URL, or at what this function returns."""
        self._api_url = api_url
        self.closed = False

    def close(self) -> None:
        """Give up all waiting for codes; the tokens are served nowhere."""
        self._api_url = None
        self.closed = True
        self.clock.wake()

    def _tokens_in(self, source: Source, name: str) -> tuple[str, list[TotpToken]]:
        found = accounts_in(source, name)
        tokens = [self.make(**account) for account in found.accounts]
        if found.skipped:
            skipped = ", ".join(f"{error.account!a} ({error.kind})" for error in found.skipped)
            warnings.warn(f"not enrolled: {skipped}; accepted is totp", stacklevel=4)
        return found.what, tokens

    def _add(self, tokens: list[TotpToken]) -> None:
        self._tokens.add(*(issuer_of(token).token for token in tokens))

    def _as_token(self, token: Token) -> TotpToken:
        """Return a credential as a token that gives codes."""
        if self.on_token is not None:
            self.on_token(token)
        return TotpToken(Issuer(token, self))


def _account_name(token: TotpToken) -> str:
    return ascii(f"{token.issuer}:{token.name}" if token.issuer else token.name)


def running_test() -> str:
    """Return the name of the running pytest test and its xdist worker, or else the process."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    name = f"{worker} {test}".strip() or this_process()
    # Parameters make names of any length, and not every ledger takes every character.
    return "".join(each if each.isprintable() else "?" for each in name)[:MAX_HOLDER]


def this_process() -> str:
    """Return the name of this process."""
    return f"process {os.getpid()}"
