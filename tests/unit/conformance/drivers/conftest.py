"""What the drivers are tried on: a site with forms, and the practice backend login-demo."""

from collections.abc import Iterator

import pytest

from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.servers.practice import PracticeBackend
from pytest_totphog.servers.totp_server import TotpServer
from pytest_totphog.wsgi.server import Server
from tests.unit.conformance.drivers.logins import Enrolled, enrolled
from tests.unit.conformance.drivers.site import Site


@pytest.fixture
def site() -> Site:
    """What the site knows, before anybody has come."""
    return Site()


@pytest.fixture
def site_url(site: Site) -> Iterator[str]:
    """Where the site is served."""
    server = Server(site)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def ada() -> Iterator[Enrolled]:
    """Ada, who has enrolled at login-demo, some time before 2024-01-15T10:30:00Z, when the clock stands still."""
    clock = FrozenClock("2024-01-15T10:29:00Z", None)
    with PracticeBackend("login-demo", clock=clock) as backend, TotpServer(clock=clock) as server:
        yield enrolled(backend, server)
