"""The store over HTTP, besides what every store promises: its errors, its connections, its key."""

import os
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from werkzeug.wrappers import Request, Response

from pytest_totphog.errors import InvalidInput, StoreError
from pytest_totphog.stores import remote
from pytest_totphog.stores.ledger import Claim
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.wsgi.json import json_response
from pytest_totphog.wsgi.server import Server
from tests.support.threads import in_threads
from tests.unit.stores.conftest import served
from tests.unit.wsgi.conftest import Certificate, certificate  # noqa: F401 -- a fixture

SAID = "open sesame"


@dataclass(frozen=True)
class Note:
    """A record."""

    collection: ClassVar = "note"
    id: str
    secret: str = "hunter2"


class Spy:
    """An app that notes what comes, and answers what it is told to."""

    def __init__(self) -> None:
        """Answer that there is no claim."""
        self.requests: list[dict[str, Any]] = []
        self.answer: Callable[[], Response] = lambda: json_response({"result": None})

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Note a request and answer it; the server has a thread for each connection."""
        self.requests.append({**environ, "connection": threading.current_thread()})
        Request(environ).get_data()
        return self.answer()(environ, start_response)

    def noted(self, name: str) -> list[Any]:
        """Return a value of the environment of every request."""
        return [environ.get(name) for environ in self.requests]


@pytest.fixture
def spy() -> Spy:
    """What the server of these tests runs."""
    return Spy()


@pytest.fixture
def url(spy: Spy) -> Iterator[str]:
    """A server that is none of totphog's."""
    server = Server(spy)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def store(url: str) -> Iterator[RemoteStore]:
    """A store that takes that server for one."""
    with closing(RemoteStore(url, api_key=SAID)) as store:
        yield store


def failure(store: RemoteStore) -> str:
    """Return what the error of a failing store says, and see that it holds no more than it says."""
    note = Note("a")
    calls = (
        lambda: store.repository(Note).add(note),
        lambda: store.repository(Note).find(secret="hunter2"),
        lambda: store.repository(Note).replace(note, note),
        lambda: store.repository(Note).remove("a"),
        lambda: store.repository(Note).clear(),
        lambda: store.ledger.claim("hunter2", 1, 1, holder="test", claimed_at=0.0),
        lambda: store.ledger.last("hunter2"),
        lambda: store.ledger.find("hunter2", 1),
        lambda: store.ledger.prune(0.0),
    )
    said = set()
    for call in calls:
        with pytest.raises(StoreError) as caught:
            call()
        # Not even in what Python keeps of an error that was handled.
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        said.add(str(caught.value))
    [message] = said
    assert "hunter2" not in message
    assert SAID not in message
    return message


# Errors


def test_refused_connection() -> None:
    """Nobody listens there; the system's words are told, and which server it was."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]

        with closing(RemoteStore(f"http://127.0.0.1:{port}")) as store:
            assert failure(store) == f"the totphog server at http://127.0.0.1:{port} failed: Connection refused"


def test_name_of_the_server_in_errors() -> None:
    """Whoever makes the store knows better than its URL which server that is."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"

        with closing(RemoteStore(url, name="the ledger of the controller")) as store:
            assert failure(store) == "the ledger of the controller failed: Connection refused"


@pytest.mark.parametrize("key", ["sesame", "open sesame!", "Öffne dich, Sesam", "", None])
def test_wrong_key(key: str | None) -> None:
    """The server's own sentence says what it wants; neither key is told."""
    store = MemoryStore()
    with served(store, Note, api_key=SAID) as url, closing(RemoteStore(url, api_key=key)) as remote_store:
        message = failure(remote_store)

    assert message == f"the totphog server at {url} failed: Send the API key as 'Authorization: Bearer …'"
    assert store.repository(Note).find() == []
    assert store.ledger.last("hunter2") is None


