"""email-mfa over HTTP: endpoint by endpoint, as its API document has them."""

import re
from typing import Any

import jwt
import pytest

from pytest_totphog.backends.email_mfa.app import create_app
from pytest_totphog.backends.email_mfa.model import MailAccount, MailedCode, Registration, ResetLink
from pytest_totphog.backends.mailbox import Mailbox
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.gate import Gate
from tests.support.client import Answer, Client
from tests.support.threads import in_threads

EMAIL, PASSWORD = "alice@example.com", "down the rabbit hole"
ALICE = {
    "firstName": "Alice",
    "lastName": "Liddell",
    "email": EMAIL,
    "password": PASSWORD,
    "phoneNumber": "+44 1865 276150",
    "roleId": 2,
}
SENT = {"message": "Verification code sent, please check your email."}
NO_SECRET = {"message": "No secret found for the provided email."}
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
WRONG_CODE = {"message": "Invalid verification code."}


def post(client: Client, path: str, **body: object) -> Answer:
    """Send a JSON object."""
    return client.post(path, json=body)


def newest_code(mailbox: Mailbox) -> str:
    """Return the code in the mail that came last."""
    return re.findall(r"\b\d{6}\b", mailbox.messages[-1].text)[0]


def register(client: Client, mailbox: Mailbox, **changes: object) -> None:
    """Register Alice, or somebody like her."""
    body = {**ALICE, **changes}
    assert post(client, "/register", **body).status_code == 200
    assert post(client, "/register/verify", email=body["email"], token=newest_code(mailbox)).status_code == 201


def login_code(client: Client, mailbox: Mailbox) -> str:
    """Ask for a login code and return it."""
    assert post(client, "/login", email=EMAIL, password=PASSWORD).status_code == 200
    return newest_code(mailbox)


def reset_token(client: Client, mailbox: Mailbox) -> str:
    """Ask for a reset link and return its token."""
    assert post(client, "/forgot-password", email=EMAIL).status_code == 200
    match = re.search(r"http://localhost/reset-password\?token=(\S+)", mailbox.messages[-1].text)
    assert match is not None
    return match[1]


def wrong(code: str) -> str:
    """Return a code that differs in every digit."""
    return "".join(str(9 - int(digit)) for digit in code)


