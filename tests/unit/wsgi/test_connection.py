"""One client's connection: what is a request, where it ends, and what becomes of the connection."""

import json
import socket
import struct
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from pytest_totphog.wsgi.connection import Connection
from pytest_totphog.wsgi.gate import PRIVATE_HEADERS
from pytest_totphog.wsgi.server import Server
from tests.support.raw_http import RawClient, RawResponse

Connect = Callable[[], RawClient]

GET = b"GET /show HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(body: bytes, path: str = "/show", *headers: str) -> bytes:
    """Return a POST request."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def seen(response: RawResponse) -> dict[str, str]:
    """Return what the app saw of a request."""
    assert response.status == 200
    environ: dict[str, str] = json.loads(response.body)
    return environ


# Requests


def test_a_request_as_the_app_sees_it(client: RawClient) -> None:
    """PEP 3333's environ; header names in upper case, values without the spaces around them."""
    client.send(b"GET /show?a=%20b HTTP/1.1\r\nHost:localhost:1\r\nx-mixed-CASE: \t a b \t\r\n\r\n")
    assert seen(client.response()) == {
        "wsgi.url_scheme": "http",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/show",
        "QUERY_STRING": "a=%20b",
        "SERVER_NAME": "127.0.0.1",
        "HTTP_HOST": "localhost:1",
        "HTTP_X_MIXED_CASE": "a b",
        "body": "",
    }


def test_an_answer_as_the_client_sees_it(client: RawClient) -> None:
    """Status with its phrase, the date, and how long the body is."""
    client.send(GET)
    response = client.response()
    assert (response.status, response.reason) == (200, "OK")
    assert response.headers.keys() - {name.lower() for name in PRIVATE_HEADERS} == {
        "date",
        "content-type",
        "content-length",
    }
    assert parsedate_to_datetime(response.headers["date"]).utcoffset() is not None
    assert int(response.headers["content-length"]) == len(response.body)


def test_many_requests_on_one_connection(client: RawClient) -> None:
    """Each is answered before the next is sent."""
    for number in range(5):
        client.send(post(f"body {number}".encode()))
        assert seen(client.response())["body"] == f"body {number}"


def test_pipelined_requests_are_answered_in_order(client: RawClient) -> None:
    """They arrive at once; a body ends where its length says."""
    client.send(post(b"first") + GET + post(b"GET /show HTTP/1.1\r\n\r\n", "/ignore") + post(b"last"))
    assert seen(client.response())["body"] == "first"
    assert seen(client.response())["REQUEST_METHOD"] == "GET"
    assert client.response().body == b"ignored"
    assert seen(client.response())["body"] == "last"


def test_a_request_that_comes_byte_by_byte(client: RawClient) -> None:
    """What TCP does to it makes no difference."""
    for byte in post(b"slow"):
        client.send(bytes([byte]))
    assert seen(client.response())["body"] == "slow"


def test_lines_may_end_without_a_carriage_return(client: RawClient) -> None:
    """RFC 9112 section 2.2 allows it."""
    client.send(b"GET /show HTTP/1.1\nHost: localhost\n\n")
    assert seen(client.response())["PATH_INFO"] == "/show"


