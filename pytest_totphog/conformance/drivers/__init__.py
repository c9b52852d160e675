"""Login drivers to start from: over HTTP, through Django's test client, in a browser."""

import warnings
from typing import Any

from pytest_totphog.conformance.drivers.browser import BrowserLogin, Window
from pytest_totphog.conformance.drivers.django import DjangoLogin
from pytest_totphog.conformance.drivers.form import Attempt, FormLogin, LoginAccount, Page
from pytest_totphog.conformance.drivers.http import HttpLogin
from pytest_totphog.conformance.drivers.playwright import PlaywrightLogin
from pytest_totphog.conformance.drivers.selenium import SeleniumLogin

__all__ = [
    "Attempt",
    "BrowserLogin",
    "DjangoLogin",
    "FormLogin",
    "HttpLogin",
    "LoginAccount",
    "Page",
    "PlaywrightLogin",
    "SeleniumLogin",
    "Window",
]


def __getattr__(name: str) -> Any:
    if name != "Account":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = "pytest_totphog.conformance.drivers.Account is LoginAccount now; the old name goes with the next release"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return LoginAccount
