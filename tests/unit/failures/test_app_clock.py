"""What time an app under test has: whom to ask, how to ask, and what the answer means."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from unittest.mock import Mock
from wsgiref.simple_server import make_server

import pytest
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Request, Response

from pytest_totphog import FrozenClock, TotpServer
from pytest_totphog.clocks.clock import real_time_ns
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.failures import app_clock
from pytest_totphog.failures.app_clock import Reading, ask, compare, shown_urls
from pytest_totphog.failures.failure import AppClock
from pytest_totphog.wsgi.client import Address, Connection

SECONDS = 1_705_314_600
APP = "http://127.0.0.1:5000"


class App:
    """An app that answers with headers of its own, and remembers how it was asked."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {"Date": "Mon, 15 Jan 2024 10:30:00 GMT"}
        self.requests: list[str] = []
        self.url = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request."""
        request = Request(environ)
        self.requests.append(f"{request.method} {request.full_path}")
        return Response(status=404, headers=self.headers)(environ, start_response)


@pytest.fixture
def app() -> Iterator[App]:
    """The app, which listens at its `url`."""
    app = App()
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


class Page:
    """A browser's page, and a live server, whose classes have a `url`."""

    def __init__(self, url: Any) -> None:
        self._url = url

    @property
    def url(self) -> object:
        """Where it is."""
        if isinstance(self._url, Exception):
            raise self._url
        return self._url


class Browser:
    """A driver of Selenium's."""

    def __init__(self, url: Any) -> None:
        self._url = url

    @property
    def current_url(self) -> object:
        """Where its window is."""
        if isinstance(self._url, Exception):
            raise self._url
        return self._url


# Whom to ask


@pytest.mark.parametrize(
    ("name", "value", "urls"),
    [
        ("base_url", "http://127.0.0.1:5000/", [APP]),
        ("shop_url", "https://[::1]:5000/login?next=/", ["https://[::1]:5000"]),
        ("live_server", Page("http://localhost:5000"), ["http://localhost:5000"]),
        ("page", Page("http://user:password@127.0.0.1:5000/#secret"), [APP]),
        ("url", "http://127.0.0.1:5000", []),
        ("database_url", "postgresql://127.0.0.1/shop", []),
        ("base_url", None, []),
        ("base_url", "http://[", []),
        ("page", Page("about:blank"), []),
        ("live_server", Page(lambda: "http://127.0.0.1:5000"), []),
        ("page", Page(RuntimeError("closed")), []),
        ("mocked", Mock(), []),
        ("lazy", LocalProxy(lambda: Page("http://127.0.0.1:5000")), []),
    ],
)
def test_urls_that_fixtures_show(name: str, value: Any, urls: list[str]) -> None:
    """Scheme, host and port of what is called an URL, or has one; nothing else is touched."""
    assert shown_urls({name: value}) == (urls, [])


def test_lazy_object_that_stands_for_nothing() -> None:
    """Flask's, outside of a request: whatever it is asked, it raises an error."""
    assert shown_urls({"unbound": LocalProxy(ContextVar("request"))}) == ([], [])


def test_url_of_an_instance() -> None:
    """A `url` that only the object has counts as well, and each is told once."""
    page = type("Shop", (), {})()
    page.url = APP
    assert shown_urls({"shop": page, "base_url": f"{APP}/login"}) == ([APP], [])


def test_own_servers_are_not_asked() -> None:
    """They follow the clock anyway, also by another fixture's name."""
    with TotpServer() as server:
        assert shown_urls({"totp_server": server, "base_url": server.url}) == ([], [])


def test_browsers() -> None:
    """A driver is asked later, because it answers over the network."""
    browser = Browser(RuntimeError("not yet"))
    assert shown_urls({"selenium": browser}) == ([], [browser])


# How to ask


def test_app_answers(app: App) -> None:
    """Its Date, whatever else it answers, and when that was by the real time, which may stand still here."""
    before = real_time_ns() / NANOSECONDS
    with FrozenClock(SECONDS, "freezegun"):
        (reading,) = ask([app.url])

    assert (reading.url, reading.date, reading.local) == (app.url, SECONDS, True)
    assert before <= reading.asked_at <= reading.answered_at <= real_time_ns() / NANOSECONDS
    assert app.requests == ["HEAD /favicon.ico?"]


def test_app_in_a_browser(app: App) -> None:
    """Asked once, also when a fixture shows the same."""
    assert [reading.date for reading in ask([], [Browser(f"{app.url}/login")])] == [SECONDS]
    assert ask([], [Browser(RuntimeError("closed")), Browser(None), Browser("data:,")]) == []


