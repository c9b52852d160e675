"""The factory of tokens that the fixture totp_token_factory is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_totphog.credentials.token import DEFAULT_ISSUER

if TYPE_CHECKING:
    from pytest_totphog.authenticator.totp_token import TotpToken

__all__ = ["TotpTokenFactory"]


class TotpTokenFactory(Protocol):
    """Makes a token each time it is called, registered in the server."""

    def __call__(
        self,
        *,
        name: str = "account",
        secret: str | None = None,
        issuer: str = DEFAULT_ISSUER,
        digits: int = 6,
        period: int = 30,
        algorithm: str = "sha1",
        uri: str = "",
    ) -> TotpToken:
        """Return a new token; see `TotpServer.add_token`, and for a `uri`, which says all, `TotpServer.add_uri`."""
        ...
