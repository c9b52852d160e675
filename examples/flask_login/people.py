"""Who the tests are about: a member with an account, and a visitor who uses the app without a browser."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from pytest_totphog import TotpToken


@dataclass(frozen=True)
class Member:
    """Somebody with an account, and with a token in place of a phone."""

    name: str
    password: str
    token: TotpToken


class Visitor:
    """Somebody at the app's door, over HTTP."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.session = session

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path)

    def post(self, path: str, **form: str) -> requests.Response:
        return self.session.post(self.url + path, data=form)

    def log_in(self, member: Member, code: str) -> requests.Response:
        self.post("/login", name=member.name, password=member.password)
        return self.post("/code", code=code)
