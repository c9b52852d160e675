"""What the tests of the API share: an authenticator, and a client that holds every answer against the contract."""

import re
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from pytest_totphog.api.app import totphog_app
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.wsgi.openapi import document
from tests.support.client import Answer, Client


class Contract:
    """The OpenAPI document, as what answers and bodies are held against."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = {
            re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", path))): path
            for path in document["paths"]
        }

    def validator(self, schema: dict[str, Any]) -> OAS30Validator:
        """Return the validator of a schema of the document."""
        within = {**schema, "components": self.document["components"]}
        return OAS30Validator(within, format_checker=oas30_format_checker)

    def path_of(self, path: str) -> str | None:
        """Return the path of the document that a request's path is one of."""
        return next((template for pattern, template in self._paths.items() if pattern.fullmatch(path)), None)

    def methods(self, path: str) -> set[str]:
        """Return the methods that a path of the document has, and HEAD where there is GET."""
        methods = {method.upper() for method in self.document["paths"][path] if method != "parameters"}
        return methods | {"HEAD"} if "GET" in methods else methods

    def response(self, method: str, path: str, status: int) -> dict[str, Any]:
        """Return what the document says of an answer."""
        operation = self.document["paths"][path]["get" if method == "HEAD" else method.lower()]
        assert str(status) in operation["responses"], f"{method} {path} answers {status}, which is not documented"
        response = operation["responses"][str(status)]
        return (
            self.document["components"]["responses"][response["$ref"].rpartition("/")[2]]
            if "$ref" in response
            else response
        )

    def check(self, response: Answer) -> None:
        """Fail unless an answer is one that the document describes."""
        method, path = response.request.method, self.path_of(response.request.path)
        schema = {"$ref": "#/components/schemas/Error"}
        media_type = "application/json"
        if path is None:
            assert response.status_code in {400, 401, 404}
        elif method not in self.methods(path):
            assert response.status_code in {400, 401, 405}
        else:
            described = self.response(method, path, response.status_code)
            assert {name for name in described.get("headers", {}) if name not in response.headers} == set()
            [(media_type, content)] = described["content"].items()
            schema = content["schema"]
        assert response.mimetype == media_type
        if method != "HEAD" and media_type != "image/png":
            self.validator(schema).validate(yaml.safe_load(response.text) if "yaml" in media_type else response.json)


class ContractClient(Client):
    """A client that fails for every answer which the document does not describe."""

    contract: Contract

    def open(self, *arguments: Any, **options: Any) -> Answer:
        """Send a request and check the answer."""
        response = super().open(*arguments, **options)
        self.contract.check(response)
        return response


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The document beside the API."""
    return Contract(document("pytest_totphog.api"))


@pytest.fixture
def authenticator() -> Authenticator:
    """An authenticator without tokens, whose clock stands at 2024-01-15T10:30:00Z."""
    authenticator = Authenticator(holder=lambda: "the server")
    authenticator.clock.freeze("2024-01-15T10:30:00Z")
    return authenticator


@pytest.fixture
def client(authenticator: Authenticator, contract: Contract) -> ContractClient:
    """A client of the API."""
    client = ContractClient(totphog_app(authenticator))
    client.contract = contract
    return client
