"""The wire of simple, in the order of its API document."""

import pytest

from pytest_totphog.backends.simple.app import DEFAULT_POLICY, create_app
from pytest_totphog.backends.simple.model import User
from pytest_totphog.backends.verifier import VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials.qr import data_uri
from pytest_totphog.stores.memory import MemoryStore
from tests.support.client import Client
from tests.support.threads import in_threads

# For JBSWY3DPEHPK3PXP, by the half minute around 2024-01-15T10:30:00Z, as oathtool has them.
TWO_BEFORE, BEFORE, CURRENT, AFTER, TWO_AFTER = "800273", "286522", "648307", "764426", "812434"


@pytest.fixture
def client(client: Client, store: MemoryStore) -> Client:
    """A client of the app, where user1 is registered."""
    store.repository(User).add(User("user1", "JBSWY3DPEHPK3PXP"))
    return client


def verify(client: Client, token: str) -> tuple[int, str]:
    """Send a code of user1 and return status and message."""
    response = client.post("/verify-totp", json={"username": "user1", "token": token})
    assert list(response.json) == ["message"]
    return response.status_code, response.json["message"]


RIGHT = (200, "Token verified successfully")
WRONG = (400, "Invalid token")


class TestRegisterAUser:
    """`POST /register`."""

    def test_user_registered(self, client: Client, store: MemoryStore) -> None:
        """The answer shows the secret, and the key URI as a QR code."""
        response = client.post("/register", json={"username": "user2"})
        assert response.status_code == 200
        user = store.repository(User).get("user2")
        uri = f"otpauth://totp/TOTP%20Demo%20%28user2%29?secret={user.secret}&algorithm=SHA1&digits=6&period=30"
        assert response.json == {"message": "User registered", "secret": user.secret, "qrCode": data_uri(uri)}

    @pytest.mark.parametrize("body", [{}, {"username": ""}, {"username": None}])
    def test_username_is_required(self, client: Client, body: object) -> None:
        """Missing, empty and null are one mistake."""
        response = client.post("/register", json=body)
        assert (response.status_code, response.json) == (400, {"message": "Username is required"})

    @pytest.mark.parametrize("body", [{"secret": "AA"}, {"name": "user2", "username": ""}])
    def test_the_document_s_message_comes_first(self, client: Client, body: object) -> None:
        """Before the one about an unknown field; and without a body it is the same."""
        for response in client.post("/register", json=body), client.post("/register"):
            assert (response.status_code, response.json) == (400, {"message": "Username is required"})

    def test_existing_username(self, client: Client, store: MemoryStore) -> None:
        """The user gets another secret, as in the document's code."""
        response = client.post("/register", json={"username": "user1"})
        assert (response.status_code, response.json["message"]) == (200, "User registered")
        assert response.json["secret"] == store.repository(User).get("user1").secret != "JBSWY3DPEHPK3PXP"

    def test_existing_username_where_the_policy_refuses_it(self, store: MemoryStore) -> None:
        """The secret stays."""
        store.repository(User).add(User("user1", "JBSWY3DPEHPK3PXP"))
        client = Client(create_app(store=store, policy=VerifierPolicy(reregister=False)))
        response = client.post("/register", json={"username": "user1"})
        assert (response.status_code, response.json) == (409, {"message": "User already exists"})
        assert store.repository(User).get("user1").secret == "JBSWY3DPEHPK3PXP"

    def test_sixteen_threads_register_one_username(self, store: MemoryStore) -> None:
        """Where the policy refuses it a second time, it exists once, and the other fifteen are told so."""
        client = Client(create_app(store=store, policy=VerifierPolicy(reregister=False)))

        def register(_: int) -> tuple[int, str | None]:
            response = client.post("/register", json={"username": "user2"})
            return response.status_code, response.json.get("secret")

        answers = in_threads(16, register)
        user = store.repository(User).get("user2")
        assert sorted(answers, key=lambda answer: answer[0]) == [(200, user.secret), *[(409, None)] * 15]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"username": 1}, "username is of type int; accepted is a string"),
            ({"username": ["user2"]}, "username is of type list; accepted is a string"),
            ({"username": "user2", "secret": "AA"}, "Unknown field 'secret'; accepted: username"),
            (["user2"], "The body is not a JSON object"),
        ],
    )
    def test_bad_input(self, client: Client, store: MemoryStore, body: object, message: str) -> None:
        """It is refused in a sentence, and nothing is stored."""
        response = client.post("/register", json=body)
        assert (response.status_code, response.json) == (400, {"message": message})
        assert len(store.repository(User).find()) == 1

    def test_a_form_is_no_json(self, client: Client) -> None:
        """A form of another page would need no permission of ours to be sent."""
        response = client.post("/register", data={"username": "user2"})
        assert response.status_code == 415


