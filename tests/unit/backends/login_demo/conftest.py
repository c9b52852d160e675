"""A login-demo on a frozen clock, a user of it, and that user's phone."""

from typing import Any

import pytest

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.backends.login_demo.app import create_app
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from tests.support.client import Answer, Client
from tests.unit.backends.contract import Contract, ContractClient

KEY = "the key of the login-demo's tests"
CONTRACT = Contract("pytest_totphog.backends.login_demo")


class User:
    """Somebody who has registered, has logged in once, and owns a phone."""

    def __init__(self, client: Client, phone: Authenticator, email: str) -> None:
        self.client = client
        self.phone = phone
        self.credentials = {"email": email, "password": f"the password of {email}"}
        self.id: str = client.post("/api/auth/register", json=self.credentials).json["userId"]
        self.access_token: str = self.log_in().json["token"]
        self.backup_codes: list[str] = []

    def log_in(self, code: str | None = None) -> Answer:
        """Log in, with a code where one is given."""
        return self.client.post("/api/auth/login", json=self.credentials | ({} if code is None else {"totpCode": code}))

    def get(self, path: str) -> Answer:
        """Send a request with the access token."""
        return self.client.get(path, headers={"Authorization": f"Bearer {self.access_token}"})

    def post(self, path: str, **options: Any) -> Answer:
        """Send a request with the access token."""
        return self.client.post(path, headers={"Authorization": f"Bearer {self.access_token}"}, **options)

    def set_up(self) -> TotpToken:
        """Ask for a new secret, note its backup codes, and return it as the phone has it."""
        answer = self.post("/api/mfa/totp/setup").json
        self.backup_codes = answer["backupCodes"]
        return self.phone.make(name="login-demo", secret=answer["manualEntryKey"])

    def verify(self, code: Any) -> Answer:
        """Show a code to put a secret in force."""
        return self.post("/api/mfa/totp/verify", json={"code": code})

    def enrol(self) -> TotpToken:
        """Set up the second factor, and wait until the phone shows another code than the one spent for it."""
        token = self.set_up()
        assert self.verify(token.now()).status_code == 200
        self.phone.clock.next_step()
        return token


@pytest.fixture
def phone(clock: Clock) -> Authenticator:
    """What makes a user's codes."""
    return Authenticator(clock)


@pytest.fixture
def client(clock: Clock, store: MemoryStore) -> Client:
    """A client of the app, without lockout as its document says."""
    return ContractClient(create_app(clock=clock, store=store, jwt_key=KEY), CONTRACT)


@pytest.fixture
def ada(client: Client, phone: Authenticator) -> User:
    """A user without a second factor so far."""
    return User(client, phone, "ada@example.com")


@pytest.fixture
def bob(client: Client, phone: Authenticator) -> User:
    """Another user."""
    return User(client, phone, "bob@example.com")
