"""A server that somebody else runs: tokens in a namespace of one's own, and the ledger that all share."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Response

from pytest_totphog import CodeUnavailable, InvalidInput, ServerError, StoreError, TokenNotFound, TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.inputs import base_url
from pytest_totphog.servers.shared_place import SharedPlace
from pytest_totphog.servers.totp_server import place_of, server_at
from pytest_totphog.wsgi.server import Server
from tests.support.threads import in_threads

SECRET = "JBSWY3DPEHPK3PXP"
HALF_PAST_TEN = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
KEY = "open sesame"

Join = Callable[..., TotpServer]


@pytest.fixture
def running() -> Iterator[TotpServer]:
    """The server that is shared."""
    with TotpServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def join(running: TotpServer) -> Iterator[Join]:
    """Join it, each time as another test run."""
    with ExitStack() as cleanup:

        def join(namespace: str = "mine", **options: Any) -> TotpServer:
            shared = server_at(SharedPlace(running.url, api_key=KEY, namespace=namespace, **options))
            return cleanup.enter_context(shared)

        yield join


def get(url: str) -> Any:
    """Return what the API answers."""
    response = requests.get(url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)
    assert response.status_code == 200
    return response.json()


# What it is


def test_it_is_a_server_like_any_other(running: TotpServer, join: Join) -> None:
    """With the URLs of its namespace, where clients of any language find its tokens."""
    server = join("job-7")

    assert isinstance(server, TotpServer)
    assert (server.host, server.port) == ("127.0.0.1", running.port)
    assert server.url == f"http://127.0.0.1:{running.port}/namespaces/job-7"
    assert server.api_url == f"{server.url}/api/v1"


@pytest.mark.parametrize(
    ("url", "port"), [("http://totp.example", 80), ("https://totp.example", 443), ("https://totp.example:8045/a", 8045)]
)
def test_port_of_a_url_that_names_none(url: str, port: int) -> None:
    """It is that of its scheme."""
    server = server_at(SharedPlace(url, namespace="mine"))

    assert (server.host, server.port) == ("totp.example", port)


def test_repr_shows_no_key() -> None:
    """It goes into reports."""
    server = server_at(SharedPlace("http://127.0.0.1:8045", api_key=KEY, namespace="mine"))

    assert repr(server) == "<TotpServer at http://127.0.0.1:8045/namespaces/mine>"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8045", "http://127.0.0.1:8045"),
        ("http://127.0.0.1:8045/", "http://127.0.0.1:8045"),
        ("https://ci.example/totphog//", "https://ci.example/totphog"),
        ("http://[::1]:8045", "http://[::1]:8045"),
        ("HTTP://localhost", "HTTP://localhost"),
    ],
)
def test_base_url(url: str, base: str) -> None:
    """A slash at the end is no other server."""
    assert base_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "8045",
        "127.0.0.1:8045",
        "localhost:8045",
        "//127.0.0.1:8045",
        "http://",
        "http://:8045",
        "http:///api",
        "http://127.0.0.1:port",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://[::1",
        "ftp://127.0.0.1:8045",
        "postgresql://127.0.0.1/a",
        "http://127.0.0.1:8045/?key=7",
        "http://127.0.0.1/#tokens",
        "http://127.0.0.1:8045/\n",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """The message shows what was given and what is accepted."""
    with pytest.raises(InvalidInput) as caught:
        server_at(SharedPlace(url, namespace="mine"))

    assert str(caught.value) == f"the server's URL is {url!r}; accepted is one such as http://127.0.0.1:8045"


@pytest.mark.parametrize("url", ["http://ci:hunter2@127.0.0.1:8045", "http://hunter2@", "hunter2@127.0.0.1"])
def test_url_with_a_password_is_refused(url: str) -> None:
    """It would stand in the URLs of tokens; the message does not show it."""
    with pytest.raises(InvalidInput) as caught:
        server_at(SharedPlace(url, namespace="mine"))

    assert str(caught.value) == (
        "the server's URL is one with a password; accepted is one such as http://127.0.0.1:8045"
    )


# Tokens


def test_tokens_are_those_of_its_namespace(join: Join) -> None:
    """What is added in Python is served over HTTP, and the other way round."""
    server = join()
    alice = server.add_token(name="alice", secret=SECRET)

    listed = get(f"{server.api_url}/tokens")["data"]

    assert [(each["id"], each["secret"]) for each in listed] == [(alice.id, SECRET)]
    assert alice.code_url == f"{server.api_url}/tokens/{alice.id}/code"
    assert alice.verify(get(alice.code_url)["data"]["code"], window=1)
    requests.delete(f"{server.api_url}/tokens", headers={"Authorization": f"Bearer {KEY}"}, timeout=30)
    assert server.tokens == []


def test_two_runs_do_not_see_each_other(running: TotpServer, join: Join) -> None:
    """Nor do their tokens stand among those of the server itself."""
    mine, other = join("mine"), join("other")
    alice = mine.add_token(name="alice")

    assert (mine.tokens, other.tokens, running.tokens) == ([alice], [], [])
    with pytest.raises(TokenNotFound):
        other.remove(alice.id)
    other.clear()
    other.reset()
    assert mine.tokens == [alice]


def test_claims_are_shared(running: TotpServer, join: Join) -> None:
    """One secret, three who ask, and no step twice."""
    servers = [join("mine"), join("other"), running]
    for server in servers:
        server.clock.freeze(HALF_PAST_TEN)

    steps = [issuer_of(server.add_token(secret=SECRET)).claim().step for server in servers]

    assert steps == [56_843_820, 56_843_821, 56_843_822]


def test_holder_is_told_to_the_other_run(join: Join) -> None:
    """Who waits in vain learns whose test has the code."""
    mine, other = join("mine", holder=lambda: "job 7"), join("other")
    mine.add_token(secret=SECRET, period=86_400).one_time_code(min_remaining=0)

    with pytest.raises(CodeUnavailable, match=r"; step \d+ was handed to job 7 just now\. "):
        other.add_token(secret=SECRET, period=86_400).one_time_code(min_remaining=0, timeout=0)


def test_tokens_are_put_back(join: Join) -> None:
    """As a test found them, in their order."""
    server = join()
    before = [server.add_token(name=name) for name in ("alice", "bob")]
    server.remove(before[0])
    server.add_token(name="carol")

    place_of(server).restore(before)

    assert server.tokens == before


# The clock


def test_frozen_clock_is_that_of_the_namespace(join: Join) -> None:
    """A code that a page fetches over HTTP is the one that the test computes, wherever the clock is moved."""
    server = join()
    token = server.add_token(secret=SECRET)

    server.clock.freeze(HALF_PAST_TEN)
    assert get(token.code_url)["data"]["code"] == token.now() == "648307"

    server.clock.next_step()
    assert get(token.code_url)["data"]["code"] == token.now() == "764426"

    assert token.one_time_code() == "764426"
    assert token.one_time_code() == get(token.code_url)["data"]["code"] == "812434"

    server.clock.unfreeze()
    assert get(f"{server.api_url}/clock")["mode"] == "live"


def test_clock_that_was_frozen_before(running: TotpServer, join: Join) -> None:
    """The server learns of it when the run begins; the clocks of others run on."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00.123456Z")

    server = join(clock=clock)

    assert get(f"{server.api_url}/clock")["now"] == "2024-01-15T10:30:00.123456+00:00"
    assert (running.clock.mode, get(f"{join('other').api_url}/clock")["mode"]) == ("live", "live")


