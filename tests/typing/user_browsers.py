"""Browsers as users drive them: what is awaited with an async page, and is there at once with the others."""

from typing import assert_type

from playwright.async_api import Page as AsyncPage
from playwright.sync_api import Frame, Page
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from pytest_totphog import FrozenClock, TotpServer, TotpToken, fill_code


def test_selenium(totp_server: TotpServer, frozen_clock: FrozenClock, driver: WebDriver, chrome: Chrome) -> None:
    frozen_clock.apply_to(chrome)
    token = totp_server.enroll_from(driver, (By.ID, "secret"))
    assert_type(token, TotpToken)
    assert_type(fill_code(driver, "#code", token, min_remaining=5), str)
    assert_type(fill_code(chrome, "#code", token), str)


def test_playwright(totp_server: TotpServer, frozen_clock: FrozenClock, page: Page, frame: Frame) -> None:
    frozen_clock.apply_to(page)
    token = totp_server.enroll_from(page)
    assert_type(token, TotpToken)
    assert_type(fill_code(frame, page.locator("#code"), token, field_timeout=3), str)
    fill_code("#code", page, token)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]


async def test_async_playwright(totp_server: TotpServer, frozen_clock: FrozenClock, page: AsyncPage) -> None:
    await frozen_clock.apply_to(page)
    token = await totp_server.enroll_from(page, "svg")
    assert_type(token, TotpToken)
    assert_type(await fill_code(page, "#code", token), str)
