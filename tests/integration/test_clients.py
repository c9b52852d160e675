"""The server and the clients that test suites use: each reads the code of the fixture's token."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import httpx
import playwright.sync_api
import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By

from pytest_totphog import TotpToken
from tests.support.system import CHROMIUM_FLAGS, require


def with_requests(url: str) -> str:
    """Read a page with requests."""
    return requests.get(url, timeout=5).text


def with_httpx(url: str) -> str:
    """Read a page with httpx."""
    return httpx.get(url, timeout=5).text


def with_httpx_async(url: str) -> str:
    """Read a page with httpx in an event loop."""

    async def read() -> str:
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(url)).text

    return asyncio.run(read())


def with_urllib(url: str) -> str:
    """Read a page with the standard library."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize("read", [with_requests, with_httpx, with_httpx_async, with_urllib])
def test_http_client(totp_token: TotpToken, read: Callable[[str], str]) -> None:
    """Over HTTP, in whichever way."""
    assert json.loads(read(totp_token.code_url))["data"]["code"] == totp_token.now()


@pytest.mark.usefixtures("frozen_clock")
def test_selenium(totp_token: TotpToken, tmp_path: Path) -> None:
    """In the browser that Selenium drives."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in [*CHROMIUM_FLAGS, f"--user-data-dir={tmp_path}"]:
        options.add_argument(flag)
    with webdriver.Chrome(options, webdriver.ChromeService(executable_path=require("chromedriver"))) as browser:
        browser.get(totp_token.code_url)
        assert totp_token.now() in browser.find_element(By.TAG_NAME, "body").text


@pytest.mark.usefixtures("frozen_clock")
def test_playwright(totp_token: TotpToken) -> None:
    """In the browser that Playwright drives, and by its own requests."""
    with playwright.sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        page.goto(totp_token.code_url)
        assert totp_token.now() in page.inner_text("body")
        assert page.request.get(totp_token.code_url).json()["data"]["code"] == totp_token.now()
        browser.close()
