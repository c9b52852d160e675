"""The login of Flask-Security-Too, as the battery drives it: over HTTP, pages for the login, the API for the rest."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Flask
from flask_security import hash_password

from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.drivers import Attempt, HttpLogin, LoginAccount


class FlaskSecurityLogin(HttpLogin):
    login_path = "/login"
    username_field = "email"
    accepted_path = "/"
    protected_path = "/"

    def __init__(self, url: str, app: Flask) -> None:
        super().__init__(url)
        self.app = app
        # Who has enrolled stays logged in, to make recovery codes.
        self.enrolments: dict[LoginAccount, Attempt] = {}
        self.confirmations: dict[LoginAccount, str] = {}

    def new_account(self) -> LoginAccount:
        account = LoginAccount(f"user-{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(16))
        with self.app.app_context():
            users = self.app.security.datastore
            users.create_user(email=account.username, password=hash_password(account.password))
            users.commit()
        return account

    def enroll(self, account: LoginAccount) -> str:
        uri = self.begin_enrolment(account)
        assert self.confirm_enrolment(account, self.one_time_code(uri)) is Outcome.ACCEPTED
        return uri

    def begin_enrolment(self, account: LoginAccount) -> str:
        if account not in self.enrolments:
            self.enrolments[account] = self.begin(account)
        answer = self.api(self.enrolments[account], "/tf-setup", setup="authenticator")
        self.confirmations[account] = f"/tf-setup/{answer['tf_state_token']}"
        return answer["tf_authr_uri"]

    def confirm_enrolment(self, account: LoginAccount, code: str) -> Outcome:
        answer = self.api(self.enrolments[account], self.confirmations[account], code=code)
        return Outcome.REFUSED if "errors" in answer else Outcome.ACCEPTED

    def recovery_codes(self, account: LoginAccount) -> list[str]:
        return self.api(self.enrolments[account], "/mf-recovery-codes")["recovery_codes"]

    def submit_recovery_code(self, attempt: Attempt, code: str) -> Outcome:
        attempt.page = self.request(attempt.session, "GET", "/mf-recovery")
        return self.submit(attempt, code)

    def disable(self, attempt: Attempt, code: str | None = None) -> Outcome:
        # It asks for no code: who has logged in less than a day ago is let in.
        answer = self.api(attempt, "/tf-setup", setup="disable")
        return Outcome.REFUSED if "errors" in answer else Outcome.ACCEPTED

    def reset_password(self, account: LoginAccount) -> Attempt:
        session = self.open_session()
        self.send_form(session, "/reset", "email", {"email": account.username})
        link = re.search(r"http://\S+/reset/\S+", self.app.extensions["outbox"].pop())
        account.password = secrets.token_urlsafe(16)
        passwords = {"password": account.password, "password_confirm": account.password}
        page = self.send_form(session, link[0], "password_confirm", passwords)
        return Attempt(account, session, page, (session.cookies, page))

    def api(self, attempt: Attempt, path: str, **fields: Any) -> dict[str, Any]:
        """Send JSON, as a single-page app does, with the CSRF token of the session."""
        fields["csrf_token"] = self.csrf_token(attempt)
        return self.request(attempt.session, "POST", path, json=fields).response.json()["response"]

    def csrf_token(self, attempt: Attempt) -> str:
        form = self.request(attempt.session, "GET", "/reset").form("csrf_token")
        return form.fields["csrf_token"]
