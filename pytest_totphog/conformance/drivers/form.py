"""A login made of forms: what the HTTP and the Django driver have in common."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from pytest_totphog.conformance.driver import LoginDriver, Outcome
from pytest_totphog.conformance.drivers.html_form import HtmlForm, html_forms
from pytest_totphog.errors import TotphogError, shown

__all__ = ["Attempt", "FormLogin", "LoginAccount", "Page", "has_any"]


def has_any(text: str, marks: str | Sequence[str] | None) -> bool:
    """Return whether a text has one of some texts in it; None stands for none of them."""
    return any(mark in text for mark in ([marks] if isinstance(marks, str) else marks or ()))


@dataclass(eq=False)
class LoginAccount:
    """An account that the battery may use up.

    Attributes:
        username: what the login form asks for, be it a name or an e-mail address.
        password: the right one; a driver that resets it sets the new one here.
    """

    username: str
    password: str

    def __repr__(self) -> str:
        return f"<LoginAccount {self.username}>"


@dataclass(frozen=True)
class Page:
    """What a request came to, after all redirects.

    Attributes:
        status: the HTTP status.
        url: the address of the last page; may be a path alone.
        text: the body.
        response: what the library returned that sent the request.
    """

    status: int
    url: str
    text: str
    response: Any = None

    @property
    def path(self) -> str:
        """The address without host and query."""
        return urlsplit(self.url).path

    @property
    def words(self) -> list[str]:
        """What the body says, without tags and what stands in them, such as tokens against CSRF."""
        return re.sub(r"<[^<>]*>", " ", self.text).split()

    def form(self, field: str) -> HtmlForm | None:
        """Return the form that has a field of this name, if there is one."""
        return next((form for form in html_forms(self.text) if field in form.names), None)


@dataclass(eq=False, repr=False)
class Attempt:
    """A session in which the right password was given.

    Attributes:
        account: whose password it was.
        session: what holds the cookies.
        page: where the session has got to.
        begun: cookies and page right after the password.
    """

    account: Any
    session: Any
    page: Page
    begun: tuple[Any, Page]


class FormLogin(LoginDriver):
    """A login with a password form and a code form; subclass one that knows how to send requests.

    Forms are filled in on the page that shows them and sent with all their hidden fields, CSRF tokens among them, as a
    browser does. Attributes say what is where; every method may be overridden.

    Attributes:
        login_path: path of the page with the password form.
        code_path: path of the page with the code form; where the password leads, unless given.
        username_field: name of the field for the username.
        password_field: name of the field for the password.
        code_field: name of the field for the code.
        accepted_path: path that a right code leads to.
        accepted_status: status of the page that a right code leads to.
        accepted_text: a text that only the page has which a right code leads to.
        throttled_status: status of the page for who failed too often.
        throttled_text: a text that only the page has for who failed too often, or several.
        protected_path: path of a page that only logged-in users see.
    """

    login_path = "/login"
    code_path: str | None = None
    username_field = "username"
    password_field = "password"  # noqa: S105 # a field's name
    code_field = "code"
    accepted_path: str | None = None
    accepted_status: int | None = None
    accepted_text: str | None = None
    throttled_status: int | None = 429
    throttled_text: str | Sequence[str] | None = None
    protected_path: str | None = None

    def __init__(self) -> None:
        self.responses: list[str] = []
        self._stranger: Page | None = None

    # How requests are sent.

    def open_session(self) -> Any:
        """Return a new session: something with `cookies` that `request` takes."""
        raise NotImplementedError

    def request(self, session: Any, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Page:
        """Send a request, follow its redirects, and return what it came to.

        Args:
            session: whose cookies are sent and kept.
            method: `"GET"` or `"POST"`.
            path: where; a path, or an address on the same host.
            fields: the form's fields.
        """
        raise NotImplementedError

    # What pages mean.

    def credentials(self, account: Any) -> dict[str, str]:
        """Return the fields of the password form."""
        return {self.username_field: account.username, self.password_field: account.password}

    def accepted(self, page: Page) -> bool:
        """Return whether a page is what an accepted code leads to: it has all the marks that the attributes give."""
        marks = (self.accepted_path, self.accepted_status, self.accepted_text)
        if marks == (None, None, None):
            raise TotphogError(
                f"{type(self).__name__} does not say what an accepted code looks like; set accepted_path, "
                "accepted_status or accepted_text, or override accepted()"
            )
        return (
            self.accepted_path in {None, page.path}
            and self.accepted_status in {None, page.status}
            and (self.accepted_text is None or self.accepted_text in page.text)
        )

    def throttled(self, page: Page) -> bool:
        """Return whether a page tells that there were too many failures: it has one of the marks."""
        return page.status == self.throttled_status or has_any(page.text, self.throttled_text)

    # The login.

    def begin(self, account: Any) -> Attempt:
        """Log in with the right password, in a new session."""
        session = self.open_session()
        page = self.send_form(session, self.login_path, self.password_field, self.credentials(account))
        if self.code_path is not None and not self.throttled(page):
            page = self.request(session, "GET", self.code_path)
        return Attempt(account, session, page, (copy.deepcopy(session.cookies), page))

    def submit(self, attempt: Attempt, code: Any) -> Outcome:
        """Fill in the code form and send it."""
        return self.answer(attempt, self.code_field, code, self.code_fields(attempt))

    def code_fields(self, attempt: Attempt) -> dict[str, Any]:
        """Return what is sent besides the code and what the page presets, such as a choice of the device."""
        return {}

    def answer(self, attempt: Attempt, field: str, code: Any, fields: Mapping[str, Any] | None = None) -> Outcome:
        """Fill in the form that an attempt has got to and send it.

        Args:
            attempt: the attempt, at a page with the form.
            field: the name of the field for the code.
            code: the text to fill in; None leaves the field away.
            fields: what else to fill in.

        Raises:
            NotImplementedError: for a code that no form can send.
            TotphogError: when the page has no such form, and had none before.
        """
        if code is not None and not isinstance(code, str):
            raise NotImplementedError(f"a form cannot send a code of type {type(code).__name__}")
        form = attempt.page.form(field)
        if form is None:
            # A session that was thrown out after some failures has no form any more.
            if self.throttled(attempt.page) or attempt.begun[1].form(field) is not None:
                return Outcome.THROTTLED
            raise TotphogError(
                f"{type(self).__name__} finds no form with the field {field!r} on the page {attempt.page.path} "
                f"(status {attempt.page.status}) that the password leads to; set code_field and code_path, or "
                "look at what begin() does"
            )
        filled_in = {**form.fields, **(fields or {}), field: code}
        if code is None:
            del filled_in[field]
        attempt.page = self.request(attempt.session, "POST", urljoin(attempt.page.url, form.action), filled_in)
        return self.outcome(attempt.page)

    def outcome(self, page: Page) -> Outcome:
        """Return what the page says that a code led to."""
        if self.throttled(page):
            return Outcome.THROTTLED
        return Outcome.ACCEPTED if self.accepted(page) else Outcome.REFUSED

    def protected_page(self, attempt: Attempt) -> bool:
        """Ask for the page at `protected_path`; to be sent elsewhere, or an error, is not to see it.

        Some logins show their forms in place, at any address: then it is not to see it either to be shown the form for
        the code, the form for the password that strangers are shown, or the same words as theirs.
        """
        path = str(self.protected_path)
        page = self.request(attempt.session, "GET", path)
        if self._stranger is None:
            self._stranger = self.request(self.open_session(), "GET", path)
        stranger = self._stranger
        if page.status != 200 or page.path != path or stranger.status != 200 or stranger.path != path:
            return page.status == 200 and page.path == path
        password, strangers = page.form(self.password_field), stranger.form(self.password_field)
        asks = page.form(self.code_field) or (password and strangers and password.names == strangers.names)
        return page.words != stranger.words and not asks

    def rewind(self, attempt: Attempt) -> Attempt:
        """Return an attempt with the cookies and the page that the client had right after the password."""
        cookies, page = attempt.begun
        session = self.open_session()
        session.cookies = copy.deepcopy(cookies)
        return Attempt(attempt.account, session, page, attempt.begun)

    def send_form(self, session: Any, path: str, field: str, values: Mapping[str, Any]) -> Page:
        """Get a page, fill in the form on it that has a field, and send it.

        Args:
            session: whose cookies are sent and kept.
            path: the page's path.
            field: the name of one of the form's fields.
            values: what to fill in; the form's other fields keep what the page presets.

        Raises:
            TotphogError: when the page has no such form.
        """
        page = self.request(session, "GET", path)
        form = page.form(field)
        if form is None:
            raise TotphogError(
                f"{type(self).__name__} finds no form with the field {field!r} on the page {shown(path)}, which leads "
                f"to {page.path} (status {page.status})"
            )
        return self.request(session, "POST", urljoin(page.url, form.action), form.fields | dict(values))

    def can(self, method: str) -> bool:
        """Return whether a method is there to be used; `protected_page` is when its path is given."""
        if method == "protected_page" and type(self).protected_page is FormLogin.protected_page:
            return self.protected_path is not None
        return super().can(method)
