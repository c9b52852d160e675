"""`totphog serve --log`: what is written of the practice backends, and what never is."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

PASSWORD = "down the rabbit hole"
ADA = {"email": "ada@example.com", "password": PASSWORD}


def simple(url: str) -> list[str]:
    """Register, read the code, verify it."""
    secret = requests.post(f"{url}/register", json={"username": "ada"}, timeout=5).json()["secret"]
    code = requests.get(f"{url}/get-totp/ada", timeout=5).json()["token"]
    requests.post(f"{url}/verify-totp", json={"username": "ada", "token": code}, timeout=5)
    return [secret, code]


def email_mfa(url: str) -> list[str]:
    """Register by a mailed code, ask for a reset link."""
    requests.post(f"{url}/register", json={"firstName": "Ada", "lastName": "L", **ADA}, timeout=5)
    code = requests.get(f"{url}/mailbox", timeout=5).json()[0]["text"].split()[4]
    requests.post(f"{url}/register/verify", json={"email": ADA["email"], "token": code}, timeout=5)
    requests.post(f"{url}/forgot-password", json={"email": ADA["email"]}, timeout=5)
    text = requests.get(f"{url}/mailbox", timeout=5).json()[-1]["text"]
    return [code, PASSWORD, text.split("token=")[1].split()[0]]


def vault(url: str) -> list[str]:
    """Keep a credential, and read its code with the token in the query."""
    user = requests.post(f"{url}/api/auth/register", json={"name": "Ada", **ADA}, timeout=5).json()["data"]
    token = requests.post(f"{url}/api/auth/token", json={"userId": user["id"]}, timeout=5).json()["token"]
    totp = {"label": "GitHub", "secret": "JBSWY3DPEHPK3PXP"}
    requests.post(f"{url}/api/management/totp", params={"token": token}, json=totp, timeout=5)
    codes = requests.get(f"{url}/api/totp", params={"token": token}, timeout=5).json()
    return [PASSWORD, token, "JBSWY3DPEHPK3PXP", codes[0]["otp"]]


def login_demo(url: str) -> list[str]:
    """Set a second factor up and try a wrong code."""
    requests.post(f"{url}/api/auth/register", json=ADA, timeout=5)
    access = requests.post(f"{url}/api/auth/login", json=ADA, timeout=5).json()["token"]
    bearer = {"Authorization": f"Bearer {access}"}
    setup = requests.post(f"{url}/api/mfa/totp/setup", headers=bearer, timeout=5).json()
    requests.post(f"{url}/api/mfa/totp/verify", json={"code": "135790"}, headers=bearer, timeout=5)
    return [PASSWORD, access, setup["manualEntryKey"], setup["backupCodes"][0], "135790"]


@pytest.mark.parametrize(
    ("app", "use", "path"),
    [
        ("simple", simple, "/register"),
        ("email-mfa", email_mfa, "/forgot-password"),
        ("vault", vault, "/api/totp"),
        ("login-demo", login_demo, "/api/mfa/totp/verify"),
    ],
)
def test_no_secret_is_written(app: str, use: Callable[[str], list[str]], path: str) -> None:
    """Each request has its line, and neither password, secret, code nor token is in any of them."""
    command = [sys.executable, "-m", "pytest_totphog", "serve", "--app", app, "--port", "0", "--log"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            secrets = use(process.stdout.readline().strip())
        finally:
            process.terminate()
        _, log = process.communicate(timeout=10)
    assert re.search(rf"^(GET|POST) '{path}' \d\d\d$", log, re.MULTILINE)
    assert [secret for secret in secrets if secret in log] == []


def test_passwords_cost_what_a_password_should(tmp_path: Path) -> None:
    """By bcrypt with cost 12 unless `--bcrypt-cost` says otherwise."""
    database = tmp_path / "vault.db"
    command = [sys.executable, "-m", "pytest_totphog", "serve", "--app", "vault", "--port", "0"]
    command += ["--database", f"sqlite:///{database}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            requests.post(f"{url}/api/auth/register", json={"name": "Ada", **ADA}, timeout=30)
        finally:
            process.terminate()
    with sqlite3.connect(database) as connection:
        kept = "".join(connection.iterdump())
    connection.close()
    assert "'$2b$12$" in kept
