"""Drivers for the site and for login-demo, as a team writes them."""

from dataclasses import dataclass
from typing import Any

import requests

from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.conformance.drivers import HttpLogin, LoginAccount
from pytest_totphog.servers.practice import PracticeBackend
from pytest_totphog.servers.totp_server import TotpServer

ADA = LoginAccount("ada", "ahoy")


class SiteLogin(HttpLogin):
    """The site: pages with forms."""

    username_field = "name"
    accepted_path = "/home"
    protected_path = "/home"


class DemoLogin(HttpLogin):
    """login-demo: an API, which wants the credentials again with the code."""

    json = True
    login_path = "/api/auth/login"
    username_field = "email"
    code_field = "totpCode"
    accepted_text = '"token"'

    def code_fields(self, attempt: Any) -> Any:
        """Return the credentials."""
        return self.credentials(attempt.account)


class DemoPage:
    """What is where on login-demo's page."""

    username_selector = "#email"
    password_selector = "#password"
    accepted_selector = "#welcome"


class SitePages:
    """What is where on the site's pages."""

    username_selector = "[name=name]"
    accepted_selector = "#welcome"
    throttled_text = ("Account closed", "Too many failures")


@dataclass(frozen=True)
class Enrolled:
    """An account with TOTP at a running login-demo."""

    url: str
    account: LoginAccount
    token: TotpToken


def enrolled(backend: PracticeBackend, server: TotpServer) -> Enrolled:
    """Register and enrol Ada at login-demo, and move on by a minute."""
    credentials = {"email": "ada@example.com", "password": "note G"}

    def post(path: str, token: str = "", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{backend.url}/api{path}", json=body, headers=headers, timeout=5).json()

    post("/auth/register", **credentials)
    bearer = post("/auth/login", **credentials)["token"]
    token = server.enroll(post("/mfa/totp/setup", bearer)["manualEntryKey"])
    assert post("/mfa/totp/verify", bearer, code=token.one_time_code())["success"]
    backend.clock.tick(60)
    return Enrolled(backend.url, LoginAccount("ada@example.com", "note G"), token)
