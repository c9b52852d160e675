"""The API of login-demo, in the order of its document, and what holds for all of it."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from threading import Barrier
from typing import Any

import jwt
import pytest

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.backends.login_demo.app import DEFAULT_POLICY, create_app
from pytest_totphog.backends.login_demo.model import DemoAccount, SecondFactor
from pytest_totphog.backends.verifier import VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials import qr
from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.openapi import document
from tests.support.client import Answer, Client

KEY = "the key of the login-demo's tests"
USER = {"email": "user@example.com", "password": "securepassword123"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

REFUSED = (401, {"success": False, "error": "Invalid credentials or TOTP code"})
CODE_REQUIRED = (
    200,
    {"success": False, "requiresTOTP": True, "message": "Please enter your Google Authenticator code"},
)
INVALID_CODE = (400, {"success": False, "error": "Invalid code"})
VERIFIED = (200, {"success": True, "message": "TOTP verified"})
DISABLED = (200, {"success": True, "message": "TOTP disabled successfully"})
MISSING_TOKEN = (401, {"success": False, "error": "Missing access token"})
EXPIRED_TOKEN = (401, {"success": False, "error": "Expired access token"})
INVALID_TOKEN = (403, {"success": False, "error": "Invalid access token"})

SECURITY_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

LOCKED_ROUTES = [
    (method.upper(), path)
    for path, item in document("pytest_totphog.backends.login_demo")["paths"].items()
    for method, operation in item.items()
    if "security" in operation
]

BAD_EMAILS = ["user", "user@", "@example.com", "a@b@c", "us er@example.com", "user@example.com\n", "üser@example.com"]
BAD_EMAILS += ["nul\0@example.com", "a" * 64 + "@" + "b" * 190]
BAD_PASSWORDS = ["\0", "pass\nword", "\x7f", "x" * 1025]


def answer(response: Answer) -> tuple[int, Any]:
    """Return status and body of an answer."""
    return response.status_code, response.json


def kept(store: MemoryStore) -> list[Any]:
    """Return all accounts and second factors."""
    return store.repository(DemoAccount).find() + store.repository(SecondFactor).find()


class TestRegisterUser:
    """POST /api/auth/register."""

    PATH = "/api/auth/register"

    def test_response(self, client: Client) -> None:
        """The new user's id is told."""
        status, body = answer(client.post(self.PATH, json=USER))

        assert UUID.fullmatch(body.pop("userId"))
        assert (status, body) == (200, {"success": True, "message": "User registered successfully"})

    @pytest.mark.parametrize(
        "body",
        [{}, {"email": "user@example.com"}, {"password": "x"}, {**USER, "email": ""}, {**USER, "password": None}],
        ids=str,
    )
    def test_400_missing_email_or_password(self, client: Client, store: MemoryStore, body: dict[str, Any]) -> None:
        """An empty field is a missing one."""
        assert answer(client.post(self.PATH, json=body)) == (
            400,
            {"success": False, "error": "Missing email or password"},
        )
        assert kept(store) == []

    @pytest.mark.parametrize("email", [*BAD_EMAILS, 7, True, ["user@example.com"], {"a": 1}], ids=range(13))
    def test_400_email_that_is_no_address(self, client: Client, store: MemoryStore, email: Any) -> None:
        """Neither of another type, nor what cannot be stored and shown again."""
        status, body = answer(client.post(self.PATH, json={**USER, "email": email}))

        assert status == 400
        assert re.match(r"email is (of type|.+; accepted is an address of at most 254 characters)", body["error"])
        assert kept(store) == []

    @pytest.mark.parametrize("password", [*BAD_PASSWORDS, 12345678, True, ["x"], {"a": 1}], ids=range(8))
    def test_400_password_that_is_no_text(self, client: Client, store: MemoryStore, password: Any) -> None:
        """The message says what is accepted, and not what was sent."""
        status, body = answer(client.post(self.PATH, json={**USER, "password": password}))

        assert status == 400
        assert re.fullmatch(
            r"password is of type \w+; accepted is a string"
            r"|password has 1025 characters; accepted are 1 to 1024"
            r"|password contains a control character or half a surrogate pair; accepted is printable text",
            body["error"],
        )
        assert kept(store) == []

    def test_400_unknown_field(self, client: Client, store: MemoryStore) -> None:
        """A misspelt field is not passed over."""
        assert answer(client.post(self.PATH, json={**USER, "name": "User"})) == (
            400,
            {"success": False, "error": "Unknown field 'name'; accepted: email, password"},
        )
        assert kept(store) == []

    def test_longest_address_and_password_are_accepted(self, client: Client) -> None:
        """254 and 1,024 characters; of the password every one counts, and it may be of any script."""
        user = {"email": "a" * 64 + "@" + "b" * 189, "password": "пароль🔑" * 146 + "xx"}
        client.post(self.PATH, json=user)

        assert client.post("/api/auth/login", json=user).status_code == 200
        assert answer(client.post("/api/auth/login", json={**user, "password": user["password"][:-1]})) == REFUSED

    @pytest.mark.parametrize("email", ["user@example.com", "USER@EXAMPLE.COM"])
    def test_409_user_already_exists(self, client: Client, email: str) -> None:
        """In whichever case the address is written."""
        client.post(self.PATH, json=USER)

        assert answer(client.post(self.PATH, json={"email": email, "password": "another"})) == (
            409,
            {"success": False, "error": "User already exists"},
        )
        assert answer(client.post("/api/auth/login", json={**USER, "password": "another"})) == REFUSED

    def test_409_for_all_but_one_of_16_threads(self, store: MemoryStore) -> None:
        """A user registered many times at once exists once."""
        app, start = create_app(store=store), Barrier(16)

        def register(_: int) -> int:
            start.wait()
            return Client(app).post(self.PATH, json=USER).status_code

        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(register, range(16))) == [200] + [409] * 15
        assert [account.email for account in kept(store)] == ["user@example.com"]


