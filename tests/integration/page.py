"""A browser that looks at the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.system import CHROMIUM_FLAGS, require

TIMEOUT = 30


class Page:
    """The page in a browser, in a user's words."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Go there, and wait until it has been told the tokens."""
        self.driver.get(url)
        self.until(lambda: self.script("return document.body.dataset.ready === 'true'"))

    def look_again(self) -> None:
        """Have the page ask the server, as it does when its window is looked at again, and wait until it has."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "new PerformanceObserver((list, observer) => {"
            "  if (!list.getEntriesByName(new URL('./api/v1/codes?next=true', document.baseURI).href).length) return;"
            "  observer.disconnect(); setTimeout(done, 100);"
            "}).observe({type: 'resource'});"
            "dispatchEvent(new Event('focus'));"
        )

    def until(self, condition: Any) -> Any:
        """Wait for a condition without arguments, and return what it says."""
        return WebDriverWait(self.driver, TIMEOUT, poll_frequency=0.05).until(lambda _: condition())

    def script(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript and return what it returns."""
        return self.driver.execute_script(code, *arguments)

    def one(self, selector: str) -> WebElement:
        """Return the first element that a CSS selector finds."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        """Click on it."""
        self.one(selector).click()

    def fill(self, selector: str, value: str) -> None:
        """Type into it."""
        self.one(selector).send_keys(value)

    def text(self, selector: str) -> str:
        """Return what it says on the screen."""
        return self.one(selector).text

    def texts(self, selector: str) -> list[str]:
        """Return what all of them say on the screen, those left out that are hidden."""
        # All at once: the page may change between two questions.
        texts: list[str] = self.script(
            "return [...document.querySelectorAll(arguments[0])]"
            "  .filter((each) => each.checkVisibility()).map((each) => each.innerText.trim())",
            selector,
        )
        return texts

    @property
    def names(self) -> list[str]:
        """The names of the tokens that are shown."""
        return self.texts(".card .name")

    @property
    def codes(self) -> list[str]:
        """Their codes."""
        return self.texts(".card .digits")

    @property
    def toast(self) -> str:
        """What the page said last."""
        return (self.texts(".toast span") or [""])[-1]

    def drop(self, target: str, name: str, mimetype: str, content: bytes) -> None:
        """Drop a file onto an element."""
        self.script(
            "const data = new DataTransfer();"
            "data.items.add(new File([new Uint8Array(arguments[3])], arguments[1], {type: arguments[2]}));"
            "for (const type of ['dragover', 'drop']) document.querySelector(arguments[0])"
            "  .dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));",
            target,
            name,
            mimetype,
            list(content),
        )

    def paste_picture(self, name: str, mimetype: str, content: bytes) -> None:
        """Paste a picture, as from a screenshot, outside of any field."""
        self.script(
            "const data = new DataTransfer();"
            "data.items.add(new File([new Uint8Array(arguments[2])], arguments[0], {type: arguments[1]}));"
            "document.body.dispatchEvent(new ClipboardEvent('paste',"
            "  {clipboardData: data, bubbles: true, cancelable: true}));",
            name,
            mimetype,
            list(content),
        )

    def paste(self, text: str) -> None:
        """Paste text onto the page, outside of any field."""
        self.script(
            "const data = new DataTransfer(); data.setData('text', arguments[0]);"
            "document.body.dispatchEvent(new ClipboardEvent('paste',"
            "  {clipboardData: data, bubbles: true, cancelable: true}));",
            text,
        )

    def emulate(self, **features: str) -> None:
        """Prefer something, such as `prefers_color_scheme="dark"`."""
        media = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})

    def resize(self, width: int, height: int) -> None:
        """Give the page another size on the screen."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium, and keep what it complains about."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(require("chromedriver"))) as driver:
        driver.set_script_timeout(TIMEOUT)
        page = Page(driver)
        page.resize(1280, 900)
        yield page


def complaints(page: Page) -> list[str]:
    """Return what the browser complains about since it was asked last, but answers that are errors."""
    return [
        entry["message"]
        for entry in page.driver.get_log("browser")  # type: ignore[no-untyped-call]  # Selenium says no types of it
        if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]
    ]