@pytest.mark.parametrize("headers", [{"Date": "yesterday"}, {"Date": "Mon, 15 Jan 2024 10:30:00 GMT", "Age": "41"}])
def test_answer_without_a_time(app: App, headers: dict[str, str]) -> None:
    """No Date, or one that somebody has kept: nothing is known."""
    app.headers = headers
    assert ask([app.url]) == []


def test_mocks_do_not_meet_the_question(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that forbids the network, or answers in its place, is asked about when it has failed."""

    def forbidden(*_: Any, **__: Any) -> None:
        raise RuntimeError("this suite forbids the network")

    for owner, name in (
        (socket.socket, "connect"),
        (socket, "getaddrinfo"),
        (socket, "create_connection"),
        (http.client, "HTTPConnection"),
    ):
        monkeypatch.setattr(owner, name, forbidden)
    assert [reading.date for reading in ask([app.url])] == [SECONDS]


def test_nobody_listens() -> None:
    """A closed port, and a host that there is not."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert ask([f"http://127.0.0.1:{port}", "http://totphog.invalid", "http://127.0.0.1:99999"]) == []


def test_app_that_does_not_answer(app: App) -> None:
    """The others do, and nobody waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [f"http://127.0.0.1:{silent.getsockname()[1]}", app.url]
        assert [reading.url for reading in ask(urls)] == [app.url]


def greet(listening: socket.socket) -> None:
    """Answer one connection as a mail server does."""
    connected, _ = listening.accept()
    with connected:
        connected.sendall(b"220 mail.example.com ESMTP\r\n")


def test_answer_that_is_no_http() -> None:
    """Something else listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=greet, args=(listening,))
        thread.start()
        assert ask([f"http://127.0.0.1:{listening.getsockname()[1]}"]) == []
        thread.join()


def test_public_host_is_asked_only_if_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs a test against production has not asked for more requests there."""
    connected: list[tuple[str, int]] = []

    def connect(address: Address, *_: Any) -> Connection:
        connected.append(address.place[:2])
        raise ConnectionRefusedError

    monkeypatch.setattr(app_clock, "Connection", connect)
    assert ask(["http://8.8.8.8", "http://10.0.0.7:8000", "https://[::1]"]) == []
    assert sorted(connected) == [("10.0.0.7", 8000), ("::1", 443)]
    assert ask(["http://8.8.8.8"], public=True) == []
    assert connected[-1] == ("8.8.8.8", 80)


def test_https_with_a_certificate_of_its_own() -> None:
    """As test environments have them."""
    pytest.importorskip("cryptography")
    with TotpServer(ssl_context="adhoc") as server:
        (reading,) = ask([server.url])
    assert reading.url.startswith("https://")
    assert reading.ahead == 0


# What the answer means


@pytest.mark.parametrize(
    ("date", "asked_at", "answered_at", "ahead"),
    [
        (100, 100.2, 100.3, 0.0),
        (100, 99.9, 100.0, 0.0),
        (100, 100.9, 101.5, 0.0),
        (100, 102.9, 103.1, 0.0),
        (100, 97.9, 98.1, 0.0),
        (100, 105.5, 105.75, -5.125),
        (100, 95.5, 95.75, 4.875),
    ],
)
def test_date_has_whole_seconds(date: int, asked_at: float, answered_at: float, ahead: float) -> None:
    """It was cut off, and made at some time between the question and the answer; two seconds are no difference."""
    assert Reading(APP, date, asked_at, answered_at, local=True).ahead == ahead


def reading(ahead: int) -> Reading:
    """Return the answer of an app that is some seconds ahead of real time, which is 2026."""
    return Reading(APP, 1_795_279_711 + ahead, 1_795_279_711.25, 1_795_279_711.5, local=True)


@pytest.mark.parametrize(("ahead", "told"), [(0, 0), (2, 0), (-2, 0), (3, 3), (-41, -41)])
def test_live_clock(ahead: int, told: int) -> None:
    """As many seconds as the app is off."""
    assert compare(reading(ahead), []) == AppClock(APP, told)


def test_app_that_follows_a_frozen_clock() -> None:
    """It shows where the clock stands, or stood a moment ago."""
    following = Reading(APP, SECONDS, 1_795_279_711.25, 1_795_279_711.5, local=True)
    assert compare(following, [SECONDS]) == AppClock(APP, 0)
    assert compare(following, [SECONDS, SECONDS + 3600]) == AppClock(APP, 0)


def test_app_at_real_time() -> None:
    """While the codes' clock stands in 2024."""
    assert compare(reading(1), [SECONDS]) == AppClock(APP, 1_795_279_712 - SECONDS, real=True)


def test_app_with_a_time_of_its_own() -> None:
    """Neither the frozen nor the real one."""
    other = Reading(APP, SECONDS - 3600, 1_795_279_711.25, 1_795_279_711.5, local=False)
    assert compare(other, [SECONDS]) == AppClock(APP, -3600, local=False)
