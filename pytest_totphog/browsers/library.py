"""The browser's library, behind one face: Selenium, and both APIs of Playwright, told apart by what they can do."""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from collections.abc import Callable, Coroutine
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, Final, TypeAlias, TypeVar

from pytest_totphog.browsers.steps import Steps, begin, run, run_async, silent
from pytest_totphog.errors import BrowserError, InvalidInput, TotphogError, hidden_in_reports, shown

__all__ = ["PLACE", "Library", "library_of", "perform", "poll"]

__tracebackhide__ = hidden_in_reports

T = TypeVar("T")

PAUSE: Final = 0.02
# Where an error happened; what comes after the path may be secret, and in other URLs than these all of it.
PLACE: Final = """() => {
  if (location.protocol === "about:") return location.href.split("#")[0];
  if (/^(https?|file):$/.test(location.protocol)) return `the page '${location.pathname.slice(0, 100)}'`;
  return `a ${location.protocol} page`;
}"""


class Selenium:
    """Selenium: a driver, in the tab and frame that it is switched to.

    Args:
        driver: the WebDriver.

    Attributes:
        awaits: whether what the methods return is awaited.
        backspace: what `press` calls that key.
    """

    awaits = False
    backspace = "\ue003"

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._tab: str | None = None
        self._kept: str | None = None

    def find(self, locator: Any) -> Steps[list[Any]]:
        """Return the elements of a CSS selector, of a `(By.…, "value")`, or those given."""
        if isinstance(locator, str):
            found = yield self._driver.find_elements("css selector", locator)
        elif isinstance(locator, tuple) and len(locator) == 2 and all(isinstance(part, str) for part in locator):
            found = yield self._driver.find_elements(*locator)
        else:
            found = locator if isinstance(locator, list) else [locator]
            if not found or not all(hasattr(element, "send_keys") for element in found):
                raise InvalidInput(
                    f"the locator is {shown(locator)}; accepted are a CSS selector, a (By.…, 'value') tuple, "
                    "a WebElement and a list of them"
                )
        return list(found)

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with a list of elements, or with what JSON can say, and return its result."""
        return self._driver.execute_script(f"return ({function})(arguments[0])", argument)

    def choose(self, function: str, elements: list[Any]) -> Steps[list[Any]]:
        """Call a JavaScript function that makes other elements of a list of elements."""
        found = yield self.evaluate(function, elements)
        return list(found)

    def press(self, element: Any, key: str) -> None:
        """Focus an element unless it has the focus, and press a key."""
        element.send_keys(key)

    def screenshot(self) -> Any:
        """Return a picture of the page: the whole one in Chromium, as much as is seen in others."""
        try:
            return b64decode(self._devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        except BrowserError:
            return self._driver.get_screenshot_as_png()

    def picture(self, element: Any) -> Any:
        """Return a picture of an element, which is visible."""
        return element.screenshot_as_png

    def pause(self) -> None:
        """Let a few milliseconds pass, while the browser goes on."""
        time.sleep(PAUSE)

    def apart(self, function: Callable[[], T]) -> T:
        """Call a function."""
        return function()

    def everywhere(self, script: str) -> None:
        """Run a script in every open document and, instead of the one before it, at the start of each new one.

        Raises:
            BrowserError: when the browser is not of Chromium's family.
        """
        shown_tab = self._driver.current_window_handle
        if self._tab is None:
            self._tab = shown_tab
        if shown_tab != self._tab:
            self._driver.switch_to.window(self._tab)
        try:
            kept = self._devtools("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
            if self._kept is not None:
                self._devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=self._kept)
            self._kept = kept
            self._driver.execute_script(script)
        finally:
            if shown_tab != self._tab:
                self._driver.switch_to.window(shown_tab)

    def closed(self) -> bool:
        """Return whether the tab of `everywhere` or the browser is gone."""
        try:
            return self._tab is not None and self._tab not in self._driver.window_handles
        except Exception:  # noqa: BLE001 -- there is no browser any more, or nobody who answers for it
            return True

    def _devtools(self, command: str, **parameters: Any) -> Any:
        name = self._driver.capabilities.get("browserName", "")
        # Also of a browser behind Selenium's Grid, whose driver has no method for it everywhere.
        try:
            return self._driver.execute("executeCdpCommand", {"cmd": command, "params": parameters})["value"]
        except (AssertionError, KeyError):
            raise BrowserError(
                f"Selenium cannot do this in {shown(name)}, but in Chromium and its family; "
                "or take Playwright, which can in every browser"
            ) from None


class Playwright:
    """Playwright's synchronous API: a page or one of its frames.

    Args:
        page: it.

    Attributes:
        awaits: whether what the methods return is awaited.
        backspace: what `press` calls that key.
    """

    awaits = False
    backspace = "Backspace"

    def __init__(self, page: Any) -> None:
        self._page = page
        self._whole = getattr(page, "page", page)

    def find(self, locator: Any) -> Steps[list[Any]]:
        """Return the elements of a selector or a Locator, or the ElementHandle given."""
        if isinstance(locator, str):
            locator = self._page.locator(locator)
        if hasattr(locator, "element_handles"):
            found = yield locator.element_handles()
            return list(found)
        if not hasattr(locator, "as_element"):
            raise InvalidInput(
                f"the locator is {shown(locator)}; accepted are a selector, a Locator and an ElementHandle"
            )
        return [locator]

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with a list of elements, or with what JSON can say, and return its result."""
        first: Any = argument[0] if isinstance(argument, list) and argument else None
        if hasattr(first, "as_element"):
            # In the frame that they are in.
            return first.evaluate(f"(_, elements) => ({function})(elements)", argument)
        return self._page.evaluate(function, argument)

    def choose(self, function: str, elements: list[Any]) -> Steps[list[Any]]:
        """Call a JavaScript function that makes other elements of a list of elements."""
        array = yield elements[0].evaluate_handle(f"(_, elements) => ({function})(elements)", elements)
        properties = yield array.get_properties()
        return [each.as_element() for each in properties.values()]

    def press(self, element: Any, key: str) -> Any:
        """Focus an element unless it has the focus, and press a key."""
        return element.press(key)

    def screenshot(self) -> Any:
        """Return a picture of the whole page."""
        return self._whole.screenshot(full_page=True)

    def picture(self, element: Any) -> Any:
        """Return a picture of an element, which is visible."""
        return element.screenshot(timeout=5000)

    def pause(self) -> Any:
        """Let a few milliseconds pass, in which Playwright hears from the browser."""
        return self._page.wait_for_timeout(PAUSE * 1000)

    def apart(self, function: Callable[[], T]) -> Any:
        """Call a function."""
        return function()

    def everywhere(self, script: str) -> Any:
        """Run a script in every open document and at the start of each new one, after those before it."""
        self._whole.add_init_script(script)
        for frame in self._whole.frames:
            with suppress(Exception):  # a frame that is just going; what comes has the script
                frame.evaluate(script)

    def closed(self) -> bool:
        """Return whether the page, the browser or Playwright itself is gone."""
        try:
            self._page.wait_for_timeout(0)  # so that Playwright hears from the browser
        except Exception:  # noqa: BLE001 -- nobody is there who answers
            return True
        closed: bool = self._whole.is_closed()
        return closed


