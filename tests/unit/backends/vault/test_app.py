"""The wire of vault, in the order of its API document."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_totphog.backends.vault.app import DEFAULT_POLICY, create_app
from pytest_totphog.backends.vault.model import Access, Totp, VaultAccount, seed
from pytest_totphog.backends.verifier import VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores import Store
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.server import Server
from tests.support.client import Client
from tests.support.threads import in_threads

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
UNKNOWN_ID = "550e8400-e29b-41d4-a716-446655440000"
JOAO = {"name": "João Silva", "email": "joao@example.com", "password": "senha123"}
MARIA = {"name": "Maria", "email": "maria@example.com", "password": "senha456"}
GITHUB = {"label": "GitHub", "secret": "JBSWY3DPEHPK3PXP"}
COMPLETE = GITHUB | {
    "digits": 6,
    "period": 30,
    "algorithm": "SHA-1",
    "icon": "github.png",
    "metadata": {"team": ["a", 1]},
    "sort": 1,
}
NOBODY = {"success": False, "error": "unauthorized"}
NOT_THEIRS = {"success": False, "error": "TOTP not found or access denied"}


@dataclass(frozen=True)
class User:
    """A user with a token."""

    client: Client
    id: str
    token: str

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request with the token in the header."""
        return self.client.open(
            path, method=method, json=body, headers={"Authorization": f"Bearer {self.token}"}, **options
        )

    def add(self, **fields: Any) -> dict[str, Any]:
        """Create a TOTP and return it."""
        response = self.send("POST", "/api/management/totp", GITHUB | fields)
        assert response.status_code == 200
        return response.json["data"]

    @property
    def export(self) -> list[dict[str, Any]]:
        """All TOTPs."""
        return self.send("GET", "/api/management/export").json["totps"]


def sign_up(client: Client, person: dict[str, str]) -> User:
    """Register somebody and get a token."""
    user_id = client.post("/api/auth/register", json=person).json["data"]["id"]
    return User(client, user_id, client.post("/api/auth/token", json={"userId": user_id}).json["token"])


@pytest.fixture
def joao(client: Client) -> User:
    """A registered user."""
    return sign_up(client, JOAO)


@pytest.fixture
def maria(client: Client) -> User:
    """Another registered user."""
    return sign_up(client, MARIA)


def error_of(response: Any) -> tuple[int, str]:
    """Return status and message of an error."""
    assert response.json["success"] is False
    return response.status_code, response.json["error"]


class TestUserRegistration:
    """`POST /api/auth/register`."""

    def test_response(self, client: Client, store: Store) -> None:
        """The user with a random id, and no password."""
        response = client.post("/api/auth/register", json=JOAO)
        assert response.status_code == 200
        user_id = response.json["data"]["id"]
        assert UUID.fullmatch(user_id)
        assert response.json == {
            "success": True,
            "data": {"id": user_id, "name": "João Silva", "email": "joao@example.com"},
        }
        [account] = store.repository(VaultAccount).find()
        assert account.password_hash.startswith("$2b$04$")

    @pytest.mark.parametrize("name", ["name", "email", "password"])
    def test_name_email_and_password_are_required(self, client: Client, store: Store, name: str) -> None:
        """Missing, null and empty are one mistake."""
        without = {other: JOAO[other] for other in JOAO if other != name}
        for body in (without, JOAO | {name: None}, JOAO | {name: ""}):
            response = client.post("/api/auth/register", json=body)
            assert error_of(response) == (400, "name, email and password are required")
        assert store.repository(VaultAccount).find() == []

    @pytest.mark.parametrize("email", ["joao@example.com", "JOAO@Example.com"])
    def test_email_already_exists(self, client: Client, joao: User, email: str) -> None:
        """In whichever case it is written; the account stays as it is."""
        response = client.post("/api/auth/register", json=MARIA | {"email": email})
        assert error_of(response) == (409, "email already exists")
        assert client.post("/api/auth/login", json={"email": email, "password": "senha123"}).json["id"] == joao.id

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (JOAO | {"name": 1}, "name is of type int; accepted is a string"),
            (JOAO | {"password": ["a"]}, "password is of type list; accepted is a string"),
            (
                JOAO | {"email": "joao"},
                "email is 'joao'; accepted is an address of at most 254 characters such as alice@example.com",
            ),
            (
                JOAO | {"email": "jo\0@b.c"},
                r"email is 'jo\x00@b.c'; accepted is an address of at most 254 characters such as alice@example.com",
            ),
            (JOAO | {"name": "a" * 201}, "name has 201 characters; accepted are 1 to 200"),
            (JOAO | {"password": "a" * 1025}, "password has 1025 characters; accepted are 1 to 1024"),
            (JOAO | {"admin": True}, "Unknown field 'admin'; accepted: name, email, password"),
            ([JOAO], "The body is not a JSON object"),
        ],
    )
    def test_bad_input(self, client: Client, store: Store, body: Any, message: str) -> None:
        """It is refused in a sentence, and nothing is stored."""
        assert error_of(client.post("/api/auth/register", json=body)) == (400, message)
        assert store.repository(VaultAccount).find() == []

    def test_sixteen_threads_register_one_address(self, client: Client, store: Store) -> None:
        """It exists once; the other fifteen are told so."""
        answers = in_threads(16, lambda _: client.post("/api/auth/register", json=JOAO).status_code)
        assert sorted(answers) == [200, *[409] * 15]
        assert len(store.repository(VaultAccount).find()) == 1


