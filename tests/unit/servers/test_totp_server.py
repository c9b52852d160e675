"""The TOTP server: tokens in Python and over HTTP, one life of both."""

import gc
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from pytest_totphog import (
    CodeUnavailable,
    FrozenClock,
    InvalidCall,
    InvalidInput,
    ServerError,
    TokenNotFound,
    TotpServer,
)
from pytest_totphog.servers.totp_server import place_of
from pytest_totphog.wsgi.client import Client
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import gate_for
from tests.support.raw_http import RawClient
from tests.support.threads import in_threads

SECRET = "JBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/GitHub:user@example.com?secret={SECRET}&issuer=GitHub"


@pytest.fixture
def server() -> Iterator[TotpServer]:
    """A running server whose clock stands at 2024-01-15T10:30:00Z."""
    with TotpServer() as server:
        server.clock.freeze("2024-01-15T10:30:00Z")
        yield server


def get(url: str, **options: Any) -> Any:
    """Return the `data` that the API answers."""
    response = requests.get(url, timeout=30, **options)
    assert response.status_code == 200
    return response.json()["data"]


# Tokens


def test_a_token_of_python_is_served_over_http(server: TotpServer) -> None:
    """At once, under the same id, with the same code."""
    token = server.add_token(name="GitHub", secret=SECRET, issuer="GitHub", digits=8, period=60, algorithm="sha256")
    assert get(f"{server.api_url}/tokens") == [
        {
            "id": token.id,
            "name": "GitHub",
            "secret": "JBSWY3DPEHPK3PXP",
            "issuer": "GitHub",
            "digits": 8,
            "period": 60,
            "algorithm": "sha256",
            "created_at": "2024-01-15T10:30:00+00:00",
        }
    ]
    assert token.code_url == f"{server.api_url}/tokens/{token.id}/code"
    assert get(token.code_url)["code"] == token.now() == "48298960"


def test_a_token_of_http_is_there_in_python(server: TotpServer) -> None:
    """With all that a token can do."""
    created = requests.post(f"{server.api_url}/tokens", json={"uri": URI}, timeout=30).json()["data"]
    [token] = server.tokens
    assert (token.id, token.name, token.issuer) == (created["id"], "user@example.com", "GitHub")
    assert token.one_time_code() == "648307"


def test_tokens_of_uris_and_of_what_pages_show(server: TotpServer) -> None:
    """A page shows a URI or a secret."""
    tokens = [server.add_uri(URI), server.enroll(URI), server.enroll("jbsw y3dp ehpk 3pxp", name="printed")]
    assert server.tokens == tokens
    assert [(token.name, token.secret) for token in tokens] == [
        ("user@example.com", SECRET),
        ("user@example.com", SECRET),
        ("printed", SECRET),
    ]


def test_a_token_may_be_random(server: TotpServer) -> None:
    """160 bits unless a secret is given."""
    first, second = server.add_token(), server.add_token()
    assert re.fullmatch("[A-Z2-7]{32}", first.secret)
    assert first.secret != second.secret
    assert (first.name, first.issuer) == ("account", "TOTPHog")


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda server: server.add_token(digits=5), "digits is 5; accepted are 6, 7 and 8"),
        (
            lambda server: server.add_uri(None),
            "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32",
        ),
        (lambda server: server.add_token(period=0), "period is 0; accepted are whole seconds from 1 to 86400"),
        (
            lambda server: server.add_uri("otpauth://hotp/a?secret=AA"),
            "the type of the key URI is 'hotp'; accepted is totp",
        ),
        (
            lambda server: server.enroll(b"AA"),
            "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG picture",
        ),
    ],
)
def test_what_is_refused_is_not_added(server: TotpServer, add: Callable[[TotpServer], object], message: str) -> None:
    """The error says what was wrong and what is accepted."""
    with pytest.raises(InvalidInput) as failure:
        add(server)
    assert str(failure.value) == message
    assert server.tokens == []


def test_a_secret_without_a_name_is_no_accounts_name(server: TotpServer) -> None:
    """It is pyotp's way to say it; the error says how it is said here, and does not show it."""
    with pytest.raises(InvalidCall, match=re.escape("write add_token(secret=…)")) as failure:
        server.add_token(SECRET)  # type: ignore[arg-type]  # which is what the error is about
    assert SECRET not in str(failure.value)
    assert server.tokens == []