def test_an_empty_line_before_a_request_is_passed_over(client: RawClient) -> None:
    """Old clients send one behind a body (RFC 9112 section 2.2)."""
    client.send(b"\r\n" + post(b"a") + b"\r\n" + GET)
    assert [client.response().status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        ("/%73how", "localhost", "/show", ""),
        ("http://127.0.0.1:80/show?a=b", "127.0.0.1:80", "/show", "a=b"),
        ("HTTPS://127.0.0.1/show", "127.0.0.1", "/show", ""),
        ("/show?a=http://b/%2F?c", "localhost", "/show", "a=http://b/%2F?c"),
    ],
)
def test_forms_of_the_target(client: RawClient, target: str, host: str, path: str, query: str) -> None:
    """A path, or a URL as proxies send it, whose host counts and not the header's (RFC 9112 section 3.2.2)."""
    client.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    environ = seen(client.response())
    assert (environ["HTTP_HOST"], environ["PATH_INFO"], environ["QUERY_STRING"]) == (host, path, query)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://localhost", "/"),
        ("http://localhost?a=b", "/"),
        ("/a%20b%2Fc", "/a b/c"),
        ("/%F0%9F%90%97", "/🐗"),
        ("/%E9\xe9%", "/\ufffd\ufffd%"),
    ],
)
def test_paths_are_decoded_once(client: RawClient, access_log: list[str], target: str, path: str) -> None:
    """As bytes; what is no UTF-8 does no harm."""
    client.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode("latin-1"))
    assert client.response().status == 404
    assert access_log == [f"GET {path!a} 404"]


@pytest.mark.parametrize("target", ["*", "show", "ftp://localhost/show", "localhost:80", "?a"])
def test_a_target_that_is_no_path_is_refused(client: RawClient, target: str) -> None:
    """There is nothing here but paths."""
    client.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    response = client.response()
    assert (response.status, response.body) == (400, b"The request target is no path\n")
    assert client.is_closed()


def test_headers_given_twice_are_one_list(client: RawClient) -> None:
    """RFC 9110 section 5.2."""
    client.send(b"GET /show HTTP/1.1\r\nHost: localhost\r\nAccept: a\r\nX: b\r\naccept: c\r\n\r\n")
    assert seen(client.response())["HTTP_ACCEPT"] == "a,c"


def test_a_header_with_an_underscore_is_dropped(client: RawClient) -> None:
    """To an app it would be the header with dashes, which a proxy before it may have checked or removed."""
    client.send(
        b"POST /show HTTP/1.1\r\nHost: localhost\r\nContent_Length: 9\r\nX_Real: a\r\nTransfer_Encoding: b\r\n\r\n"
    )
    environ = seen(client.response())
    assert [name for name in environ if "REAL" in name or "CONTENT" in name or "TRANSFER" in name] == []
    client.send(GET)
    assert client.response().status == 200