@pytest.mark.parametrize("end", [lambda server: server.reset(), lambda server: place_of(server).restore([])])
def test_clock_that_was_frozen_over_http(join: Join, end: Callable[[TotpServer], None]) -> None:
    """It is released with the test that froze it, as in a server of one's own."""
    server = join()
    body, headers = {"frozen_at": "2024-01-15T10:30:00Z"}, {"Authorization": f"Bearer {KEY}"}
    requests.put(f"{server.api_url}/clock", json=body, headers=headers, timeout=30)

    end(server)

    assert get(f"{server.api_url}/clock")["mode"] == "live"


def test_clock_outlives_the_server(join: Join) -> None:
    """A run that has ended asks the server for nothing; one that begins again does."""
    server = join()
    server.stop()

    server.clock.freeze(HALF_PAST_TEN)

    place = place_of(server)
    assert isinstance(place, SharedPlace)
    assert place not in server.clock.followers
    assert get(f"{server.api_url}/clock")["mode"] == "live"
    server.start()
    assert get(f"{server.api_url}/clock")["now"] == "2024-01-15T10:30:00+00:00"


def test_clock_that_was_moved_over_http(join: Join) -> None:
    """It goes back when the test says so, also where its own clock stands there already."""
    server = join()
    server.clock.freeze(HALF_PAST_TEN)
    headers = {"Authorization": f"Bearer {KEY}"}
    requests.post(f"{server.api_url}/clock/tick", json={"seconds": 90}, headers=headers, timeout=30)

    server.add_token().one_time_code()
    assert get(f"{server.api_url}/clock")["now"] == "2024-01-15T10:31:30+00:00"
    server.clock.move_to(HALF_PAST_TEN)
    assert get(f"{server.api_url}/clock")["now"] == "2024-01-15T10:30:00+00:00"


