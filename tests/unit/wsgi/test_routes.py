"""An app: routes, and one shape for every error."""

import io
from typing import cast

import pytest
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from pytest_totphog import InvalidInput
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.routes import App, Route
from tests.support.client import Client


def greet(_: Request, name: str = "nobody") -> Response:
    """Answer with a name from the path."""
    return Response(f"Hello {name}")


def error_body(error: HttpError) -> Response:
    """Return status and sentence of an error."""
    return Response(f"{error.status}: {error.message}", mimetype="text/plain")


def client_of(*routes: Route) -> Client:
    """Return a client of an app with these routes."""
    return Client(App(routes, error_body, Gate()))


@pytest.fixture
def client() -> Client:
    """A client of an app that greets."""
    return client_of(
        Route("GET", "/greeting", greet), Route("GET", "/greeting/<name>", greet), Route("PUT", "/greeting", greet)
    )


def failing(error: BaseException) -> Client:
    """Return a client of an app whose handler raises an error."""

    def fail(_: Request) -> Response:
        raise error

    return client_of(Route("GET", "/", fail))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/greeting", "Hello nobody"),
        ("/greeting/Ann", "Hello Ann"),
        ("/greeting/a%20b", "Hello a b"),
        ("/greeting/%F0%9F%90%97", "Hello 🐗"),
        ("/greeting?name=Ann", "Hello nobody"),
    ],
)
def test_a_path_is_served_by_its_handler(client: Client, path: str, text: str) -> None:
    """With what stands in the place of a parameter, decoded."""
    assert client.get(path).text == text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/Greeting",
        "/greeting/",
        "/greeting//",
        "//greeting",
        "/greeting/a/b",
        "/greeting/a%2Fb",
        "/./greeting",
        "",
    ],
)
def test_a_path_is_served_as_it_is_or_not_at_all(client: Client, path: str) -> None:
    """No redirect and no guess."""
    response = client.get("/", environ_overrides={"PATH_INFO": path.replace("%2F", "/")})
    assert (response.status_code, response.text) == (404, "404: Not found")


def test_get_serves_head(client: Client) -> None:
    """Without the body, but with its length."""
    response = client.head("/greeting")
    assert (response.status_code, response.data, response.headers["Content-Length"]) == (200, b"", "12")


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/greeting", "POST", "GET, HEAD, PUT"),
        ("/greeting", "OPTIONS", "GET, HEAD, PUT"),
        ("/greeting/a", "PUT", "GET, HEAD"),
    ],
)
def test_another_method_is_refused_with_those_that_are_allowed(
    client: Client, path: str, method: str, allow: str
) -> None:
    """In the header and in the sentence (RFC 9110 section 15.5.6)."""
    response = client.open(path, method=method)
    assert (response.status_code, response.headers["Allow"]) == (405, allow)
    assert response.text == f"405: Method not allowed; accepted: {allow}"


def test_the_routes_are_told(client: Client) -> None:
    """So that a contract can be held against them."""
    assert [(route.method, route.path) for route in cast("App", client.application).routes] == [
        ("GET", "/greeting"),
        ("GET", "/greeting/<name>"),
        ("PUT", "/greeting"),
    ]


def test_the_gate_comes_before_the_routes(client: Client) -> None:
    """A stranger does not learn which paths there are."""
    response = client.get("/nothing", headers={"Host": "attacker.example"})
    assert response.status_code == 400


def test_an_upgrade_does_not_change_the_route(client: Client) -> None:
    """Werkzeug would look for websocket routes only."""
    response = client.get("/greeting", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HttpError(418, "no coffee here"), "418: no coffee here"),
        (InvalidInput("digits is 5; accepted are 6, 7 and 8"), "400: digits is 5; accepted are 6, 7 and 8"),
        (RequestEntityTooLarge(), "413: Request Entity Too Large"),
    ],
)
def test_an_expected_error_is_an_answer(error: Exception, text: str) -> None:
    """In the app's own shape."""
    response = failing(error).get("/")
    assert (response.text, str(response.status_code)) == (text, text[:3])


def test_an_errors_headers_are_sent() -> None:
    """Beside those of the body."""
    response = failing(HttpError(401, "who are you?", {"WWW-Authenticate": "Bearer"})).get("/")
    assert (response.headers["WWW-Authenticate"], response.mimetype) == ("Bearer", "text/plain")


@pytest.mark.parametrize("error", [ValueError("a secret"), OSError("a secret"), RecursionError("a secret")])
def test_a_mistake_of_ours_is_a_500_without_details(error: Exception) -> None:
    """The traceback goes to the server's error stream."""
    errors = io.StringIO()
    response = failing(error).get("/", errors_stream=errors)
    assert (response.status_code, response.text) == (500, "500: Internal server error")
    assert errors.getvalue().startswith("Traceback (most recent call last):\n")
    assert errors.getvalue().endswith(f"{type(error).__name__}: a secret\n")


def test_an_interrupt_is_no_error() -> None:
    """It ends the program."""
    with pytest.raises(KeyboardInterrupt):
        failing(KeyboardInterrupt()).get("/")
