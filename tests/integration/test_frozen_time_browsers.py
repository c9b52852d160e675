"""Browser drivers while the clock stands still: they start, and what must time out does."""

from typing import Any

import playwright.sync_api
import pytest
from selenium import webdriver
from selenium.common import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.system import CHROMIUM_FLAGS, require

PAGE = "data:text/html,<p id=here>here</p>"


@pytest.fixture(params=["freezegun", "time-machine"])
def clock(request: pytest.FixtureRequest) -> Any:
    """The frozen clock under each patch, at 2024-01-15T10:30:00Z."""
    request.applymarker(pytest.mark.frozen_clock(patch=request.param))
    return request.getfixturevalue("frozen_clock")


@pytest.mark.usefixtures("clock")
def test_selenium_times_out() -> None:
    """Chromium starts under frozen time, a WebDriverWait for what is there ends, and one for what never comes fails."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    with webdriver.Chrome(options, webdriver.ChromeService(require("chromedriver"))) as driver:
        driver.get(PAGE)
        wait = WebDriverWait(driver, timeout=0.2, poll_frequency=0.05)
        assert wait.until(expected_conditions.visibility_of_element_located((By.ID, "here"))).text == "here"
        with pytest.raises(TimeoutException):
            wait.until(expected_conditions.visibility_of_element_located((By.ID, "missing")))


@pytest.mark.usefixtures("clock")
def test_playwright_times_out() -> None:
    """Chromium starts under frozen time, a selector that is there is found, and one that never comes times out."""
    with playwright.sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        page.goto(PAGE)
        assert page.wait_for_selector("#here", timeout=5000).text_content() == "here"
        with pytest.raises(playwright.sync_api.TimeoutError):
            page.wait_for_selector("#missing", timeout=200)
        browser.close()