class TestLogin:
    """`POST /api/auth/login`."""

    def test_response(self, client: Client, joao: User) -> None:
        """The user, bare: no `success`, no `data`, no token."""
        response = client.post("/api/auth/login", json={"email": "Joao@example.com", "password": "senha123"})
        assert response.status_code == 200
        assert response.json == {"id": joao.id, "name": "João Silva", "email": "joao@example.com"}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": "joao@example.com"},
            {"password": "senha123"},
            {"email": "", "password": "senha123"},
            {"email": "joao@example.com", "password": None},
        ],
    )
    def test_email_and_password_are_required(self, client: Client, body: Any) -> None:
        """Whichever is missing."""
        assert error_of(client.post("/api/auth/login", json=body)) == (400, "email and password are required")

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("joao@example.com", "senha124"),
            ("maria@example.com", "senha123"),
            ("joao", "senha123"),
            ("joao\0@example.com", "senha123"),
            ("a" * 1000 + "@example.com", "b" * 5000),
        ],
    )
    def test_invalid_credentials(self, client: Client, joao: User, email: str, password: str) -> None:
        """One answer for a wrong password and for an address that nobody has."""
        response = client.post("/api/auth/login", json={"email": email, "password": password})
        assert error_of(response) == (401, "invalid credentials")

    def test_long_password_is_not_truncated(self, client: Client) -> None:
        """Bcrypt alone reads 72 bytes."""
        client.post("/api/auth/register", json=JOAO | {"password": "a" * 80 + "b"})
        statuses = [
            client.post("/api/auth/login", json={"email": "joao@example.com", "password": "a" * 80 + end}).status_code
            for end in ("b", "c")
        ]
        assert statuses == [200, 401]


class TestCreateAuthenticationToken:
    """`POST /api/auth/token`."""

    def test_response(self, client: Client, joao: User) -> None:
        """A token of 30 days, and when it expires, with milliseconds."""
        response = client.post("/api/auth/token", json={"userId": joao.id})
        assert response.status_code == 200
        assert re.fullmatch("[0-9a-f]{32}", response.json["token"])
        assert response.json == {"token": response.json["token"], "expiresAt": "2024-02-14T10:30:00.000Z"}

    @pytest.mark.parametrize(
        ("days", "expires_at"),
        [(1, "2024-01-16T10:30:00.123Z"), (365, "2025-01-14T10:30:00.123Z"), (3650, "2034-01-12T10:30:00.123Z")],
    )
    def test_days(self, client: Client, joao: User, clock: Clock, days: int, expires_at: str) -> None:
        """From one day to ten years."""
        clock.tick(0.123)
        response = client.post("/api/auth/token", json={"userId": joao.id, "days": days})
        assert response.json["expiresAt"] == expires_at

    @pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "30", True])
    def test_refused_days(self, client: Client, joao: User, store: Store, days: Any) -> None:
        """Whole days only; no token is made."""
        status, message = error_of(client.post("/api/auth/token", json={"userId": joao.id, "days": days}))
        assert (status, message) == (400, f"days is {days!r}; accepted are whole days from 1 to 3650")
        assert len(store.repository(Access).find()) == 1

    @pytest.mark.parametrize("body", [{}, {"userId": None}, {"userId": ""}, {"days": 30}])
    def test_user_id_is_required(self, client: Client, body: Any) -> None:
        """Missing, null and empty are one mistake."""
        assert error_of(client.post("/api/auth/token", json=body)) == (400, "userId is required")

    @pytest.mark.parametrize("user_id", [UNKNOWN_ID, "joao@example.com", "\0"])
    def test_unknown_user(self, client: Client, joao: User, user_id: str) -> None:
        """The document has no answer for it; this one is that of `/api/auth/user`."""
        assert error_of(client.post("/api/auth/token", json={"userId": user_id})) == (404, "user not found")

    def test_token_expires_on_the_clock(self, client: Client, joao: User, clock: Clock) -> None:
        """And is answered as none."""
        clock.tick(30 * 86_400 - 1)
        assert joao.send("GET", "/api/auth/user").status_code == 200
        clock.tick(1)
        assert error_of(joao.send("GET", "/api/auth/user")) == (401, "unauthorized")


