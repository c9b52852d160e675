"""The place of a server: where its tokens live, and where they are served."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pytest_totphog.api.app import BASE_PATH
from pytest_totphog.clocks.frozen_clock import FrozenClock, companions_of
from pytest_totphog.errors import hidden_in_reports

if TYPE_CHECKING:
    from pytest_totphog.authenticator.authenticator import Authenticator
    from pytest_totphog.authenticator.totp_token import TotpToken

__all__ = ["Place"]

__tracebackhide__ = hidden_in_reports


class Place(ABC):
    """Where the tokens of a `TotpServer` live and are served: in this process, or by a server that runs elsewhere.

    Args:
        authenticator: keeps the tokens.
    """

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator

    def __str__(self) -> str:
        return f"at {self.url}"

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether requests are answered."""

    @property
    @abstractmethod
    def url(self) -> str:
        """The base URL."""

    @property
    @abstractmethod
    def host(self) -> str:
        """The address of the server."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port of the server."""

    @property
    def api_url(self) -> str:
        """The base URL of the TOTPHog API."""
        return self.url + BASE_PATH

    @abstractmethod
    def start(self) -> None:
        """Let requests be answered; see `TotpServer.start`."""

    @abstractmethod
    def start_when_possible(self) -> None:
        """Start unless it runs, as early as a test run lets it."""

    @abstractmethod
    def stop(self) -> None:
        """Answer no more, and give up all waiting."""

    def reset(self) -> None:
        """Remove all tokens and let the clock run; see `TotpServer.reset`."""
        self.authenticator.clear()
        clock = self.authenticator.clock
        if not isinstance(clock, FrozenClock) or not companions_of(clock).held:
            clock.unfreeze()

    def restore(self, tokens: list[TotpToken]) -> None:
        """Keep just these tokens, in this order: remove the others, put back the missing."""
        self.authenticator.restore(tokens)