class TestLoginUser:
    """POST /api/auth/login."""

    def test_response_success_basic_login(self, client: Client) -> None:
        """Without a second factor the password is all."""
        user_id = client.post("/api/auth/register", json=USER).json["userId"]
        status, body = answer(client.post("/api/auth/login", json=USER))

        assert jwt.decode(body.pop("token"), KEY, algorithms=["HS256"], options={"verify_exp": False})["sub"] == user_id
        assert (status, body) == (
            200,
            {"success": True, "user": {"id": user_id, "email": "user@example.com"}, "totpEnabled": False},
        )

    def test_response_success_with_2fa(self, ada: Any) -> None:
        """Password and code; the token opens."""
        status, body = answer(ada.log_in(ada.enrol().now()))
        ada.access_token = body.pop("token")

        assert (status, body) == (
            200,
            {"success": True, "user": {"id": ada.id, "email": "ada@example.com"}, "totpEnabled": True},
        )
        assert ada.get("/api/user/me").status_code == 200

    @pytest.mark.parametrize("code", [{}, {"totpCode": None}, {"totpCode": ""}], ids=str)
    def test_response_2fa_required(self, ada: Any, code: dict[str, Any]) -> None:
        """A missing code, a null and the empty field of a form are one; no token comes with the answer."""
        ada.enrol()

        assert answer(ada.client.post("/api/auth/login", json={**ada.credentials, **code})) == CODE_REQUIRED

    def test_backup_code_goes_where_the_code_goes(self, ada: Any) -> None:
        """Once."""
        ada.enrol()

        assert ada.log_in(ada.backup_codes[0]).json["success"] is True
        assert answer(ada.log_in(ada.backup_codes[0])) == REFUSED
        assert ada.log_in(ada.backup_codes[1]).json["success"] is True

    def test_backup_code_opens_for_one_of_16_threads(self, ada: Any, store: MemoryStore, clock: Clock) -> None:
        """Of many logins with one backup code exactly one is answered with a token."""
        ada.enrol()
        app, start = create_app(store=store, clock=clock, jwt_key=KEY), Barrier(16)

        def log_in(_: int) -> int:
            start.wait()
            body = {**ada.credentials, "totpCode": ada.backup_codes[0]}
            return Client(app).post("/api/auth/login", json=body).status_code

        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(log_in, range(16))) == [200] + [401] * 15

    @pytest.mark.parametrize(
        "body", [{}, {"email": "ada@example.com"}, {"password": "x", "totpCode": "123456"}], ids=str
    )
    def test_400_missing_email_or_password(self, client: Client, body: dict[str, Any]) -> None:
        """A code does not stand for them."""
        assert answer(client.post("/api/auth/login", json=body)) == (
            400,
            {"success": False, "error": "Missing email or password"},
        )

    @pytest.mark.parametrize("code", [123456, 1.5, True, ["123456"], {"code": "123456"}], ids=str)
    def test_400_code_that_is_no_string(self, ada: Any, code: Any) -> None:
        """A number has lost the zeros at its front; whether the password is right is not told."""
        ada.enrol()
        for password in (ada.credentials["password"], "wrong"):
            body = {**ada.credentials, "password": password, "totpCode": code}
            assert answer(ada.client.post("/api/auth/login", json=body)) == (
                400,
                {"success": False, "error": f"totpCode is of type {type(code).__name__}; accepted is a string"},
            )

    def test_401_invalid_credentials(self, ada: Any) -> None:
        """A wrong password, with a second factor or without, and a user who does not exist are one answer."""
        nobody = {"email": "nobody@example.com", "password": "x"}
        wrong = {**ada.credentials, "password": "wrong"}
        assert answer(ada.client.post("/api/auth/login", json=wrong)) == REFUSED
        assert answer(ada.client.post("/api/auth/login", json=nobody)) == REFUSED

        token = ada.enrol()
        assert answer(ada.client.post("/api/auth/login", json=wrong)) == REFUSED
        assert answer(ada.client.post("/api/auth/login", json={**wrong, "totpCode": token.now()})) == REFUSED
        assert answer(ada.client.post("/api/auth/login", json={**nobody, "totpCode": token.now()})) == REFUSED

    def test_code_sent_with_a_wrong_password_is_not_spent(self, ada: Any) -> None:
        """Somebody who mistypes the password tries again with the same code."""
        code = ada.enrol().now()
        ada.client.post("/api/auth/login", json={**ada.credentials, "password": "wrong", "totpCode": code})

        assert ada.log_in(code).json["success"] is True

    @pytest.mark.parametrize(
        "code",
        ["12345", "1234567", "12345678901234567890", "abcdef", " ", "AAAAAAAA", "\u017f" * 8, "\0", "x" * 10_000],
        ids=range(9),
    )
    def test_401_what_is_no_code(self, ada: Any, code: str) -> None:
        """Only ASCII digits of the exact length are a code (CVE-2025-6014)."""
        ada.enrol()

        assert answer(ada.log_in(code)) == REFUSED

    def test_401_invalid_totp_code(self, ada: Any, clock: Clock) -> None:
        """A wrong, an old and a future code, a code with blanks or full-width digits, and one used before."""
        token = ada.enrol()
        right = token.now()
        wide = "".join(chr(0xFF10 + int(digit)) for digit in right)
        for wrong in (token.wrong_code(), token.expired_code(), token.future_code(), f" {right}", f"{right} ", wide):
            assert answer(ada.log_in(wrong)) == REFUSED
        assert ada.log_in(right).json["success"] is True
        assert answer(ada.log_in(right)) == REFUSED
        clock.next_step()
        assert answer(ada.log_in(right)) == REFUSED

    @pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_code_of_a_neighbouring_step_is_accepted(self, ada: Any, clock: Clock, steps: int, accepted: bool) -> None:
        """One step of drift either way (RFC 6238 section 5.2)."""
        token = ada.enrol()
        clock.tick(300)

        assert ada.log_in(token.at(clock.time() + 30 * steps)).json["success"] is accepted

    def test_window_is_the_policys(self, clock: Clock, ada: Any, store: MemoryStore) -> None:
        """Another policy accepts the current step alone, and accepts it twice."""
        token = ada.enrol()
        ada.client = Client(create_app(clock=clock, store=store, policy=VerifierPolicy(window=0, one_time=False)))
        clock.tick(300)

        assert answer(ada.log_in(token.at(clock.time() - 30))) == REFUSED
        assert [ada.log_in(token.now()).json["success"] for _ in range(2)] == [True, True]

    def test_locked_account_is_answered_as_a_wrong_code_is(self, ada: Any, clock: Clock, store: MemoryStore) -> None:
        """Neither code nor backup code opens until the lockout is over; a missing code is still asked for."""
        token = ada.enrol()
        policy = VerifierPolicy(max_failures=5, lockout_seconds=900)
        ada.client = Client(create_app(clock=clock, store=store, policy=policy))
        assert [answer(ada.log_in(token.wrong_code())) for _ in range(5)] == [REFUSED] * 5

        assert answer(ada.log_in(token.now())) == REFUSED
        assert answer(ada.log_in(ada.backup_codes[0])) == REFUSED
        assert answer(ada.log_in()) == CODE_REQUIRED
        clock.tick(900)
        assert ada.log_in(token.now()).json["success"] is True
        assert ada.log_in(ada.backup_codes[0]).json["success"] is True

    def test_failures_of_the_login_and_of_verify_are_counted_together(
        self, ada: Any, clock: Clock, store: MemoryStore
    ) -> None:
        """A new session, or another route, is no new set of guesses."""
        token = ada.enrol()
        ada.client = Client(create_app(clock=clock, store=store, jwt_key=KEY, policy=VerifierPolicy(max_failures=2)))
        ada.verify(token.wrong_code())
        ada.log_in(token.wrong_code())

        assert answer(ada.log_in(token.now())) == REFUSED
        assert answer(ada.verify(token.now())) == INVALID_CODE