class TestRevokeToken:
    """`POST /api/auth/revoke`."""

    def test_revoked_token_opens_nothing(self, client: Client, joao: User) -> None:
        """At once; revoking it again is answered alike."""
        for _ in range(2):
            response = client.post("/api/auth/revoke", json={"token": joao.token})
            assert (response.status_code, response.json) == (200, {"success": True})
            assert error_of(joao.send("GET", "/api/auth/user")) == (401, "unauthorized")

    def test_unknown_token(self, client: Client, joao: User) -> None:
        """The answer does not tell which tokens there are."""
        assert client.post("/api/auth/revoke", json={"token": joao.token[:-1]}).json == {"success": True}
        assert joao.send("GET", "/api/auth/user").status_code == 200

    @pytest.mark.parametrize("body", [{}, {"token": None}, {"token": ""}])
    def test_token_is_required(self, client: Client, body: Any) -> None:
        """Missing, null and empty are one mistake."""
        assert error_of(client.post("/api/auth/revoke", json=body)) == (400, "token is required")


class TestAuthentication:
    """The token in header or query string, and every protected route without a good one."""

    def test_token_in_the_header(self, client: Client, joao: User) -> None:
        """The scheme's name is in any case (RFC 9110 section 11.1)."""
        for scheme in ("Bearer", "bearer", "BEARER"):
            response = client.get("/api/auth/user", headers={"Authorization": f"{scheme} {joao.token}"})
            assert response.json["id"] == joao.id

    def test_token_in_the_query_string(self, client: Client, joao: User) -> None:
        """For reading and for writing."""
        assert client.get(f"/api/auth/user?token={joao.token}").json["id"] == joao.id
        response = client.post(f"/api/management/totp?token={joao.token}", json=GITHUB)
        assert response.json["data"]["userId"] == joao.id

    def test_query_string_before_the_header(self, client: Client, joao: User, maria: User) -> None:
        """Also when the one in the query string is not good."""
        assert joao.send("GET", f"/api/auth/user?token={maria.token}").json["id"] == maria.id
        assert error_of(joao.send("GET", "/api/auth/user?token=x")) == (401, "unauthorized")

    def test_behind_a_gate_with_an_api_key(self, clock: Clock, store: Store) -> None:
        """The header carries the key, so the token goes into the query string."""
        client = Client(create_app(clock=clock, store=store, gate=Gate(api_key="key")))
        key = {"Authorization": "Bearer key"}
        user_id = client.post("/api/auth/register", json=JOAO, headers=key).json["data"]["id"]
        token = client.post("/api/auth/token", json={"userId": user_id}, headers=key).json["token"]
        assert client.get(f"/api/auth/user?token={token}", headers=key).json["id"] == user_id
        assert client.get(f"/api/auth/user?token={token}").status_code == 401

    @pytest.mark.parametrize(
        "credentials",
        [
            {},
            {"headers": {"Authorization": "Bearer"}},
            {"headers": {"Authorization": "Bearer "}},
            {"headers": {"Authorization": "Bearer x"}},
            {"headers": {"Authorization": "Basic {token}"}},
            {"headers": {"Authorization": "{token}"}},
            {"headers": {"Authorization": "Bearer {token} {token}"}},
            {"headers": {"Authorization": "Bearer {upper}"}},
            {"headers": {"Authorization": "Bearer {hash}"}},
            {"headers": {"Cookie": "token={token}"}},
            {"query_string": {"token": ""}},
            {"query_string": {"token": "x"}},
            {"query_string": {"token": "{token} "}},
        ],
        ids=str,
    )
    def test_unauthorized(
        self, client: Client, store: Store, joao: User, credentials: dict[str, dict[str, str]]
    ) -> None:
        """Every protected route says so before anything else is looked at; nothing is changed."""
        totp = joao.add()
        [access] = store.repository(Access).find()
        text = {"token": joao.token, "upper": joao.token.upper(), "hash": access.id}
        sent = {
            place: {name: value.format(**text) for name, value in values.items()}
            for place, values in credentials.items()
        }
        for method, path in [
            ("GET", "/api/auth/user"),
            ("POST", "/api/management/totp"),
            ("PUT", "/api/management/totp"),
            ("PATCH", "/api/management/totp"),
            ("DELETE", "/api/management/totp"),
            ("GET", "/api/management/export"),
            ("POST", "/api/management/import"),
        ]:
            response = client.open(path, method=method, json={"id": totp["id"], "unknown": 1}, **sent)
            assert (method, path, response.status_code, response.json) == (method, path, 401, NOBODY)
            assert response.headers["WWW-Authenticate"] == "Bearer"
        assert [each["id"] for each in joao.export] == [totp["id"]]


class TestUserInformation:
    """`GET /api/auth/user`."""

    def test_response(self, joao: User, maria: User) -> None:
        """Each token tells its own user."""
        assert joao.send("GET", "/api/auth/user").json == {
            "id": joao.id,
            "name": "João Silva",
            "email": "joao@example.com",
        }
        assert maria.send("GET", "/api/auth/user").json["email"] == "maria@example.com"

    def test_user_not_found(self, joao: User, store: Store) -> None:
        """The token outlives an account that was taken out of the database."""
        store.repository(VaultAccount).remove("joao@example.com")
        assert error_of(joao.send("GET", "/api/auth/user")) == (404, "user not found")