def test_tokens_are_removed_by_themselves_or_by_id(server: TotpServer) -> None:
    """A token that is not there is an error."""
    first, second = server.add_token(), server.add_token()
    server.remove(first)
    server.remove(second.id)
    assert server.tokens == []
    with pytest.raises(TokenNotFound, match=r"^Token not found$"):
        server.remove(first)


def test_clearing_forgets_tokens_and_not_what_was_handed_out(server: TotpServer) -> None:
    """The verifier remembers the step too."""
    assert server.add_uri(URI).one_time_code() == "648307"
    server.clear()
    assert server.tokens == []
    assert server.add_uri(URI).one_time_code() == "764426"


def test_restoring_keeps_just_these_tokens(server: TotpServer) -> None:
    """What was added since is gone, what was removed is back."""
    kept, removed = server.add_token(name="kept"), server.add_token(name="removed")
    before = server.tokens
    server.remove(removed)
    server.add_token(name="added")
    place_of(server).restore(before)
    assert {token.name for token in server.tokens} == {"kept", "removed"}
    assert get(f"{server.api_url}/tokens/{kept.id}")["name"] == "kept"


def test_reset_leaves_a_clock_to_who_holds_it() -> None:
    """In its own `with` block it stays where it is, and after that it is like any other."""
    with FrozenClock("2024-01-15T10:30:00Z", None) as clock:
        server = TotpServer(clock=clock)
        server.reset()
        assert clock.mode == "frozen"
    clock.freeze("2024-01-15T10:30:00Z")
    server.reset()
    assert clock.mode == "live"


def test_a_reset_server_is_as_new(server: TotpServer) -> None:
    """No tokens, and the clock runs."""
    server.add_token()
    server.reset()
    assert server.tokens == []
    assert server.clock.mode == "live"


def test_a_clock_is_shared(server: TotpServer) -> None:
    """Moved in Python, it has moved for HTTP, and the other way round."""
    server.clock.tick(30)
    assert requests.get(f"{server.api_url}/clock", timeout=30).json()["now"] == "2024-01-15T10:30:30+00:00"
    requests.post(f"{server.api_url}/clock/tick", json={"seconds": 30}, timeout=30)
    assert server.clock.now().isoformat() == "2024-01-15T10:31:00+00:00"


def test_a_servers_repr_says_where_it_is() -> None:
    """And how many tokens it has, but none of them."""
    server = TotpServer()
    assert repr(server) == "<TotpServer stopped, 0 tokens>"
    with server:
        server.add_token(secret=SECRET)
        assert repr(server) == f"<TotpServer at http://127.0.0.1:{server.port}, 1 tokens>"


# Start and stop


def test_a_stopped_server_keeps_its_tokens() -> None:
    """They have no URL until it starts again, and their codes go on."""
    server = TotpServer()
    server.start()
    token = server.add_token(secret=SECRET)
    server.stop()
    assert token.at(59) == "996554"
    with pytest.raises(ServerError, match=r"^no server runs for this token; start one: with TotpServer"):
        _ = token.code_url
    with server:
        assert get(f"{token.code_url}?at=59")["code"] == "996554"


def test_two_servers_know_nothing_of_each_other() -> None:
    """There is no global state."""
    with TotpServer() as first, TotpServer() as second:
        first.add_token()
        assert (len(first.tokens), len(second.tokens)) == (1, 0)
        assert first.port != second.port


def test_a_busy_port_names_port_and_option(server: TotpServer) -> None:
    """And the server that could not start has no port."""
    with pytest.raises(ServerError) as failure:
        TotpServer(port=server.port).start()
    assert str(failure.value) == (
        f"cannot listen on 127.0.0.1 port {server.port}: Address already in use. "
        "Choose another port, or let port 0 find a free one"
    )


class NoSoonStep(FrozenClock):
    """A live clock that stands at the end of a step, and tells when somebody waits for the next."""

    def __init__(self) -> None:
        super().__init__()
        self.somebody_waits = threading.Semaphore(0)

    def time_ns(self) -> int:
        """Return five seconds before 10:30:30."""
        return 1_705_314_625 * 1_000_000_000

    def wait_until(self, *arguments: Any, **options: Any) -> bool:
        """Tell, and wait."""
        self.somebody_waits.release()
        return super().wait_until(*arguments, **options)


