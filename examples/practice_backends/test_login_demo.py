"""A user's story with login-demo: enrolment, logins with codes and backup codes, lockout, and access tokens."""

import pytest
import requests

# Time stands still, so a phone's next code is there when it is asked for.
pytestmark = pytest.mark.usefixtures("frozen_clock")

ADA = {"email": "ada@example.com", "password": "note G"}


class Account:
    """Ada's account, as a client of the API sees it."""

    def __init__(self, url):
        self.url = f"{url}/api"
        self.access_token = None
        self.backup_codes = []

    def get(self, path):
        return requests.get(self.url + path, headers=self.headers(), timeout=5)

    def post(self, path, **body):
        return requests.post(self.url + path, json=body, headers=self.headers(), timeout=5)

    def headers(self):
        return {} if self.access_token is None else {"Authorization": f"Bearer {self.access_token}"}

    def log_in(self, **code):
        answer = self.post("/auth/login", **ADA, **code)
        self.access_token = answer.json().get("token", self.access_token)
        return answer


@pytest.fixture
def account(login_demo_backend):
    """Ada's account, without a second factor so far."""
    account = Account(login_demo_backend.url)
    assert account.post("/auth/register", **ADA).status_code == 200
    assert account.log_in().json()["totpEnabled"] is False
    return account


@pytest.fixture
def phone(account, totp_server):
    """Ada's phone, enrolled."""
    setup = account.post("/mfa/totp/setup").json()
    account.backup_codes = setup["backupCodes"]
    token = totp_server.enroll(setup["manualEntryKey"], name=ADA["email"])
    assert account.post("/mfa/totp/verify", code=token.one_time_code()).json()["message"] == "TOTP verified"
    return token


def test_login_with_a_code(account, phone):
    asked = account.log_in()
    assert asked.json()["requiresTOTP"] is True
    assert asked.json()["message"] == "Please enter your Google Authenticator code"

    assert account.log_in(totpCode=phone.one_time_code()).json()["totpEnabled"] is True
    assert account.get("/user/me").json()["email"] == "ada@example.com"


def test_ten_logins_in_a_row(account, phone):
    for _ in range(10):
        assert account.log_in(totpCode=phone.one_time_code()).status_code == 200


def test_replay_is_refused(account, phone):
    code = phone.one_time_code()
    assert account.log_in(totpCode=code).status_code == 200

    replay = account.log_in(totpCode=code)
    assert replay.status_code == 401, phone.explain(code)
    assert replay.json() == {"success": False, "error": "Invalid credentials or TOTP code"}


@pytest.mark.totp_policy(max_failures=3, lockout_seconds=900)
def test_locked_out_and_unlocked(account, phone, frozen_clock):
    for _ in range(3):
        assert account.log_in(totpCode=phone.wrong_code()).status_code == 401
    assert account.log_in(totpCode=phone.one_time_code()).status_code == 401

    frozen_clock.tick(900)
    assert account.log_in(totpCode=phone.one_time_code()).status_code == 200


@pytest.mark.usefixtures("phone")
def test_backup_code_opens_once(account):
    assert account.log_in(totpCode=account.backup_codes[0]).status_code == 200
    assert account.log_in(totpCode=account.backup_codes[0]).status_code == 401
    assert account.log_in(totpCode=account.backup_codes[1]).status_code == 200


def test_new_phone(account, phone, totp_server):
    new_phone = totp_server.enroll(account.post("/mfa/totp/setup").json()["manualEntryKey"])
    assert account.log_in(totpCode=phone.one_time_code()).status_code == 200, "the old one is still in force"

    account.post("/mfa/totp/verify", code=new_phone.one_time_code())
    assert account.log_in(totpCode=phone.one_time_code()).status_code == 401
    assert account.log_in(totpCode=new_phone.one_time_code()).status_code == 200


def test_access_token_expires(account, phone, frozen_clock):
    account.log_in(totpCode=phone.one_time_code())
    assert account.get("/mfa/totp/status").json() == {"enabled": True, "verified": True, "setupRequired": False}

    frozen_clock.tick(3600)
    assert account.get("/mfa/totp/status").status_code == 401
    account.log_in(totpCode=phone.one_time_code())
    assert account.get("/mfa/totp/status").status_code == 200


@pytest.mark.usefixtures("phone")
def test_disabled_the_password_is_enough(account):
    assert account.log_in().json()["success"] is False
    account.post("/mfa/totp/disable")
    assert account.log_in().json()["success"] is True