class TestListTotpCodes:
    """`GET /api/totp`."""

    def test_response(self, joao: User) -> None:
        """Every code with the end of its time step, as milliseconds and as text."""
        first = joao.add(label="Demo TOTP")
        second = joao.add(label="other", digits=8, period=3600)
        assert joao.send("GET", "/api/totp").json == [
            {
                "id": first["id"],
                "label": "Demo TOTP",
                "otp": "648307",
                "expires": 1705314630000,
                "expiresDate": "2024-01-15T10:30:30.000Z",
                "digits": 6,
            },
            {
                "id": second["id"],
                "label": "other",
                "otp": "52413228",
                "expires": 1705316400000,
                "expiresDate": "2024-01-15T11:00:00.000Z",
                "digits": 8,
            },
        ]

    def test_codes_follow_the_clock(self, joao: User, clock: Clock) -> None:
        """The next one from the moment that the answer before has named."""
        joao.add()
        codes = []
        for seconds in (0, 29.999, 0.001):
            clock.tick(seconds)
            codes += [entry["otp"] for entry in joao.send("GET", "/api/totp").json]
        assert codes == ["648307", "648307", "764426"]

    def test_response_without_token(self, client: Client, joao: User) -> None:
        """An empty list, and no error."""
        joao.add()
        response = client.get("/api/totp")
        assert (response.status_code, response.json) == (200, [])

    @pytest.mark.parametrize("authorization", ["Bearer x", "Bearer", "Basic eDp5"])
    def test_response_with_a_token_that_opens_nothing(self, client: Client, authorization: str) -> None:
        """An error: who sends a token means it."""
        response = client.get("/api/totp", headers={"Authorization": authorization})
        assert (response.status_code, response.json) == (401, NOBODY)

    def test_response_with_an_expired_token(self, joao: User, clock: Clock) -> None:
        """Likewise."""
        clock.tick(30 * 86_400)
        assert error_of(joao.send("GET", "/api/totp")) == (401, "unauthorized")

    def test_order(self, joao: User) -> None:
        """By `sort`, and then by age."""
        for label, sort in [("c", 0), ("d", 1), ("a", -1), ("b", -1)]:
            joao.add(label=label, sort=sort)
        assert [entry["label"] for entry in joao.send("GET", "/api/totp").json] == ["a", "b", "c", "d"]


class TestCreateTotp:
    """`POST /api/management/totp`."""

    def test_response(self, joao: User) -> None:
        """All that was given, with the id and the user's."""
        response = joao.send("POST", "/api/management/totp", COMPLETE)
        totp_id = response.json["data"]["id"]
        assert UUID.fullmatch(totp_id)
        assert (response.status_code, response.json) == (
            200,
            {"success": True, "data": {"id": totp_id, "userId": joao.id, **COMPLETE}},
        )

    def test_defaults(self, joao: User) -> None:
        """Those of authenticator apps, and nothing else."""
        totp = joao.add()
        del totp["id"], totp["userId"]
        assert totp == GITHUB | {
            "digits": 6,
            "period": 30,
            "algorithm": "SHA-1",
            "icon": None,
            "metadata": {},
            "sort": 0,
        }

    @pytest.mark.parametrize(
        ("given", "answered", "code"),
        [
            ("SHA-1", "SHA-1", "648307"),
            ("sha1", "SHA-1", "648307"),
            ("SHA-256", "SHA-256", "058049"),
            ("SHA512", "SHA-512", "369798"),
        ],
    )
    def test_algorithm(self, joao: User, given: str, answered: str, code: str) -> None:
        """In any usual spelling, answered in the document's, and applied."""
        assert joao.add(algorithm=given)["algorithm"] == answered
        assert joao.send("GET", "/api/totp").json[0]["otp"] == code

    def test_secret_is_answered_in_canonical_form(self, joao: User) -> None:
        """Upper case without spaces, dashes and padding."""
        assert joao.add(secret="jbsw y3dp-ehpk 3pxp==")["secret"] == "JBSWY3DPEHPK3PXP"

    @pytest.mark.parametrize(
        "body",
        [{}, {"label": "GitHub"}, {"secret": "JBSWY3DPEHPK3PXP"}, GITHUB | {"label": ""}, GITHUB | {"secret": None}],
    )
    def test_label_and_secret_are_required(self, joao: User, body: Any) -> None:
        """Missing, null and empty are one mistake."""
        response = joao.send("POST", "/api/management/totp", body)
        assert error_of(response) == (400, "label and secret are required")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"label": 1}, "label is of type int; accepted is a string"),
            ({"label": "a\0"}, r"label contains the character '\x00'; accepted is printable text"),
            (
                {"secret": "NEW_SECRET"},
                (
                    "the secret is not base32: character 4 is '_'; accepted are the letters A to Z and the digits 2 "
                    "to 7, with spaces, dashes or padding"
                ),
            ),
            ({"digits": 5}, "digits is 5; accepted are 6, 7 and 8"),
            ({"digits": "6"}, "digits is '6'; accepted are 6, 7 and 8"),
            ({"period": 0}, "period is 0; accepted are whole seconds from 1 to 86400"),
            ({"period": 30.0}, "period is 30.0; accepted are whole seconds from 1 to 86400"),
            ({"algorithm": "MD5"}, "algorithm is 'MD5'; accepted are sha1, sha256 and sha512"),
            ({"icon": {}}, "icon is of type dict; accepted is a string"),
            ({"sort": True}, "sort is True; accepted are whole numbers of 32 bits"),
            (
                {"userId": UNKNOWN_ID},
                "Unknown field 'userId'; accepted: label, secret, digits, period, algorithm, icon, metadata, sort",
            ),
            (
                {"id": UNKNOWN_ID},
                "Unknown field 'id'; accepted: label, secret, digits, period, algorithm, icon, metadata, sort",
            ),
        ],
    )
    def test_bad_input(self, joao: User, change: dict[str, Any], message: str) -> None:
        """It is refused in a sentence without the secret, and nothing is stored."""
        response = joao.send("POST", "/api/management/totp", GITHUB | change)
        assert error_of(response) == (400, message)
        assert joao.export == []

    def test_number_that_no_answer_could_carry(self, joao: User, client: Client) -> None:
        """1e999 is JSON, and what it is read as is not."""
        response = client.post(
            f"/api/management/totp?token={joao.token}",
            data='{"label": "a", "secret": "AA", "metadata": {"a": 1e999}}',
            content_type="application/json",
        )
        status, message = error_of(response)
        assert status == 400
        assert message.startswith("metadata is not what is accepted")
        assert joao.export == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