class TestGetTotpCodeForAUser:
    """`GET /get-totp/<username>`."""

    def test_current_code(self, client: Client, clock: Clock) -> None:
        """It is the code that the user's authenticator app shows."""
        assert client.get("/get-totp/user1").json == {"username": "user1", "token": CURRENT}
        clock.tick(30)
        assert client.get("/get-totp/user1").json == {"username": "user1", "token": AFTER}

    def test_user_not_found(self, client: Client) -> None:
        """Names are told apart by case."""
        response = client.get("/get-totp/User1")
        assert (response.status_code, response.json) == (404, {"message": "User not found"})

    @pytest.mark.parametrize(
        ("username", "path"),
        [
            ("alice@example.com", "alice%40example.com"),
            ("a b", "a%20b"),
            ("a+b", "a+b"),
            ("100%", "100%25"),
            ("a?b#c", "a%3Fb%23c"),
            ("Zoë", "Zo%C3%AB"),
            ("Жанна", "%D0%96%D0%B0%D0%BD%D0%BD%D0%B0"),
            ("🦔", "%F0%9F%A6%94"),
        ],
    )
    def test_percent_encoded_username(self, client: Client, username: str, path: str) -> None:
        """A path is UTF-8, percent-encoded, and a plus is a plus."""
        assert client.post("/register", json={"username": username}).status_code == 200
        response = client.get(f"/get-totp/{path}")
        assert (response.status_code, response.json["username"]) == (200, username)

    @pytest.mark.parametrize("path", ["%00", "%FF", "%ED%A0%80", "a%0Ab", "user1%20"])
    def test_path_that_names_nobody(self, client: Client, path: str) -> None:
        """Neither a control character nor broken UTF-8 is a mistake of the server's."""
        response = client.get(f"/get-totp/{path}")
        assert (response.status_code, response.json) == (404, {"message": "User not found"})


class TestVerifyTheTotpCode:
    """`POST /verify-totp`."""

    def test_response_if_successful(self, client: Client) -> None:
        """The current code is right."""
        assert verify(client, CURRENT) == RIGHT

    def test_response_if_failed(self, client: Client) -> None:
        """A wrong code is a bad request, and no 401."""
        assert verify(client, "000000") == WRONG

    @pytest.mark.parametrize(
        ("token", "answer"), [(TWO_BEFORE, WRONG), (BEFORE, RIGHT), (AFTER, RIGHT), (TWO_AFTER, WRONG)]
    )
    def test_a_window_of_one_step(self, client: Client, token: str, answer: tuple[int, str]) -> None:
        """The step before and the step after are accepted, and no others."""
        assert verify(client, token) == answer

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"username": "user1"},
            {"token": CURRENT},
            {"username": "", "token": CURRENT},
            {"username": "user1", "token": ""},
            {"username": "user1", "token": None},
        ],
    )
    def test_username_and_token_are_required(self, client: Client, body: object) -> None:
        """Whichever is missing."""
        response = client.post("/verify-totp", json=body)
        assert (response.status_code, response.json) == (400, {"message": "Username and token are required"})

    @pytest.mark.parametrize("username", ["user2", "\x00", "a/b"])
    def test_user_not_found(self, client: Client, username: str) -> None:
        """Also a name that nobody could have."""
        response = client.post("/verify-totp", json={"username": username, "token": CURRENT})
        assert (response.status_code, response.json) == (404, {"message": "User not found"})

    @pytest.mark.parametrize(
        "token", ["648 307", " 648307", "\uff16\uff14\uff18\uff13\uff10\uff17", "64830", "6483070", "648307\n"]
    )
    def test_code_of_another_form(self, client: Client, token: str) -> None:
        """ASCII digits of the exact length, and nothing that is made into them (CVE-2025-6014)."""
        assert verify(client, token) == WRONG

    def test_number_is_no_code(self, client: Client) -> None:
        """A number has lost its leading zeros."""
        response = client.post("/verify-totp", json={"username": "user1", "token": 648307})
        assert (response.status_code, response.json) == (400, {"message": "token is of type int; accepted is a string"})

    def test_replay_is_accepted_by_default(self, client: Client) -> None:
        """The document says nothing of it, and its code accepts it."""
        assert [verify(client, CURRENT), verify(client, CURRENT)] == [RIGHT, RIGHT]

    def test_nobody_is_locked_by_default(self, client: Client) -> None:
        """The document knows no lockout."""
        assert [verify(client, "000000") for _ in range(20)] == [WRONG] * 20
        assert verify(client, CURRENT) == RIGHT


