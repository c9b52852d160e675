"""A login in a browser that Playwright drives."""

from __future__ import annotations

from typing import Any

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

    def evaluate(self, window: Window, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function on the page and return its result."""
        return window.handle.evaluate(function, argument)

    def pause(self, window: Window) -> None:
        """Let a few milliseconds pass, in which Playwright hears from the browser."""
        window.handle.wait_for_timeout(20)