class AsyncPlaywright(Playwright):
    """Playwright's asynchronous API: a page or one of its frames."""

    awaits = True

    def apart(self, function: Callable[[], T]) -> Any:
        """Call a function in another thread, while the event loop goes on."""
        return asyncio.to_thread(function)

    def everywhere(self, script: str) -> Any:
        """Run a script in every open document and at the start of each new one, after those before it.

        Everything is sent before this returns, and so before what the caller sends next.
        """
        calls = [self._whole.add_init_script(script)]
        calls += [_quiet(frame.evaluate(script)) for frame in self._whole.frames]
        return silent(asyncio.gather(*map(begin, calls)))

    def closed(self) -> bool:
        """Return whether the page is closed, as far as is known."""
        closed: bool = self._whole.is_closed()
        return closed


# Steps call what both have; mypy checks that.
Library: TypeAlias = Selenium | Playwright


async def _quiet(call: Coroutine[Any, Any, Any]) -> None:
    with suppress(Exception):  # a frame that is just going; what comes has the script
        await call


def library_of(page: Any) -> Library:
    """Return the library of a page or a driver.

    Raises:
        InvalidInput: when it is neither.
    """
    if hasattr(page, "execute_script") and hasattr(page, "get_screenshot_as_png"):
        return Selenium(page)
    if hasattr(page, "goto") and hasattr(page, "evaluate"):
        return AsyncPlaywright(page) if iscoroutinefunction(page.goto) else Playwright(page)
    raise InvalidInput(
        f"{shown(page)} is no browser; accepted are a WebDriver of Selenium's and a page of Playwright's, sync or async"
    )


def perform(library: Library, steps: Steps[T]) -> Any:
    """Go through steps and return what they return; with a library that awaits, return that to be awaited."""
    return run_async(steps) if library.awaits else run(steps)


def poll(
    library: Library, look: Callable[[], Steps[tuple[T, str | None]]], timeout: float, monotonic: Callable[[], float]
) -> Steps[tuple[T, str | None]]:
    """Look until there is no obstacle or the time is up, and return what the last look returned.

    The library's own errors, of a page or an element that is just changing, are forgiven until then.

    Args:
        library: the browser's.
        look: returns what it sees and the obstacle, None when there is none.
        timeout: real seconds.
        monotonic: a clock that only runs forward, in seconds.
    """
    deadline = monotonic() + timeout
    while True:
        try:
            seen, obstacle = yield from look()
        except TotphogError:
            raise
        except Exception:
            if monotonic() > deadline:
                raise
        else:
            if obstacle is None or monotonic() > deadline:
                return seen, obstacle
        yield library.pause()