class TestUpdateTotp:
    """`PUT` or `PATCH /api/management/totp`: both change what is given."""

    def test_response(self, joao: User, method: str) -> None:
        """The TOTP as it is now."""
        totp = joao.add()
        changes = {
            "label": "GitHub Updated",
            "secret": "KRSXG5DTMVRXEZLU",
            "digits": 8,
            "period": 60,
            "algorithm": "SHA-256",
            "icon": "new-icon.png",
            "metadata": {"updated": True},
            "sort": 2,
        }
        response = joao.send(method, "/api/management/totp", {"id": totp["id"], **changes})
        updated = {"id": totp["id"], "userId": joao.id, **changes}
        assert (response.status_code, response.json) == (200, {"success": True, "data": updated})
        assert joao.send("GET", "/api/totp").json[0]["otp"] == "76835569"

    @pytest.mark.parametrize("change", [{"label": "a"}, {"digits": 7}, {"icon": None}, {"metadata": {}}, {}], ids=str)
    def test_other_fields_stay(self, joao: User, method: str, change: dict[str, Any]) -> None:
        """Also by PUT, as the document's "optional fields" say."""
        totp_id = joao.add(**COMPLETE)["id"]
        response = joao.send(method, "/api/management/totp", {"id": totp_id, **change})
        assert response.json["data"] == {"id": totp_id, "userId": joao.id, **COMPLETE, **change}

    @pytest.mark.parametrize("body", [{}, {"label": "a"}, {"id": None}, {"id": ""}])
    def test_id_is_required(self, joao: User, method: str, body: Any) -> None:
        """Missing, null and empty are one mistake."""
        assert error_of(joao.send(method, "/api/management/totp", body)) == (400, "id is required")

    @pytest.mark.parametrize("id", [UNKNOWN_ID, "x", "\0"])
    def test_totp_not_found(self, joao: User, method: str, id: str) -> None:
        """Whatever the id looks like."""
        response = joao.send(method, "/api/management/totp", {"id": id, "label": "a"})
        assert (response.status_code, response.json) == (404, NOT_THEIRS)

    def test_access_denied(self, joao: User, maria: User, method: str) -> None:
        """The answer does not tell that it exists, and it stays as it is."""
        totp_id = joao.add()["id"]
        response = maria.send(method, "/api/management/totp", {"id": totp_id, "label": "mine"})
        assert (response.status_code, response.json) == (404, NOT_THEIRS)
        assert [totp["label"] for totp in joao.export] == ["GitHub"]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"digits": 5}, "digits is 5; accepted are 6, 7 and 8"),
            ({"label": ""}, "label is empty; accepted is a string with a visible character"),
            ({"secret": None}, "secret is missing; accepted is a base32 string"),
            ({"id": 1}, "id is of type int; accepted is a string"),
        ],
    )
    def test_bad_input(self, joao: User, method: str, change: dict[str, Any], message: str) -> None:
        """It is refused in a sentence, and nothing is changed, not even what is right."""
        totp_id = joao.add()["id"]
        response = joao.send(method, "/api/management/totp", {"id": totp_id, "sort": 5, **change})
        assert error_of(response) == (400, message)
        assert [totp["sort"] for totp in joao.export] == [0]


