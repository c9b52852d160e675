"""The OpenAPI document of simple: it and the running app say the same, whatever is sent."""

from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pytest_totphog.backends.simple.app import create_app
from pytest_totphog.backends.simple.model import User
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.routes import Route
from tests.support.client import Client
from tests.unit.backends.contract import Contract, DocumentTests, examples

CONTRACT = Contract("pytest_totphog.backends.simple")


class TestDocument(DocumentTests):
    """The document and the routes."""

    contract: ClassVar[Contract] = CONTRACT
    routes: ClassVar[tuple[Route, ...]] = create_app().routes


def test_request_examples_are_accepted_and_answered_as_the_examples_say(client: Client, store: MemoryStore) -> None:
    """Registration makes up a secret; the other answers are those of the example's user and time."""
    bodies = {path: CONTRACT.paths[path]["post"]["requestBody"] for path in ("/register", "/verify-totp")}
    [registration], [verification] = (examples(body["content"]["application/json"]) for body in bodies.values())
    assert client.post("/register", json=registration).status_code == 200

    store.clear()
    store.repository(User).add(User("user1", "JBSWY3DPEHPK3PXP"))
    answered = CONTRACT.responses(CONTRACT.paths["/get-totp/{username}"]["get"])[200]["content"]["application/json"]
    assert client.get("/get-totp/user1").json == answered["example"]
    assert client.post("/verify-totp", json=verification).status_code == 200


@pytest.mark.parametrize(
    ("username", "accepted"),
    [
        ("a", True),
        ("a" * 200, True),
        ("...", True),
        ("Ж", True),
        ("", False),
        ("a" * 201, False),
        (".", False),
        ("..", False),
        (" ", False),
        ("a/b", False),
        ("a:b", False),
        ("\x00", False),
        (1, False),
        (None, False),
    ],
)
def test_the_document_and_the_app_accept_the_same_usernames(client: Client, username: Any, accepted: bool) -> None:
    """At the bounds and one beyond, and nothing of another type."""
    body = {"username": username}
    validator = CONTRACT.validator({"$ref": "#/components/schemas/Registration"})
    assert validator.is_valid(body) is accepted
    assert client.post("/register", json=body).status_code == (200 if accepted else 400)


# Requests that are made up

CLOCK = Clock()
CLOCK.freeze("2024-01-15T10:30:00Z")
STORE = MemoryStore()
APP = create_app(clock=CLOCK, store=STORE)
USER = User("user1", "JBSWY3DPEHPK3PXP")

SCHEMA = schemathesis.openapi.from_dict(CONTRACT.document)
SCHEMA.app = APP


def prepare() -> None:
    """Bring the app to the state of the document's examples."""
    STORE.clear()
    STORE.repository(User).add(USER)


@SCHEMA.parametrize()
@settings(max_examples=20, derandomize=True, database=None, deadline=None)
def test_made_up_requests_are_answered_as_documented(case: schemathesis.Case[Any]) -> None:
    """All checks of schemathesis hold, over its examples, its coverage of the schemas and its random requests.

    Left out is only that data which fit the schema are accepted: that a code is the right one no JSON Schema says.
    """
    prepare()
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TEXT = st.sampled_from(["user1", "648307", "", ".", "\x00", "\ud800", "a" * 201]) | st.text(st.characters())
BODY = ANYTHING | st.dictionaries(st.sampled_from(["username", "token", "secret"]), TEXT | ANYTHING)


@given(path=st.sampled_from(["/register", "/verify-totp"]), body=BODY)
@settings(max_examples=60, derandomize=True, database=None, deadline=None)
def test_bad_input_is_no_mistake_of_the_server_s_and_stores_nothing(path: str, body: Any) -> None:
    """Whatever JSON is sent, and what Python takes for JSON."""
    prepare()
    response = Client(APP).post(path, json=body)
    assert response.status_code < 500
    if response.status_code != 200:
        assert STORE.repository(User).find() == [USER]


@given(username=st.text(st.characters(codec="utf-8")))
@settings(max_examples=60, derandomize=True, database=None, deadline=None)
def test_whoever_can_be_registered_can_be_asked_for(username: str) -> None:
    """Every accepted name survives its way into a path and back."""
    prepare()
    client = Client(APP)
    if client.post("/register", json={"username": username}).status_code == 200:
        assert client.get(f"/get-totp/{quote(username, safe='')}").json["username"] == username
