"""A user's story with email-mfa: every code and link comes by mail."""

import re

import pytest
import requests

ALICE = {
    "firstName": "Alice",
    "lastName": "Liddell",
    "email": "alice@example.com",
    "password": "down the rabbit hole",
    "phoneNumber": "+44 1865 276150",
    "roleId": 2,
}


def post(url, **body):
    return requests.post(url, json=body, timeout=5)


@pytest.fixture
def shop(email_mfa_backend, totp_mailbox):
    """The backend, with Alice registered."""
    url = email_mfa_backend.url
    assert post(f"{url}/register", **ALICE).json() == {"message": "Verification code sent, please check your email."}
    code = totp_mailbox.wait_for_code(to=ALICE["email"])
    assert post(f"{url}/register/verify", email=ALICE["email"], token=code).status_code == 201
    return email_mfa_backend


def credentials(**changes):
    return {"email": ALICE["email"], "password": ALICE["password"]} | changes


def mailed_code(shop, mailbox):
    """Ask for a login code and read it from the mailbox."""
    last = mailbox.messages[-1]
    assert post(f"{shop.url}/login", **credentials()).status_code == 200
    return mailbox.wait_for_code(to=ALICE["email"], after=last)


def test_login(shop, totp_mailbox):
    code = mailed_code(shop, totp_mailbox)
    answer = post(f"{shop.url}/login/verify", **credentials(token=code))
    assert answer.status_code == 200
    assert answer.json()["token"].count(".") == 2

    replay = post(f"{shop.url}/login/verify", **credentials(token=code))
    assert replay.status_code == 404
    assert replay.json() == {"message": "No secret found for the provided email."}


def test_a_new_code_voids_the_older(shop, totp_mailbox):
    older = mailed_code(shop, totp_mailbox)
    newer = mailed_code(shop, totp_mailbox)
    if older != newer:  # one pair in a million is the same
        assert post(f"{shop.url}/login/verify", **credentials(token=older)).status_code == 400
    assert post(f"{shop.url}/login/verify", **credentials(token=newer)).status_code == 200


@pytest.mark.totp_policy(max_failures=3, lockout_seconds=900)
def test_locked_out_and_in_again(shop, totp_mailbox, frozen_clock):
    code = mailed_code(shop, totp_mailbox)
    wrong = "".join(str(9 - int(digit)) for digit in code)
    for _ in range(3):
        assert post(f"{shop.url}/login/verify", **credentials(token=wrong)).status_code == 400
    assert post(f"{shop.url}/login/verify", **credentials(token=code)).status_code == 400  # right, but locked

    frozen_clock.tick(900)
    code = mailed_code(shop, totp_mailbox)
    assert post(f"{shop.url}/login/verify", **credentials(token=code)).status_code == 200


def test_reset_the_password(shop, totp_mailbox):
    assert post(f"{shop.url}/forgot-password", email=ALICE["email"]).json()["success"]
    mail = totp_mailbox.wait_for_message(to=ALICE["email"])
    assert mail.subject == "Reset your password"
    token = re.search(r"token=(\S+)", mail.text)[1]

    assert post(f"{shop.url}/reset-password", token=token, password="curiouser and curiouser").status_code == 200
    assert post(f"{shop.url}/login", **credentials()).status_code == 401
    assert post(f"{shop.url}/login", **credentials(password="curiouser and curiouser")).status_code == 200
    assert post(f"{shop.url}/reset-password", token=token, password="once more").status_code == 400


def test_a_reset_link_expires(shop, totp_mailbox, frozen_clock):
    post(f"{shop.url}/forgot-password", email=ALICE["email"])
    token = re.search(r"token=(\S+)", totp_mailbox.wait_for_message(to=ALICE["email"]).text)[1]
    frozen_clock.tick(3600)
    answer = post(f"{shop.url}/reset-password", token=token, password="too late")
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "message": "Invalid or expired token"}
