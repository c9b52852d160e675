"""The OpenAPI document of email-mfa: it and the running app say the same, whatever is sent."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pytest_totphog.backends.email_mfa.app import create_app
from pytest_totphog.backends.email_mfa.model import MailAccount, Registration
from pytest_totphog.backends.mailbox import Mailbox
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.routes import Route
from tests.support.client import Client
from tests.unit.backends.contract import Contract, DocumentTests

CONTRACT = Contract("pytest_totphog.backends.email_mfa")
CLOCK = Clock()
CLOCK.freeze("2024-01-15T10:30:00Z")
STORE = MemoryStore()
MAILBOX = Mailbox()
RUNNING: list[Any] = []  # the app, which cannot be made before the mail server has a port


def app(environ: Any, start_response: Any) -> Any:
    """Pass a request to the app."""
    return RUNNING[-1](environ, start_response)


SCHEMA = schemathesis.openapi.from_dict(CONTRACT.document)
SCHEMA.app = app


@pytest.fixture(scope="module", autouse=True)
def running() -> Iterator[None]:
    """The app, on a mail server that takes every mail."""
    with MAILBOX:
        RUNNING.append(create_app(clock=CLOCK, store=STORE, mailbox=MAILBOX))
        yield


class TestDocument(DocumentTests):
    """The document and the routes."""

    contract: ClassVar[Contract] = CONTRACT

    @property
    def routes(self) -> tuple[Route, ...]:  # type: ignore[override]  # the app runs with the tests
        """The routes of an app with a mailbox."""
        return RUNNING[-1].app.routes


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [
        ("firstName", ["a", "Ж", "a" * 200], ["", " ", "a\0", "a" * 201, 1, None]),
        ("lastName", ["a", "Ж", "a" * 200], ["", " ", "a\x7f", "a" * 201, 1, None]),
        ("email", ["a@b", "a" * 64 + "@" + "b" * 189], ["", "a", "a@b@c", "a b@c", "ä@b", "a@" + "b" * 253, 1, None]),
        ("password", ["a", " ", "a" * 1024], ["", "a\0", "a" * 1025, 1, None]),
        ("phoneNumber", ["", "a", "a" * 200, None], [" ", "a\n1", "a" * 201, 1]),
    ],
)
def test_the_document_and_the_app_accept_the_same(
    client: Client, field: str, accepted: list[Any], refused: list[Any]
) -> None:
    """At the bounds and one beyond, and nothing of another type."""
    validator = CONTRACT.validator(
        CONTRACT.paths["/register"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    )
    for value in accepted + refused:
        body = {"firstName": "a", "lastName": "b", "email": "a@b", "password": "c", field: value}
        status = client.post("/register", json=body).status_code
        assert (value, validator.is_valid(body), status) == (
            value,
            value in accepted,
            200 if value in accepted else 400,
        )


@SCHEMA.parametrize()
@settings(max_examples=20, derandomize=True, database=None, deadline=None)
def test_made_up_requests_are_answered_as_documented(case: schemathesis.Case[Any]) -> None:
    """All checks of schemathesis hold, over its examples, its coverage of the schemas and its random requests.

    Left out is only that data which fit the schema are accepted: what a mail says no JSON Schema says.
    """
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["firstName", "lastName", "email", "password", "phoneNumber", "roleId", "token"])
PATHS = st.sampled_from(sorted(path for path, item in CONTRACT.paths.items() if "post" in item))


@given(path=PATHS, body=ANYTHING | st.dictionaries(FIELDS, ANYTHING))
@settings(max_examples=150, derandomize=True, database=None, deadline=None)
def test_bad_input_is_no_mistake_of_the_server_s_and_stores_nothing(path: str, body: Any) -> None:
    """Whatever JSON is sent, and what Python takes for JSON; no made-up text is a mail address."""
    STORE.clear()
    assert 400 <= Client(app).post(path, json=body).status_code < 500
    assert STORE.repository(MailAccount).find() == []
    assert STORE.repository(Registration).find() == []