def test_a_websocket_upgrade_does_not_change_what_is_served(client: RawClient) -> None:
    """In Werkzeug's own server the route would not be found."""
    client.send(b"GET /show HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert seen(client.response())["HTTP_UPGRADE"] == "websocket"


# The end of a connection


def test_head_is_answered_without_a_body(client: RawClient) -> None:
    """The next answer begins right behind the headers."""
    client.send(b"HEAD /show HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET)
    assert int(client.response(of_head=True).headers["content-length"]) > 0
    assert seen(client.response())["REQUEST_METHOD"] == "GET"


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close"])
def test_the_connection_is_closed_where_the_client_asks_for_it(client: RawClient, value: str) -> None:
    """And the answer says so."""
    client.send(f"GET /show HTTP/1.1\r\nHost: localhost\r\nConnection: {value}\r\n\r\n".encode() + GET)
    assert client.response().headers["connection"] == "close"
    assert client.is_closed()


def test_http_10_gets_one_answer(client: RawClient) -> None:
    """Its clients read until the connection ends."""
    client.send(b"GET /show HTTP/1.0\r\nHost: localhost\r\n\r\n")
    response = client.response()
    assert (response.status, response.headers["connection"]) == (200, "close")
    assert client.is_closed()


def test_a_client_that_sends_nothing_is_not_waited_for_for_ever(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither before a request nor inside one; it gets no answer to a request that never came."""
    monkeypatch.setattr(Connection, "timeout", 0.05)
    silent, slow, done = connect(), connect(), connect()
    slow.send(b"GET /show HTTP/1.1\r\nHost: loc")
    done.send(GET)
    assert done.response().status == 200
    assert [client.is_closed() for client in (silent, slow, done)] == [True, True, True]


def test_nothing_is_written_about_a_client_that_goes_away(
    server: Server, connect: Connect, capfd: pytest.CaptureFixture[str]
) -> None:
    """However it goes, wherever it is, and nothing keeps the server from stopping."""
    beginnings = [
        b"",
        b"GET /sh",
        b"GET /show HTTP/1.1\r\nHo",
        GET,
        GET[:-2],
        post(b"body")[:-1],
        post(b"a" * 99999)[:50000],
    ]
    for politely in (True, False):
        for beginning in beginnings:
            client = connect()
            client.send(beginning)
            if not politely:  # a reset instead of an end
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    server.stop()
    assert capfd.readouterr() == ("", "")


# What is no request


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"GET /show",
        b"GET  /show HTTP/1.1",
        b"GET /show  HTTP/1.1",
        b"GET /sh ow HTTP/1.1",
        b"GET /show HTTP/1.1 ",
        b" GET /show HTTP/1.1",
        b"GET /show HTTP/2.0",
        b"GET /show HTTP/0.9",
        b"GET /show HTTPS/1.1",
        b"GET /show http/1.1",
        b"get /show HTTP/1.1",
        b"G(T /show HTTP/1.1",
        b"GET\t/show\tHTTP/1.1",
        b"GET /show HTTP/1.1\rX: y",
        b"PRI * HTTP/2.0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n",
    ],
)
def test_a_malformed_request_line_gets_a_proper_answer(client: RawClient, access_log: list[str], line: bytes) -> None:
    """With a status line, which Werkzeug's own server leaves out; then the connection ends."""
    client.send(line + b"\r\nHost: localhost\r\n\r\n")
    response = client.response()
    assert (response.status, response.reason) == (400, "Bad Request")
    assert (response.headers["content-type"], response.headers["connection"]) == ("text/plain", "close")
    assert response.body == b"Malformed request line\n"
    assert client.is_closed()
    assert access_log == []


@pytest.mark.parametrize(
    "header",
    [
        b"no colon",
        b": no name",
        b"Name : space before the colon",
        b"Na me: space in the name",
        b"N\xc3\xa4me: no token",
        b"N(me: no token",
        b"Name: nul \0",
        b"Name: bare carriage return \r x",
        b"Name: escape \x1b",
        b"A: b\r\n folded (obs-fold, RFC 9112 section 5.2)",
        b"A: b\r\n\tfolded",
    ],
)
def test_a_malformed_header_is_refused(client: RawClient, header: bytes) -> None:
    """Servers that read them differently can be played off against each other."""
    client.send(b"GET /show HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
    response = client.response()
    assert (response.status, response.body) == (400, b"Malformed header\n")
    assert client.is_closed()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Content-Length: 4", "Content-Length: 4"),
        ("Content-Length: 4", "content-length: 40"),
        ("Host: localhost", "Host: attacker.example"),
        ("Content-Type: text/plain", "Content-Type: application/json"),
    ],
)
def test_a_header_that_must_be_one_is_refused_twice(client: RawClient, first: str, second: str) -> None:
    """Which of them counts, two servers may see differently (request smuggling)."""
    client.send(f"POST /show HTTP/1.1\r\n{first}\r\n{second}\r\n\r\nbody".encode())
    response = client.response()
    assert response.status == 400
    assert response.body == f"The header {second.partition(':')[0]} is given twice\n".encode()
    assert client.is_closed()


def test_too_long_a_request_line_is_refused(client: RawClient) -> None:
    """64 kibibytes are long enough."""
    client.send(b"GET /" + b"a" * 65_536 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    response = client.response()
    assert (response.status, response.reason) == (414, "Request URI Too Long")
    assert response.body == b"A line of the request is longer than 65536 bytes\n"
    assert client.is_closed()


def test_too_long_a_header_is_refused(client: RawClient) -> None:
    """Even when it never ends."""
    client.send(b"GET /show HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 65_536)
    response = client.response()
    assert (response.status, response.reason) == (431, "Request Header Fields Too Large")
    assert client.is_closed()


def test_a_hundred_headers_are_enough(connect: Connect) -> None:
    """One more is refused."""
    headers = "".join(f"X-{number}: a\r\n" for number in range(99))
    client = connect()
    client.send(f"GET /show HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    assert seen(client.response())["HTTP_X_98"] == "a"
    client = connect()
    client.send(f"GET /show HTTP/1.1\r\nHost: localhost\r\nA: b\r\n{headers}\r\n".encode())
    response = client.response()
    assert (response.status, response.body) == (431, b"More than 100 headers\n")


@pytest.mark.parametrize(
    "beginning",
    [b"POST /ignore HTTP/1.1", b"POST /ignore HTTP/1.1\r\n", b"POST /ignore HTTP/1.1\r\nHost: localhost\r\n"],
)
def test_a_request_that_is_cut_short_is_not_served(client: RawClient, access_log: list[str], beginning: bytes) -> None:
    """Nobody knows what its missing headers were."""
    client.send(beginning)
    client.finish()
    response = client.response()
    assert (response.status, response.body) == (400, b"The request is cut short\n")
    assert client.is_closed()
    assert access_log == []


# Bodies


@pytest.mark.parametrize("length", [1, 65_536, 1_048_576])
def test_a_body_is_read_to_its_end_and_no_further(client: RawClient, length: int) -> None:
    """Up to the mebibyte that the gate lets pass."""
    client.send(post(b"a" * length) + GET)
    assert seen(client.response())["body"] == "a" * length
    assert seen(client.response())["body"] == ""


@pytest.mark.parametrize("path", ["/ignore", "/nothing"])
def test_a_body_that_nobody_reads_is_passed_over(client: RawClient, path: str) -> None:
    """The next request begins behind it, and not in it."""
    client.send(post(GET * 1000, path))
    assert "connection" not in client.response().headers
    client.send(post(b"next"))
    assert seen(client.response())["body"] == "next"


def test_a_long_body_that_nobody_reads_ends_the_connection(client: RawClient) -> None:
    """It would take longer than a new connection."""
    client.send(post(b"a" * 100_000, "/ignore"))
    response = client.response()
    assert (response.body, response.headers["connection"]) == (b"ignored", "close")
    assert client.is_closed()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Transfer-Encoding: chunked", 411),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", 411),
        ("Content-Length: 4\r\nTransfer-Encoding: \tchunked", 411),
        ("Transfer-Encoding: identity", 411),
        ("Content-Length: -1", 400),
        ("Content-Length: +4", 400),
        ("Content-Length: 4, 4", 400),
        ("Content-Length: 4 4", 400),
        ("Content-Length: 0x4", 400),
        ("Content-Length: \xb2", 400),
        ("Content-Length:", 400),
        ("Content-Length: " + "9" * 18, 413),
        ("Content-Length: " + "9" * 19, 413),
        ("Content-Length: " + "9" * 5000, 413),
    ],
)
def test_a_body_of_unclear_length_ends_the_connection(client: RawClient, headers: str, status: int) -> None:
    """What follows may be body or request, so it is neither (request smuggling)."""
    client.send(f"POST /show HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n".encode("latin-1") + GET)
    response = client.response()
    assert (response.status, response.headers["connection"]) == (status, "close")
    assert client.is_closed()


def test_an_unclear_length_ends_the_connection_of_any_app() -> None:
    """Also of one that has no gate."""

    def app(_: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "0")])
        return []

    server = Server(app)
    server.start()
    try:
        for header in (b"Transfer-Encoding: chunked", b"Content-Length: a", b"Content-Length: -1"):
            with RawClient(server.port) as client:
                client.send(b"OPTIONS / HTTP/1.1\r\n" + header + b"\r\n\r\n" + GET)
                assert client.response().headers["connection"] == "close"
                assert client.is_closed()
    finally:
        server.stop()


