"""What login-demo can have beyond its document: disabling takes a code, and a forgotten password is set anew."""

from typing import Any

import pytest

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.backends.login_demo.app import create_app
from pytest_totphog.clocks.clock import Clock
from tests.support.client import Answer, Client
from tests.unit.backends.contract import Contract, ContractClient
from tests.unit.backends.login_demo.conftest import User

CONTRACT = Contract("pytest_totphog.backends.login_demo")
DISABLE = "/api/mfa/totp/disable"
FORGOT, RESET = "/api/auth/forgot-password", "/api/auth/reset-password"
SENT = (200, {"success": True, "message": "Password reset sent if there is such a user"})
PASSWORD_SET = (200, {"success": True, "message": "Password reset successfully"})
WRONG_TOKEN = (400, {"success": False, "error": "Invalid or expired token"})


@pytest.fixture
def mails() -> dict[str, str]:
    """The tokens of password resets, by the address that they were sent to."""
    return {}


@pytest.fixture
def client(clock: Clock, mails: dict[str, str]) -> Client:
    """A client of an app with both options."""
    return ContractClient(create_app(clock=clock, disable_takes_code=True, send_reset=mails.__setitem__), CONTRACT)


@pytest.fixture
def ada(client: Client, phone: Authenticator) -> User:
    """A user without a second factor so far."""
    return User(client, phone, "ada@example.com")


def answer(response: Answer) -> tuple[int, Any]:
    """Return status and body of an answer."""
    return response.status_code, response.json


class TestDisableTakesCode:
    """POST /api/mfa/totp/disable of an app that is made with `disable_takes_code=True`."""

    def test_right_code(self, ada: User) -> None:
        """Then the password is all again."""
        token = ada.enrol()
        assert ada.post(DISABLE, json={"code": token.now()}).status_code == 200
        assert ada.log_in().json["totpEnabled"] is False

    def test_backup_code(self, ada: User) -> None:
        """It stands for the phone that was lost."""
        ada.enrol()
        assert ada.post(DISABLE, json={"code": ada.backup_codes[0]}).status_code == 200

    @pytest.mark.parametrize("body", [{}, {"code": None}, {"code": ""}], ids=str)
    def test_missing_code(self, ada: User, body: dict[str, Any]) -> None:
        """The access token alone does not do."""
        ada.enrol()
        assert answer(ada.post(DISABLE, json=body)) == (400, {"success": False, "error": "Missing code"})
        assert ada.log_in().json["requiresTOTP"] is True

    def test_wrong_code(self, ada: User) -> None:
        """It is counted with the wrong codes of the login."""
        token = ada.enrol()
        assert answer(ada.post(DISABLE, json={"code": token.wrong_code()})) == (
            400,
            {"success": False, "error": "Invalid code"},
        )
        assert ada.log_in().json["requiresTOTP"] is True
        assert ada.client.get("/api/debug").json["totpSettings"][0]["failedAttempts"] == 1

    def test_code_that_the_login_has_taken(self, ada: User) -> None:
        """It is spent."""
        token = ada.enrol()
        assert ada.log_in(token.now()).json["success"] is True
        assert ada.post(DISABLE, json={"code": token.now()}).status_code == 400

    def test_nothing_to_disable(self, ada: User) -> None:
        """Where there is no second factor, no code of it is asked for; a set-up ends."""
        token = ada.set_up()
        assert ada.post(DISABLE).status_code == 200
        assert ada.verify(token.now()).status_code == 400


class TestPasswordReset:
    """POST /api/auth/forgot-password and /api/auth/reset-password of an app that is made with `send_reset`."""

    def test_new_password(self, ada: User, mails: dict[str, str]) -> None:
        """It takes the place of the old one, and nobody is logged in by it."""
        token = ada.enrol()
        assert answer(ada.client.post(FORGOT, json={"email": "ADA@example.com"})) == SENT
        reset = {"token": mails["ada@example.com"], "password": "note G"}
        assert answer(ada.client.post(RESET, json=reset)) == PASSWORD_SET

        assert ada.log_in().status_code == 401
        ada.credentials["password"] = "note G"
        assert ada.log_in().json["requiresTOTP"] is True
        assert ada.log_in(token.now()).json["success"] is True

    def test_token_is_good_once(self, ada: User, mails: dict[str, str]) -> None:
        """Whoever finds the mail later has nothing of it."""
        ada.client.post(FORGOT, json={"email": "ada@example.com"})
        reset = {"token": mails["ada@example.com"], "password": "note G"}
        ada.client.post(RESET, json=reset)
        assert answer(ada.client.post(RESET, json=reset)) == WRONG_TOKEN

    def test_token_is_good_for_an_hour(self, ada: User, mails: dict[str, str], clock: Clock) -> None:
        """By the app's clock."""
        ada.client.post(FORGOT, json={"email": "ada@example.com"})
        clock.tick(3600)
        reset = {"token": mails["ada@example.com"], "password": "note G"}
        assert answer(ada.client.post(RESET, json=reset)) == WRONG_TOKEN

    def test_later_token_voids_the_one_before(self, ada: User, mails: dict[str, str]) -> None:
        """There is one at a time."""
        ada.client.post(FORGOT, json={"email": "ada@example.com"})
        first = mails["ada@example.com"]
        ada.client.post(FORGOT, json={"email": "ada@example.com"})
        assert answer(ada.client.post(RESET, json={"token": first, "password": "note G"})) == WRONG_TOKEN

    def test_password_that_is_not_accepted(self, ada: User, mails: dict[str, str]) -> None:
        """The token stays good."""
        ada.client.post(FORGOT, json={"email": "ada@example.com"})
        reset = {"token": mails["ada@example.com"], "password": "\0"}
        assert ada.client.post(RESET, json=reset).status_code == 400
        assert answer(ada.client.post(RESET, json=reset | {"password": "note G"})) == PASSWORD_SET

    def test_unknown_address(self, client: Client, mails: dict[str, str]) -> None:
        """The answer does not tell that nothing was sent."""
        assert answer(client.post(FORGOT, json={"email": "nobody@example.com"})) == SENT
        assert mails == {}

    @pytest.mark.parametrize(
        ("path", "body", "error"),
        [
            (FORGOT, {}, "Missing email"),
            (FORGOT, {"email": ""}, "Missing email"),
            (RESET, {"token": "x"}, "Missing token or password"),
            (RESET, {"token": None, "password": "x"}, "Missing token or password"),
        ],
    )
    def test_missing_field(self, client: Client, path: str, body: dict[str, Any], error: str) -> None:
        """An empty one is missing."""
        assert answer(client.post(path, json=body)) == (400, {"success": False, "error": error})

    @pytest.mark.parametrize("path", [FORGOT, RESET])
    def test_not_there_by_default(self, path: str) -> None:
        """The document has no password reset."""
        assert Client(create_app()).post(path, json={}).status_code == 404