class TestDeleteTotp:
    """`DELETE /api/management/totp`."""

    def test_response(self, joao: User) -> None:
        """The TOTP as it was; the others stay."""
        first, second = joao.add(label="first"), joao.add(label="second")
        response = joao.send("DELETE", "/api/management/totp", {"id": first["id"]})
        assert (response.status_code, response.json) == (200, {"success": True, "data": first})
        assert [totp["id"] for totp in joao.export] == [second["id"]]

    @pytest.mark.parametrize("body", [{}, {"id": None}, {"id": ""}])
    def test_id_is_required(self, joao: User, body: Any) -> None:
        """Missing, null and empty are one mistake; nothing is deleted."""
        joao.add()
        assert error_of(joao.send("DELETE", "/api/management/totp", body)) == (400, "id is required")
        assert len(joao.export) == 1

    def test_totp_not_found(self, joao: User) -> None:
        """Also one that is deleted already."""
        totp_id = joao.add()["id"]
        statuses = [joao.send("DELETE", "/api/management/totp", {"id": totp_id}).status_code for _ in range(2)]
        assert statuses == [200, 404]

    def test_access_denied(self, joao: User, maria: User) -> None:
        """The answer does not tell that it exists, and it stays."""
        totp_id = joao.add()["id"]
        response = maria.send("DELETE", "/api/management/totp", {"id": totp_id})
        assert (response.status_code, response.json) == (404, NOT_THEIRS)
        assert [totp["id"] for totp in joao.export] == [totp_id]


class TestExportTotps:
    """`GET /api/management/export`."""

    def test_response(self, joao: User) -> None:
        """A file with all of them, without whose they are."""
        first, second = joao.add(**COMPLETE), joao.add(sort=2)
        for totp in (first, second):
            del totp["userId"]
        response = joao.send("GET", "/api/management/export")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Content-Disposition"] == 'attachment; filename="totps-export.json"'
        assert response.json == {
            "version": "1.0",
            "exportedAt": "2024-01-15T10:30:00.000Z",
            "count": 2,
            "totps": [first, second],
        }

    def test_nothing_to_export(self, joao: User) -> None:
        """An empty file."""
        assert joao.send("GET", "/api/management/export").json == {
            "version": "1.0",
            "exportedAt": "2024-01-15T10:30:00.000Z",
            "count": 0,
            "totps": [],
        }


class TestImportTotps:
    """`POST /api/management/import`."""

    def test_response(self, joao: User) -> None:
        """All of them, each with its id."""
        entries = [COMPLETE, {"label": "Google", "secret": "KRSXG5DTMVRXEZLU", "digits": 6, "period": 30}]
        response = joao.send("POST", "/api/management/import", {"totps": entries})
        assert response.status_code == 200
        assert response.json["success"] is True
        assert response.json["imported"] == 2
        first, second = response.json["data"]
        assert first == {"id": first["id"], "userId": joao.id, **COMPLETE}
        assert second == {
            "id": second["id"],
            "userId": joao.id,
            **entries[1],
            "algorithm": "SHA-1",
            "icon": None,
            "metadata": {},
            "sort": 0,
        }
        assert first["id"] != second["id"]

    def test_an_export_is_imported_as_it_is(self, joao: User, maria: User) -> None:
        """With new ids: what has the old ones stays as it is, whosever it is."""
        joao.add(**COMPLETE)
        export = joao.send("GET", "/api/management/export").json
        response = maria.send("POST", "/api/management/import", export)
        assert response.json["imported"] == 1
        [mine], [theirs] = maria.export, joao.export
        assert mine.pop("id") != theirs.pop("id")
        assert mine == theirs == COMPLETE

    def test_importing_again_adds_again(self, joao: User) -> None:
        """It overwrites nothing."""
        for _ in range(2):
            joao.send("POST", "/api/management/import", {"totps": [GITHUB]})
        assert [totp["label"] for totp in joao.export] == ["GitHub", "GitHub"]

    def test_nothing_to_import(self, joao: User) -> None:
        """An empty array is one."""
        response = joao.send("POST", "/api/management/import", {"totps": []})
        assert (response.status_code, response.json) == (200, {"success": True, "imported": 0, "data": []})

    @pytest.mark.parametrize("body", [{}, {"totps": None}, {"totps": {}}, {"totps": "a"}, {"version": "1.0"}])
    def test_totps_array_is_required(self, joao: User, body: Any) -> None:
        """Missing, null and of another type are one mistake."""
        assert error_of(joao.send("POST", "/api/management/import", body)) == (400, "totps array is required")

    @pytest.mark.parametrize(
        "entry",
        [{}, {"label": "a"}, {"secret": "AA"}, GITHUB | {"label": ""}, GITHUB | {"secret": None}, "a", None, []],
    )
    def test_each_totp_must_have_label_and_secret(self, joao: User, entry: Any) -> None:
        """All or none: the right ones before and behind are not imported either."""
        response = joao.send("POST", "/api/management/import", {"totps": [GITHUB, entry, GITHUB]})
        assert error_of(response) == (400, "each TOTP must have label and secret")
        assert joao.export == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"digits": 5}, "digits is 5; accepted are 6, 7 and 8"),
            ({"label": 1}, "label is of type int; accepted is a string"),
            (
                {"pin": 1},
                (
                    "Unknown field 'pin' of a TOTP; accepted: id, label, secret, digits, period, algorithm, icon, "
                    "metadata, sort"
                ),
            ),
        ],
    )
    def test_bad_input(self, joao: User, change: dict[str, Any], message: str) -> None:
        """All or none here too."""
        response = joao.send("POST", "/api/management/import", {"totps": [GITHUB, GITHUB | change]})
        assert error_of(response) == (400, message)
        assert joao.export == []


