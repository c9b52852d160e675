"""An app on a port: start, stop, TLS, IPv6, and what is left behind: nothing."""

import errno
import os
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from pytest_totphog import MissingExtra, ServerError
from pytest_totphog.wsgi.routes import App
from pytest_totphog.wsgi.server import Server
from tests.support.raw_http import RawClient
from tests.support.threads import wait_for

Serve = Callable[..., Server]
Threads = Callable[[], list[str]]

GET = b"GET /show HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def threads() -> Threads:
    """Name the threads that a test has started and that are still there."""
    before = set(threading.enumerate())
    return lambda: [thread.name for thread in threading.enumerate() if thread not in before]


@pytest.fixture
def serve(app: App) -> Iterator[Serve]:
    """Start servers of the app."""
    servers: list[Server] = []

    def serve(*arguments: Any, **options: Any) -> Server:
        servers.append(Server(app, *arguments, **options))
        servers[-1].start()
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


# Start and stop


def test_requests_are_answered_when_start_returns(serve: Serve) -> None:
    """At a free port unless one is asked for."""
    server = serve()
    assert server.running
    assert (server.host, server.url) == ("127.0.0.1", f"http://127.0.0.1:{server.port}")
    assert requests.get(f"{server.url}/show", timeout=30).status_code == 200


def test_connections_are_refused_when_stop_returns(serve: Serve, threads: Threads) -> None:
    """And no thread of the server is left."""
    server = serve()
    port = server.port
    server.stop()
    assert not server.running
    assert threads() == []
    with pytest.raises(ConnectionRefusedError):
        RawClient(port)


def test_stopping_twice_is_stopping_once(serve: Serve) -> None:
    """So is stopping what never ran."""
    server = serve()
    server.stop()
    server.stop()
    assert not server.running


def test_a_stopped_server_starts_again(serve: Serve) -> None:
    """At the same port, though connections to it were just closed."""
    first = serve()
    with RawClient(first.port) as client:
        client.send(GET)
        assert client.response().status == 200
        port = first.port
        first.stop()
    second = serve(port=port)
    second.stop()
    second.start()
    assert second.port == port
    assert requests.get(f"{second.url}/show", timeout=30).status_code == 200


def test_a_running_server_is_not_started(serve: Serve) -> None:
    """The error says where it runs."""
    server = serve()
    with pytest.raises(ServerError, match=f"^the server is running already, at {server.url}$"):
        server.start()


def test_there_is_no_port_before_the_start(app: App) -> None:
    """Unless it was asked for."""
    with pytest.raises(ServerError, match=r"^the server is not running, so it has no port yet; start\(\) it first$"):
        _ = Server(app).port
    assert Server(app, port=8045).url == "http://127.0.0.1:8045"


def test_stop_closes_connections_that_are_kept_alive(serve: Serve, threads: Threads) -> None:
    """Whether they were used or not, and though clients hold them open."""
    server = serve()
    with RawClient(server.port) as used, RawClient(server.port) as unused:
        used.send(GET)
        assert used.response().status == 200
        server.stop()
        assert (used.is_closed(), unused.is_closed()) == (True, True)
    assert threads() == []


def test_stop_closes_a_connection_whose_client_does_not_read(threads: Threads) -> None:
    """Though the answer does not fit into the buffers between them."""
    begun = threading.Event()

    def endless(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "50000000")])
        begun.set()
        return [b"a" * 50_000_000]

    server = Server(endless)
    server.start()
    with RawClient(server.port) as client:
        client.send(GET)
        assert begun.wait(30)
        server.stop()
    assert threads() == []


