"""The OpenAPI document beside an app, as JSON and as YAML."""

import pytest
import yaml
from werkzeug.wrappers import Response

from pytest_totphog import __version__
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import document, openapi_routes
from pytest_totphog.wsgi.routes import App
from tests.support.client import Client


def test_a_document_has_the_version_of_the_package() -> None:
    """The file has none of its own."""
    assert document("pytest_totphog.api")["info"]["version"] == __version__


@pytest.mark.parametrize("base", ["", "/api/v1"])
def test_a_document_is_served_as_json_and_as_yaml(base: str) -> None:
    """Below a base path; both say the same."""
    client = Client(App(openapi_routes("pytest_totphog.api", base), lambda error: Response(error.message), Gate()))
    as_json, as_yaml = client.get(f"{base}/openapi.json"), client.get(f"{base}/openapi.yaml")
    assert (as_json.mimetype, as_yaml.mimetype) == ("application/json", "application/yaml")
    assert as_json.json == document("pytest_totphog.api")
    assert yaml.safe_load(as_yaml.text) == as_json.json
