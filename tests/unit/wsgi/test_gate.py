"""The gate: whose requests reach an app, and how long their bodies may be."""

from typing import Any

import pytest

from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import WELCOME, Gate


def refused(gate: Gate, **environ: str) -> HttpError:
    """Return the error for a request that a gate does not let pass."""
    with pytest.raises(HttpError) as failure:
        gate.check({"HTTP_HOST": "localhost", **environ})
    return failure.value


# Host


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost:8045", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535", "localhost:"],
)
def test_loopback_hosts_pass(host: str) -> None:
    """In any case, at any port."""
    Gate().check({"HTTP_HOST": host})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "attacker.example",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "localhost@attacker.example",
        "user@localhost",
        "localhost, attacker.example",
        "localhost:80:80",
        "localhost:a",
        "localhost/",
        "::1",
        "[::1",
        "[::2]",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "\u017focalhost",
        "localhost\n",
    ],
)
def test_foreign_hosts_are_refused(host: str) -> None:
    """A page on such a name may have resolved it to this machine (DNS rebinding)."""
    error = refused(Gate(), HTTP_HOST=host)
    assert error.status == 400
    assert error.message == f"Host {host!a} is not served here; accepted: localhost, 127.0.0.1, [::1]"


def test_a_request_without_host_is_refused() -> None:
    """HTTP/1.1 demands one (RFC 9112 section 3.2)."""
    with pytest.raises(HttpError, match=r"^Host '' is not served here"):
        Gate().check({})


def test_trusted_hosts_are_those_that_were_named() -> None:
    """No other, and None for any."""
    gate = Gate(trusted_hosts=("totp.example",))
    gate.check({"HTTP_HOST": "TOTP.example:8045"})
    assert refused(gate, HTTP_HOST="localhost").status == 400
    Gate(trusted_hosts=None).check({"HTTP_HOST": "anything:1"})
    Gate(trusted_hosts=None).check({})


def test_a_long_host_is_cut_short_in_the_error() -> None:
    """An error is no echo."""
    error = refused(Gate(), HTTP_HOST="a" * 1000)
    assert error.message.startswith("Host '" + "a" * 100 + "' is not served here")


# API key


@pytest.mark.parametrize("authorization", ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret "])
def test_the_key_passes(authorization: str) -> None:
    """The scheme's case does not matter (RFC 9110 section 11.1)."""
    Gate(api_key="s3cret").check({"HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": authorization})


def test_a_key_may_be_any_text() -> None:
    """Clients send it as UTF-8, which an environ holds as Latin-1 (PEP 3333)."""
    header = "Bearer schlüssel 🗝".encode().decode("latin-1")
    Gate(api_key="schlüssel 🗝").check({"HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": header})


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_AUTHORIZATION": "Bearer"},
        {"HTTP_AUTHORIZATION": "Bearer "},
        {"HTTP_AUTHORIZATION": "s3cret"},
        {"HTTP_AUTHORIZATION": "Basic s3cret"},
        {"HTTP_AUTHORIZATION": "Bearer s3cre"},
        {"HTTP_AUTHORIZATION": "Bearer s3crets"},
        {"HTTP_AUTHORIZATION": "Bearer S3CRET"},
        {"HTTP_AUTHORIZATION": "Bearer \xff"},
    ],
)
def test_no_key_and_a_wrong_key_are_refused(environ: dict[str, str]) -> None:
    """401 with the scheme that is wanted (RFC 9110 section 15.5.2); the key is not told."""
    error = refused(Gate(api_key="s3cret"), **environ)
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": "Bearer"})
    assert error.message == "Send the API key as 'Authorization: Bearer …'"


# Length


@pytest.mark.parametrize("length", ["", "0", "1", "1048576", "0001"])
def test_bodies_up_to_a_mebibyte_pass(length: str) -> None:
    """An empty length is what PEP 3333 allows where there is none."""
    Gate().check({"HTTP_HOST": "localhost", "CONTENT_LENGTH": length})


