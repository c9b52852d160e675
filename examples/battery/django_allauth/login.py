"""The login of django-allauth, as the battery drives it: through allauth's own pages, as a browser does."""

from __future__ import annotations

import re
import secrets
from urllib.parse import quote

from django.core import mail

from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.drivers import Attempt, DjangoLogin, LoginAccount


class AllauthLogin(DjangoLogin):
    login_path = "/accounts/login/"
    username_field = "login"
    accepted_path = "/"
    throttled_text = "Too many failed login attempts"
    protected_path = "/"

    def __init__(self) -> None:
        super().__init__()
        # Who has enrolled stays logged in, to see the recovery codes.
        self.enrolments: dict[LoginAccount, Attempt] = {}

    def new_account(self) -> LoginAccount:
        self.change_address()  # or there would be more logins in a minute than allauth allows from one address
        return super().new_account()

    def enroll(self, account: LoginAccount) -> str:
        uri = self.begin_enrolment(account)
        assert self.confirm_enrolment(account, self.one_time_code(uri)) is Outcome.ACCEPTED
        return uri

    def begin_enrolment(self, account: LoginAccount) -> str | None:
        attempt = self.begin(account)
        if not self.protected_page(attempt):
            return None  # an account has one authenticator app, and no other until it is deactivated
        self.enrolments[account] = attempt
        self.open(attempt, "/accounts/2fa/totp/activate/")
        return attempt.page.response.context["totp_url"]

    def confirm_enrolment(self, account: LoginAccount, code: str) -> Outcome:
        attempt = self.enrolments[account]
        self.answer(attempt, "code", code)
        return Outcome.ACCEPTED if attempt.page.path == "/accounts/2fa/recovery-codes/" else Outcome.REFUSED

    def recovery_codes(self, account: LoginAccount) -> list[str]:
        attempt = self.enrolments[account]
        self.open(attempt, "/accounts/2fa/recovery-codes/generate/")
        page = self.send_form(attempt.session, attempt.page.url, "csrfmiddlewaretoken", {})
        return page.response.context["unused_codes"]

    def submit_recovery_code(self, attempt: Attempt, code: str) -> Outcome:
        return self.submit(attempt, code)  # one field for both

    def disable(self, attempt: Attempt, code: str | None = None) -> Outcome:
        self.open(attempt, "/accounts/2fa/totp/deactivate/", code)
        if attempt.page.path != "/accounts/2fa/totp/deactivate/":
            return Outcome.THROTTLED if self.throttled(attempt.page) else Outcome.REFUSED
        page = self.send_form(attempt.session, attempt.page.url, "csrfmiddlewaretoken", {})
        return Outcome.ACCEPTED if page.path == "/accounts/2fa/" else Outcome.REFUSED

    def reset_password(self, account: LoginAccount) -> Attempt:
        session = self.open_session()
        self.send_form(session, "/accounts/password/reset/", "email", {"email": f"{account.username}@example.com"})
        link = re.search(r"http://testserver(\S+)", mail.outbox.pop().body)
        account.password = secrets.token_urlsafe(16)
        passwords = {"password1": account.password, "password2": account.password}
        page = self.send_form(session, link[1], "password1", passwords)
        return Attempt(account, session, page, (session.cookies, page))

    def open(self, attempt: Attempt, path: str, code: str | None = None) -> None:
        """Go to a page for which allauth asks again who is there: for a code if there is one, else for the password."""
        attempt.page = self.request(attempt.session, "GET", path)
        if attempt.page.path == "/accounts/reauthenticate/":
            if code is None:
                fields = {"password": attempt.account.password}
                attempt.page = self.send_form(attempt.session, attempt.page.url, "password", fields)
            else:
                page = f"/accounts/2fa/reauthenticate/?next={quote(path)}"
                attempt.page = self.send_form(attempt.session, page, "code", {"code": code})
