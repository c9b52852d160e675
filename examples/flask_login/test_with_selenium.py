"""The login in a browser, with a page object as one would write it for any app."""

from __future__ import annotations

import pytest
from people import Member
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import title_is, visibility_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from pytest_totphog import TotpServer, TotpToken, fill_code


class Harbour:
    """The app as a user sees it."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self.url = url

    def register(self, name: str, password: str) -> None:
        """Create an account; the page with the QR code comes next."""
        self.browser.get(f"{self.url}/register")
        self.submit(name=name, password=password)
        self.wait_for_page("Set up your phone")

    def enter_password(self, name: str, password: str) -> None:
        self.browser.get(f"{self.url}/login")
        self.submit(name=name, password=password)
        self.wait_for_page("Enter your code")

    def enter_code_of(self, phone: TotpToken, **options: float) -> str:
        """Type a one-time code as a person does, send it, and return it."""
        code = fill_code(self.browser, "[name=code]", phone, **options)
        self.submit()
        return code

    def enter_code(self, code: str) -> None:
        self.submit(code=code)

    def log_out(self) -> None:
        self.submit()
        self.wait_for_page("Log in")

    def greeting(self) -> str:
        self.wait_for_page("Welcome")
        return self.browser.find_element(By.TAG_NAME, "h1").text

    def refusal(self) -> str:
        alert = visibility_of_element_located((By.CSS_SELECTOR, "[role=alert]"))
        return WebDriverWait(self.browser, 10).until(alert).text

    def submit(self, **fields: str) -> None:
        for name, text in fields.items():
            self.browser.find_element(By.NAME, name).send_keys(text)
        self.browser.find_element(By.TAG_NAME, "button").click()

    def wait_for_page(self, title: str) -> None:
        WebDriverWait(self.browser, 10).until(title_is(f"{title} · Harbour"))


@pytest.fixture
def harbour(browser: Chrome, app_url: str) -> Harbour:
    return Harbour(browser, app_url)


def test_enrolment_and_login(harbour: Harbour, totp_server: TotpServer, name: str):
    harbour.register(name, "ahoy ahoy")
    phone = totp_server.enroll_from(harbour.browser)  # scans the QR code on the page
    # The app also accepts the next step's code, and so with lookahead=1 the second code need not be waited for.
    harbour.enter_code_of(phone, lookahead=1)
    assert harbour.greeting() == f"Welcome, {name}"
    harbour.log_out()

    harbour.enter_password(name, "ahoy ahoy")
    harbour.enter_code_of(phone, lookahead=1)
    assert harbour.greeting() == f"Welcome, {name}"


@pytest.mark.usefixtures("frozen_clock")
def test_three_logins_in_a_row_under_frozen_time(harbour: Harbour, member: Member):
    for _ in range(3):
        harbour.enter_password(member.name, member.password)
        harbour.enter_code_of(member.token)
        assert harbour.greeting() == f"Welcome, {member.name}"
        harbour.log_out()


def test_wrong_code_is_refused(harbour: Harbour, member: Member):
    harbour.enter_password(member.name, member.password)
    harbour.enter_code(member.token.wrong_code())

    assert harbour.refusal() == "This code is not accepted."


def test_replay_is_refused(harbour: Harbour, member: Member):
    harbour.enter_password(member.name, member.password)
    code = harbour.enter_code_of(member.token)
    harbour.greeting()
    harbour.log_out()

    harbour.enter_password(member.name, member.password)
    harbour.enter_code(code)

    assert harbour.refusal() == "This code is not accepted."
