"""The page's files: all there, all relative, nothing inline and nothing from elsewhere."""

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from pytest_totphog.api.namespaces import create_app
from pytest_totphog.api.page import page_routes
from pytest_totphog.wsgi.gate import Gate
from tests.support.client import Client

PLACES = ["", "/namespaces/nightly-7"]
FILES = {
    name: (files("pytest_totphog.api.page") / name).read_text("utf-8") for name in ("index.html", "app.css", "app.js")
}


class Attributes(HTMLParser):
    """All attributes of a page's elements, and the text inside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str | None]] = []
        self.ids: list[str] = []
        self.code = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes of an element."""
        self._inside = tag
        self.found += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Keep code."""
        self.code += data.strip() if self._inside in {"script", "style"} else ""


PAGE = Attributes(FILES["index.html"])


@pytest.fixture
def client() -> Client:
    """A client of a server that demands a key, without it."""
    return Client(create_app(Gate(api_key="k3y")))


@pytest.mark.parametrize("place", PLACES)
def test_page_and_its_files_need_no_key(client: Client, place: str) -> None:
    """In every namespace; what they show is the API's, which demands it."""
    types = {
        "/": "text/html",
        "/ui/app.css": "text/css",
        "/ui/app.js": "text/javascript",
        "/ui/icon.svg": "image/svg+xml",
    }
    assert {route.path: client.get(place + route.path).mimetype for route in page_routes()} == types
    assert client.get(f"{place}/api/v1/codes").status_code == 401


def test_looking_at_a_namespace_makes_none() -> None:
    """Only who uses its API does."""
    app = create_app()
    assert Client(app).get("/namespaces/nightly-7/").status_code == 200
    assert "nightly-7" not in app._namespaces


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/index.html", "/ui/../api/app.py", "/ui/%2e%2e/__init__.py"])
def test_nothing_else_is_served(path: str) -> None:
    """Neither other files of the package nor folders."""
    assert Client(create_app()).get(path).status_code == 404


def test_nothing_is_inline() -> None:
    """The policy of the page allows no script, handler or style in it, and the page asks for none."""
    assert PAGE.code == ""
    assert [found for found in PAGE.found if found[1] == "style" or found[1].startswith("on")] == []


def test_all_urls_are_relative() -> None:
    """The page works at the root, in a namespace and behind a proxy's path, and asks no other server."""
    urls = {value for _, name, value in PAGE.found if name in {"href", "src", "action"}}
    assert urls == {"./ui/icon.svg", "./ui/app.css", "./ui/app.js", "./docs", "#tokens"}
    assert re.findall(r"""(?:url\(|import |["'`]https?:)[^;]*""", FILES["app.css"] + FILES["app.js"]) == []


def test_names_become_text() -> None:
    """The script knows no way to make markup of a string."""
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|DOMParser|eval\(|Function\("
    assert re.findall(forbidden, FILES["app.js"]) == []


def test_script_and_page_know_the_same_elements() -> None:
    """Every id that the script asks for is in the page, once."""
    ids = [value for _, name, value in PAGE.found if name == "id"]
    assert len(set(ids)) == len(ids)
    asked = set(re.findall(r"\$\(\"([\w-]+)\"\)", FILES["app.js"]))
    assert {"cards", "timeline", "qr-dialog"} <= asked <= set(ids)
