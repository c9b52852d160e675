"""Chromium, driven by Selenium and by both APIs of Playwright, with one face for tests that promise the same of all."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.system import CHROMIUM_FLAGS, require

LIBRARIES = ("selenium", "playwright", "async playwright")


class Browser:
    """A browser with one page.

    Attributes:
        page: what the library's users have in hand: a WebDriver, or a page.
    """

    def __init__(self, page: Any) -> None:
        self.page = page

    def run(self, answer: Any) -> Any:
        """Return what the library answers, waited for where it must be awaited."""
        return answer

    def do(self, action: Any, *arguments: Any) -> Any:
        """Call a function and return what comes of it; in the event loop where there is one."""
        return self.run(action(*arguments))

    def open(self, url: str) -> None:
        """Go to a page."""
        self.run(self.page.goto(url))

    def show(self, html: str) -> None:
        """Show a document, with nothing of the one before."""
        self.open("about:blank")
        self.run(self.page.set_content(html))

    def js(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of the promise that it is."""
        return self.run(self.page.evaluate(expression))


class Selenium(Browser):
    """Driven by Selenium."""

    def open(self, url: str) -> None:
        """Go to a page."""
        self.page.get(url)

    def show(self, html: str) -> None:
        """Show a document, with nothing of the one before."""
        self.page.get("about:blank")
        self.page.execute_script("document.open(); document.write(arguments[0]); document.close()", html)

    def js(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of the promise that it is."""
        return self.page.execute_script(f"return {expression}")


class AsyncPlaywright(Browser):
    """Driven by Playwright's asynchronous API, in an event loop that runs while it is used."""

    def __init__(self, page: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(page)
        self._loop = loop

    def run(self, answer: Any) -> Any:
        """Return what the library answers, waited for where it must be awaited."""
        return self._loop.run_until_complete(answer) if inspect.isawaitable(answer) else answer

    def do(self, action: Any, *arguments: Any) -> Any:
        """Call a function and return what comes of it; in the event loop where there is one."""

        async def done() -> Any:
            answer = action(*arguments)
            return await answer if inspect.isawaitable(answer) else answer

        return self.run(done())


@contextmanager
def started(library: str) -> Iterator[Browser]:
    """Chromium, driven by one of the libraries; the two APIs of Playwright cannot be used at the same time."""
    if library == "selenium":
        with webdriver() as driver:
            yield Selenium(driver)
    elif library == "playwright":
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
            yield Browser(browser.new_context().new_page())
            browser.close()
    else:
        from playwright.async_api import async_playwright

        loop = asyncio.new_event_loop()
        manager = async_playwright()
        driver = loop.run_until_complete(manager.start())
        launched = driver.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
        chromium = loop.run_until_complete(launched)
        context = loop.run_until_complete(chromium.new_context())
        yield AsyncPlaywright(loop.run_until_complete(context.new_page()), loop)
        loop.run_until_complete(chromium.close())
        loop.run_until_complete(driver.stop())
        loop.close()


def webdriver() -> Any:
    """Return Selenium's WebDriver of Chromium, to be used in a `with`."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    return webdriver.Chrome(options, webdriver.ChromeService(require("chromedriver")))
