"""What several folders of unit tests share: a clock, and pages from a small site that are tried with each library."""

import queue
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.servers.totp_server import TotpServer
from pytest_totphog.wsgi.server import Server
from tests.support.browser import LIBRARIES, Browser, started


class Site:
    """A WSGI app with a few documents.

    Attributes:
        documents: by their path, of the media type that they begin like.
        requests: what was asked for, each as path and query.
        url: where it is served.
    """

    def __init__(self) -> None:
        self.documents: dict[str, str | bytes] = {}
        self.requests: queue.Queue[str] = queue.Queue()
        self.url = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer a request."""
        request = Request(environ)
        document = self.documents.get(request.path)
        if document is None:
            return Response("", 404)(environ, start_response)
        self.requests.put(request.full_path)
        media_type = "image/svg+xml" if str(document).startswith("<svg") else "text/html"
        return Response(
            document,
            mimetype="image/png" if isinstance(document, bytes) else media_type,
        )(environ, start_response)


@pytest.fixture(scope="module", params=LIBRARIES)
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium, for all tests of a file with one library."""
    with started(request.param) as browser:
        yield browser


@pytest.fixture
def site() -> Iterator[Site]:
    """The site, which has no documents yet."""
    site = Site()
    server = Server(site)
    server.start()
    site.url = server.url
    yield site
    server.stop()


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at 2024-01-15T10:30:00Z."""
    return FrozenClock("2024-01-15T10:30:00Z", None)


@pytest.fixture
def totp_server(clock: FrozenClock) -> Iterator[TotpServer]:
    """A server on that clock."""
    with TotpServer(clock=clock) as server:
        yield server


@pytest.fixture
def token(totp_server: TotpServer) -> TotpToken:
    """A token whose next two codes are 648307 and 764426."""
    return totp_server.add_token(name="alice", secret="JBSWY3DPEHPK3PXP")
