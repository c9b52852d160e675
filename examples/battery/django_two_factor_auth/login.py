"""The login of django-two-factor-auth, as the battery drives it: through its own pages, as a browser does."""

from __future__ import annotations

import re
import secrets

from django.core import mail

from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.drivers import Attempt, DjangoLogin, LoginAccount

SETUP = "/account/two_factor/setup/"


class TwoFactorLogin(DjangoLogin):
    login_path = "/account/login/"
    username_field = "auth-username"
    password_field = "auth-password"
    code_field = "token-otp_token"
    accepted_path = "/account/two_factor/"
    throttled_text = "Verification temporarily disabled because of"
    protected_path = "/account/two_factor/"

    def __init__(self) -> None:
        super().__init__()
        # Who has enrolled stays logged in, to make backup tokens.
        self.enrolments: dict[LoginAccount, Attempt] = {}

    def enroll(self, account: LoginAccount) -> str:
        uri = self.begin_enrolment(account)
        assert self.confirm_enrolment(account, self.one_time_code(uri)) is Outcome.ACCEPTED
        return uri

    def begin_enrolment(self, account: LoginAccount) -> str | None:
        attempt = self.begin(account)
        if not self.protected_page(attempt):
            return None  # an account has one token generator, and no other until it is disabled
        self.enrolments[account] = attempt
        attempt.page = self.send_form(attempt.session, SETUP, "setup_view-current_step", {})
        return attempt.page.response.context["otpauth_url"]

    def confirm_enrolment(self, account: LoginAccount, code: str) -> Outcome:
        attempt = self.enrolments[account]
        self.answer(attempt, "generator-token", code)
        return Outcome.ACCEPTED if attempt.page.path == f"{SETUP}complete/" else Outcome.REFUSED

    def recovery_codes(self, account: LoginAccount) -> list[str]:
        session = self.enrolments[account].session
        page = self.send_form(session, "/account/two_factor/backup/tokens/", "csrfmiddlewaretoken", {})
        return [each.token for each in page.response.context["device"].token_set.all()]

    def submit_recovery_code(self, attempt: Attempt, code: str) -> Outcome:
        fields = attempt.page.form("wizard_goto_step").fields | {"wizard_goto_step": "backup"}
        attempt.page = self.request(attempt.session, "POST", self.login_path, fields)
        return self.answer(attempt, "backup-otp_token", code)

    def disable(self, attempt: Attempt, code: str | None = None) -> Outcome:
        # The page asks for no code: who has given one in this session is let in.
        page = self.request(attempt.session, "GET", "/account/two_factor/disable/")
        if page.form("understand") is None:
            return Outcome.REFUSED
        self.send_form(attempt.session, "/account/two_factor/disable/", "understand", {"understand": "on"})
        return Outcome.ACCEPTED

    def reset_password(self, account: LoginAccount) -> Attempt:
        session = self.open_session()
        self.send_form(session, "/reset/", "email", {"email": f"{account.username}@example.com"})
        link = re.search(r"http://testserver(\S+)", mail.outbox.pop().body)
        account.password = secrets.token_urlsafe(16)
        passwords = {"new_password1": account.password, "new_password2": account.password}
        page = self.send_form(session, link[1], "new_password1", passwords)
        return Attempt(account, session, page, (session.cookies, page))
