"""A login in a browser that Playwright drives."""

from __future__ import annotations

from typing import Any

from pytest_totphog.browsers.library import Library, library_of
from pytest_totphog.conformance.drivers.browser import BrowserLogin, Window

__all__ = ["PlaywrightLogin"]


class PlaywrightLogin(BrowserLogin):
    """A login in a browser that Playwright (its synchronous API) drives: each attempt has a context of its own.

    Args:
        page: a page, of whose browser the contexts are made; override `new_context` for contexts with options.
    """

    def __init__(self, page: Any) -> None:
        super().__init__()
        self.browser = page.context.browser

    def new_context(self) -> Any:
        """Return a new context of the browser."""
        return self.browser.new_context()

    def open(self) -> Any:
        """Open a page in a new context."""
        return self.new_context().new_page()

    def close(self, handle: Any) -> None:
        """Close a page's context."""
        handle.context.close()

    def visit(self, window: Window, url: str) -> None:
        """Go to a page."""
        window.handle.goto(url)

    def library(self, window: Window) -> Library:
        """Return the library of a window's page."""
        return library_of(window.handle)