class TestPolicy:
    """What the document says nothing of, and a policy demands."""

    def test_the_default_is_the_document_s(self) -> None:
        """Window 1, no lockout, replay accepted."""
        assert VerifierPolicy(window=1, one_time=False, max_failures=None, reregister=True) == DEFAULT_POLICY

    def test_replay_is_refused(self, clock: Clock, store: MemoryStore) -> None:
        """One wrong answer like any other, in the trailing window too (CVE-2021-43177)."""
        client = Client(create_app(clock=clock, store=store, policy=VerifierPolicy(one_time=True)))
        store.repository(User).add(User("user1", "JBSWY3DPEHPK3PXP"))
        assert [verify(client, CURRENT), verify(client, CURRENT)] == [RIGHT, WRONG]
        clock.tick(30)
        assert [verify(client, CURRENT), verify(client, AFTER)] == [WRONG, RIGHT]

    def test_locked_user_is_answered_as_for_a_wrong_code(self, clock: Clock, store: MemoryStore) -> None:
        """The right code is wrong until the lockout is over; other users are not locked."""
        policy = VerifierPolicy(one_time=False, max_failures=2, lockout_seconds=20)
        client = Client(create_app(clock=clock, store=store, policy=policy))
        store.repository(User).add(User("user1", "JBSWY3DPEHPK3PXP"), User("user2", "JBSWY3DPEHPK3PXP"))
        assert [verify(client, token) for token in ("000000", "000000", CURRENT)] == [WRONG] * 3
        assert client.post("/verify-totp", json={"username": "user2", "token": CURRENT}).status_code == 200
        clock.tick(20)
        assert verify(client, CURRENT) == RIGHT


class TestEverythingElse:
    """Paths and methods that the document does not have."""

    def test_unknown_path(self, client: Client) -> None:
        """Errors have one shape."""
        response = client.get("/users")
        assert (response.status_code, response.json) == (404, {"message": "Not found"})

    def test_other_method(self, client: Client) -> None:
        """It names those that there are."""
        response = client.get("/register")
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")

    def test_foreign_host(self, client: Client) -> None:
        """A page on a foreign name that resolves to this machine reads no secrets."""
        response = client.get("/get-totp/user1", headers={"Host": "rebind.example"})
        assert response.status_code == 400

    def test_app_alone_has_a_live_clock_and_a_store_of_its_own(self) -> None:
        """Nothing is shared between apps."""
        first, second = Client(create_app()), Client(create_app())
        secret = first.post("/register", json={"username": "user1"}).json["secret"]
        token = first.get("/get-totp/user1").json["token"]
        assert verify(first, token) == RIGHT
        assert second.post("/register", json={"username": "user1"}).json["secret"] != secret