@pytest.mark.parametrize("length", ["1048577", "9" * 18, "9" * 19, "9" * 5000])
def test_longer_bodies_are_refused(length: str) -> None:
    """Also those whose length Python would not even read."""
    error = refused(Gate(), CONTENT_LENGTH=length)
    assert (error.status, error.message) == (413, "The body is too large; accepted are 1048576 bytes")


@pytest.mark.parametrize("length", ["-1", "+1", " 1", "1 ", "1,1", "1.0", "0x1", "1_0", "a", "\xb2", "\u0661"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    """Digits only (RFC 9110 section 8.6), and not all that Python takes for digits."""
    error = refused(Gate(), CONTENT_LENGTH=length)
    assert (error.status, error.message) == (400, "Content-Length is not a whole number")


@pytest.mark.parametrize("encoding", ["chunked", "identity", ""])
def test_a_transfer_encoding_is_refused(encoding: str) -> None:
    """Whatever it says, and whatever length is given beside it."""
    error = refused(Gate(), HTTP_TRANSFER_ENCODING=encoding, CONTENT_LENGTH="4")
    assert (error.status, error.message) == (411, "Transfer-Encoding is not accepted; send a Content-Length")


def test_the_limit_can_be_chosen() -> None:
    """In bytes."""
    environ: dict[str, Any] = {"HTTP_HOST": "localhost", "CONTENT_LENGTH": "11"}
    Gate(max_body=11).check(environ)
    assert refused(Gate(max_body=10), **environ).message == "The body is too large; accepted are 10 bytes"


# Pages of other origins


@pytest.mark.parametrize(
    "said",
    [
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},  # another port of this machine
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_DEST": "image"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_DEST": "iframe"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_DEST": "document", "REQUEST_METHOD": "POST"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_X_REQUESTED_WITH": "totphog"},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "http://localhost:3000"},
        {"HTTP_ORIGIN": "http://localhost.evil.example:8045"},
        {"HTTP_ORIGIN": "http://evil.example/localhost:8045"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": ""},
        {"HTTP_ORIGIN": "https://evil.example", "HTTP_X_FORWARDED_HOST": "totp.example"},
    ],
)
def test_foreign_pages_are_refused(said: dict[str, str]) -> None:
    """A browser sends what any page of the web wants, to this machine too; it says whose page it is."""
    error = refused(Gate(), **{"REQUEST_METHOD": "GET", "HTTP_HOST": "localhost:8045", **said})
    assert error.status == 403
    assert error.message == "Pages of another origin are not served; this server's own are, and clients are"


@pytest.mark.parametrize(
    "said",
    [
        {},  # curl, requests, cy.request()
        {"HTTP_SEC_FETCH_MODE": "cors"},  # Node's fetch
        {"HTTP_SEC_FETCH_SITE": "none"},  # typed into the address bar
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "https://totp.example"},  # through a proxy
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_DEST": "document"},  # a link in a wiki
        {"HTTP_ORIGIN": "http://localhost:8045"},
        {"HTTP_ORIGIN": "http://LOCALHOST:8045"},
        {"HTTP_ORIGIN": "http://localhost", "HTTP_HOST": "localhost:80"},
        {"HTTP_ORIGIN": "https://totp.example", "HTTP_X_FORWARDED_HOST": "totp.example, proxy.example"},
        {"HTTP_ORIGIN": "http://totp.example", "HTTP_X_REQUESTED_WITH": "totphog"},  # the page at /, through any proxy
        {"HTTP_SEC_FETCH_SITE": "cross-site", WELCOME: True},
    ],
)
def test_own_pages_and_clients_pass(said: dict[str, Any]) -> None:
    """Also through a proxy that changes Host, and where the app has let an origin in."""
    Gate().check({"REQUEST_METHOD": "GET", "HTTP_HOST": "localhost:8045", **said})


def test_gate_for_pages() -> None:
    """What holds no secret is linked to and framed from anywhere; the name must be this server's all the same."""
    gate = Gate(api_key="s3cret").for_pages()
    gate.check({"REQUEST_METHOD": "GET", "HTTP_HOST": "localhost", "HTTP_SEC_FETCH_SITE": "cross-site"})
    assert refused(gate, HTTP_HOST="evil.example").status == 400
