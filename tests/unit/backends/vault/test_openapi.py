"""The OpenAPI document of vault: it and the running app say the same, whatever is sent."""

import re
from dataclasses import replace
from typing import Any, ClassVar, cast

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.vault.app import create_app
from pytest_totphog.backends.vault.model import Access, Totp, VaultAccount, seed
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.routes import Route
from tests.support.client import Client
from tests.unit.backends.contract import Contract, DocumentTests, examples

CONTRACT = Contract("pytest_totphog.backends.vault")

# Of the document's examples.
USER_ID, TOTP_ID = "3f0d3bd0-6f38-4b6f-9a51-0c3a3a9b1f11", "550e8400-e29b-41d4-a716-446655440000"
TOKEN = "c8eeaabf3ef14ffc811cab37ba16753f"

SEEDED = MemoryStore()
CLOCK = Clock()
CLOCK.freeze("2024-01-15T10:30:00Z")
seed(SEEDED, CLOCK)
[ACCESS] = (replace(access, user_id=USER_ID) for access in SEEDED.repository(Access).find())
JOAO = VaultAccount("joao@example.com", USER_ID, "João Silva", "joao@example.com", PasswordHasher().hash("senha123"))
TOTP = Totp(TOTP_ID, USER_ID, "GitHub", "JBSWY3DPEHPK3PXP", icon="github.png", sort=1)


def prepare(store: MemoryStore) -> None:
    """Bring an app to the state of the document's examples."""
    store.clear()
    store.repository(VaultAccount).add(JOAO)
    store.repository(Access).add(ACCESS)
    store.repository(Totp).add(TOTP)


class TestDocument(DocumentTests):
    """The document and the routes."""

    contract: ClassVar[Contract] = CONTRACT
    routes: ClassVar[tuple[Route, ...]] = cast("Any", create_app()).app.routes


BODIES = [
    pytest.param(method, path, body, id=f"{method} {path} {number}")
    for method, path, operation in CONTRACT.operations
    if "requestBody" in operation
    for number, body in enumerate(examples(operation["requestBody"]["content"]["application/json"]))
]


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
def test_request_examples_are_accepted(
    client: Client, store: MemoryStore, method: str, path: str, body: dict[str, Any]
) -> None:
    """By the user and with the token of the examples; registration by a user who is not there yet."""
    prepare(store)
    if path == "/api/auth/register":
        store.repository(VaultAccount).clear()
    response = client.open(path, method=method, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/auth/user", "/api/totp", "/api/management/export"], ids=["user", "codes", "export"]
)
def test_examples_are_what_is_really_answered(client: Client, store: MemoryStore, path: str) -> None:
    """The code of the examples is the code of their TOTP and time."""
    prepare(store)
    response = CONTRACT.responses(CONTRACT.paths[path]["get"])[200]
    answered = client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).json
    assert answered == response["content"]["application/json"]["example"]


@pytest.mark.parametrize(
    ("path", "schema", "field", "accepted", "refused"),
    [
        ("register", "Registration", "name", ["a", "Ж", "a" * 200], ["", " ", "a\0", "a" * 201, 1, None]),
        (
            "register",
            "Registration",
            "email",
            ["a@b", "a" * 64 + "@" + "b" * 189],
            ["", "a", "a@", "@b", "a b@c", "a@b@c", "a@b\0", "ä@b", "a" * 64 + "@" + "b" * 190, 1, None],
        ),
        ("register", "Registration", "password", ["a", " ", "a" * 1024], ["", "a" * 1025, "\0", 1, None]),
        ("token", "TokenRequest", "days", [1, 3650, None], [0, -1, 3651, 1.5, "1", True]),
        ("totp", "NewTotp", "label", ["a", "Ж", "a" * 200], ["", " ", "a\0", "a" * 201, 1, None]),
        ("totp", "NewTotp", "secret", ["AA", "jbsw y3dp-ehpk 3pxp"], ["", "A", "AA1", "AA!", "A" * 1025, 1, None]),
        ("totp", "NewTotp", "digits", [6, 7, 8, None], [5, 9, "6", 6.5, True]),
        ("totp", "NewTotp", "period", [1, 86_400, None], [0, 86_401, "30", 1.5, True]),
        ("totp", "NewTotp", "algorithm", ["SHA-1", "sha256", "HmacSHA512", None], ["md5", "sha", 1]),
        ("totp", "NewTotp", "icon", [None, "a", "a" * 2000], ["", " ", "a\0", "a" * 2001, 1]),
        ("totp", "NewTotp", "metadata", [{}, {"a": [None]}, None], [[], "a"]),
        ("totp", "NewTotp", "sort", [-(2**31), 2**31 - 1, None], [-(2**31) - 1, 2**31, 1.5, "1", True]),
        ("totp", "NewTotp", "userId", [], [USER_ID]),
        ("import", "Import", "totps", [[], [{"label": "a", "secret": "AA", "id": 1}]], [None, {}, [{}], [1]]),
        ("import", "Import", "version", ["1.0", None], []),
        ("import", "Import", "more", [], [1]),
    ],
)
def test_the_document_and_the_app_accept_the_same(
    client: Client, store: MemoryStore, path: str, schema: str, field: str, accepted: list[Any], refused: list[Any]
) -> None:
    """At the bounds and one beyond, and nothing of another type."""
    requests: dict[str, tuple[str, dict[str, Any]]] = {
        "register": ("/api/auth/register", {"name": "a", "email": "a@b", "password": "a"}),
        "token": ("/api/auth/token", {"userId": USER_ID}),
        "totp": ("/api/management/totp", {"label": "a", "secret": "AA"}),
        "import": ("/api/management/import", {"totps": []}),
    }
    target, body = requests[path]
    validator = CONTRACT.validator({"$ref": f"#/components/schemas/{schema}"})
    for value in accepted + refused:
        prepare(store)
        changed = {**body, field: value}
        status = client.post(target, json=changed, headers={"Authorization": f"Bearer {TOKEN}"}).status_code
        said = value in accepted and not isinstance(value, bool)
        assert (value, validator.is_valid(changed), status) == (value, said, 200 if said else 400)


