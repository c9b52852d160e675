"""The pages that browsers' libraries give, told apart by their types: what an async one returns is awaited."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

__all__ = ["AsyncPage", "SyncPage", "WebDriver"]


class AsyncPage(Protocol):
    """A page or frame of Playwright's async API."""

    @property
    def url(self) -> str:
        """The document's URL."""
        ...

    def title(self) -> Awaitable[str]:
        """Return the document's title."""
        ...


class SyncPage(Protocol):
    """A page or frame of Playwright's sync API."""

    @property
    def url(self) -> str:
        """The document's URL."""
        ...

    def title(self) -> str:
        """Return the document's title."""
        ...


class WebDriver(Protocol):
    """A driver of Selenium's."""

    @property
    def title(self) -> str:
        """The document's title."""
        ...

    @property
    def current_url(self) -> str:
        """The document's URL."""
        ...
