"""A login over HTTP."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import requests

from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.drivers.form import Attempt, FormLogin, Page
from pytest_totphog.errors import InvalidInput, shown

__all__ = ["HttpLogin"]


class HttpLogin(FormLogin):
    """A login over HTTP with `requests`: pages with forms, or an API.

    Attributes:
        url: where the login is, such as `"http://127.0.0.1:5000"`; given to the constructor, or set by a subclass.
        json: whether it is an API: credentials and code are sent as JSON, and there are no pages to fill in.
        headers: sent with every request; each driver has a copy of its class's, to change.
        csrf_cookie: name of the cookie whose value is sent back in `csrf_header`, for logins that check CSRF so.
        csrf_header: name of that header.
        timeout: seconds to wait for an answer.
    """

    url = ""
    json = False
    headers: dict[str, str] = {}  # noqa: RUF012 # never changed: the constructor copies it
    csrf_cookie: str | None = None
    csrf_header = "X-CSRFToken"
    timeout = 30.0

    def __init__(self, url: str | None = None) -> None:
        super().__init__()
        self.url = self.url if url is None else url
        if not self.url.startswith(("http://", "https://")):
            raise InvalidInput(f"url is {shown(self.url)}; accepted is an address such as 'http://127.0.0.1:5000'")
        self.headers = dict(self.headers)

    def begin(self, account: Any) -> Attempt:
        """Log in with the right password, in a new session."""
        if not self.json:
            return super().begin(account)
        session = self.open_session()
        page = self.request(session, "POST", self.login_path, json=self.credentials(account))
        return Attempt(account, session, page, (copy.deepcopy(session.cookies), page))

    def submit(self, attempt: Attempt, code: Any) -> Outcome:
        """Send a code, to an API whatever it is; where the password has met a throttle already, none is sent."""
        if not self.json:
            return super().submit(attempt, code)
        if self.throttled(attempt.page):
            return Outcome.THROTTLED
        fields = {**self.code_fields(attempt), self.code_field: code}
        page = self.request(attempt.session, "POST", self.code_path or self.login_path, json=fields)
        return self.outcome(page)

    def open_session(self) -> requests.Session:
        """Return a session of `requests`, without cookies."""
        return requests.Session()

    def request(
        self, session: Any, method: str, path: str, fields: Mapping[str, Any] | None = None, *, json: Any = None
    ) -> Page:
        """Send a request, follow its redirects, and return what it came to.

        Args:
            session: the session of `requests`.
            method: the HTTP method.
            path: a path below `url`, or an address.
            fields: a form's fields.
            json: the body of a request to an API; left out for None.
        """
        # Nothing stays open: an attempt ends without telling, and its connection would be a warning.
        headers = {"Connection": "close"} | self.headers
        if self.csrf_cookie is not None and (value := session.cookies.get(self.csrf_cookie)) is not None:
            headers[self.csrf_header] = value
        answer = session.request(
            method, urljoin(self.url, path), data=fields, json=json, headers=headers, timeout=self.timeout
        )
        for each in [*answer.history, answer]:
            self.responses.append("\n".join([*(f"{name}: {value}" for name, value in each.headers.items()), each.text]))
        return Page(answer.status_code, answer.url, answer.text, answer)
