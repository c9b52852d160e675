"""The drivers for Selenium and Playwright, in Chromium: the same behaviour from both."""

import re
from collections.abc import Iterator
from typing import Any

import playwright.sync_api
import pytest
from selenium import webdriver

from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.drivers import BrowserLogin, PlaywrightLogin, SeleniumLogin
from pytest_totphog.errors import TotphogError
from tests.support.system import CHROMIUM_FLAGS, require
from tests.unit.conformance.drivers.logins import ADA, DemoPage, Enrolled, SitePages
from tests.unit.conformance.drivers.site import Site


@pytest.fixture(scope="module")
def selenium_driver() -> Iterator[Any]:
    """A WebDriver for all tests of this file."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    with webdriver.Chrome(options, webdriver.ChromeService(require("chromedriver"))) as driver:
        yield driver


@pytest.fixture(scope="module")
def playwright_page() -> Iterator[Any]:
    """A page for all tests of this file."""
    with playwright.sync_api.sync_playwright() as library:
        browser = library.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
        yield browser.new_page()
        browser.close()


@pytest.fixture(params=["selenium", "playwright"], scope="module")
def browser_login(request: pytest.FixtureRequest) -> Any:
    """Makes a driver for either library of what is where on the pages."""
    if request.param == "selenium":
        base: type[BrowserLogin] = SeleniumLogin
        library = request.getfixturevalue("selenium_driver")
    else:
        base, library = PlaywrightLogin, request.getfixturevalue("playwright_page")
    return lambda mixin, **attributes: type("Login", (mixin, base), attributes)(library)


@pytest.fixture
def demo(browser_login: Any, ada: Enrolled) -> BrowserLogin:
    """The page of login-demo, which calls an API and is never left."""
    return browser_login(DemoPage, login_url=ada.url)


@pytest.fixture
def site_login(browser_login: Any, site_url: str) -> BrowserLogin:
    """The site with forms, where every step is another page."""
    return browser_login(SitePages, login_url=f"{site_url}/login", protected_url=f"{site_url}/home")


def test_one_page(demo: BrowserLogin, ada: Enrolled) -> None:
    """Refused twice, then accepted in one attempt; a refusal that is still seen is not taken for the answer."""
    attempt = demo.begin(ada.account)
    assert demo.submit(attempt, ada.token.wrong_code()) is Outcome.REFUSED
    assert demo.submit(attempt, ada.token.expired_code()) is Outcome.REFUSED
    assert demo.submit(attempt, ada.token.one_time_code()) is Outcome.ACCEPTED


def test_one_page_attempts_side_by_side(demo: BrowserLogin, ada: Enrolled) -> None:
    """An attempt stays where it is while another one goes on."""
    one, other = demo.begin(ada.account), demo.begin(ada.account)
    code = ada.token.one_time_code()
    assert demo.submit(other, code) is Outcome.ACCEPTED
    assert demo.submit(one, code) is Outcome.REFUSED


def test_forms(site_login: BrowserLogin) -> None:
    """The forms are sent like by the Enter key, with their hidden fields and their first button."""
    attempt = site_login.begin(ADA)
    assert site_login.submit(attempt, "000000") is Outcome.REFUSED
    assert site_login.submit(attempt, "123456") is Outcome.ACCEPTED


def test_forms_longer_than_the_field_is_meant_for(site_login: BrowserLogin) -> None:
    """`maxlength` keeps a user from typing more, and nobody else."""
    assert site_login.submit(site_login.begin(ADA), "1234567") is Outcome.REFUSED


def test_attempts_have_cookies_of_their_own(site_login: BrowserLogin) -> None:
    """Who is logged in in one window is not in the other, in whichever order they are asked."""
    one, other, third = (site_login.begin(ADA) for _ in range(3))
    site_login.submit(other, "123456")
    assert [site_login.protected_page(each) for each in (one, other, third, other)] == [False, True, False, True]


def test_a_new_driver_does_not_find_the_cookies_of_the_last(browser_login: Any, site_url: str) -> None:
    """A browser is used for many drivers."""
    urls = {"login_url": f"{site_url}/login", "protected_url": f"{site_url}/home"}
    last = browser_login(SitePages, **urls)
    last.submit(last.begin(ADA), "123456")
    new = browser_login(SitePages, **urls)
    assert new.protected_page(new.begin(ADA)) is False


def test_throttled(site: Site, site_login: BrowserLogin) -> None:
    """By a text in what the page tells."""
    attempt = site_login.begin(ADA)
    site.failures = 3
    assert site_login.submit(attempt, "123456") is Outcome.THROTTLED


@pytest.mark.parametrize("code", [None, ["123456"], 123456, ""])
def test_what_a_browser_does_not_send(site_login: BrowserLogin, code: object) -> None:
    """The field is required, and takes texts only."""
    with pytest.raises(NotImplementedError):
        site_login.submit(site_login.begin(ADA), code)


def windows(login: Any) -> list[Any]:
    """Return what is open in the browser."""
    return login.driver.window_handles if isinstance(login, SeleniumLogin) else login.browser.contexts


def test_windows_are_closed_when_their_attempts_are_forgotten(site_login: Any) -> None:
    """A hundred attempts do not leave a hundred windows."""
    before = len(windows(site_login))
    for _ in range(10):
        site_login.begin(ADA)
    assert len(windows(site_login)) - before < 10


def test_nothing_of_the_kind_on_the_page(browser_login: Any, site_url: str) -> None:
    """The error says what was looked for, and where."""
    login = browser_login(SitePages, login_url=f"{site_url}/missing", timeout=0.2)
    message = "waited 0.2 s and sees none of [name=password] and no text in [role=alert] on the page '/missing'"
    with pytest.raises(TotphogError, match=re.escape(message)):
        login.begin(ADA)


def test_one_request_at_a_time(site_login: BrowserLogin) -> None:
    """A browser's library belongs to one thread, so that races are not tried."""
    assert site_login.can("concurrent") is False


def test_the_protected_page_is_optional(browser_login: Any) -> None:
    """The rules that need it are skipped where its address is not given."""
    assert browser_login(SitePages).can("protected_page") is False
    assert browser_login(SitePages, protected_url="http://127.0.0.1/home").can("protected_page") is True
