"""The browser's library: which it is, and what it cannot do."""

from collections.abc import Generator
from types import MappingProxyType
from typing import Any, cast

import pytest

from pytest_totphog import BrowserError, FrozenClock, InvalidInput
from pytest_totphog.browsers.library import library_of, poll
from pytest_totphog.browsers.steps import run
from pytest_totphog.clocks.frozen_clock import companions_of
from tests.support.browser import LIBRARIES, started


class Firefox:
    """What a WebDriver of Firefox has; a command for the developer tools is not among it."""

    capabilities = MappingProxyType({"browserName": "firefox"})
    current_window_handle = "1"
    window_handles = ("1",)

    def execute_script(self, script: Any) -> None:
        """Run a script."""
        raise AssertionError(script)

    def get_screenshot_as_png(self) -> Any:
        """Take a screenshot."""
        return b"as much as is seen"

    def execute(self, command: Any, parameters: Any) -> None:
        """Send a command, as Selenium does."""
        raise AssertionError(f"Unrecognised command {command}")


@pytest.mark.parametrize("library", LIBRARIES)
def test_library_that_was_stopped(library: str) -> None:
    """A clock forgets its pages, and goes on."""
    with FrozenClock("2024-01-15T10:30:00Z", patch=None) as clock:
        with started(library) as browser:
            browser.do(clock.apply_to, browser.page)
            assert len(companions_of(clock).pages) == 1
        clock.tick()
        assert companions_of(clock).pages == ()


def test_screenshot_in_another_browser_than_chromium() -> None:
    """Selenium has none of the whole page there."""
    assert library_of(Firefox()).screenshot() == b"as much as is seen"


def test_time_in_another_browser_than_chromium() -> None:
    """With Selenium the error says which can do it, and nothing follows."""
    with FrozenClock(patch=None) as clock:
        with pytest.raises(BrowserError, match="Selenium cannot do this in 'firefox', but in Chromium and its family"):
            clock.apply_to(cast("Any", Firefox()))
        assert companions_of(clock).pages == ()


@pytest.mark.parametrize("page", [None, "page", 5, object()])
def test_what_is_no_browser(page: Any) -> None:
    """The error says what is accepted."""
    with pytest.raises(
        InvalidInput, match="is no browser; accepted are a WebDriver of Selenium's and a page of Playwr"
    ):
        library_of(page)


class Page:
    """A page whose library fails, or answers, in a given order; each pause takes a second."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)
        self.now = 0.0

    def pause(self) -> None:
        """Let a second pass."""
        self.now += 1.0

    def look(self) -> Generator[Any, Any, Any]:
        """Return the next answer, or raise it."""
        answer = yield next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def poll(self, timeout: Any) -> Any:
        """Look until there is no obstacle."""
        page: Any = self
        return run(poll(page, self.look, timeout, lambda: self.now))


def test_poll_until_there_is_no_obstacle() -> None:
    """What the last look returned; what the library said of a page that was changing is forgotten."""
    page = Page((None, "not there"), RuntimeError("stale"), ("field", None), ("later", None))
    assert page.poll(5) == ("field", None)
    assert page.now == 2.0


def test_poll_until_the_time_is_up() -> None:
    """The obstacle of the last look comes with it."""
    page = Page(*[(None, f"obstacle {number}") for number in range(9)])
    assert page.poll(2) == (None, "obstacle 3")


def test_poll_of_a_library_that_still_fails_when_the_time_is_up() -> None:
    """Its own error says more than that there was nothing."""
    page = Page((None, "not there"), *[RuntimeError(f"stale {number}") for number in range(9)])
    with pytest.raises(RuntimeError, match="stale 2"):
        page.poll(2)


def test_poll_with_a_locator_that_is_not_accepted() -> None:
    """An error of ours does not get better by waiting."""
    page = Page(InvalidInput("the locator is 5"), ("field", None))
    with pytest.raises(InvalidInput, match="the locator is 5"):
        page.poll(5)
    assert page.now == 0.0
