"""Who the tests are about."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from pytest_totphog import TotpToken


@dataclass(frozen=True)
class Member:
    """Somebody with an account, and with a token in place of a phone."""

    app_url: str
    name: str
    password: str = field(repr=False)
    token: TotpToken

    def log_in(self, code: str) -> requests.Response:
        form = {"name": self.name, "password": self.password, "code": code}
        return requests.post(f"{self.app_url}/login", json=form, timeout=10)