class TestRegisterInitiate:
    """The document's "Register Initiate"."""

    def test_sends_a_code(self, client: Client, mailbox: Mailbox) -> None:
        """200, and a mail with the code as text and as HTML; no account yet."""
        answer = post(client, "/register", **ALICE)
        assert (answer.status_code, answer.json) == (200, SENT)
        [mail] = mailbox.messages
        assert mail.recipients == (EMAIL,)
        assert mail.subject == "Your verification code"
        assert mail.message.get_content_type() == "multipart/alternative"
        assert newest_code(mailbox) in mail.html
        assert mail.message["Date"] == "Mon, 15 Jan 2024 10:30:00 +0000"

    def test_phone_and_role_may_be_left_out(self, client: Client) -> None:
        """The document does not say which fields are needed; these two are not."""
        body = {name: ALICE[name] for name in ("firstName", "lastName", "email", "password")}
        assert post(client, "/register", **body).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"email": None}, "email is missing; accepted is a string"),
            (
                {"email": "alice"},
                "email is 'alice'; accepted is an address of at most 254 characters such as alice@example.com",
            ),
            (
                {"email": "alice@example.com\r\nBcc: eve@example.com"},
                "email is 'alice@exampl...e@example.com'; accepted is an address of at most 254 characters",
            ),
            ({"password": ""}, "password has 0 characters; accepted are 1 to 1024"),
            ({"password": 12345678}, "password is of type int; accepted is a string"),
            ({"firstName": "a\x01"}, r"firstName contains the character '\x01'; accepted is printable text"),
            ({"lastName": "x" * 201}, "lastName has 201 characters; accepted are 1 to 200"),
            ({"roleId": True}, "roleId is not a whole number from 0 to 2147483647"),
            ({"roleId": 1.5}, "roleId is not a whole number from 0 to 2147483647"),
            ({"isAdmin": True}, "Unknown field 'isAdmin'"),
        ],
    )
    def test_bad_field(
        self, client: Client, store: MemoryStore, mailbox: Mailbox, changes: dict[str, object], message: str
    ) -> None:
        """400 that names the field; nothing is kept and nothing sent."""
        answer = post(client, "/register", **{**ALICE, **changes})
        assert answer.status_code == 400
        assert answer.json["message"].startswith(message)
        assert store.repository(Registration).find() == []
        assert mailbox.messages == []

    def test_failed_to_send_verification_code(self, clock: Clock, store: MemoryStore) -> None:
        """500 without the mail server, and nothing half-registered stays."""
        client = Client(create_app(clock=clock, store=store, smtp=("127.0.0.1", 1)))
        answer = post(client, "/register", **ALICE)
        assert answer.status_code == 500
        assert answer.json == {
            "message": "Failed to send verification code.",
            "error": "the mail server at 127.0.0.1:1 did not take it (Connection refused)",
        }
        assert store.repository(Registration).find() == []
        assert store.repository(MailedCode).find() == []

    def test_existing_account(self, client: Client, mailbox: Mailbox) -> None:
        """409, whatever the address's case."""
        register(client, mailbox)
        answer = post(client, "/register", **{**ALICE, "email": "ALICE@example.com"})
        assert (answer.status_code, answer.json) == (409, {"message": "User already exists"})

    def test_any_origin_may_read(self, client: Client) -> None:
        """The document's header, on answers and on preflight requests."""
        assert post(client, "/register", **ALICE).headers["Access-Control-Allow-Origin"] == "*"
        preflight = client.options(
            "/register", headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"

    def test_password_is_kept_as_a_hash(self, client: Client, store: MemoryStore) -> None:
        """By bcrypt, with the cost that the app was given."""
        post(client, "/register", **ALICE)
        [registration] = store.repository(Registration).find()
        assert registration.password_hash.startswith("$2b$04$")


class TestVerifyAndCompleteRegistration:
    """The document's "Verify and Complete Registration"."""

    def test_user_registered(self, client: Client, store: MemoryStore, mailbox: Mailbox) -> None:
        """201 and the account is there, the registration gone."""
        post(client, "/register", **ALICE)
        answer = post(client, "/register/verify", email=EMAIL, token=newest_code(mailbox))
        assert (answer.status_code, answer.json) == (201, {"message": "User registered successfully"})
        [account] = store.repository(MailAccount).find()
        assert (account.email, account.first_name, account.role_id) == (EMAIL, "Alice", 2)
        assert store.repository(Registration).find() == []

    @pytest.mark.parametrize("body", [{}, {"email": EMAIL}, {"token": "123456"}, {"email": "", "token": ""}])
    def test_email_and_token_are_required(self, client: Client, body: dict[str, str]) -> None:
        """400 when either is missing or empty."""
        answer = post(client, "/register/verify", **body)
        assert (answer.status_code, answer.json) == (400, {"message": "Email and token are required."})

    def test_no_secret_found(self, client: Client) -> None:
        """404 for an address that nobody registers."""
        answer = post(client, "/register/verify", email=EMAIL, token="123456")
        assert (answer.status_code, answer.json) == (404, NO_SECRET)

    @pytest.mark.parametrize(
        "spoil", [wrong, lambda code: code[:5], lambda code: f" {code}", lambda code: code.translate(FULL_WIDTH)]
    )
    def test_invalid_verification_code(self, client: Client, store: MemoryStore, mailbox: Mailbox, spoil: Any) -> None:
        """400 for a wrong code, and for anything but six ASCII digits; no account is made."""
        post(client, "/register", **ALICE)
        answer = post(client, "/register/verify", email=EMAIL, token=spoil(newest_code(mailbox)))
        assert (answer.status_code, answer.json) == (400, WRONG_CODE)
        assert store.repository(MailAccount).find() == []

    def test_code_too_old(self, client: Client, clock: Clock, mailbox: Mailbox) -> None:
        """A code is good for its five minutes and the five after."""
        post(client, "/register", **ALICE)
        clock.tick(600)
        assert post(client, "/register/verify", email=EMAIL, token=newest_code(mailbox)).json == WRONG_CODE

    def test_slow_mail(self, client: Client, clock: Clock, mailbox: Mailbox) -> None:
        """In the last second of the five after, the code is still good."""
        post(client, "/register", **ALICE)
        clock.tick(599)
        assert post(client, "/register/verify", email=EMAIL, token=newest_code(mailbox)).status_code == 201

    def test_sixteen_at_once(self, client: Client, store: MemoryStore, mailbox: Mailbox) -> None:
        """One code, sixteen threads: one account, one success."""
        post(client, "/register", **ALICE)
        body = {"email": EMAIL, "token": newest_code(mailbox)}
        statuses = in_threads(16, lambda _: post(client, "/register/verify", **body).status_code)
        assert sorted(statuses).count(201) == 1
        assert set(statuses) <= {201, 400, 404}
        assert len(store.repository(MailAccount).find()) == 1


class TestLoginInitiate:
    """The document's "Login Initiate"."""

    def test_sends_a_code(self, client: Client, mailbox: Mailbox) -> None:
        """200 and another mail; the address's case does not matter."""
        register(client, mailbox)
        answer = post(client, "/login", email="Alice@Example.com", password=PASSWORD)
        assert (answer.status_code, answer.json) == (200, SENT)
        assert mailbox.messages[-1].recipients == (EMAIL,)
        assert len(mailbox.messages) == 2

    def test_user_not_found(self, client: Client) -> None:
        """404."""
        answer = post(client, "/login", email=EMAIL, password=PASSWORD)
        assert (answer.status_code, answer.json) == (404, {"message": "User not found"})

    def test_invalid_password(self, client: Client, mailbox: Mailbox) -> None:
        """401, and no mail."""
        register(client, mailbox)
        answer = post(client, "/login", email=EMAIL, password=PASSWORD.upper())
        assert (answer.status_code, answer.json) == (401, {"message": "Invalid password"})
        assert len(mailbox.messages) == 1

    def test_long_passwords_are_not_cut(self, client: Client, mailbox: Mailbox) -> None:
        """By itself, bcrypt would read 72 bytes of them."""
        register(client, mailbox, password="x" * 72 + "right")
        assert post(client, "/login", email=EMAIL, password="x" * 72 + "wrong").status_code == 401
        assert post(client, "/login", email=EMAIL, password="x" * 72 + "right").status_code == 200

    def test_email_and_password_are_required(self, client: Client) -> None:
        """400; the document is silent."""
        answer = post(client, "/login", email=EMAIL)
        assert (answer.status_code, answer.json) == (400, {"message": "Email and password are required."})


class TestVerifyAndCompleteLogin:
    """The document's "Verify and Complete Login"."""

    def test_login_successful(self, client: Client, clock: Clock, mailbox: Mailbox) -> None:
        """200 and a JSON Web Token that expires an hour later on the app's clock."""
        register(client, mailbox)
        answer = post(client, "/login/verify", email=EMAIL, token=login_code(client, mailbox), password=PASSWORD)
        assert answer.status_code == 200
        claims = jwt.decode(answer.json["token"], options={"verify_signature": False})
        assert (claims["sub"], claims["iat"], claims["exp"]) == (EMAIL, 1705314600, 1705318200)

    def test_replay(self, client: Client, mailbox: Mailbox) -> None:
        """A code is good once; after it there is none."""
        register(client, mailbox)
        body = {"email": EMAIL, "token": login_code(client, mailbox), "password": PASSWORD}
        assert post(client, "/login/verify", **body).status_code == 200
        answer = post(client, "/login/verify", **body)
        assert (answer.status_code, answer.json) == (404, NO_SECRET)

    def test_email_and_token_are_required(self, client: Client) -> None:
        """400."""
        answer = post(client, "/login/verify", email=EMAIL, password=PASSWORD)
        assert (answer.status_code, answer.json) == (400, {"message": "Email and token are required."})

    def test_no_secret_found(self, client: Client, mailbox: Mailbox) -> None:
        """404 when no login was begun."""
        register(client, mailbox)
        answer = post(client, "/login/verify", email=EMAIL, token="123456", password=PASSWORD)
        assert (answer.status_code, answer.json) == (404, NO_SECRET)

    def test_user_not_found(self, client: Client) -> None:
        """404."""
        answer = post(client, "/login/verify", email=EMAIL, token="123456", password=PASSWORD)
        assert (answer.status_code, answer.json) == (404, {"message": "User not found"})

    @pytest.mark.parametrize("password", ["wrong", None, 7])
    def test_invalid_password(self, client: Client, mailbox: Mailbox, password: object) -> None:
        """401, and the code is not spent by it."""
        register(client, mailbox)
        code = login_code(client, mailbox)
        answer = post(client, "/login/verify", email=EMAIL, token=code, password=password)
        assert (answer.status_code, answer.json) == (401, {"message": "Invalid password"})
        assert post(client, "/login/verify", email=EMAIL, token=code, password=PASSWORD).status_code == 200

    def test_a_code_of_another_purpose(self, client: Client, store: MemoryStore, mailbox: Mailbox) -> None:
        """A registration code of the same moment opens no login."""
        register(client, mailbox)
        registration = newest_code(mailbox)
        login = login_code(client, mailbox)
        spoilt = registration if registration != login else wrong(login)
        assert post(client, "/login/verify", email=EMAIL, token=spoilt, password=PASSWORD).json == WRONG_CODE

    def test_a_resend_voids_the_older_code(self, client: Client, mailbox: Mailbox) -> None:
        """Also within one time step, for each mail has a secret of its own."""
        register(client, mailbox)
        older, newer = login_code(client, mailbox), login_code(client, mailbox)
        assert older != newer
        assert post(client, "/login/verify", email=EMAIL, token=older, password=PASSWORD).json == WRONG_CODE
        assert post(client, "/login/verify", email=EMAIL, token=newer, password=PASSWORD).status_code == 200

    def test_locked_after_five_failures_until_the_clock_says_so(
        self, client: Client, clock: Clock, mailbox: Mailbox
    ) -> None:
        """Across new codes, and for the right code too; the answer does not tell."""
        register(client, mailbox)
        for _ in range(5):
            spoilt = wrong(login_code(client, mailbox))
            assert post(client, "/login/verify", email=EMAIL, token=spoilt, password=PASSWORD).json == WRONG_CODE
        body = {"email": EMAIL, "token": login_code(client, mailbox), "password": PASSWORD}
        assert post(client, "/login/verify", **body).json == WRONG_CODE
        clock.tick(900)
        body["token"] = login_code(client, mailbox)
        assert post(client, "/login/verify", **body).status_code == 200


class TestForgotPassword:
    """The document's "Forgot Password"."""

    def test_reset_email_sent(self, client: Client, mailbox: Mailbox) -> None:
        """200, and a link to this server in the mail."""
        register(client, mailbox)
        answer = post(client, "/forgot-password", email=EMAIL)
        assert answer.status_code == 200
        assert answer.json == {
            "success": True,
            "message": "Password reset email sent, please check your email.",
        }
        assert mailbox.messages[-1].subject == "Reset your password"

    def test_email_is_required(self, client: Client) -> None:
        """400."""
        answer = post(client, "/forgot-password")
        assert (answer.status_code, answer.json) == (400, {"success": False, "message": "Email is required."})

    def test_user_not_found(self, client: Client) -> None:
        """404."""
        answer = post(client, "/forgot-password", email=EMAIL)
        assert (answer.status_code, answer.json) == (404, {"success": False, "message": "User not found"})

    def test_mail_cannot_be_sent(self, clock: Clock, store: MemoryStore, client: Client, mailbox: Mailbox) -> None:
        """500, and an older link stays good."""
        register(client, mailbox)
        token = reset_token(client, mailbox)
        silent = Client(create_app(clock=clock, store=store))
        answer = post(silent, "/forgot-password", email=EMAIL)
        assert answer.status_code == 500
        assert answer.json == {
            "success": False,
            "message": "Failed to send password reset email.",
            "error": "no mail server is configured",
        }
        assert post(client, "/reset-password", token=token, password="new").status_code == 200

    def test_token_is_kept_as_a_hash(self, client: Client, store: MemoryStore, mailbox: Mailbox) -> None:
        """Who reads the store cannot set a password."""
        register(client, mailbox)
        token = reset_token(client, mailbox)
        [link] = store.repository(ResetLink).find()
        assert token not in repr(link)


class TestResetPassword:
    """The document's "Reset Password"."""

    def test_password_reset(self, client: Client, mailbox: Mailbox) -> None:
        """200; the new password logs in, the old one does not, and the second factor is still asked for."""
        register(client, mailbox)
        answer = post(client, "/reset-password", token=reset_token(client, mailbox), password="newPassword123")
        assert (answer.status_code, answer.json) == (
            200,
            {"success": True, "message": "Password reset successfully"},
        )
        assert post(client, "/login", email=EMAIL, password=PASSWORD).status_code == 401
        assert post(client, "/login", email=EMAIL, password="newPassword123").json == SENT

    @pytest.mark.parametrize("body", [{}, {"token": "x"}, {"password": "x"}])
    def test_token_and_new_password_are_required(self, client: Client, body: dict[str, str]) -> None:
        """400."""
        answer = post(client, "/reset-password", **body)
        assert (answer.status_code, answer.json) == (
            400,
            {"success": False, "message": "Token and new password are required."},
        )

    def test_unknown_used_void_and_expired_links(self, client: Client, clock: Clock, mailbox: Mailbox) -> None:
        """All the same 400."""
        register(client, mailbox)
        void, used = reset_token(client, mailbox), reset_token(client, mailbox)
        assert post(client, "/reset-password", token=used, password="new").status_code == 200
        expired = reset_token(client, mailbox)
        clock.tick(3600)
        for token in ("unknown", void, used, expired):
            answer = post(client, "/reset-password", token=token, password="newer")
            assert (answer.status_code, answer.json) == (
                400,
                {"success": False, "message": "Invalid or expired token"},
            )

    def test_a_bad_password_leaves_the_link_good(self, client: Client, mailbox: Mailbox) -> None:
        """400 for a control character, then 200 with the same link."""
        register(client, mailbox)
        token = reset_token(client, mailbox)
        answer = post(client, "/reset-password", token=token, password="a\0b")
        assert (answer.status_code, answer.json["success"]) == (400, False)
        assert post(client, "/reset-password", token=token, password="ab").status_code == 200

    def test_a_login_under_way_is_void(self, client: Client, mailbox: Mailbox) -> None:
        """A code that was mailed before the reset opens nothing after it."""
        register(client, mailbox)
        code = login_code(client, mailbox)
        post(client, "/reset-password", token=reset_token(client, mailbox), password="new")
        assert post(client, "/login/verify", email=EMAIL, token=code, password="new").json == NO_SECRET


class TestMailbox:
    """The mails of an app that has a mailbox."""

    def test_mails_to_somebody(self, client: Client, mailbox: Mailbox) -> None:
        """As JSON, oldest first; of everybody without `to`."""
        post(client, "/register", **ALICE)
        post(client, "/register", **{**ALICE, "email": "bob@example.com"})
        [mail] = client.get("/mailbox", query_string={"to": "ALICE@example.com"}).json
        assert (mail["from"], mail["to"]) == ("no-reply@totphog.example", [EMAIL])
        assert mail["text"] == mailbox.messages[0].text
        assert len(client.get("/mailbox").json) == 2

    def test_no_mailbox(self, clock: Clock, store: MemoryStore) -> None:
        """404 where mails go elsewhere."""
        assert Client(create_app(clock=clock, store=store)).get("/mailbox").status_code == 404


def test_no_secret_is_logged(
    client: Client, mailbox: Mailbox, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither password, code nor token is written anywhere on the way through."""
    caplog.set_level(0)
    register(client, mailbox)
    code = login_code(client, mailbox)
    post(client, "/login/verify", email=EMAIL, token=code, password=PASSWORD)
    written = "".join([*capfd.readouterr(), caplog.text])
    assert code not in written
    assert PASSWORD not in written


EVIL = {"Host": "localhost.evil.example", "X-Forwarded-Host": "evil.example"}


def reset_link(mailbox: Mailbox, **options: Any) -> str:
    """Ask for a reset link in the name of another host, of an app at 127.0.0.1:3000, and return it from the mail."""
    client = Client(create_app(mailbox=mailbox, gate=Gate(trusted_hosts=None), **options))
    register(client, mailbox)
    environ = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "3000"}
    answer = client.post("/forgot-password", json={"email": EMAIL}, headers=EVIL, environ_overrides=environ)
    assert answer.status_code == 200
    return next(word for word in mailbox.messages[-1].text.split() if "token=" in word).partition("token=")[0]


def test_reset_link_leads_to_the_address_of_the_server(mailbox: Mailbox) -> None:
    """Whoever asks for it, with whichever Host header, is not whom the mail is for."""
    assert reset_link(mailbox) == "http://127.0.0.1:3000/reset-password?"


def test_reset_link_leads_to_the_public_url(mailbox: Mailbox) -> None:
    """Where one is configured."""
    assert reset_link(mailbox, public_url="https://a.example/shop/") == "https://a.example/shop/reset-password?"


@pytest.mark.usefixtures("mailbox")
def test_mailbox_is_not_for_pages_of_other_origins(client: Client) -> None:
    """They may use the API, and not read the codes in the mails."""
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    asks = {**evil, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-Requested-With"}

    for answer in (client.get("/mailbox", headers=evil), client.options("/mailbox", headers=asks)):
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.get("/mailbox").json == []
    login = client.post("/login", json={"email": EMAIL, "password": "a"}, headers=evil)
    assert (login.status_code, login.headers["Access-Control-Allow-Origin"]) == (404, "*")
