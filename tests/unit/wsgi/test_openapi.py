"""The OpenAPI document beside an app, as JSON and as YAML."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client
from werkzeug.wrappers import Response

from pytest_totphog import __version__
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import document, openapi_routes, to_yaml
from pytest_totphog.wsgi.routes import App

# Text of YAML's printable characters below U+10000: what a contract is written in.
TEXT = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xD7FF, exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=100
)
SCALARS = st.none() | st.booleans() | st.integers() | TEXT
JSON = st.recursive(SCALARS, lambda values: st.lists(values) | st.dictionaries(TEXT, values), max_leaves=20)


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


def test_yaml_in_block_style() -> None:
    """Names and values as JSON writes them, so nothing is taken for a date or a boolean."""
    value = {"a": [1, [2, {"b": None}], {}, []], "no": {"c: d": "2024-01-15", "e": "on"}, "f": {}}
    assert to_yaml(value) == (
        '"a":\n'
        "  - 1\n"
        "  -\n"
        "    - 2\n"
        "    -\n"
        '      "b": null\n'
        "  - {}\n"
        "  - []\n"
        '"no":\n'
        '  "c: d": "2024-01-15"\n'
        '  "e": "on"\n'
        '"f": {}\n'
    )


@given(JSON)
@settings(deadline=None)
def test_yaml_says_what_json_says(value: object) -> None:
    """To a YAML parser."""
    assert yaml.safe_load(to_yaml(value)) == json.loads(json.dumps(value))
