"""The page of login-demo in a browser: password, then code, then "Welcome"."""

import os
import shutil

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import title_is, visibility_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

# Time stands still, so a phone's next code is there when it is asked for.
pytestmark = pytest.mark.usefixtures("frozen_clock")

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADA = {"email": "ada@example.com", "password": "note G"}


class LoginPage:
    """What a visitor does on the page."""

    def __init__(self, browser, url):
        self.browser = browser
        browser.get(url)

    def enter_password(self, email, password):
        self.type("email", email)
        self.type("password", password)
        self.submit()

    def enter_code(self, code):
        self.wait_for("Enter your code")
        self.type("code", code)
        self.submit()

    def greeting(self):
        self.wait_for("Welcome")
        return self.browser.find_element(By.ID, "welcome").text.splitlines()[:2]

    def refusal(self):
        alert = visibility_of_element_located((By.CSS_SELECTOR, "[role=alert]"))
        return WebDriverWait(self.browser, 10).until(alert).text

    def type(self, name, text):
        self.browser.find_element(By.NAME, name).send_keys(text)

    def submit(self):
        self.browser.find_element(By.CSS_SELECTOR, "form:not([hidden]) > button").click()

    def wait_for(self, title):
        WebDriverWait(self.browser, 10).until(title_is(f"{title} · 2FA Demo"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all tests: the page keeps nothing in it."""
    options = webdriver.ChromeOptions()
    # With both paths given, Selenium does not go online to look for them.
    options.binary_location = program("chromium")
    service = webdriver.ChromeService(executable_path=program("chromedriver"))
    for flag in [*CHROMIUM_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


def program(name):
    """Where a program is; without it the test is skipped, but on the CI machine, which should have it, it fails."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed; on Debian: apt install chromium chromium-driver"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path


def api(backend, path, access_token="", **body):
    bearer = {"Authorization": f"Bearer {access_token}"}
    return requests.post(f"{backend.url}/api{path}", json=body, headers=bearer, timeout=5).json()


@pytest.fixture
def demo(login_demo_backend):
    """The backend, with Ada registered."""
    api(login_demo_backend, "/auth/register", **ADA)
    return login_demo_backend


@pytest.fixture
def page(browser, demo):
    """The page, just opened."""
    return LoginPage(browser, demo.url)


@pytest.fixture
def access_token(demo):
    """Ada is logged in elsewhere."""
    return api(demo, "/auth/login", **ADA)["token"]


@pytest.fixture
def enrolment(demo, access_token):
    """Ada's second factor is being set up."""
    return api(demo, "/mfa/totp/setup", access_token)


@pytest.fixture
def phone(demo, access_token, enrolment, totp_server):
    """Ada's phone, enrolled."""
    token = totp_server.enroll(enrolment["manualEntryKey"], name=ADA["email"])
    assert api(demo, "/mfa/totp/verify", access_token, code=token.one_time_code())["success"]
    return token


def test_password_alone_without_a_second_factor(page):
    page.enter_password(**ADA)
    assert page.greeting() == ["Welcome", "You are logged in as ada@example.com."]


def test_wrong_password_is_refused(page):
    page.enter_password("ada@example.com", "wrong")
    assert page.refusal() == "Invalid credentials or TOTP code"
    assert page.browser.title == "Log in · 2FA Demo"


def test_password_and_then_code(page, phone):
    page.enter_password(**ADA)
    page.wait_for("Enter your code")
    assert "Please enter your Google Authenticator code" in page.browser.find_element(By.ID, "code-step").text
    page.enter_code(phone.one_time_code())
    assert page.greeting() == ["Welcome", "You are logged in as ada@example.com."]


def test_wrong_code_is_refused_and_the_right_one_accepted(page, phone):
    page.enter_password(**ADA)
    page.enter_code(phone.wrong_code())
    assert page.refusal() == "Invalid credentials or TOTP code"

    page.enter_code(phone.one_time_code())  # the wrong one is selected, and so typed over
    assert page.greeting() == ["Welcome", "You are logged in as ada@example.com."]


def test_replay_is_refused(page, phone, demo):
    code = phone.one_time_code()
    page.enter_password(**ADA)
    page.enter_code(code)
    page.greeting()

    again = LoginPage(page.browser, demo.url)
    again.enter_password(**ADA)
    again.enter_code(code)
    assert again.refusal() == "Invalid credentials or TOTP code", phone.explain(code)


@pytest.mark.usefixtures("phone")
def test_backup_code(page, enrolment):
    page.enter_password(**ADA)
    page.wait_for("Enter your code")
    page.browser.find_element(By.ID, "use-backup-code").click()
    assert page.browser.find_element(By.CSS_SELECTOR, "label[for=code]").text == "Backup code"
    page.enter_code(enrolment["backupCodes"][0])
    assert page.greeting() == ["Welcome", "You are logged in as ada@example.com."]


@pytest.mark.totp_policy(max_failures=1, lockout_seconds=60)
def test_locked_out_and_unlocked(page, phone, frozen_clock):
    page.enter_password(**ADA)
    page.enter_code(phone.wrong_code())
    page.refusal()
    page.enter_code(phone.one_time_code())
    assert page.refusal() == "Invalid credentials or TOTP code"

    frozen_clock.tick(60)
    page.enter_code(phone.one_time_code())
    assert page.greeting() == ["Welcome", "You are logged in as ada@example.com."]


def test_server_that_is_gone(page, demo):
    demo.stop()
    page.enter_password(**ADA)
    assert page.refusal() == "The server does not answer."
