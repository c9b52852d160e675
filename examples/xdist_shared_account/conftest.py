"""One app for all workers, as a test environment has it: the controller of pytest-xdist runs it."""

import os
import threading

import pytest
import requests
from app import PASSWORD, PERIOD, SECRET, create_app
from werkzeug.serving import make_server


def pytest_configure(config):
    if "APP_URL" not in os.environ:  # the workers inherit the environment
        server = make_server("127.0.0.1", 0, create_app(), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config.add_cleanup(server.server_close)
        config.add_cleanup(server.shutdown)
        config.add_cleanup(lambda: os.environ.pop("APP_URL"))
        os.environ["APP_URL"] = f"http://127.0.0.1:{server.port}"


@pytest.fixture
def login():
    """Logs alice in with a code, and returns what the app says."""

    def login(code):
        form = {"user": "alice", "password": PASSWORD, "code": code}
        return requests.post(f"{os.environ['APP_URL']}/login", data=form, timeout=10).text

    return login


@pytest.fixture
def alice(totp_server):
    """The token of the account that all tests share."""
    return totp_server.add_token(name="alice", secret=SECRET, period=PERIOD)
