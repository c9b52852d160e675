"""The keeper: what a token and its issuer need of the authenticator that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_totphog.authenticator.codes import TakenCode
    from pytest_totphog.authenticator.journal import Journal
    from pytest_totphog.clocks.clock import Clock
    from pytest_totphog.credentials.token import Token
    from pytest_totphog.stores.ledger import Ledger

__all__ = ["Keeper"]


class Keeper(Protocol):
    """What a token and its issuer need of the authenticator that keeps them."""

    clock: Clock
    ledger: Ledger
    journal: Journal
    closed: bool
    min_remaining: float | None
    timeout: float
    on_code: Callable[[TakenCode], None] | None

    def holder(self) -> str:
        """Return the name of the test or process that takes a one-time code."""
        ...

    @property
    def api_url(self) -> str:
        """The base URL of the API that serves the token."""
        ...

    @property
    def credentials(self) -> Sequence[Token]:
        """All credentials that a code might belong to."""
        ...