class TestEachUserOnlyAccessesTheirOwnTotps:
    """Every route, with the credentials of the wrong user."""

    def test_every_route(self, client: Client, joao: User, maria: User, store: Store) -> None:
        """Maria's token shows and changes nothing of João's, whichever of his ids she sends."""
        totp = joao.add()
        body = {"id": totp["id"], "label": "mine"}
        expected: dict[tuple[str, str], tuple[Any, int]] = {
            ("POST", "/api/auth/register"): ({**JOAO, "password": "mine"}, 409),
            ("POST", "/api/auth/login"): ({"email": JOAO["email"], "password": MARIA["password"]}, 401),
            ("POST", "/api/auth/token"): ({"userId": maria.id}, 200),
            ("POST", "/api/auth/revoke"): ({"token": joao.id}, 200),
            ("GET", "/api/auth/user"): (None, 200),
            ("GET", "/api/totp"): (None, 200),
            ("POST", "/api/management/totp"): ({**GITHUB, "userId": joao.id}, 400),
            ("PUT", "/api/management/totp"): (body, 404),
            ("PATCH", "/api/management/totp"): (body, 404),
            ("DELETE", "/api/management/totp"): ({"id": totp["id"]}, 404),
            ("GET", "/api/management/export"): (None, 200),
            ("POST", "/api/management/import"): ({"totps": [{**GITHUB, "id": totp["id"]}]}, 200),
        }
        app: Any = create_app()
        served = {(route.method, route.path) for route in app.app.routes if "openapi" not in route.path}
        assert served == set(expected)
        before = (store.repository(VaultAccount).get(JOAO["email"]), store.repository(Totp).find(user_id=joao.id))
        for (method, path), (sent, status) in expected.items():
            response = maria.send(method, path, sent)
            assert (method, path, response.status_code) == (method, path, status)
            assert joao.id not in response.text
            assert totp["id"] not in response.text
        assert (
            store.repository(VaultAccount).get(JOAO["email"]),
            store.repository(Totp).find(user_id=joao.id),
        ) == before
        assert joao.send("GET", "/api/auth/user").json["id"] == joao.id


