"""Records of second factors, as apps and libraries keep them."""

import hashlib
import re
import subprocess
import sys
from typing import Any

import pyotp
import pytest

from pytest_totphog import InvalidInput, TotpServer

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


class Row:
    """A row of an app's table, as Flask-Security and privacyIDEA have them."""

    def __init__(self, shown: Any) -> None:
        self.shown = shown

    def totp_uri(self) -> Any:
        """Return what the set-up page shows."""
        return self.shown


class Device:
    """A device, as those of django-otp."""

    config_url = f"otpauth://totp/Shop:alice?secret={SECRET}&digits=8&issuer=Shop"


@pytest.mark.parametrize(
    ("record", "shape"),
    [
        (Row(f"otpauth://totp/Shop:alice?secret={SECRET}&period=60"), ("alice", "Shop", 6, 60, "SHA1")),
        (Row(SECRET), ("account", "TOTPHog", 6, 30, "SHA1")),
        (Device(), ("alice", "Shop", 8, 30, "SHA1")),
        (
            pyotp.TOTP(SECRET, digits=8, interval=60, name="alice", issuer="Shop", digest=hashlib.sha256),
            ("alice", "Shop", 8, 60, "SHA256"),
        ),
    ],
    ids=["URI", "secret", "config_url", "pyotp"],
)
def test_records(record: Any, shape: tuple[object, ...]) -> None:
    """All of the token comes from the record."""
    token = TotpServer().enroll(record)
    assert token.secret == SECRET
    assert (token.name, token.issuer, token.digits, token.period, token.algorithm.upper()) == shape


def test_list_of_records() -> None:
    """Each account once."""
    records: list[Any] = [Row(SECRET), pyotp.TOTP(SECRET, name="bob", issuer="Shop")]
    assert [token.name for token in TotpServer().enroll_all(records)] == ["account", "bob"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (pyotp.HOTP(SECRET, name="alice"), "the type of the key URI is 'hotp'; accepted is totp"),
        (Row(None), "totp_uri() of Row is of type NoneType; accepted is an otpauth:// URI or a base32 secret"),
        (Row(""), "the secret is empty; accepted is base32"),
        (pyotp.TOTP, "cannot enrol from type; accepted are an otpauth:// URI"),
        (object(), "cannot enrol from object; accepted are an otpauth:// URI"),
    ],
    ids=["HOTP", "None", "empty", "class", "object"],
)
def test_what_is_no_record_of_totp(record: Any, message: str) -> None:
    """The error says what it is, and nothing is added."""
    server = TotpServer()
    with pytest.raises(InvalidInput, match="^" + re.escape(message)):
        server.enroll(record)
    assert server.tokens == []


ALLAUTH = """
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for this test",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "allauth", "allauth.account", "allauth.mfa"],
    MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
    MFA_TOTP_ISSUER="Shop",
    MFA_TOTP_DIGITS=8,
)
django.setup()

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User

from pytest_totphog import InvalidInput, TotpServer

alice = User(username="alice", email="alice@example.com")
factor = Authenticator(user=alice, type=Authenticator.Type.TOTP, data={"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})
server = TotpServer()
for record in (factor, factor.wrap()):
    token = server.enroll(record)
    print(token.name, token.issuer, token.digits, token.secret == factor.data["secret"])
try:
    server.enroll(Authenticator(user=alice, type=Authenticator.Type.WEBAUTHN, data={}))
except InvalidInput as error:
    print(error)
"""


def test_authenticators_of_django_allauth() -> None:
    """The real model, as it is stored and wrapped; in a process of its own, because Django is set up once in each."""
    pytest.importorskip("allauth.mfa", reason="django-allauth is only installed for the newest Python")
    done = subprocess.run([sys.executable, "-c", ALLAUTH], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == [
        "alice@example.com Shop 8 True",
        "alice@example.com Shop 8 True",
        "the type of this authenticator of django-allauth's is 'webauthn'; accepted is 'totp'",
    ], done.stderr