def test_error_of_the_server(spy: Spy, store: RemoteStore) -> None:
    """A server whose database is gone says so, and its sentence is passed on."""
    spy.answer = lambda: json_response({"success": False, "error": "Database error: disk is full"}, 500)

    assert failure(store) == f"the totphog server at {store.url} failed: Database error: disk is full"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: Response("<h1>Not Found</h1>", 404, mimetype="text/html"), "404 NOT FOUND"),
        (lambda: Response("<h1>Welcome</h1>", mimetype="text/html"), "200 OK"),
        (lambda: Response("", 502), "502 BAD GATEWAY"),
        (lambda: Response(b"\xff\xfe", mimetype="application/json"), "200 OK"),
        (lambda: json_response({"success": True, "data": []}), "200 OK"),
        (lambda: json_response(["result"]), "200 OK"),
        (lambda: json_response(None), "200 OK"),
        (lambda: json_response("result", 400), "400 BAD REQUEST"),
        (lambda: json_response({"message": "Unauthorized"}, 403), "403 FORBIDDEN"),
        (lambda: json_response({}, 201), "201 CREATED"),
        (lambda: Response("", 302, {"Location": "https://login.example/"}), "302 FOUND"),
    ],
)
def test_server_that_is_no_totphog_server(
    spy: Spy, store: RemoteStore, answer: Callable[[], Response], said: str
) -> None:
    """A slip in the URL, or a proxy's page: what it answered is told, and that it is not what was expected."""
    spy.answer = answer

    assert failure(store) == (
        f"the totphog server at {store.url} failed: it answered {said}, which no totphog server does"
    )


@pytest.mark.parametrize(
    "result",
    [True, 7, "claim", [7], {"step": 7}, {**asdict(Claim("alice", 7, "test", 0.0)), "leased": True}],
)
def test_server_of_another_version(spy: Spy, store: RemoteStore, result: object) -> None:
    """A result that this version does not understand is an error like any other wrong answer."""
    spy.answer = lambda: json_response({"result": result})
    said = f"the totphog server at {store.url} failed: it answered 200 OK, which no totphog server does"

    for call in (lambda: store.ledger.last("alice"), lambda: store.repository(Note).get("a")):
        with pytest.raises(StoreError) as caught:
            call()
        assert str(caught.value) == said


def test_redirection_is_not_followed(spy: Spy, store: RemoteStore) -> None:
    """What is sent holds secrets, and is for this server only."""
    spy.answer = lambda: Response("", 307, {"Location": f"{store.url}/elsewhere"})

    with pytest.raises(StoreError, match="it answered 307 TEMPORARY REDIRECT, which no totphog server does"):
        store.repository(Note).add(Note("a"))

    assert spy.noted("PATH_INFO") == ["/api/v1/store/note/add"]


def test_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and is silent: after the time-out the caller hears of it."""
    monkeypatch.setattr(remote, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(RemoteStore(url)) as store:
            assert failure(store) == f"the totphog server at {url} failed: it did not answer in time"


@pytest.mark.parametrize(
    ("sent", "abort", "said"),
    [
        (b"", False, "the connection was broken off"),
        (b"", True, "Connection reset by peer"),
        # urllib3 1 does not mind.
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
            False,
            "(the connection was broken off|it answered 200 .+)",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False, "the connection was broken off"),
    ],
    ids=["closed", "reset", "cut off", "no HTTP"],
)
def test_connection_that_breaks_off(sent: bytes, abort: bool, said: str) -> None:
    """A server that is killed while it answers, and one that speaks another protocol."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    request = b""
                    while not request.endswith(b"}"):
                        request += connection.recv(65536)
                    if abort:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.sendall(sent)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with closing(RemoteStore(url)) as store, pytest.raises(StoreError) as caught:
                store.ledger.last("alice")
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()

    assert re.fullmatch(f"the totphog server at {url} failed: {said}", str(caught.value))


def test_repr_shows_which_server_it_is_and_no_key() -> None:
    """It goes into reports."""
    store = RemoteStore("http://127.0.0.1:8045", api_key=SAID)

    assert repr(store) == "<RemoteStore the totphog server at http://127.0.0.1:8045>"
    assert SAID not in f"{store.ledger!r}{store.repository(Note)!r}"


# The key


@pytest.mark.parametrize("key", [SAID, "Öffne dich, Sesam", "ключ"])
def test_key_is_sent_with_every_request(key: str) -> None:
    """In whatever script it is written."""
    with served(MemoryStore(), Note, api_key=key) as url, closing(RemoteStore(url, api_key=key)) as store:
        assert store.repository(Note).add(Note("a")) is True
        assert store.ledger.last("alice") is None


@pytest.mark.parametrize("key", ["open sesame\n", "open\r\nsesame", "open\0sesame"])
def test_key_that_no_header_carries_is_refused(key: str) -> None:
    """A file was read with its line break; the message shows no part of it."""
    with pytest.raises(InvalidInput) as caught:
        RemoteStore("http://127.0.0.1:8045", api_key=key)

    assert str(caught.value) == (
        "the API key has a line break or a control character in it; accepted is printable text"
    )


