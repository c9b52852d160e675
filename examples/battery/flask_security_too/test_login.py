"""The battery on Flask-Security-Too: `pytest flask_security_too`."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_security_too.app import create_app
from flask_security_too.login import FlaskSecurityLogin
from werkzeug.serving import make_server

from pytest_totphog.conformance import LoginDriver, TotpConformance


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app, with a fresh database."""
    return create_app(tmp_path_factory.mktemp("app") / "app.sqlite3")


@pytest.fixture(scope="module")
def app_url(app: Flask) -> Iterator[str]:
    """Where the app is served, in a thread of the test process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


class TestFlaskSecurityToo(TotpConformance):
    @pytest.fixture
    def login_driver(self, app: Flask, app_url: str) -> LoginDriver:
        return FlaskSecurityLogin(app_url, app)