def test_moves_of_many_threads(join: Join) -> None:
    """The namespace's clock ends where the run's does, in whichever order the requests were sent."""
    server = join()
    server.clock.freeze(HALF_PAST_TEN)

    in_threads(8, lambda _: [server.clock.tick() for _ in range(5)])

    assert get(f"{server.api_url}/clock")["now"] == "2024-01-15T10:30:40+00:00"


# Start and stop


def test_stopping_removes_the_tokens(join: Join) -> None:
    """Those of the run; the server, and what others have there, stays."""
    mine, other = join("mine"), join("other")
    mine.add_token()
    bob = other.add_token(name="bob")

    mine.stop()

    assert get(f"{mine.api_url}/tokens")["data"] == []
    assert other.tokens == [bob]
    mine.stop()


def test_starting_removes_what_was_left(running: TotpServer) -> None:
    """A run of the same name that died."""
    server_at(SharedPlace(running.url, api_key=KEY, namespace="mine")).add_token()

    with server_at(SharedPlace(running.url, api_key=KEY, namespace="mine")) as server:
        assert server.tokens == []


def test_stopping_ends_the_wait_for_a_code(join: Join) -> None:
    """However long the time-out."""
    server = join()
    token = server.add_token(period=86_400)
    step = issuer_of(token).claim(min_remaining=0).step

    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(token.one_time_code, 0, 0, 86_400)
        ledger = issuer_of(token).keeper.ledger
        while ledger.find(issuer_of(token).token.fingerprint, step + 1) is None:
            assert not waiter.done()
        server.stop()

        with pytest.raises(CodeUnavailable, match="its server was stopped before the next one began"):
            waiter.result(10)


ADVICE = "Is `totphog serve` running there, and TOTPHOG_API_KEY its key?"


def test_server_that_is_not_there() -> None:
    """The sentence names it, and says what to look for."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(ServerError) as caught:
            server_at(SharedPlace(url, namespace="mine")).start()

    assert str(caught.value) == f"the totphog server at {url} failed: Connection refused. {ADVICE}"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("another", "The API key that was sent is not this server's"),
        (None, "Send the API key as 'Authorization: Bearer …'"),
    ],
)
def test_server_that_refuses_the_key(running: TotpServer, key: str | None, reason: str) -> None:
    """Neither key is shown."""
    with pytest.raises(ServerError) as caught:
        server_at(SharedPlace(running.url, api_key=key, namespace="mine")).start()

    assert str(caught.value) == f"the totphog server at {running.url} failed: {reason}. {ADVICE}"


def test_server_that_is_another_one() -> None:
    """A slip in the port."""
    server = Server(Response("Welcome", mimetype="text/html"))
    server.start()
    url = server.url

    with pytest.raises(ServerError) as caught:
        server_at(SharedPlace(url, namespace="mine")).start()

    server.stop()
    assert str(caught.value) == (
        f"the totphog server at {url} failed: it answered 200 OK, which no totphog server does. {ADVICE}"
    )


def test_namespace_that_no_server_takes(running: TotpServer) -> None:
    """The server's own sentence."""
    with pytest.raises(ServerError, match=r"the namespace is 'a b'; accepted are 1 to 100 letters"):
        server_at(SharedPlace(running.url, api_key=KEY, namespace="a b")).start()


def test_server_that_went_away(running: TotpServer) -> None:
    """Every call says so, none of them falls back to something of one's own, and there is nothing to clean up."""
    url = running.url
    server = server_at(SharedPlace(url, api_key=KEY, namespace="mine"))
    server.start()
    token = server.add_token(secret=SECRET)
    running.stop()

    for call in (server.add_token, server.clear, token.one_time_code, lambda: server.tokens):
        with pytest.raises(StoreError) as caught:
            call()
        assert str(caught.value) == f"the totphog server at {url} failed: Connection refused"
    server.stop()