def test_proxies_and_netrc_are_ignored(spy: Spy, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are for the way out to the world; on the way to the ledger they break it, or show it another key."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login alice password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    for key in (SAID, None):
        with closing(RemoteStore(url, api_key=key)) as store:
            assert store.ledger.last("alice") is None

    assert spy.noted("HTTP_AUTHORIZATION") == [f"Bearer {SAID}", None]


# TLS


@pytest.fixture
def https_url(spy: Spy, certificate: Certificate) -> Iterator[str]:  # noqa: F811 -- the imported fixture
    """That server behind TLS, with a certificate that nobody knows."""
    server = Server(spy, ssl_context=certificate.context)
    server.start()
    yield server.url
    server.stop()


def test_unknown_certificate_is_an_error(https_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets go to no server that might be another one."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)

    with closing(RemoteStore(https_url)) as store:
        assert failure(store).startswith(
            f"the totphog server at {https_url} failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
        )


def test_certificate_of_ones_own_authority(
    https_url: str,
    certificate: Certificate,  # noqa: F811 -- the imported fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REQUESTS_CA_BUNDLE names who is trusted, as for everything that speaks HTTP with requests."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.path)

    with closing(RemoteStore(https_url)) as store:
        assert store.ledger.last("alice") is None


# Connections


def test_adding_nothing_asks_nobody(spy: Spy, store: RemoteStore) -> None:
    """Every test puts the tokens back that were there before it: mostly none."""
    assert store.repository(Note).add() is True
    assert spy.requests == []


def test_connection_is_kept(spy: Spy, store: RemoteStore) -> None:
    """A claim costs no handshake, least of all one of TLS."""
    for _ in range(3):
        store.ledger.last("alice")

    assert len(set(spy.noted("connection"))) == 1


def test_server_that_was_started_anew(spy: Spy) -> None:
    """The kept connection is gone; the next request makes another one."""
    first = Server(spy)
    first.start()
    with closing(RemoteStore(first.url)) as store:
        store.ledger.last("alice")
        port = first.port
        first.stop()
        second = Server(spy, port=port)
        second.start()

        assert store.ledger.last("alice") is None

        second.stop()


def test_threads_have_connections_of_their_own(spy: Spy, store: RemoteStore) -> None:
    """While one waits for its answer, the others ask: eight requests are under way at the same time."""
    together = threading.Barrier(8)

    def answer() -> Response:
        together.wait(10)
        return json_response({"result": None})

    spy.answer = answer

    assert in_threads(8, lambda _: store.ledger.last("alice")) == [None] * 8
    assert len(set(spy.noted("connection"))) == 8


FORKING = """
import os, sys
from pytest_totphog.stores.remote import RemoteStore

store = RemoteStore(sys.argv[1])
store.ledger.last("parent")
child = os.fork()
store.ledger.last("child" if child == 0 else "parent")
if child == 0:
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
store.ledger.last("parent")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_child_has_connections_of_its_own(spy: Spy, url: str) -> None:
    """Parent and child on one connection would read each other's answers; the parent keeps its own."""
    subprocess.run([sys.executable, "-W", "error", "-c", FORKING, url], check=True, timeout=60)

    first, second, third, fourth = spy.noted("connection")
    assert first is fourth
    assert {first} < {second, third}


def test_import_does_not_import_requests() -> None:
    """The plugin imports the module where a store is made, and requests where it is first asked."""
    program = "import sys; import pytest_totphog.stores.remote; print('requests' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"


def test_database_of_the_server_is_away(spy: Spy, store: RemoteStore) -> None:
    """The server says so, and after how long to try again; whoever asks waits for that, and not longer than for it."""
    answers = [
        Response('{"success": false, "error": "Database error"}', 503, {"Retry-After": "0"}),
        Response('{"success": false, "error": "Database error"}', 503, {"Retry-After": "0"}),
        json_response({"result": None}),
    ]
    spy.answer = lambda: answers.pop(0)
    assert store.ledger.last("alice") is None
    assert answers == []

    spy.answer = lambda: Response('{"success": false, "error": "Database error"}', 503, {"Retry-After": "3600"})
    with pytest.raises(StoreError, match=r"failed: Database error$"):
        store.ledger.last("alice")
