"""Who the tests are about: a member with an account, and a visitor who uses the site without a browser."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from django_otp.plugins.otp_totp.models import TOTPDevice

from pytest_totphog import TotpToken


@dataclass(frozen=True)
class Member:
    """Somebody with an account; the site knows the device, and the test has its token."""

    name: str
    password: str
    device: TOTPDevice
    token: TotpToken


class Visitor:
    """Somebody at the site's door, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def log_in(self, member: Member, code: str) -> requests.Response:
        """Log in with fresh cookies and return the last page."""
        with requests.Session() as session:
            self.submit(session, "/login/", username=member.name, password=member.password)
            return self.submit(session, "/code/", otp_device=member.device.persistent_id, otp_token=code)

    def submit(self, session: requests.Session, path: str, **form: str) -> requests.Response:
        session.get(self.url + path)
        form["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
        return session.post(self.url + path, data=form)
