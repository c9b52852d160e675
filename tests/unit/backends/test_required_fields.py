"""What is said of a required field that is missing: the sentence of each API document, before anything else."""

from typing import Any

import pytest

from pytest_totphog import create_app
from pytest_totphog.stores.memory import MemoryStore
from tests.support.client import Client

SENTENCES = {
    ("simple", "/register"): {"message": "Username is required"},
    ("simple", "/verify-totp"): {"message": "Username and token are required"},
    ("email-mfa", "/register/verify"): {"message": "Email and token are required."},
    ("email-mfa", "/login"): {"message": "Email and password are required."},
    ("email-mfa", "/login/verify"): {"message": "Email and token are required."},
    ("email-mfa", "/forgot-password"): {"success": False, "message": "Email is required."},
    ("email-mfa", "/reset-password"): {"success": False, "message": "Token and new password are required."},
    ("vault", "/api/auth/register"): {"success": False, "error": "name, email and password are required"},
    ("vault", "/api/auth/login"): {"success": False, "error": "email and password are required"},
    ("vault", "/api/auth/token"): {"success": False, "error": "userId is required"},
    ("vault", "/api/auth/revoke"): {"success": False, "error": "token is required"},
    ("vault", "/api/management/totp"): {"success": False, "error": "label and secret are required"},
    ("vault", "/api/management/import"): {"success": False, "error": "totps array is required"},
    ("login-demo", "/api/auth/register"): {"success": False, "error": "Missing email or password"},
    ("login-demo", "/api/auth/login"): {"success": False, "error": "Missing email or password"},
    ("login-demo", "/api/mfa/totp/verify"): {"success": False, "error": "Missing code"},
}
ADA = {"name": "Ada", "email": "ada@example.com", "password": "pass123"}


def headers(app: str, client: Client) -> dict[str, str]:
    """Return what a client sends that is logged in, where the app has such clients without a mail."""
    if app == "vault":
        user = client.post("/api/auth/register", json=ADA).json["data"]["id"]
        token = client.post("/api/auth/token", json={"userId": user}).json["token"]
    elif app == "login-demo":
        ada = {"email": ADA["email"], "password": ADA["password"]}
        client.post("/api/auth/register", json=ada)
        token = client.post("/api/auth/login", json=ada).json["token"]
    else:
        return {}
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("app", "path"), SENTENCES, ids=" ".join)
def test_the_document_s_sentence_comes_first(app: str, path: str) -> None:
    """Without a body, without the fields, with nulls, and where others are unknown or of another type."""
    client = Client(create_app(app, store=MemoryStore()))
    sent: dict[str, Any] = {"headers": headers(app, client)}
    fields = ("username", "token", "email", "password", "userId", "code", "totps", "label", "secret")
    answers = [
        client.post(path, **sent),
        client.post(path, data=b"", content_type="text/plain", **sent),
        *(client.post(path, json=body, **sent) for body in ({}, {"unknown": 1}, {"unknown": None, "days": "a"})),
        client.post(path, json=dict.fromkeys(fields), **sent),
        client.post(path, json=dict.fromkeys(fields, ""), **sent),
    ]
    assert [(answer.status_code, answer.json) for answer in answers] == [(400, SENTENCES[app, path])] * len(answers)


def test_an_imported_totp_without_a_secret_comes_before_an_unknown_field() -> None:
    """Of the whole list, and of an entry before it."""
    client = Client(create_app("vault"))
    entries = [{"label": "a", "secret": "AA", "unknown": 1}, {"label": "b", "secret": ""}]
    body = {"unknown": 1, "totps": entries}
    answer = client.post("/api/management/import", json=body, headers=headers("vault", client))
    assert (answer.status_code, answer.json["error"]) == (400, "each TOTP must have label and secret")


def test_null_for_an_optional_field_is_its_default() -> None:
    """And takes an icon away from a TOTP that has one."""
    client = Client(create_app("vault"))
    sent: dict[str, Any] = {"headers": headers("vault", client)}
    new = {"label": "a", "secret": "AA", "digits": None, "algorithm": None, "icon": "a.png", "metadata": None}
    totp = client.post("/api/management/totp", json=new, **sent).json["data"]
    assert (totp["digits"], totp["algorithm"], totp["icon"], totp["metadata"]) == (6, "SHA-1", "a.png", {})
    changed = client.put("/api/management/totp", json={"id": totp["id"], "icon": None}, **sent).json["data"]
    assert changed == {**totp, "icon": None}
    imported = client.post("/api/management/import", json={"totps": [{**new, "sort": None}], "count": None}, **sent)
    assert imported.json["data"][0]["sort"] == 0
