"""Cross-origin requests: who may read the answers, and preflight requests."""

from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from pytest_totphog import InvalidInput
from pytest_totphog.backends.cors import Cors
from pytest_totphog.wsgi.bodies import json_response
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.routes import App, Route
from tests.support.client import Answer, Client

PAGE = "https://app.example"
OTHER_PAGE = "http://localhost:5173"


def app() -> App:
    """Return an app with one route that answers, and one that answers for several origins by itself."""

    def vary(_: Request) -> Response:
        return Response("by language", headers={"Vary": "Accept-Language"})

    routes = [Route("GET", "/notes", lambda _: Response("a note")), Route("GET", "/languages", vary)]
    return App(routes, error_body, Gate(max_body=100))


def error_body(error: HttpError) -> Response:
    """Return the body of an error."""
    return json_response({"error": error.message})


def client(*origins: str, **options: Any) -> Client:
    """Return a client of the app, whose answers pages of `origins` may read."""
    return Client(Cors(app(), origins, **options))


def cors_headers(response: Answer) -> dict[str, str]:
    """Return the response headers that concern other origins."""
    return {name: text for name, text in response.headers if name.startswith("Access-Control-") or name == "Vary"}


def preflight(client: Client, origin: str, **environ: str) -> Answer:
    """Ask as a browser does before it sends a request with a token or with JSON."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    return client.options("/notes", headers=headers, environ_overrides=environ)


# Answers


def test_any_origin_may_read() -> None:
    """With '*' the answer is the same for every page, and so does not vary."""
    anyone = client("*")

    for origin in (PAGE, OTHER_PAGE, "null"):
        response = anyone.get("/notes", headers={"Origin": origin})
        assert (response.text, cors_headers(response)) == ("a note", {"Access-Control-Allow-Origin": "*"})


def test_any_origin_is_said_without_being_asked() -> None:
    """A client that is no page, and sends no Origin, is told too."""
    assert cors_headers(client("*").get("/notes")) == {"Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
def test_each_listed_origin_may_read(origin: str) -> None:
    """The answer names the origin that asked, alone, and tells caches that others get another."""
    response = client(PAGE, OTHER_PAGE).get("/notes", headers={"Origin": origin})

    assert cors_headers(response) == {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://app.example:8443",
        "http://app.example",
        "https://app.example/",
        "https://APP.example",
        "null",
        "*",
        "",
        f"{PAGE},{OTHER_PAGE}",
    ],
)
def test_no_other_origin_may_read(origin: str) -> None:
    """An origin is its scheme, host and port, and nothing that only looks like it."""
    response = client(PAGE, OTHER_PAGE).get("/notes", headers={"Origin": origin})

    assert cors_headers(response) == {"Vary": "Origin"}


def test_without_origin_caches_are_told() -> None:
    """What a cache keeps of it must not be given to a page."""
    assert cors_headers(client(PAGE).get("/notes")) == {"Vary": "Origin"}


def test_nobody_may_read() -> None:
    """Without an origin in the list no header is added."""
    assert cors_headers(client().get("/notes", headers={"Origin": PAGE})) == {}


def test_error_can_be_read_too() -> None:
    """A page learns why its request was refused."""
    response = client(PAGE).get("/nowhere", headers={"Origin": PAGE})

    assert response.status_code == 404
    assert cors_headers(response) == {"Access-Control-Allow-Origin": PAGE, "Vary": "Origin"}


def test_what_the_answer_varies_by_already_is_kept() -> None:
    """The app's own Vary stays beside ours."""
    response = client(PAGE).get("/languages", headers={"Origin": PAGE})

    assert response.headers.getlist("Vary") == ["Accept-Language", "Origin"]


def test_credentials_are_never_allowed() -> None:
    """The apps know no cookies; a page sends its token by itself."""
    answers = [
        client("*").get("/notes", headers={"Origin": PAGE}),
        client(PAGE).get("/notes", headers={"Origin": PAGE}),
        preflight(client(PAGE), PAGE),
    ]

    assert [response.headers.get("Access-Control-Allow-Credentials") for response in answers] == [None] * 3