def test_stop_says_when_a_request_does_not_end(threads: Threads) -> None:
    """Within the time that it is given; the request goes on."""
    begun, released = threading.Event(), threading.Event()

    def slow(_: Any, start_response: Any) -> list[bytes]:
        begun.set()
        released.wait(30)
        start_response("200 OK", [])
        return []

    server = Server(slow)
    server.start()
    with RawClient(server.port) as client:
        client.send(GET)
        assert begun.wait(30)
        message = "^1 requests were still under way 0.01 s after the server was asked to stop$"
        with pytest.raises(ServerError, match=message):
            server.stop(timeout=0.01)
        released.set()
        assert client.is_closed()
    for thread in threading.enumerate():
        if thread.name == "totphog-connection":
            thread.join(30)
    assert threads() == []


# Addresses


def test_a_busy_port_is_a_plain_error(serve: Serve, app: App, threads: Threads) -> None:
    """Raised by start(), in the caller's thread; it names the port."""
    port = serve().port
    with pytest.raises(ServerError) as failure:
        Server(app, port=port).start()
    assert str(failure.value) == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another port, or let port 0 find a free one"
    )
    assert threads() == ["totphog-server"]


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        (
            "192.0.2.1",
            0,
            "cannot listen on 192.0.2.1 port 0: Cannot assign requested address. Choose an address of this machine,",
        ),
        ("no.such.name.invalid", 0, "cannot listen on no.such.name.invalid port 0: "),
        ("a" * 64, 0, f"cannot listen on {'a' * 64} port 0: "),
        ("127.0.0.1", 65_536, "port 65536 does not exist; accepted are 0 to 65535, 0 for a free one"),
        ("127.0.0.1", -1, "port -1 does not exist; accepted are 0 to 65535, 0 for a free one"),
    ],
)
def test_an_address_that_cannot_be_had_is_a_plain_error(app: App, host: str, port: int, message: str) -> None:
    """It names host and port."""
    server = Server(app, host, port)
    with pytest.raises(ServerError) as failure:
        server.start()
    assert str(failure.value).startswith(message)
    assert not server.running


def test_ipv6_loopback(serve: Serve) -> None:
    """The address stands in brackets in the URL and in the Host header."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")
    server = serve("::1")
    assert server.url == f"http://[::1]:{server.port}"
    assert requests.get(f"{server.url}/show", timeout=30).json()["HTTP_HOST"] == f"[::1]:{server.port}"


def test_localhost_by_name(serve: Serve) -> None:
    """Whichever address the name stands for."""
    server = serve("localhost")
    assert requests.get(f"{server.url}/show", timeout=30).json()["HTTP_HOST"] == f"localhost:{server.port}"


# TLS


def test_https_with_a_context(serve: Serve, certificate: Any) -> None:
    """Requests go on one connection, as without TLS."""
    server = serve(ssl_context=certificate.context)
    assert server.url == f"https://127.0.0.1:{server.port}"
    with requests.Session() as session:
        answers = [
            session.post(f"{server.url}/show", data=f"body {number}", verify=certificate.path, timeout=30).json()
            for number in range(3)
        ]
    assert [answer["body"] for answer in answers] == ["body 0", "body 1", "body 2"]
    assert {answer["wsgi.url_scheme"] for answer in answers} == {"https"}


def test_https_with_a_throw_away_certificate(serve: Serve) -> None:
    """Nobody can verify it, and clients say so."""
    server = serve(ssl_context="adhoc")
    with pytest.warns(InsecureRequestWarning):
        assert requests.get(f"{server.url}/show", verify=False, timeout=30).status_code == 200


def test_a_throw_away_certificate_needs_an_extra(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what to install."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(MissingExtra) as failure:
        Server(app, ssl_context="adhoc").start()
    assert str(failure.value) == (
        "ssl_context='adhoc' needs cryptography; install it with: pip install 'pytest-totphog[serve]'"
    )


def test_a_client_that_stalls_in_the_handshake_blocks_nobody(serve: Serve, certificate: Any, threads: Threads) -> None:
    """Neither other clients nor the stop."""
    server = serve(ssl_context=certificate.context)
    with RawClient(server.port) as silent, RawClient(server.port) as halfway:
        halfway.send(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        assert requests.get(f"{server.url}/show", verify=certificate.path, timeout=30).status_code == 200
        server.stop()
        assert (silent.is_closed(), halfway.is_closed()) == (True, True)
    assert threads() == []


def test_stop_closes_tls_connections_that_are_kept_alive(serve: Serve, certificate: Any, threads: Threads) -> None:
    """While their threads wait for the next request."""
    server = serve(ssl_context=certificate.context)
    url = f"{server.url}/show"
    with requests.Session() as session:
        assert session.get(url, verify=certificate.path, timeout=30).status_code == 200
        server.stop()
        assert threads() == []
        with pytest.raises(requests.ConnectionError):
            session.get(url, verify=certificate.path, timeout=30)


def test_a_client_that_breaks_off_tls_leaves_nothing_behind(
    serve: Serve, certificate: Any, capfd: pytest.CaptureFixture[str], threads: Threads
) -> None:
    """Whatever it sent: plain http, half a handshake, no trust in the certificate, a reset."""
    server = serve(ssl_context=certificate.context)
    for beginning in (b"", b"\x16\x03\x01\x02\x00\x01", GET):
        for politely in (True, False):
            client = RawClient(server.port)
            client.send(beginning)
            if not politely:  # a reset instead of an end
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.url, timeout=30)
    trusting = ssl.create_default_context(cafile=certificate.path)
    with socket.create_connection((server.host, server.port)) as plain:
        trusting.wrap_socket(plain, server_hostname="127.0.0.1").close()
    assert requests.get(f"{server.url}/show", verify=certificate.path, timeout=30).status_code == 200
    server.stop()
    assert threads() == []
    assert capfd.readouterr() == ("", "")


# Out of threads, out of files


def test_no_thread_can_be_started(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot be served is told so, and when threads can be started again, all goes on."""
    server = serve()
    start = threading.Thread.start

    def cannot_start(thread: threading.Thread) -> None:
        if thread.name == "totphog-connection":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot_start)
        with RawClient(server.port) as client:
            client.send(GET)
            refusal = client.response()
            assert (refusal.status, refusal.headers["retry-after"]) == (503, "1")
            assert refusal.headers["cache-control"] == "no-store"
            assert client.is_closed()

    assert requests.get(f"{server.url}/show", timeout=30).status_code == 200


