"""The fixture `page` as pytest-playwright-asyncio gives it, for test runs inside tests."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import async_playwright

from tests.support.system import CHROMIUM_FLAGS, require


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Any]:
    """A page of Playwright's asynchronous API."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
        yield await browser.new_page()
        await browser.close()
