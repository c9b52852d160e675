"""Login drivers to start from: over HTTP, through Django's test client, in a browser."""

from pytest_totphog.conformance.drivers.browser import BrowserLogin, Window
from pytest_totphog.conformance.drivers.django import DjangoLogin
from pytest_totphog.conformance.drivers.form import Account, Attempt, FormLogin, Page
from pytest_totphog.conformance.drivers.http import HttpLogin
from pytest_totphog.conformance.drivers.playwright import PlaywrightLogin
from pytest_totphog.conformance.drivers.selenium import SeleniumLogin

__all__ = [
    "Account",
    "Attempt",
    "BrowserLogin",
    "DjangoLogin",
    "FormLogin",
    "HttpLogin",
    "Page",
    "PlaywrightLogin",
    "SeleniumLogin",
    "Window",
]
