"""What the tests share: the app on a port, a member, a visitor, and a browser."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Iterator

import pytest
import requests
from accounts import Accounts
from app import create_app
from people import Member, Visitor
from selenium import webdriver
from werkzeug.serving import make_server

from pytest_totphog import TotpToken

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


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    return Accounts(tmp_path_factory.mktemp("harbour") / "accounts.sqlite3")


@pytest.fixture(scope="session")
def app_url(accounts: Accounts) -> Iterator[str]:
    """The app, served in a thread of the test process."""
    server = make_server("127.0.0.1", 0, create_app(accounts), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def name() -> str:
    """A name that nobody has taken."""
    return f"sailor-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def member(accounts: Accounts, totp_token: TotpToken, name: str) -> Member:
    """Somebody who has enrolled: the app has been told the secret of the test's own token."""
    accounts.add(name, "ahoy ahoy", totp_token.secret, enrolled=True)
    return Member(name, "ahoy ahoy", totp_token)


@pytest.fixture
def visitor(app_url: str) -> Iterator[Visitor]:
    with requests.Session() as session:
        yield Visitor(app_url, session)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One browser for the whole run, because each start takes a second."""
    options = webdriver.ChromeOptions()
    # With both paths given, Selenium does not go online to look for them.
    options.binary_location = program("chromium")
    service = webdriver.ChromeService(executable_path=program("chromedriver"))
    for flag in [*CHROMIUM_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """The browser, which forgets its cookies after every test."""
    yield chromium
    chromium.delete_all_cookies()


def program(name: str) -> str:
    """Where a program is; without it the test is skipped, but on the CI machine, which should have it, it fails."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed; on Debian: apt install chromium chromium-driver"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path