def test_idle_connections_make_room(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection that has been idle for longest is closed, so that its thread serves another one."""
    server = serve()
    start = threading.Thread.start

    def two_at_the_most(thread: threading.Thread) -> None:
        if sum(each.name == "totphog-connection" for each in threading.enumerate()) >= 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    with RawClient(server.port) as oldest, RawClient(server.port) as other:
        for client in (oldest, other):
            client.send(GET)
            assert client.response().status == 200
            wait_for(lambda: len(server._listener.idle) == 2)
        monkeypatch.setattr(threading.Thread, "start", two_at_the_most)

        with RawClient(server.port) as client:
            client.send(GET)
            assert client.response().status == 200

        assert oldest.is_closed()
        other.send(GET)
        assert other.response().status == 200


def test_no_more_files(serve: Serve) -> None:
    """A connection is left waiting, without a loop that spins, and is served when an idle one has given way."""
    server = serve()
    accepts: list[Any] = []

    class Exhausted(socket.socket):
        """A socket that is out of files, three times."""

        def _accept(self) -> Any:
            if len(accepts) < 3:
                accepts.append(OSError(errno.EMFILE, "Too many open files"))
                raise accepts[-1]
            return super()._accept()  # type: ignore[misc]  # what `accept` is made of

    with RawClient(server.port) as idle:
        idle.send(GET)
        assert idle.response().status == 200
        listening = server._listener.socket
        exhausted = server._listener.socket = Exhausted(fileno=os.dup(listening.fileno()))
        exhausted.setblocking(False)
        try:
            assert requests.get(f"{server.url}/show", timeout=30).status_code == 200
        finally:
            server._listener.socket = listening
            exhausted.close()
        assert idle.is_closed()
    assert len(accepts) == 3
