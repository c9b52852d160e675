"""The browser's library: which it is, and what it cannot do."""

from types import MappingProxyType
from typing import Any

import pytest

from pytest_totphog import BrowserError, FrozenClock, InvalidInput
from pytest_totphog.browsers.library import library_of
from tests.support.browser import LIBRARIES, started


class Firefox:
    """What a WebDriver of Firefox has; a command for the developer tools is not among it."""

    capabilities = MappingProxyType({"browserName": "firefox"})
    current_window_handle = "1"
    window_handles = ("1",)

    def execute_script(self, script):
        """Run a script."""
        raise AssertionError(script)

    def get_screenshot_as_png(self):
        """Take a screenshot."""
        return b"as much as is seen"

    def execute(self, command, parameters):
        """Send a command, as Selenium does."""
        raise AssertionError(f"Unrecognised command {command}")


@pytest.mark.parametrize("library", LIBRARIES)
def test_library_that_was_stopped(library: str) -> None:
    """A clock forgets its pages, and goes on."""
    with FrozenClock("2024-01-15T10:30:00Z", patch=None) as clock:
        with started(library) as browser:
            browser.do(clock.apply_to, browser.page)
            assert len(clock.applied_to) == 1
        clock.tick()
        assert clock.applied_to == ()


def test_screenshot_in_another_browser_than_chromium() -> None:
    """Selenium has none of the whole page there."""
    assert library_of(Firefox()).screenshot() == b"as much as is seen"


def test_time_in_another_browser_than_chromium() -> None:
    """With Selenium the error says which can do it, and nothing follows."""
    with FrozenClock(patch=None) as clock:
        with pytest.raises(BrowserError, match="Selenium cannot do this in 'firefox', but in Chromium and its family"):
            clock.apply_to(Firefox())
        assert clock.applied_to == ()


@pytest.mark.parametrize("page", [None, "page", 5, object()])
def test_what_is_no_browser(page: Any) -> None:
    """The error says what is accepted."""
    with pytest.raises(
        InvalidInput, match="is no browser; accepted are a WebDriver of Selenium's and a page of Playwr"
    ):
        library_of(page)