class TestSetupTotp:
    """POST /api/mfa/totp/setup."""

    def test_response(self, ada: Any) -> None:
        """A picture, the same secret in base32, eight backup codes, and what to do."""
        status, body = answer(ada.post("/api/mfa/totp/setup"))

        assert (status, sorted(body)) == (
            200,
            ["backupCodes", "instructions", "manualEntryKey", "qrCode", "success"],
        )
        assert body["success"] is True
        assert re.fullmatch(r"[A-Z2-7]{32}", body["manualEntryKey"])
        assert len(set(body["backupCodes"])) == 8
        assert body["instructions"] == {
            "step1": "Install Google Authenticator app on your phone",
            "step2": "Scan the QR code or enter the manual key",
            "step3": "Enter the 6-digit code from the app to verify setup",
        }

    def test_picture_is_the_key_uri(self, ada: Any) -> None:
        """It names the app and the account, and has the secret of the manual entry key."""
        body = ada.post("/api/mfa/totp/setup").json

        assert body["qrCode"].startswith("data:image/png;base64,")
        assert body["qrCode"] == qr.data_uri(
            f"otpauth://totp/2FA%20Demo:ada@example.com?secret={body['manualEntryKey']}"
            "&issuer=2FA%20Demo&algorithm=SHA1&digits=6&period=30"
        )

    def test_each_secret_is_new(self, ada: Any) -> None:
        """Nothing of one set-up comes back in the next: it was shown once."""
        bodies = [ada.post("/api/mfa/totp/setup").json for _ in range(2)]

        assert bodies[0]["manualEntryKey"] != bodies[1]["manualEntryKey"]
        assert set(bodies[0]["backupCodes"]).isdisjoint(bodies[1]["backupCodes"])

    def test_setting_up_anew_does_not_disturb_the_secret_in_force(self, ada: Any, clock: Clock) -> None:
        """Until the new one is verified; then the old one is over."""
        old, old_backup_codes = ada.enrol(), ada.backup_codes
        new = ada.set_up()
        assert answer(ada.log_in()) == CODE_REQUIRED
        assert answer(ada.log_in(new.now())) == REFUSED
        assert answer(ada.log_in(ada.backup_codes[0])) == REFUSED
        assert ada.log_in(old.now()).json["success"] is True
        assert ada.log_in(old_backup_codes[0]).json["success"] is True

        assert answer(ada.verify(new.now())) == VERIFIED
        clock.next_step()
        assert answer(ada.log_in(old.now())) == REFUSED
        assert answer(ada.log_in(old_backup_codes[1])) == REFUSED
        assert ada.log_in(new.now()).json["success"] is True
        assert ada.log_in(ada.backup_codes[0]).json["success"] is True

    @pytest.mark.parametrize("path", ["/api/mfa/totp/setup", "/api/mfa/totp/disable"])
    def test_body_is_empty(self, ada: Any, path: str) -> None:
        """An empty object will do; a field does not, and nothing is changed."""
        ada.enrol()
        before = ada.client.get("/api/debug").json
        assert answer(ada.post(path, json={"code": "123456"})) == (
            400,
            {"success": False, "error": "Unknown field 'code'; accepted: none"},
        )
        assert ada.client.get("/api/debug").json == before
        assert ada.post(path, json={}).status_code == 200


