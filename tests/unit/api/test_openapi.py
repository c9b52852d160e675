"""The OpenAPI document: it is valid, and it and the running API say the same."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import settings
from openapi_spec_validator import OpenAPIV30SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pytest_totphog import __version__
from pytest_totphog.api.app import totphog_app
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.issuer import Issuer
from pytest_totphog.authenticator.totp_token import TotpToken, issuer_of
from pytest_totphog.wsgi.openapi import document
from pytest_totphog.wsgi.routes import Route
from tests.support.client import Client

DOCUMENT = document("pytest_totphog.api")
ROUTES = totphog_app(Authenticator()).routes
ID = "550e8400-e29b-41d4-a716-446655440000"  # the token of the document's examples


def documented() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of all that the document describes."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def served(route: Route) -> tuple[str, str]:
    """Return method and path of a route, as the document writes them."""
    return route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)


OPERATIONS = [pytest.param(method, path, operation, id=f"{method} {path}") for method, path, operation in documented()]


@pytest.fixture
def authenticator(authenticator: Authenticator) -> Authenticator:
    """An authenticator with the token that the examples speak of."""
    prepare(authenticator)
    return authenticator


def prepare(authenticator: Authenticator) -> None:
    """Bring an authenticator to the state of the document's examples."""
    authenticator.clear()
    authenticator.clock.freeze("2024-01-15T10:30:00Z")
    token = authenticator.make("otpauth://totp/GitHub:user@example.com?secret=JBSWY3DPEHPK3PXP&issuer=GitHub")
    authenticator.add(TotpToken(Issuer(replace(issuer_of(token).token, id=ID), authenticator)))


# The document


def test_the_document_is_openapi_30() -> None:
    """By its meta-schema; the packaged Swagger UI 4 reads nothing later."""
    assert list(OpenAPIV30SpecValidator(DOCUMENT).iter_errors()) == []


