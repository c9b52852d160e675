"""The page `/docs`: Swagger UI where it is installed, and a plain page where it is not."""

import importlib.util
import re
from html.parser import HTMLParser

import pytest

from pytest_totphog.apps import APPS, create_app
from pytest_totphog.wsgi.api_docs import plain_page
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import document
from tests.support.client import Client


class Elements(HTMLParser):
    """The names and attributes of a page's elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


@pytest.fixture(params=APPS)
def name(request: pytest.FixtureRequest) -> str:
    """Each app in turn."""
    return request.param


@pytest.fixture
def client(name: str) -> Client:
    """A client of it, without the key that it demands."""
    return Client(create_app(name, gate=Gate(api_key="k3y")))


@pytest.fixture
def without_swagger(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if swagger-ui-bundle were not installed."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "swagger_ui_bundle" else find_spec(name)
    )


@pytest.mark.usefixtures("without_swagger")
def test_plain_page_tells_every_operation(client: Client, name: str) -> None:
    """Method, path and what it does, in the order of the document; as text, without a script."""
    page = client.get("/docs").text
    contract = document(APPS[name].module.rpartition(".")[0])
    elements = Elements(page)
    told = re.sub(r"\s+", " ", elements.text)
    for path, item in contract["paths"].items():
        for method in item.keys() - {"parameters"}:
            assert f"{method.upper()} {path} {item[method]['summary']}." in told
    assert {element for element, _ in elements.found if element in {"script", "style"}} == set()


@pytest.mark.usefixtures("without_swagger")
def test_without_swagger_its_files_are_not_there(client: Client) -> None:
    """The error says how to get them."""
    response = client.get("/docs/swagger-ui-bundle.js")
    assert response.status_code == 404
    assert response.text == "Swagger UI is not installed; pip install 'pytest-totphog[docs-ui]'\n"


def test_everything_swagger_ui_needs_is_served(client: Client) -> None:
    """From this server, at relative URLs, without a key, and nothing is in the page itself."""
    pytest.importorskip("swagger_ui_bundle")
    elements = Elements(client.get("/docs").text)
    references = [each.get("src") or each.get("href") for tag, each in elements.found if tag in {"script", "link"}]
    files = [reference for reference in references if reference != "data:,"]
    assert files == ["./docs/swagger-ui.css", "./docs/swagger-ui-bundle.js", "./docs/swagger.js"]
    assert [client.get(file.removeprefix(".")).status_code for file in files] == [200, 200, 200]
    assert not any(attribute.startswith(("on", "style")) for _, each in elements.found for attribute in each)


def test_document_for_swagger_ui_names_the_server_of_the_page(client: Client, name: str) -> None:
    """Wherever that is mounted; the rest of the document is as it is."""
    contract = document(APPS[name].module.rpartition(".")[0])
    assert client.get("/docs/openapi.json").json == {**contract, "servers": [{"url": ".."}]}


def test_markup_in_a_document_is_text() -> None:
    """Whatever a description, an example or a path says."""
    evil = "<script>alert(1)</script>"
    operation = {
        "summary": evil,
        "description": f"{evil} `{evil}`",
        "parameters": [{"name": evil, "in": "query", "description": evil}],
        "requestBody": {"content": {evil: {"example": {evil: evil}}}},
        "responses": {"200": {"description": evil, "content": {evil: {"example": evil}}}, "400": {"description": evil}},
    }
    contract = {"info": {"title": evil, "version": evil, "description": evil}, "paths": {evil: {"get": operation}}}
    page = plain_page(contract)
    assert evil not in page
    assert "script" not in {element for element, _ in Elements(page).found}
    assert evil in Elements(page).text
