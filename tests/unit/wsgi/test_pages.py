"""Pages in front of an app: no key for them, a key for the rest, and headers that keep foreign code out."""

import pytest
from werkzeug.wrappers import Response

from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.pages import Pages, file_route, page_response
from pytest_totphog.wsgi.routes import App, Route
from tests.support.client import Client


@pytest.fixture
def pages() -> Pages:
    """One page and one script, in front of an app that demands a key."""
    gate = Gate(api_key="k3y")
    app = App(
        [Route("GET", "/data", lambda _: Response("data")), Route("GET", "/page", lambda _: Response("hidden"))],
        lambda error: Response(error.message),
        gate,
    )
    page = Route("GET", "/page", lambda _: page_response("<!doctype html>", "text/html"))
    return Pages(app, [page, file_route("/page.js", "pytest_totphog.api.page", "app.js", "text/javascript")], gate)


@pytest.fixture
def client(pages: Pages) -> Client:
    """A client without the key."""
    return Client(pages)


@pytest.mark.parametrize("path", ["/page", "/page.js"])
def test_page_needs_no_key(client: Client, path: str) -> None:
    """A browser cannot send one before the page is there, and the page holds nothing secret."""
    assert client.get(path).status_code == 200


def test_everything_else_is_the_apps(client: Client) -> None:
    """With its demand for the key."""
    assert client.get("/data").status_code == 401
    assert client.get("/data", headers={"Authorization": "Bearer k3y"}).text == "data"
    assert client.get("/page/").status_code == 401


def test_page_is_not_shown_to_a_foreign_name(client: Client) -> None:
    """All other checks of the gate hold."""
    response = client.get("/page", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.text == "Host 'evil.example' is not served here; accepted: localhost, 127.0.0.1, [::1]\n"


def test_page_has_no_other_method(client: Client) -> None:
    """GET and HEAD read it."""
    response = client.post("/page")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/page", "/page.js"])
def test_headers_keep_foreign_code_out(client: Client, path: str) -> None:
    """Scripts and styles come from files of this server, no frame shows the page, and no URL of it leaks."""
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_file_comes_as_what_it_is(client: Client) -> None:
    """With `nosniff` a browser runs no script of another type."""
    assert client.get("/page.js").content_type == "text/javascript; charset=utf-8"