def test_every_operation_says_what_it_does() -> None:
    """A short line, a sentence, and a name that generated clients give it."""
    names = [operation["operationId"] for _, _, operation in documented()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for _, _, operation in documented():
        assert re.fullmatch(r"[A-Z][^.]+", operation["summary"])
        assert re.fullmatch(r"[A-Z].+\.", operation["description"])
        assert set(operation["tags"]) <= tags


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_object_is_closed(name: str) -> None:
    """A misspelt field is an error of the client's, and an undocumented one is ours."""
    schema = DOCUMENT["components"]["schemas"][name]
    assert schema.get("type") != "object" or schema["additionalProperties"] is False


def test_every_component_is_used() -> None:
    """What nothing refers to describes nothing."""
    text = json.dumps(DOCUMENT)
    components = DOCUMENT["components"]
    unused = [
        f"{kind}/{name}"
        for kind in ("parameters", "responses", "schemas")
        for name in components[kind]
        if f'"#/components/{kind}/{name}"' not in text
    ]
    assert unused == []


# The document and the routes


def test_what_is_served_is_documented_and_the_other_way_round() -> None:
    """Method by method and path by path."""
    assert sorted(map(served, ROUTES)) == sorted((method, path) for method, path, _ in documented())


@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_the_documented_methods_are_the_allowed_ones(client: Client, contract: Any, path: str) -> None:
    """In the `Allow` header of a refused method; HEAD comes with GET."""
    response = client.patch(path.format(id=ID))
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == contract.methods(path)


@pytest.mark.parametrize("path", ["/openapi.json", "/api/v1/openapi.json", "/openapi.yaml", "/api/v1/openapi.yaml"])
def test_the_document_is_served_with_this_version(client: Client, path: str) -> None:
    """At the root and under the API's path, as JSON and as YAML: one and the same."""
    response = client.get(path)
    assert response.mimetype == ("application/json" if path.endswith("json") else "application/yaml")
    assert yaml.safe_load(response.text) == DOCUMENT
    assert DOCUMENT["info"]["version"] == __version__


# The examples


def examples(content: dict[str, Any]) -> list[Any]:
    """Return the examples of a media type or parameter."""
    return [content["example"]] if "example" in content else [named["value"] for named in content["examples"].values()]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_request_examples_are_accepted(
    client: Client, contract: Any, method: str, path: str, operation: dict[str, Any]
) -> None:
    """By their schema and by the server; without one, the request needs no body."""
    bodies = [None]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        bodies = examples(content)
        for body in bodies:
            contract.validator(content["schema"]).validate(body)
        bodies += [] if operation["requestBody"]["required"] else [None]
    statuses = [client.open(path.format(id=ID), method=method, json=body).status_code for body in bodies]
    assert set(statuses) <= {200, 201}


@pytest.mark.parametrize("parameter", sorted(DOCUMENT["components"]["parameters"]))
def test_parameter_examples_are_accepted(client: Client, contract: Any, parameter: str) -> None:
    """By their schema and by the server."""
    described = DOCUMENT["components"]["parameters"][parameter]
    for example in examples(described):
        contract.validator(described["schema"]).validate(example)
        arguments = {"id": ID, described["name"]: example}
        response = client.get(f"/api/v1/tokens/{arguments.pop('id')}/code", query_string=arguments)
        assert response.status_code == 200


RESPONSES = [
    pytest.param(response, id=f"{place} {status}")
    for place, responses in [
        *((f"{method} {path}", operation["responses"]) for method, path, operation in documented()),
        ("components", DOCUMENT["components"]["responses"]),
    ]
    for status, response in responses.items()
    if "$ref" not in response and "openapi" not in place and "image/png" not in response["content"]
]


@pytest.mark.parametrize("response", RESPONSES)
def test_response_examples_are_what_their_schema_says(contract: Any, response: dict[str, Any]) -> None:
    """Every answer in JSON has one."""
    content = response["content"]["application/json"]
    for example in examples(content):
        contract.validator(content["schema"]).validate(example)


def test_the_examples_are_what_is_really_answered(client: Client, authenticator: Authenticator) -> None:
    """The codes of the examples are the codes of their token and time."""
    authenticator.clock.freeze("2024-01-15T10:30:15Z")
    paths = DOCUMENT["paths"]

    def example(path: str, method: str = "get") -> Any:
        return paths[path][method]["responses"]["200"]["content"]["application/json"]["example"]

    token = f"/api/v1/tokens/{ID}"
    assert client.get(f"{token}/code").json == example("/api/v1/tokens/{id}/code")
    assert (
        client.get("/api/v1/codes").json["data"][0]["current_code"]
        == example("/api/v1/codes")["data"][0]["current_code"]
    )
    answered = client.post(f"{token}/one-time-code", json={"holder": "test_login"}).json
    assert answered == example("/api/v1/tokens/{id}/one-time-code", "post")
    answered = client.post(f"{token}/explain", json={"code": answered["data"]["code"]}).json
    assert answered == example("/api/v1/tokens/{id}/explain", "post")


# The bounds


@pytest.mark.parametrize(
    ("path", "schema", "field", "accepted", "refused"),
    [
        ("tokens", "NewToken", "digits", [6, 7, 8, None], [5, 9, "6", 6.5, True]),
        ("tokens", "NewToken", "period", [1, 86_400, None], [0, 86_401, "30", 1.5, True]),
        ("tokens", "NewToken", "algorithm", ["sha1", "SHA-256", "HmacSHA512", None], ["md5", "sha", 1]),
        ("tokens", "NewToken", "name", ["a", "Ж"], ["", "\na", "a\x7f", 1, None]),
        ("tokens", "NewToken", "issuer", ["", "a", None], ["\na", 1]),
        ("tokens", "NewToken", "secret", ["AA", "jbsw y3dp-ehpk 3pxp"], ["", "A", "AA1", "AA!", 1, None]),
        ("tokens", "NewToken", "uri", ["", None], [0, " ", []]),
        ("tokens", "NewToken", "more", [], ["a", None]),
        (
            "codes",
            "CodeRequest",
            "at",
            [0, 253_402_300_799, "59", "2024-01-15T10:30:00Z", None],
            [-1, 253_402_300_800, ""],
        ),
        ("codes", "CodeRequest", "min_remaining", [0, 30, 0.5, None], [-1, 86_401, "1", True]),
        ("one-time-code", "OneTimeCodeRequest", "min_remaining", [0, 0.5, 30, None], [-1, 86_401, "1"]),
        ("one-time-code", "OneTimeCodeRequest", "lookahead", [0, 1000], [-1, 1001, 0.5, "1", True]),
        ("one-time-code", "OneTimeCodeRequest", "timeout", [0, 0.5, 86_400], [-1, 86_401, "1", True]),
        ("one-time-code", "OneTimeCodeRequest", "holder", ["a", "a" * 500], ["", "a" * 501, 1]),
        ("verify", "VerifyRequest", "window", [0, 1000], [-1, 1001, 0.5, "1", True]),
        ("verify", "VerifyRequest", "code", ["", "123456"], [123456, None, []]),
        ("explain", "ExplainRequest", "code", ["", "123456"], [123456, None, []]),
        ("clock", "FreezeRequest", "frozen_at", [0, 253_402_300_799, "59"], [-1, 253_402_300_800, "", True, None]),
        ("tick", "TickRequest", "seconds", [0, 0.5, 86_400, None], [-1, "1", True]),
    ],
)
def test_the_document_and_the_server_accept_the_same(
    client: Client, contract: Any, path: str, schema: str, field: str, accepted: list[Any], refused: list[Any]
) -> None:
    """At the bounds and one beyond, and nothing of another type."""
    method, target, body = {
        "tokens": ("POST", "tokens", {"name": "a", "secret": "AA"}),
        "codes": ("POST", "codes", {"secret": "AA"}),
        "one-time-code": ("POST", f"tokens/{ID}/one-time-code", {}),
        "verify": ("POST", f"tokens/{ID}/verify", {"code": "123456"}),
        "explain": ("POST", f"tokens/{ID}/explain", {}),
        "clock": ("PUT", "clock", {}),
        "tick": ("POST", "clock/tick", {}),
    }[path]
    validator = contract.validator({"$ref": f"#/components/schemas/{schema}"})
    for fits, values in ((True, accepted), (False, refused)):
        for value in values:
            changed = {**body, field: value}
            status = client.open(f"/api/v1/{target}", method=method, json=changed).status_code
            assert (value, validator.is_valid(changed), status < 300) == (value, fits, fits)


# Requests that schemathesis makes up


AUTHENTICATOR = Authenticator()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = totphog_app(AUTHENTICATOR)


@SCHEMA.parametrize()
@settings(max_examples=30, derandomize=True, database=None, deadline=None)
def test_made_up_requests_are_answered_as_documented(case: schemathesis.Case[Any]) -> None:
    """All checks of schemathesis hold, over its examples, its coverage of the schemas and its random requests.

    Left out is only that data which fit the schema are accepted: that base32 makes whole bytes, that a text is a
    time and a URI a whole key URI, and that a token fits a QR code, no JSON Schema says.
    """
    prepare(AUTHENTICATOR)
    if re.fullmatch(r"[0-9a-fA-F-]{36}", str(case.path_parameters.get("id"))):
        case.path_parameters["id"] = ID
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
