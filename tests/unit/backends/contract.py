"""A practice backend's OpenAPI document, and the tests that hold it and the app against each other."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator

from pytest_totphog import __version__
from pytest_totphog.wsgi.openapi import document
from pytest_totphog.wsgi.routes import Route
from tests.support.client import Answer, Client


class Contract:
    """The document of one backend."""

    def __init__(self, package: str) -> None:
        self.document = document(package)
        self.paths: dict[str, dict[str, Any]] = self.document["paths"]

    @property
    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and description of all that the document describes."""
        return ((method.upper(), path, item[method]) for path, item in self.paths.items() for method in item)

    def validator(self, schema: dict[str, Any]) -> OAS30Validator:
        """Return the validator of a schema of the document."""
        within = {**schema, "components": self.document["components"]}
        return OAS30Validator(within, format_checker=oas30_format_checker)

    def methods(self, path: str) -> set[str]:
        """Return the methods of a path, HEAD with GET."""
        methods = {method.upper() for method in self.paths[path]}
        return methods | {"HEAD"} if "GET" in methods else methods

    def responses(self, operation: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """Return the answers of an operation by their status, with what they refer to."""
        shared = self.document["components"]["responses"]
        return {
            int(status): shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
            for status, response in operation["responses"].items()
        }

    def check(self, response: Answer) -> None:
        """Fail unless an answer is one that the document describes."""
        method, path = response.request.method, self._path_of(response.request.path)
        media_type, schema = "application/json", {"$ref": "#/components/schemas/Error"}
        if path is None:
            assert response.status_code in {400, 401, 404, 429}
        elif method not in self.methods(path):
            assert response.status_code in {400, 401, 405, 429}
        else:
            described = self.responses(self.paths[path]["get" if method == "HEAD" else method.lower()])
            assert response.status_code in described
            headers = described[response.status_code].get("headers", {})
            for name, header in headers.items():
                value = response.headers[name]
                self.validator(header["schema"]).validate(int(value) if value.isdigit() else value)
            [(media_type, content)] = described[response.status_code]["content"].items()
            schema = content["schema"]
        assert response.mimetype == media_type
        if method != "HEAD":
            readers: dict[str, Callable[[str], Any]] = {
                "application/json": json.loads,
                "application/yaml": yaml.safe_load,
            }
            read = readers.get(media_type, str)
            self.validator(schema).validate(read(response.text))

    def _path_of(self, path: str) -> str | None:
        patterns = {re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(described)): described for described in self.paths}
        return next((patterns[pattern] for pattern in patterns if re.fullmatch(pattern, path)), None)


class ContractClient(Client):
    """A client that fails for every answer which the document does not describe."""

    def __init__(self, application: Any, contract: Contract) -> None:
        super().__init__(application)
        self.contract = contract

    def open(self, *arguments: Any, **options: Any) -> Answer:
        """Send a request and check the answer."""
        response = super().open(*arguments, **options)
        self.contract.check(response)
        return response


def examples(content: dict[str, Any]) -> list[Any]:
    """Return the examples of a media type."""
    return [content["example"]] if "example" in content else [named["value"] for named in content["examples"].values()]


class DocumentTests:
    """What every document must be; a test module derives from this class, with a client of the app."""

    contract: ClassVar[Contract]
    routes: ClassVar[tuple[Route, ...]]

    def test_the_document_is_openapi_30(self) -> None:
        """By its meta-schema; the packaged Swagger UI 4 reads nothing later."""
        assert list(OpenAPIV30SpecValidator(self.contract.document).iter_errors()) == []

    def test_every_operation_says_what_it_does(self) -> None:
        """A short line, a sentence, and a name that generated clients give it."""
        names = [operation["operationId"] for _, _, operation in self.contract.operations]
        assert len(set(names)) == len(names)
        tags = {tag["name"] for tag in self.contract.document["tags"]}
        for _, _, operation in self.contract.operations:
            assert re.fullmatch(r"[A-Z][^.]+", operation["summary"])
            assert re.fullmatch(r"[A-Z].+\.", operation["description"])
            assert set(operation["tags"]) <= tags

    def test_every_object_is_closed(self) -> None:
        """A misspelt field is an error of the client's, and an undocumented one is ours; only metadata are open."""
        schemas = self.contract.document["components"]["schemas"]
        objects = {name for name in schemas if schemas[name].get("type") == "object"}
        assert {name for name in objects if schemas[name]["additionalProperties"]} <= {"Metadata"}

    def test_every_component_is_used(self) -> None:
        """What nothing refers to describes nothing."""
        text = json.dumps(self.contract.document)
        components = self.contract.document["components"]
        names = [f"{kind}/{name}" for kind in ("responses", "schemas") for name in components[kind]]
        assert [name for name in names if f'"#/components/{name}"' not in text] == []

    def test_what_is_served_is_documented_and_the_other_way_round(self) -> None:
        """Method by method and path by path."""
        served = [(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in self.routes]
        assert sorted(served) == sorted((method, path) for method, path, _ in self.contract.operations)

    def test_the_documented_methods_are_the_allowed_ones(self, client: Client) -> None:
        """In the `Allow` header of a refused method; HEAD comes with GET."""
        for path in self.contract.paths:
            response = client.open(path, method="TRACE")
            assert response.status_code == 405
            assert set(response.headers["Allow"].split(", ")) == self.contract.methods(path)

    @pytest.mark.parametrize("kind", ["json", "yaml"])
    def test_the_document_is_served_with_this_version(self, client: Client, kind: str) -> None:
        """As JSON and as YAML: one and the same."""
        response = client.get(f"/openapi.{kind}")
        assert response.mimetype == f"application/{kind}"
        assert yaml.safe_load(response.text) == self.contract.document
        assert self.contract.document["info"]["version"] == __version__

    def test_examples_are_what_their_schema_says(self) -> None:
        """Every body, asked or answered, has one, but pages."""
        described = [
            *(operation["requestBody"] for _, _, operation in self.contract.operations if "requestBody" in operation),
            *(
                response
                for _, path, operation in self.contract.operations
                if not path.startswith("/openapi.")
                for response in self.contract.responses(operation).values()
            ),
        ]
        assert described
        for each in described:
            for content in each["content"].values():
                if content["schema"] != {"type": "string"}:  # a page
                    for example in examples(content):
                        self.contract.validator(content["schema"]).validate(example)
