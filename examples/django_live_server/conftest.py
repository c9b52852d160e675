"""What the tests share: a member, a visitor, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice
from people import Member, Visitor
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver

from pytest_totphog import TotpServer

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


@pytest.fixture
def visitor(live_server: LiveServer) -> Visitor:
    return Visitor(live_server.url)


@pytest.fixture
def member(django_user_model: type[User], totp_server: TotpServer) -> Member:
    """Somebody with a device; the test enrols it from the URI that its QR code would show.

    The database is open, because every test here uses `live_server`.
    """
    user = django_user_model.objects.create_user("alice", password="keep the light on")
    device = TOTPDevice.objects.create(user=user, name="phone")
    return Member("alice", "keep the light on", device, totp_server.enroll(device.config_url))


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
