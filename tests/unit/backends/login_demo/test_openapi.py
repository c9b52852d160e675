"""The OpenAPI document of login-demo: it and the running app say the same, whatever is sent."""

import json
from typing import Any, ClassVar

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pytest_totphog.backends.login_demo.app import create_app
from pytest_totphog.backends.login_demo.model import DemoAccount, SecondFactor
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.routes import Route
from tests.support.client import Client
from tests.unit.backends.contract import Contract, DocumentTests

CONTRACT = Contract("pytest_totphog.backends.login_demo")
USER = {"email": "ada@example.com", "password": "correct horse"}


class TestDocument(DocumentTests):
    """The document and the routes."""

    contract: ClassVar[Contract] = CONTRACT
    routes: ClassVar[tuple[Route, ...]] = create_app(send_reset=lambda *_: None).routes

    @pytest.fixture
    def client(self) -> Client:
        """A client of the app with all that it can have."""
        return Client(create_app(send_reset=lambda *_: None))


@pytest.mark.parametrize(
    ("path", "schema", "field", "accepted", "refused"),
    [
        (
            "register",
            "Credentials",
            "email",
            ["a@b", "a" * 64 + "@" + "b" * 189],
            ["", "a", "a b@c", "ä@b", "a" * 64 + "@" + "b" * 190, 1, None],
        ),
        ("register", "Credentials", "password", ["x", " ", "ж" * 1024], ["", "\0", "\x7f", "x" * 1025, 1, None]),
        ("register", "Credentials", "more", [], ["x"]),
        ("login", "LoginRequest", "totpCode", ["", "123456", None], [123456, True, []]),
        ("login", "LoginRequest", "code", [], ["123456"]),
    ],
)
def test_the_document_and_the_server_accept_the_same(
    path: str, schema: str, field: str, accepted: list[Any], refused: list[Any]
) -> None:
    """At the bounds and one beyond, and nothing of another type."""
    validator = CONTRACT.validator({"$ref": f"#/components/schemas/{schema}"})
    for fits, values in ((True, accepted), (False, refused)):
        for value in values:
            client = Client(create_app())
            if path == "login":
                client.post("/api/auth/register", json=USER)
            body = {**USER, field: value}
            status = client.post(f"/api/auth/{path}", json=body).status_code
            assert (value, validator.is_valid(body), status) == (value, fits, 200 if fits else 400)


# Requests that are made up


class Backend:
    """An app with one user, who is logged in and has a second factor to verify."""

    def __init__(self) -> None:
        clock = Clock()
        clock.freeze("2024-01-15T10:30:00Z")
        store = MemoryStore()
        self.app = create_app(
            clock=clock, store=store, jwt_key="the key of the login-demo's tests", send_reset=lambda *_: None
        )
        self._repositories: list[Any] = [store.repository(DemoAccount), store.repository(SecondFactor)]
        client = Client(self.app)
        client.post("/api/auth/register", json=USER)
        token = client.post("/api/auth/login", json=USER).json["token"]
        self.bearer = {"Authorization": f"Bearer {token}"}
        client.post("/api/mfa/totp/setup", headers=self.bearer)
        self._first = self.state()

    def state(self) -> list[list[Any]]:
        """Return all that is kept of accounts and second factors."""
        return [repository.find() for repository in self._repositories]

    def prepare(self) -> None:
        """Bring it back to its first state."""
        for repository, records in zip(self._repositories, self._first, strict=True):
            repository.clear()
            repository.add(*records)


BACKEND = Backend()
SCHEMA = schemathesis.openapi.from_dict(CONTRACT.document)
SCHEMA.app = BACKEND.app


@SCHEMA.parametrize()
@settings(max_examples=25, derandomize=True, database=None, deadline=None)
def test_made_up_requests_are_answered_as_documented(case: schemathesis.Case[Any]) -> None:
    """All checks of schemathesis hold, over its examples, its coverage of the schemas and its random requests.

    Left out is only that data which fit the schema are accepted: which code is right, no JSON Schema says.
    """
    BACKEND.prepare()
    headers = BACKEND.bearer if "security" in case.operation.definition.raw else {}
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["email", "password", "totpCode", "code", "token", ""])
POSTS = [path for method, path, _ in CONTRACT.operations if method == "POST"]


@given(
    path=st.sampled_from(POSTS),
    body=st.dictionaries(FIELDS, JSON, max_size=4).map(json.dumps) | JSON.map(json.dumps) | st.binary(),
)
@settings(max_examples=150, derandomize=True, database=None, deadline=None)
def test_made_up_bodies_are_refused_and_change_nothing(path: str, body: str | bytes) -> None:
    """Never an error of the server's, and nothing is stored but by what is accepted."""
    before = BACKEND.state()
    response = Client(BACKEND.app).post(path, data=body, headers=BACKEND.bearer, content_type="application/json")

    if response.status_code == 200:
        assert body in {b"", "{}"} or path == "/api/auth/forgot-password"
        BACKEND.prepare()
    else:
        assert 400 <= response.status_code < 500
        assert response.json.keys() == {"success", "error"}
        assert BACKEND.state() == before