class TestVerifyTotpCode:
    """POST /api/mfa/totp/verify."""

    def test_response_success(self, ada: Any) -> None:
        """The first right code puts the second factor in force."""
        token = ada.set_up()

        assert answer(ada.verify(token.now())) == VERIFIED
        assert answer(ada.log_in()) == CODE_REQUIRED

    def test_response_error(self, ada: Any) -> None:
        """A wrong code puts nothing in force, and the right one still can."""
        token = ada.set_up()

        assert answer(ada.verify(token.wrong_code())) == INVALID_CODE
        assert ada.log_in().json["success"] is True
        assert answer(ada.verify(token.now())) == VERIFIED

    def test_nothing_to_verify(self, ada: Any) -> None:
        """Before it has been set up no code is right."""
        assert answer(ada.verify("123456")) == INVALID_CODE

    def test_code_is_spent(self, ada: Any) -> None:
        """The login wants another one."""
        token = ada.set_up()
        code = token.now()
        ada.verify(code)

        assert answer(ada.verify(code)) == INVALID_CODE
        assert answer(ada.log_in(code)) == REFUSED

    def test_backup_code_verifies_nothing(self, ada: Any) -> None:
        """It does not show that the phone has the secret."""
        ada.set_up()

        assert answer(ada.verify(ada.backup_codes[0])) == INVALID_CODE

    @pytest.mark.parametrize("body", [{}, {"code": None}, {"code": ""}], ids=str)
    def test_400_missing_code(self, ada: Any, body: dict[str, Any]) -> None:
        """It is told from a wrong one, and not counted as one."""
        ada.set_up()

        assert answer(ada.post("/api/mfa/totp/verify", json=body)) == (400, {"success": False, "error": "Missing code"})
        assert ada.client.get("/api/debug").json["totpSettings"][0]["failedAttempts"] == 0

    @pytest.mark.parametrize("code", [123456, True, ["123456"], {}], ids=str)
    def test_400_code_that_is_no_string(self, ada: Any, code: Any) -> None:
        """A number has lost the zeros at its front."""
        ada.set_up()

        assert answer(ada.verify(code)) == (
            400,
            {"success": False, "error": f"code is of type {type(code).__name__}; accepted is a string"},
        )


class TestGetTotpStatus:
    """GET /api/mfa/totp/status."""

    def test_response(self, ada: Any) -> None:
        """From the first day to the last: a secret that awaits its first code changes nothing yet."""
        off = {"enabled": False, "verified": False, "setupRequired": True}
        on = {"enabled": True, "verified": True, "setupRequired": False}

        assert answer(ada.get("/api/mfa/totp/status")) == (200, off)
        token = ada.set_up()
        assert answer(ada.get("/api/mfa/totp/status")) == (200, off)
        ada.verify(token.now())
        assert answer(ada.get("/api/mfa/totp/status")) == (200, on)
        ada.set_up()
        assert answer(ada.get("/api/mfa/totp/status")) == (200, on)
        ada.post("/api/mfa/totp/disable")
        assert answer(ada.get("/api/mfa/totp/status")) == (200, off)