def test_exposed_headers_are_named() -> None:
    """A page may read Retry-After only where the answer says so, and only a page that may read at all."""
    exposing = client(PAGE, exposed=("Retry-After", "Content-Disposition"))

    assert cors_headers(exposing.get("/notes", headers={"Origin": PAGE})) == {
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Expose-Headers": "Retry-After, Content-Disposition",
        "Vary": "Origin",
    }
    assert cors_headers(exposing.get("/notes", headers={"Origin": "https://evil.example"})) == {"Vary": "Origin"}


# Preflight requests


def test_preflight_of_a_listed_origin_is_granted() -> None:
    """A token and JSON may be sent, by the methods that the apps know."""
    response = preflight(client(PAGE), PAGE)

    assert (response.status_code, response.data) == (204, b"")
    assert cors_headers(response) == {
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def test_preflight_of_any_origin_is_granted() -> None:
    """With '*' every page may ask."""
    response = preflight(client("*", methods=("POST",)), PAGE)

    assert response.status_code == 204
    assert cors_headers(response) == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
    }


def test_preflight_of_another_origin_is_answered_with_nothing() -> None:
    """The browser misses the permission, and does not send the request."""
    response = preflight(client(PAGE), "https://evil.example")

    assert response.status_code == 204
    assert cors_headers(response) == {"Vary": "Origin"}


def test_preflight_needs_no_key() -> None:
    """A browser sends no Authorization with it, so a gate that demands a key is not asked."""
    guarded = Cors(App([], error_body, Gate(api_key="open sesame")), (PAGE,))

    assert preflight(Client(guarded), PAGE).status_code == 204


def test_preflight_is_not_granted_where_nobody_may_read() -> None:
    """Then it is a request of a page that is foreign."""
    response = preflight(client(), PAGE)

    assert response.status_code == 403
    assert cors_headers(response) == {}


@pytest.mark.parametrize("header", ["Origin", "Access-Control-Request-Method"])
def test_plain_options_request_goes_to_the_app(header: str) -> None:
    """Without both of a preflight's headers it is none."""
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    del headers[header]

    assert client(PAGE).options("/notes", headers=headers).status_code == 405


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("HTTP_TRANSFER_ENCODING", "chunked", 411),
        ("CONTENT_LENGTH", "101", 413),
        ("CONTENT_LENGTH", "many", 400),
        ("CONTENT_LENGTH", "7", 405),
    ],
)
def test_preflight_with_a_body_goes_through_the_gate(name: str, value: str, status: int) -> None:
    """Answered here, its body would be left unread and pass for the connection's next request."""
    assert preflight(client(PAGE), PAGE, **{name: value}).status_code == status


@pytest.mark.parametrize("length", ["", "0"])
def test_preflight_with_an_empty_body_is_granted(length: str) -> None:
    """Some clients announce a length of 0."""
    assert preflight(client(PAGE), PAGE, CONTENT_LENGTH=length).status_code == 204


# Origins


@pytest.mark.parametrize(
    "origin",
    ["https://app.example", "http://localhost:5173", "http://[::1]:3000", "chrome-extension://abcdef", "*"],
)
def test_origin_as_a_browser_sends_it_is_accepted(origin: str) -> None:
    """Any scheme, any port, and IPv6."""
    assert preflight(client(origin), origin).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example/",
        "https://app.example/login",
        "https://App.Example",
        "https://app.example, https://www.app.example",
        "https://*.app.example/",
        "app.example",
        "localhost:3000",
        "null",
        "",
        "https://",
    ],
)
def test_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    """It would never match, and nobody would know why."""
    with pytest.raises(InvalidInput, match=r"accepted are '\*' and origins such as 'https://app.example:8443'"):
        Cors(app(), (PAGE, origin))