# Requests that are made up

STORE = MemoryStore()
APP = create_app(clock=CLOCK, store=STORE, rate_limit=None, cors_origins=())
SCHEMA = schemathesis.openapi.from_dict(CONTRACT.document)
SCHEMA.app = APP
SCHEMA.config.generation.update(with_security_parameters=False)


@SCHEMA.auth()
class Bearer:
    """The token of the examples, in the header; schemathesis also tries each request without it."""

    def get(self, _: schemathesis.Case[Any], __: schemathesis.AuthContext) -> str:
        """Return the token."""
        return TOKEN

    def set(self, case: schemathesis.Case[Any], token: str, _: schemathesis.AuthContext) -> None:
        """Send it."""
        case.headers["Authorization"] = f"Bearer {token}"


@SCHEMA.parametrize()
@settings(max_examples=15, derandomize=True, database=None, deadline=None)
def test_made_up_requests_are_answered_as_documented(case: schemathesis.Case[Any]) -> None:
    """All checks of schemathesis hold, over its examples, its coverage of the schemas and its random requests.

    Left out is only that data which fit the schema are accepted: that base32 makes whole bytes and a password is
    somebody's no JSON Schema says.
    """
    prepare(STORE)
    if isinstance(case.body, dict):
        for name, known in {"id": TOTP_ID, "userId": USER_ID}.items():
            if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(case.body.get(name))):
                case.body[name] = known
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


NAMES = [
    *("name", "email", "password", "userId", "days", "token", "totps", "id"),
    *("label", "secret", "digits", "period", "algorithm", "icon", "metadata", "sort"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)
PLAUSIBLE = st.sampled_from(
    ["a", "a@b", "JBSWY3DPEHPK3PXP", TOTP_ID, USER_ID, TOKEN, "SHA-1", 6, 30, 1, {}, "\0", "\ud800", 10**30, 2**63]
)
ROUTES = [(method, path) for method, path, operation in CONTRACT.operations if "requestBody" in operation]


@given(route=st.sampled_from(ROUTES), body=st.dictionaries(st.sampled_from(NAMES), PLAUSIBLE | ANYTHING) | ANYTHING)
@settings(max_examples=150, derandomize=True, database=None, deadline=None)
def test_bad_input_is_no_mistake_of_the_server_s_and_changes_nothing(route: tuple[str, str], body: Any) -> None:
    """Whatever JSON is sent, and what Python takes for JSON."""
    prepare(STORE)
    method, path = route
    response = Client(APP).open(path, method=method, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code < 500
    if response.status_code != 200:
        assert STORE.repository(VaultAccount).find() == [JOAO]
        assert STORE.repository(Access).find() == [ACCESS]
        assert STORE.repository(Totp).find() == [TOTP]


@given(token=st.text())
@settings(max_examples=50, derandomize=True, database=None, deadline=None)
def test_made_up_tokens_open_nothing(token: str) -> None:
    """Whatever is sent as one."""
    prepare(STORE)
    assert Client(APP).get("/api/auth/user", query_string={"token": token}).status_code == 401