class TestSecurity:
    """What the document's list of that name promises."""

    def test_rate_limit(self, client: Client, clock: Clock) -> None:
        """120 requests a minute from an address; the answer says when there are more."""
        clock.tick(20)
        assert {client.get("/api/totp").status_code for _ in range(120)} == {200}
        response = client.get("/api/totp")
        assert error_of(response) == (429, "Too many requests; accepted are 120 a minute, and again in 40 s")
        assert response.headers["Retry-After"] == "40"
        clock.tick(39)
        assert client.get("/api/totp").headers["Retry-After"] == "1"
        clock.tick(1)
        assert client.get("/api/totp").status_code == 200

    def test_rate_limit_counts_every_request(self, clock: Clock, store: Store) -> None:
        """Also wrong logins and unknown paths, and each address on its own."""
        client = Client(create_app(clock=clock, store=store, rate_limit=2))
        wrong = {"email": "joao@example.com", "password": "a"}
        assert client.post("/api/auth/login", json=wrong).status_code == 401
        assert client.get("/nowhere").status_code == 404
        assert client.post("/api/auth/login", json=wrong).status_code == 429
        assert client.get("/api/totp", environ_overrides={"REMOTE_ADDR": "127.0.0.2"}).status_code == 200

    def test_no_rate_limit(self, clock: Clock, store: Store) -> None:
        """For a suite that asks often while time stands still."""
        client = Client(create_app(clock=clock, store=store, rate_limit=None))
        assert {client.get("/api/totp").status_code for _ in range(200)} == {200}

    @pytest.mark.parametrize("origins", [(), ("https://app.example",)])
    def test_cors_by_option(self, monkeypatch: pytest.MonkeyPatch, origins: tuple[str, ...]) -> None:
        """The option wins over the environment, an empty one too."""
        monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://other.example")
        client = Client(create_app(cors_origins=origins))
        allowed = [
            client.get("/api/totp", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin")
            for origin in ("https://app.example", "https://other.example")
        ]
        assert allowed == [*origins, None] if origins else [None, None]

    @pytest.mark.parametrize(
        ("environment", "allowed"),
        [
            (None, [None, None]),
            ("", [None, None]),
            ("https://app.example", ["https://app.example", None]),
            (" https://app.example , https://other.example,", ["https://app.example", "https://other.example"]),
            ("*", ["*", "*"]),
        ],
    )
    def test_cors_by_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, environment: str | None, allowed: list[str | None]
    ) -> None:
        """CORS_ALLOWED_ORIGINS, separated by commas; without it no page of another origin reads anything."""
        monkeypatch.delenv("CORS_ALLOWED_ORIGINS", raising=False)
        if environment is not None:
            monkeypatch.setenv("CORS_ALLOWED_ORIGINS", environment)
        client = Client(create_app())
        assert allowed == [
            client.get("/api/totp", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin")
            for origin in ("https://app.example", "https://other.example")
        ]

    def test_cors_preflight_of_an_update(self) -> None:
        """A page may send PATCH with its token and JSON."""
        client = Client(create_app(cors_origins=("https://app.example",)))
        response = client.options(
            "/api/management/totp",
            headers={"Origin": "https://app.example", "Access-Control-Request-Method": "PATCH"},
        )
        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"

    def test_cors_lets_pages_read_the_headers_of_export_and_rate_limit(self) -> None:
        """The file's name, and when to ask again."""
        client = Client(create_app(cors_origins=("https://app.example",)))
        response = client.get("/api/totp", headers={"Origin": "https://app.example"})
        assert response.headers["Access-Control-Expose-Headers"] == "Content-Disposition, Retry-After"

    def test_cost_of_passwords(self, store: Store) -> None:
        """As asked for."""
        Client(create_app(store=store, bcrypt_cost=5)).post("/api/auth/register", json=JOAO)
        [account] = store.repository(VaultAccount).find()
        assert account.password_hash.startswith("$2b$05$")

    def test_token_in_the_query_string_is_in_no_log(self) -> None:
        """The log has methods, paths and statuses."""
        lines: list[str] = []
        server = Server(create_app(), access_log=lines.append)
        server.start()
        try:
            requests.get(f"{server.url}/api/totp", params={"token": "c8eeaabf3ef14ffc811cab37ba16753f"}, timeout=5)
        finally:
            server.stop()
        assert lines == ["GET '/api/totp' 401"]


class TestInitialSeed:
    """The demo account, in a database."""

    def test_typical_flow_with_the_demo_account(self, tmp_path: Path, clock: Clock) -> None:
        """Seeded by one process and served by another, with the fixed token or one of its own."""
        url = f"sqlite:///{tmp_path}/vault.db"
        seeding = SqlStore(url)
        seed(seeding, clock)
        seeding.close()
        store = SqlStore(url)
        try:
            client = Client(create_app(clock=clock, store=store))
            user = client.post("/api/auth/login", json={"email": "demo@email.com", "password": "pass123"}).json
            assert user == {"id": user["id"], "name": "Admin", "email": "demo@email.com"}
            fixed = "c8eeaabf3ef14ffc811cab37ba16753f"
            own = client.post("/api/auth/token", json={"userId": user["id"]}).json["token"]
            for token in (fixed, own):
                [entry] = client.get("/api/totp", headers={"Authorization": f"Bearer {token}"}).json
                assert (entry["label"], entry["otp"]) == ("Demo TOTP", "648307")
        finally:
            store.close()

    def test_everything_survives_a_restart(self, tmp_path: Path, clock: Clock) -> None:
        """Account, token and TOTP, with all its fields."""
        url = f"sqlite:///{tmp_path}/vault.db"
        store = SqlStore(url)
        joao = sign_up(Client(create_app(clock=clock, store=store)), JOAO)
        totp = joao.add(**COMPLETE)
        store.close()
        store = SqlStore(url)
        try:
            client = Client(create_app(clock=clock, store=store))
            assert (
                client.post("/api/auth/login", json={"email": JOAO["email"], "password": "senha123"}).json["id"]
                == joao.id
            )
            del totp["userId"]
            assert User(client, joao.id, joao.token).export == [totp]
        finally:
            store.close()


class TestEverythingElse:
    """What every practice backend does alike."""

    def test_unknown_path(self, client: Client) -> None:
        """Errors have one shape."""
        assert error_of(client.get("/api/nothing")) == (404, "Not found")

    def test_other_method(self, client: Client) -> None:
        """It names those that there are."""
        response = client.get("/api/auth/login")
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")

    def test_body_of_another_type(self, client: Client) -> None:
        """A form of another page would need no permission to be sent."""
        assert error_of(client.post("/api/auth/login", data=JOAO))[0] == 415

    def test_foreign_host(self, client: Client) -> None:
        """A page on a foreign name that resolves to this machine reads nothing."""
        assert client.get("/api/totp", headers={"Host": "rebind.example"}).status_code == 400

    def test_policy_has_no_effect(self, clock: Clock, store: Store) -> None:
        """Vault judges no codes; a policy is taken, as by every practice backend."""
        assert VerifierPolicy() == DEFAULT_POLICY
        client = Client(create_app(clock=clock, store=store, policy=VerifierPolicy(window=0)))
        sign_up(client, JOAO).add()

    @pytest.mark.parametrize(
        "options", [{"rate_limit": 0}, {"rate_limit": True}, {"bcrypt_cost": 3}, {"cors_origins": ("app.example",)}]
    )
    def test_refused_options(self, options: dict[str, Any]) -> None:
        """An app that could not work is not made."""
        with pytest.raises(InvalidInput):
            create_app(**options)

    def test_app_alone_has_a_store_of_its_own(self) -> None:
        """Nothing is shared between apps."""
        first, second = Client(create_app()), Client(create_app())
        assert [client.post("/api/auth/register", json=JOAO).status_code for client in (first, second)] == [200, 200]
