"""A login in a browser that Selenium drives."""

from __future__ import annotations

from typing import Any

from pytest_totphog.browsers.library import Library, library_of
from pytest_totphog.conformance.drivers.browser import BrowserLogin, Window

__all__ = ["SeleniumLogin"]


class SeleniumLogin(BrowserLogin):
    """A login in a browser that Selenium drives: each attempt has a tab and cookies of its own.

    What a page keeps in `localStorage` all tabs share.

    Args:
        driver: the WebDriver.
    """

    def __init__(self, driver: Any) -> None:
        super().__init__()
        self.driver = driver
        self._shown: Window | None = None

    def open(self) -> str:
        """Open a tab, and put away the cookies of the one before."""
        self._show(None)
        self.driver.switch_to.new_window("tab")
        handle: str = self.driver.current_window_handle
        return handle

    def close(self, handle: str) -> None:
        """Close a tab."""
        self.driver.switch_to.window(handle)
        self.driver.close()
        if self._shown is not None:
            self.driver.switch_to.window(self._shown.handle)

    def visit(self, window: Window, url: str) -> None:
        """Go to a page."""
        self._show(window)
        if window.cookies is None:
            # Cookies can be deleted on their own site only, and these may be from before the battery.
            self.driver.get(url)
            self.driver.delete_all_cookies()
        self.driver.get(url)

    def library(self, window: Window) -> Library:
        """Return the library, with a window's tab in front."""
        self._show(window)
        return library_of(self.driver)

    def _show(self, window: Window | None) -> None:
        """Change to a tab and to its cookies; to none put the cookies away."""
        if window is self._shown:
            return
        if self._shown is not None:
            self._shown.cookies = self.driver.get_cookies()
            self.driver.delete_all_cookies()
        if window is not None:
            self.driver.switch_to.window(window.handle)
            for cookie in window.cookies or ():
                self.driver.add_cookie(cookie)
        self._shown = window