def test_stopping_ends_all_waiting() -> None:
    """Requests that are held get no code, and neither do threads that wait in Python; no thread is left."""
    before = set(threading.enumerate())
    clock = NoSoonStep()
    server = TotpServer(clock=clock)
    server.start()
    token = server.add_token(secret=SECRET)

    def held(url: str, **options: Any) -> int | None:
        try:
            return requests.request("POST" if options else "GET", url, timeout=30, **options).status_code
        except requests.ConnectionError:
            return None

    with ThreadPoolExecutor() as pool:
        code = pool.submit(held, f"{token.code_url}?min_remaining=10")
        one_time_code = pool.submit(held, f"{server.api_url}/tokens/{token.id}/one-time-code", json={})
        in_python = pool.submit(token.one_time_code)
        for _ in range(3):
            assert clock.somebody_waits.acquire(timeout=30)
        server.stop()
        # The answer may or may not reach a client whose connection is closed just then.
        assert {code.result(30), one_time_code.result(30)} <= {503, None}
        with pytest.raises(CodeUnavailable):
            in_python.result(30)
    assert set(threading.enumerate()) - before == set()


@pytest.mark.slow
def test_starting_and_stopping_leaves_nothing_behind() -> None:
    """Two hundred times, with a connection that is kept alive: no thread, no socket, no file descriptor."""

    def cycle() -> None:
        with TotpServer() as server, RawClient(server.port) as client:
            client.send(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.response().status == 200
            server.stop()

    def left() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    cycle()  # what is loaded on first use stays
    before = left()
    for _ in range(200):
        cycle()
    assert left() == before


def test_a_server_writes_nothing_unasked(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither for requests nor for errors nor for a stop."""
    with TotpServer() as server:
        for path in ("/api/v1/tokens", "/nothing", "/api/v1/tokens/x?at=1"):
            requests.get(server.url + path, timeout=30)
        with RawClient(server.port) as client:
            client.send(b"nonsense\r\n")
            assert client.response().status == 400
    assert capfd.readouterr() == ("", "")


def test_the_access_log_has_no_secret_in_it() -> None:
    """Neither of a query nor of a body nor of a header."""
    lines: list[str] = []
    with TotpServer(access_log=lines.append, api_key="s3cret") as server:
        headers = {"Authorization": "Bearer s3cret"}
        body = {"name": "a", "secret": SECRET}
        created = requests.post(f"{server.api_url}/tokens?secret={SECRET}", json=body, headers=headers, timeout=30)
        requests.get(f"{server.api_url}/tokens/x/code?at={SECRET}", headers=headers, timeout=30)
    assert created.status_code == 201
    assert lines == ["POST '/api/v1/tokens' 201", "GET '/api/v1/tokens/x/code' 404"]


# Whom it serves


def test_https(server: TotpServer) -> None:
    """URLs say so, and the plain server is another."""
    with TotpServer(ssl_context="adhoc") as secure:
        token = secure.add_token(secret=SECRET)
        assert secure.api_url == f"https://127.0.0.1:{secure.port}/api/v1"
        assert token.code_url.startswith(secure.api_url)
        with pytest.warns(InsecureRequestWarning):
            assert get(f"{token.code_url}?at=59", verify=False)["code"] == "996554"
    assert server.url.startswith("http://")


def test_a_key_is_demanded_where_one_is_set() -> None:
    """401 with the scheme that is wanted; Python needs no key."""
    with TotpServer(api_key="s3cret") as server:
        token = server.add_token(secret=SECRET)
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            response = requests.get(token.code_url, headers=headers, timeout=30)
            assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert response.json()["success"] is False
        assert get(f"{token.code_url}?at=59", headers={"Authorization": "Bearer s3cret"})["code"] == "996554"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "totp.example"])
def test_an_address_that_others_can_reach_is_refused_without_a_key(host: str) -> None:
    """Before anything listens there."""
    with pytest.raises(ServerError) as failure:
        TotpServer(host)
    assert str(failure.value) == (
        f"{host} is reachable from other machines, and whoever reaches this server reads its secrets; "
        "listen on 127.0.0.1, or give api_key=… or insecure=True where it is meant"
    )


def test_every_name_that_is_served_is_named_once() -> None:
    """To a client that has asked for another."""
    with pytest.raises(HttpError, match=r"accepted: localhost, 127\.0\.0\.1, \[::1\]$"):
        gate_for("127.0.0.1").check({"HTTP_HOST": "attacker.example"})


def test_a_client_that_does_not_say_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called by its address; the number of the server's own process would say nothing about it."""
    for name in "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER":
        monkeypatch.delenv(name, raising=False)
    with TotpServer() as server:
        token = server.add_token(secret=SECRET)
        path = f"{server.api_url}/tokens/{token.id}"
        taken = requests.post(f"{path}/one-time-code", timeout=30).json()["data"]["code"]
        requests.post(f"{path}/verify", json={"code": taken}, timeout=30)
        events = get(f"{server.api_url}/events")
    assert [event["holder"] for event in events] == ["127.0.0.1, no holder given"] * 2


def test_a_test_that_asks_by_http_is_named(server: TotpServer) -> None:
    """It is the one that runs."""
    token = server.add_token(secret=SECRET)
    requests.post(f"{server.api_url}/tokens/{token.id}/one-time-code", timeout=30)
    [event] = get(f"{server.api_url}/events")
    assert event["holder"].endswith("test_totp_server.py::test_a_test_that_asks_by_http_is_named")


def test_an_address_that_others_can_reach_is_served_with_a_key() -> None:
    """Under whatever name they reach it."""
    with TotpServer("0.0.0.0", api_key="s3cret") as server:
        headers = {"Authorization": "Bearer s3cret", "Host": "totp.example"}
        assert get(f"http://127.0.0.1:{server.port}/api/v1/tokens", headers=headers) == []


def test_an_address_that_others_can_reach_is_served_when_that_is_meant() -> None:
    """`insecure` says so."""
    with TotpServer("0.0.0.0", insecure=True) as server:
        assert get(f"http://127.0.0.1:{server.port}/api/v1/tokens") == []


@pytest.mark.parametrize(
    ("host", "served", "refused"),
    [
        ("127.0.0.1", ["127.0.0.1:1", "localhost", "[::1]"], ["127.0.0.2", "attacker.example"]),
        ("localhost", ["127.0.0.1:1", "localhost", "[::1]"], ["127.0.0.2", "attacker.example"]),
        ("::1", ["127.0.0.1:1", "localhost", "[::1]:1"], ["[::2]", "attacker.example"]),
        ("127.0.0.2", ["127.0.0.2:1", "127.0.0.1", "localhost"], ["127.0.0.3", "attacker.example"]),
    ],
)
def test_on_loopback_only_its_own_names_are_served(host: str, served: list[str], refused: list[str]) -> None:
    """A page on another name that resolves to this machine (DNS rebinding) is not."""
    gate = gate_for(host)
    for name in served:
        gate.check({"HTTP_HOST": name})
    for name in refused:
        with pytest.raises(HttpError):
            gate.check({"HTTP_HOST": name})


# Where sockets are forbidden


def test_a_server_without_sockets_waits_until_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tokens give codes meanwhile; whoever asks where it is hears why that cannot be, until it can."""

    def forbidden(*_: Any, **__: Any) -> None:
        raise RuntimeError("no sockets here")

    server = TotpServer()
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", forbidden)
        place_of(server).start_when_possible()
        token = server.add_token(name="alice")

        assert len(token.one_time_code(min_remaining=0)) == 6
        assert repr(server) == "<TotpServer waiting, 1 tokens>"
        assert server.running is False
        for ask in (lambda: server.url, lambda: server.port, lambda: token.code_url):
            with pytest.raises(RuntimeError, match="no sockets here"):
                ask()

    assert requests.get(token.code_url, timeout=5).status_code == 200
    assert server.running
    place_of(server).start_when_possible()  # runs already
    server.stop()
    with pytest.raises(ServerError, match="is not running"):
        assert server.url


def test_a_running_server_answers_while_a_test_has_forbidden_sockets(
    server: TotpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser, or an app in another process, asks it meanwhile: its thread must not die of that."""
    client = Client(server.url)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", None)
        assert client.send("GET", "/api/v1/health").status == 200
    client.close()
    assert requests.get(f"{server.api_url}/health", timeout=5).status_code == 200


def test_a_server_that_waits_starts_once_sockets_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that know a fixed port do not ask."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = TotpServer(port=port)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", None)
        place_of(server).start_when_possible()
        assert server.running is False
    place_of(server).start_when_possible()
    assert requests.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=5).status_code == 200
    server.stop()


def test_a_server_is_asked_by_many_threads_and_starts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them starts it, and all hear the same."""
    server = TotpServer()
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", None)
        place_of(server).start_when_possible()
    assert len(set(in_threads(8, lambda _: server.url))) == 1
    server.stop()