class TestDisableTotp:
    """POST /api/mfa/totp/disable."""

    def test_response(self, ada: Any) -> None:
        """The access token is all it takes; then the password is all again."""
        ada.enrol()

        assert answer(ada.post("/api/mfa/totp/disable")) == DISABLED
        assert ada.log_in().json["totpEnabled"] is False

    def test_nothing_to_disable(self, ada: Any) -> None:
        """What is asked for is so already."""
        assert [answer(ada.post("/api/mfa/totp/disable")) for _ in range(2)] == [DISABLED] * 2

    def test_picture_shown_before_cannot_be_verified_after(self, ada: Any) -> None:
        """Disabling ends a set-up too."""
        token = ada.set_up()
        ada.post("/api/mfa/totp/disable")

        assert answer(ada.verify(token.now())) == INVALID_CODE

    def test_enrolled_again_the_old_codes_are_over(self, ada: Any) -> None:
        """Those of the phone and those on paper."""
        old, old_backup_codes = ada.enrol(), ada.backup_codes
        ada.post("/api/mfa/totp/disable")
        new = ada.enrol()

        assert answer(ada.log_in(old.now())) == REFUSED
        assert answer(ada.log_in(old_backup_codes[0])) == REFUSED
        assert ada.log_in(new.now()).json["success"] is True


class TestGetCurrentUser:
    """GET /api/user/me."""

    def test_response(self, ada: Any) -> None:
        """Whose token it is, and whether a login takes a code."""
        me = {"id": ada.id, "email": "ada@example.com", "totpEnabled": False, "totpVerified": False}

        assert answer(ada.get("/api/user/me")) == (200, me)
        ada.enrol()
        assert answer(ada.get("/api/user/me")) == (200, {**me, "totpEnabled": True, "totpVerified": True})


class TestDebugInformation:
    """GET /api/debug."""

    def test_response(self, ada: Any, bob: Any, client: Client) -> None:
        """All users, and the second factors that are in force or being set up."""
        token = ada.enrol()
        bob.set_up()
        ada.log_in(token.wrong_code())
        ada.log_in("AAAAAAAA")

        assert answer(client.get("/api/debug")) == (
            200,
            {
                "users": [
                    {"email": "ada@example.com", "id": ada.id, "hasPassword": True},
                    {"email": "bob@example.com", "id": bob.id, "hasPassword": True},
                ],
                "totpSettings": [
                    {"userId": ada.id, "enabled": True, "verified": True, "failedAttempts": 2},
                    {"userId": bob.id, "enabled": False, "verified": False, "failedAttempts": 0},
                ],
            },
        )

    def test_right_code_forgives_failed_attempts(self, ada: Any, client: Client) -> None:
        """They are those in a row."""
        token = ada.enrol()
        ada.log_in(token.wrong_code())
        ada.log_in(token.now())

        assert client.get("/api/debug").json["totpSettings"][0]["failedAttempts"] == 0

    def test_it_can_be_left_out(self) -> None:
        """For who serves the app where others reach it."""
        assert answer(Client(create_app(debug=False)).get("/api/debug")) == (
            404,
            {"success": False, "error": "Not found"},
        )

    def test_it_tells_no_secret_and_no_hash(self, ada: Any, store: MemoryStore, client: Client) -> None:
        """Not even a piece of one."""
        token = ada.enrol()
        [account], [factor] = store.repository(DemoAccount).find(), store.repository(SecondFactor).find()
        text = client.get("/api/debug").text

        for secret in (token.secret, account.password_hash, ada.credentials["password"], ada.access_token):
            assert secret not in text
        for secret in factor.backup_codes + ada.backup_codes:
            assert secret not in text


