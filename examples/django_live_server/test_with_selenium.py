"""The login in a browser, with a page object as one would write it for any site."""

from __future__ import annotations

import pytest
from people import Member
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import title_is, visibility_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from pytest_totphog import fill_code


class Lighthouse:
    """The site as a user sees it."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self.url = url

    def log_in(self, member: Member) -> str:
        """Log in with a one-time code, typed as a person does, and return it."""
        self.enter_password(member)
        code = fill_code(self.browser, "[name=otp_token]", member.token)
        self.submit()
        return code

    def log_in_with(self, member: Member, code: str) -> None:
        self.enter_password(member)
        self.submit(otp_token=code)

    def enter_password(self, member: Member) -> None:
        self.browser.get(f"{self.url}/")
        self.submit(username=member.name, password=member.password)
        self.wait_for_page("Enter your code")

    def log_out(self) -> None:
        self.submit()
        self.wait_for_page("Log in")

    def greeting(self) -> str:
        self.wait_for_page("Welcome")
        return self.browser.find_element(By.TAG_NAME, "h1").text

    def refusal(self) -> str:
        errors = visibility_of_element_located((By.CLASS_NAME, "errorlist"))
        return WebDriverWait(self.browser, 10).until(errors).text

    def submit(self, **fields: str) -> None:
        for name, text in fields.items():
            self.browser.find_element(By.NAME, name).send_keys(text)
        self.browser.find_element(By.TAG_NAME, "button").click()

    def wait_for_page(self, title: str) -> None:
        WebDriverWait(self.browser, 10).until(title_is(f"{title} · Lighthouse"))


@pytest.fixture
def lighthouse(live_server: LiveServer, browser: Chrome) -> Lighthouse:
    # The server comes first, so that it stops last: a browser keeps its threads busy, and they share the tests'
    # connection to the database, which must not be taken from them.
    return Lighthouse(browser, live_server.url)


def test_password_and_code_log_in(lighthouse: Lighthouse, member: Member):
    lighthouse.log_in(member)

    assert lighthouse.greeting() == "Welcome, alice"


@pytest.mark.usefixtures("frozen_clock")
def test_three_logins_in_a_row_under_frozen_time(lighthouse: Lighthouse, member: Member):
    for _ in range(3):
        lighthouse.log_in(member)
        assert lighthouse.greeting() == "Welcome, alice"
        lighthouse.log_out()


def test_replay_is_refused(lighthouse: Lighthouse, member: Member):
    code = lighthouse.log_in(member)
    lighthouse.greeting()
    lighthouse.log_out()

    lighthouse.log_in_with(member, code)

    assert lighthouse.refusal().startswith("Invalid token")