def test_a_refusal_reaches_a_client_that_still_uploads(server: Server) -> None:
    """Closing at once would reset the connection, and the client would see that instead of the 413."""
    response = requests.post(f"{server.url}/show", data=b"a" * 5_000_000, timeout=30)
    assert response.status_code == 413
    assert response.text == "The body is too large; accepted are 1048576 bytes"


def test_a_client_is_told_to_continue_when_its_body_is_wanted(client: RawClient) -> None:
    """RFC 9110 section 10.1.1; the connection goes on."""
    client.send(b"POST /show HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n")
    response = client.response()
    assert (response.status, response.reason, response.headers) == (100, "Continue", {})
    client.send(b"body" + GET)
    assert seen(client.response())["body"] == "body"
    assert seen(client.response())["body"] == ""


@pytest.mark.parametrize(
    ("path", "length", "status"), [("/ignore", 4, 200), ("/nothing", 4, 404), ("/show", 5_000_000, 413)]
)
def test_a_client_is_not_told_to_continue_when_its_body_is_not_wanted(
    client: RawClient, path: str, length: int, status: int
) -> None:
    """It may leave the body out, so the connection ends with the answer."""
    client.send(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    response = client.response()
    assert (response.status, response.headers["connection"]) == (status, "close")
    assert client.is_closed()


def test_an_expectation_without_a_body_is_none(client: RawClient) -> None:
    """There is nothing to wait for."""
    client.send(b"GET /show HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n" + GET)
    assert [seen(client.response())["body"] for _ in range(2)] == ["", ""]


def test_http_10_knows_no_continue(client: RawClient) -> None:
    """It would take it for the answer."""
    client.send(b"POST /show HTTP/1.0\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
    assert seen(client.response())["body"] == "body"


def test_a_body_that_is_cut_short_is_refused(client: RawClient) -> None:
    """Half of it may be a valid request for something else."""
    client.send(post(b"123456")[:-3])
    client.finish()
    response = client.response()
    assert (response.status, response.body) == (400, b"The body is shorter than its Content-Length")
    assert response.headers["connection"] == "close"
    assert client.is_closed()


def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """408, and the connection ends."""
    monkeypatch.setattr(Connection, "timeout", 0.05)
    client = connect()
    client.send(post(b"123456")[:-3])
    response = client.response()
    assert (response.status, response.headers["connection"]) == (408, "close")
    assert response.body == b"The body did not arrive in time"
    assert client.is_closed()


# The access log


def test_a_line_is_logged_for_every_answer(client: RawClient, access_log: list[str]) -> None:
    """Method, path and status: a query may hold a secret, and so may a header."""
    client.send(b"GET /show?secret=JBSWY3DPEHPK3PXP HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key\r\n\r\n")
    client.response()
    client.send(post(b"", "/nothing%0a%1b[2J\xc3\xa9"))
    client.response()
    assert access_log == ["GET '/show' 200", "POST '/nothing\\n\\x1b[2J\\xc3\\xa9' 404"]


# The app


def test_an_app_that_fails_ends_the_connection_and_not_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback goes to stderr, as it is a mistake in the program."""

    class Answer(list[bytes]):
        closed = False

        def close(self) -> None:
            """Note that it was called, as PEP 3333 demands."""
            Answer.closed = True

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/fail":
            raise ZeroDivisionError("an app's mistake")
        start_response("200 OK", [("Content-Length", "5")])
        return Answer([b"a", b"bcde"])

    server = Server(app)
    server.start()
    try:
        with RawClient(server.port) as client:
            client.send(b"GET /fail HTTP/1.1\r\n\r\n")
            assert client.is_closed()
        with RawClient(server.port) as client:
            client.send(GET)
            assert client.response().body == b"abcde"
    finally:
        server.stop()
    assert Answer.closed
    assert "ZeroDivisionError: an app's mistake" in capsys.readouterr().err