class TestCompleteFlowExamples:
    """The three stories at the document's end, in one."""

    def test_registration_setup_and_login_with_2fa(self, client: Client, phone: Authenticator, clock: Clock) -> None:
        """As the document's shell commands have it."""
        user = {"email": "test@example.com", "password": "password123"}
        client.post("/api/auth/register", json=user)
        token = client.post("/api/auth/login", json=user).json["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        secret = client.post("/api/mfa/totp/setup", headers=bearer).json["manualEntryKey"]
        on_the_phone = phone.make(name="2FA Demo", secret=secret)
        verified = client.post("/api/mfa/totp/verify", headers=bearer, json={"code": on_the_phone.now()})
        assert answer(verified) == VERIFIED

        clock.next_step()
        assert answer(client.post("/api/auth/login", json=user)) == CODE_REQUIRED
        logged_in = client.post("/api/auth/login", json={**user, "totpCode": on_the_phone.now()})
        assert logged_in.json["totpEnabled"] is True


def segment(value: Any) -> str:
    """Return a segment of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("method", "path"), LOCKED_ROUTES)
class TestAuthentication:
    """Every route with a lock: 401 without a good token, 403 for one that is forged."""

    def ask(self, ada: Any, method: str, path: str, authorization: str | None) -> Answer:
        """Return the answer to a request with this header."""
        headers = {} if authorization is None else {"Authorization": authorization}
        body = {"json": {"code": "123456"}} if path.endswith("verify") else {}
        return ada.client.open(path, method=method, headers=headers, **body)

    def refusal(self, ada: Any, method: str, path: str, authorization: str | None) -> tuple[int, Any]:
        """Return the answer to a request with this header, and see that it has changed nothing."""
        before = ada.client.get("/api/debug").json
        response = self.ask(ada, method, path, authorization)
        assert ada.client.get("/api/debug").json == before
        assert response.headers.get("WWW-Authenticate", "").startswith("Bearer") is (response.status_code == 401)
        return answer(response)

    @pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YWRhOnB3", "Token abc"])
    def test_401_missing_token(self, ada: Any, method: str, path: str, authorization: str | None) -> None:
        """No header, an empty one, and another scheme."""
        assert self.refusal(ada, method, path, authorization) == MISSING_TOKEN

    def test_401_expired_token(self, ada: Any, clock: Clock, method: str, path: str) -> None:
        """An hour after the login by the injected clock, and not a second before."""
        clock.tick(3599)
        assert self.ask(ada, method, path, f"Bearer {ada.access_token}").status_code in {200, 400}
        clock.tick(1)
        assert self.refusal(ada, method, path, f"Bearer {ada.access_token}") == EXPIRED_TOKEN

    def test_403_unsigned_token(self, ada: Any, method: str, path: str) -> None:
        """`alg: none` is no signature."""
        _, claims, signature = ada.access_token.split(".")
        for end in ("", signature):
            token = f"{segment({'alg': 'none', 'typ': 'JWT'})}.{claims}.{end}"
            assert self.refusal(ada, method, path, f"Bearer {token}") == INVALID_TOKEN

    def test_403_token_of_another_key(self, ada: Any, method: str, path: str) -> None:
        """With the right claims."""
        claims = jwt.decode(ada.access_token, options={"verify_signature": False})
        token = jwt.encode(claims, "another key that has 32 bytes too", algorithm="HS256")

        assert self.refusal(ada, method, path, f"Bearer {token}") == INVALID_TOKEN

    def test_403_tampered_token(self, ada: Any, bob: Any, method: str, path: str) -> None:
        """Another user's id with one's own signature, and a signature with another end."""
        header, claims, signature = ada.access_token.split(".")
        others = bob.access_token.split(".")[1]
        end = "A" if signature[-1] != "A" else "E"
        for token in (f"{header}.{others}.{signature}", f"{header}.{claims}.{signature[:-1]}{end}"):
            assert self.refusal(ada, method, path, f"Bearer {token}") == INVALID_TOKEN

    def test_403_tampered_token_that_has_expired(self, ada: Any, clock: Clock, method: str, path: str) -> None:
        """Forged goes before expired."""
        clock.tick(3600)

        assert self.refusal(ada, method, path, f"Bearer {ada.access_token[:-3]}AAA") == INVALID_TOKEN

    @pytest.mark.parametrize("token", ["x", "x.y.z", "é.é.é", "null", "a b", f"{'A' * 20_000}.e30.{'A' * 43}"])
    def test_403_what_is_no_token(self, ada: Any, method: str, path: str, token: str) -> None:
        """Whatever it is."""
        assert self.refusal(ada, method, path, f"Bearer {token}") == INVALID_TOKEN

    def test_403_token_of_nobody(self, ada: Any, clock: Clock, method: str, path: str) -> None:
        """With the right signature, but its account is not there."""
        now = int(clock.time())
        token = jwt.encode({"sub": "nobody", "iat": now, "exp": now + 60}, KEY, algorithm="HS256")

        assert self.refusal(ada, method, path, f"Bearer {token}") == INVALID_TOKEN

    def test_scheme_is_read_in_any_case(self, ada: Any, method: str, path: str) -> None:
        """As RFC 9110 section 11.1 has it."""
        assert self.ask(ada, method, path, f"bEARER {ada.access_token}").status_code in {200, 400}


class TestOptions:
    """What the app is made with."""

    def test_lifetime_of_access_tokens(self, clock: Clock) -> None:
        """The given one, in seconds."""
        client = Client(create_app(clock=clock, jwt_lifetime=60))
        client.post("/api/auth/register", json=USER)
        bearer = {"Authorization": f"Bearer {client.post('/api/auth/login', json=USER).json['token']}"}
        assert client.get("/api/user/me", headers=bearer).status_code == 200
        clock.tick(60)
        assert answer(client.get("/api/user/me", headers=bearer)) == EXPIRED_TOKEN

    def test_access_token_outlives_a_restart_on_the_same_store(self, clock: Clock, store: MemoryStore) -> None:
        """A key that was not given is kept with the accounts."""
        first, second = (Client(create_app(clock=clock, store=store)) for _ in range(2))
        first.post("/api/auth/register", json=USER)
        bearer = {"Authorization": f"Bearer {first.post('/api/auth/login', json=USER).json['token']}"}

        assert second.get("/api/user/me", headers=bearer).json["email"] == "user@example.com"

    def test_emptied_store_ends_access_tokens(self, clock: Clock, store: MemoryStore) -> None:
        """Who registers the same address afterwards is somebody else."""
        client = Client(create_app(clock=clock, store=store))
        client.post("/api/auth/register", json=USER)
        bearer = {"Authorization": f"Bearer {client.post('/api/auth/login', json=USER).json['token']}"}
        store.clear()
        client.post("/api/auth/register", json=USER)

        assert answer(client.get("/api/user/me", headers=bearer)) == INVALID_TOKEN

    def test_work_of_a_password(self, store: MemoryStore) -> None:
        """Four unless given."""
        for cost, email in ((None, "a@example.com"), (5, "b@example.com")):
            options: dict[str, Any] = {} if cost is None else {"bcrypt_cost": cost}
            Client(create_app(store=store, **options)).post("/api/auth/register", json={**USER, "email": email})

        assert [account.password_hash[:7] for account in kept(store)] == ["$2b$04$", "$2b$05$"]

    def test_work_of_a_backup_code_is_always_four(self, clock: Clock, store: MemoryStore, ada: Any) -> None:
        """There are eight at a time, and nobody chose them."""
        ada.client = Client(create_app(clock=clock, store=store, jwt_key=KEY, bcrypt_cost=5))
        ada.enrol()

        [factor] = store.repository(SecondFactor).find()
        assert [hashed[:7] for hashed in factor.backup_codes] == ["$2b$04$"] * 8

    @pytest.mark.parametrize("options", [{"jwt_key": "short"}, {"jwt_lifetime": 0}, {"bcrypt_cost": 3}], ids=str)
    def test_what_is_not_accepted_is_refused_at_once(self, options: dict[str, Any]) -> None:
        """And not at the first login."""
        with pytest.raises(InvalidInput, match="accepted"):
            create_app(**options)

    def test_default_policy(self) -> None:
        """One step either way, each code once, and no lockout: the document has no limit."""
        assert (DEFAULT_POLICY.window, DEFAULT_POLICY.one_time, DEFAULT_POLICY.max_failures) == (1, True, None)


class TestErrorCodes:
    """The errors that belong to no route of their own."""

    def test_404_not_found(self, client: Client) -> None:
        """An unknown path, also one without the base path."""
        for path in ("/api", "/api/nothing", "/auth/login", "/api/auth/login/", "//api/debug"):
            assert answer(client.get(path)) == (404, {"success": False, "error": "Not found"})

    def test_405_method_not_allowed(self, client: Client) -> None:
        """With the methods that are."""
        response = client.get("/api/auth/login")

        assert answer(response) == (405, {"success": False, "error": "Method not allowed; accepted: POST"})
        assert response.headers["Allow"] == "POST"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "null",
            "[]",
            '"x"',
            "{'a': 1}",
            '{"email": NaN}',
            '{"a":1,"a":1}',
            "[" * 9999,
            r'{"password": "\ud800"}',
        ],
    )
    def test_400_body_that_is_no_json_object(self, client: Client, store: MemoryStore, text: str) -> None:
        """Nothing is stored."""
        response = client.post("/api/auth/register", data=text, content_type="application/json")

        assert (response.status_code, response.json["success"]) == (400, False)
        assert kept(store) == []

    def test_415_body_of_another_media_type(self, client: Client) -> None:
        """A form is no JSON."""
        response = client.post("/api/auth/login", data=USER)

        assert answer(response) == (
            415,
            {
                "success": False,
                "error": "The body is 'application/x-www-form-urlencoded'; accepted is application/json",
            },
        )

    def test_400_foreign_host(self, client: Client) -> None:
        """A page on a foreign name that resolves to this machine must not reach it (DNS rebinding)."""
        assert client.get("/api/debug", headers={"Host": "evil.example"}).status_code == 400


class TestSecurityHeaders:
    """Four headers and two more, on every answer."""

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("POST", "/api/auth/register", 400),
            ("POST", "/api/auth/login", 400),
            ("POST", "/api/mfa/totp/setup", 401),
            ("GET", "/api/user/me", 401),
            ("GET", "/api/debug", 200),
            ("HEAD", "/api/debug", 200),
            ("GET", "/", 200),
            ("GET", "/login.js", 200),
            ("GET", "/login.css", 200),
            ("GET", "/openapi.json", 200),
            ("GET", "/nothing", 404),
            ("DELETE", "/", 405),
            ("OPTIONS", "/api/auth/login", 405),
        ],
    )
    def test_every_answer_has_them(self, client: Client, method: str, path: str, status: int) -> None:
        """Errors and pages alike."""
        response = client.open(path, method=method, json={} if method == "POST" and "auth" in path else None)

        assert response.status_code == status
        for name, value in SECURITY_HEADERS.items():
            assert response.headers.getlist(name) == [value]

    def test_also_what_the_gate_refuses(self, client: Client) -> None:
        """Before any route is looked for."""
        response = client.get("/api/debug", headers={"Host": "evil.example"})

        assert (response.status_code, response.headers["X-Frame-Options"]) == (400, "DENY")


class TestOneUserAndAnother:
    """What is Bob's opens nothing of Ada's."""

    def test_every_locked_route_is_walked(self) -> None:
        """All that the document marks with a lock."""
        assert sorted(LOCKED_ROUTES) == [
            ("GET", "/api/mfa/totp/status"),
            ("GET", "/api/user/me"),
            ("POST", "/api/mfa/totp/disable"),
            ("POST", "/api/mfa/totp/setup"),
            ("POST", "/api/mfa/totp/verify"),
        ]

    @pytest.mark.parametrize(("method", "path"), LOCKED_ROUTES)
    def test_token_reaches_its_own_account_alone(
        self, ada: Any, bob: Any, store: MemoryStore, method: str, path: str
    ) -> None:
        """Bob's request, with Ada's right code, tells nothing of her and changes nothing of hers."""
        token = ada.enrol()
        pending = ada.set_up()
        bob.enrol()
        before = store.repository(SecondFactor).get(ada.id)
        for code in (token.now(), pending.now(), ada.backup_codes[0]):
            body = {"json": {"code": code}} if path.endswith("verify") else {}
            response = bob.get(path) if method == "GET" else bob.post(path, **body)
            assert response.status_code == (400 if path.endswith("verify") else 200)
            assert all(text not in response.text for text in (ada.id, "ada@example.com", token.secret, pending.secret))
        assert store.repository(SecondFactor).get(ada.id) == before
        assert ada.log_in(token.now()).json["success"] is True

    def test_code_and_backup_code_open_their_own_account_alone(self, ada: Any, bob: Any) -> None:
        """At the login, where Ada's password is known but her phone is not at hand."""
        ada.enrol()
        code = bob.enrol().now()

        assert answer(ada.log_in(code)) == REFUSED
        assert answer(ada.log_in(bob.backup_codes[0])) == REFUSED
        assert bob.log_in(code).json["success"] is True
        assert bob.log_in(bob.backup_codes[0]).json["success"] is True

    def test_code_verifies_its_own_secret_alone(self, ada: Any, bob: Any) -> None:
        """Bob's phone does not enrol Ada."""
        ada.set_up()

        assert answer(ada.verify(bob.set_up().now())) == INVALID_CODE
        assert ada.get("/api/mfa/totp/status").json["enabled"] is False

    def test_password_opens_its_own_account_alone(self, ada: Any, bob: Any) -> None:
        """With the other's address it is a wrong one."""
        mixed = {**ada.credentials, "password": bob.credentials["password"]}

        assert answer(ada.client.post("/api/auth/login", json=mixed)) == REFUSED


class TestLogs:
    """What happens is nobody's business but the client's."""

    def test_nothing_is_logged(
        self, ada: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Neither a success nor a refusal writes a word, and so no password, secret, code or token."""
        token = ada.enrol()
        ada.log_in(token.now())
        ada.log_in(token.wrong_code())
        ada.client.post("/api/auth/login", data=f"{{{token.secret}", content_type="application/json")

        assert caplog.records == []
        assert capfd.readouterr() == ("", "")


class Page(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


class TestPage:
    """GET / and what it loads."""

    @pytest.mark.parametrize(
        ("path", "mimetype"), [("/", "text/html"), ("/login.js", "text/javascript"), ("/login.css", "text/css")]
    )
    def test_files_are_served(self, client: Client, path: str, mimetype: str) -> None:
        """In UTF-8, with the type that `nosniff` demands."""
        response = client.get(path)

        assert (response.status_code, response.headers["Content-Type"]) == (200, f"{mimetype}; charset=utf-8")

    def test_every_field_has_a_label_and_says_what_goes_in(self, client: Client) -> None:
        """So that password managers and phones offer the right thing."""
        page = Page(client.get("/").text)
        fields = {field["id"]: field for field in page.all("input")}

        assert [label["for"] for label in page.all("label")] == list(fields) == ["email", "password", "code"]
        assert [field["autocomplete"] for field in fields.values()] == ["username", "current-password", "one-time-code"]
        assert fields["code"]["inputmode"] == "numeric"
        assert fields["password"]["type"] == "password"

    def test_page_keeps_to_its_content_security_policy(self, client: Client) -> None:
        """No script, style or handler within it, and nothing loaded from elsewhere."""
        page = Page(client.get("/").text)

        assert page.all("script") == [{"type": "module", "src": "login.js"}]
        assert [link["href"] for link in page.all("link")] == ["login.css"]
        assert page.all("style") == []
        names = {name for _, attributes in page.elements for name in attributes}
        assert {name for name in names if name == "style" or name.startswith("on")} == set()

    def test_forms_would_not_send_a_password_in_an_address(self, client: Client) -> None:
        """Where the script does not run."""
        assert [form["method"] for form in Page(client.get("/").text).all("form")] == ["post", "post"]
