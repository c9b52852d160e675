"""What the tests share: the app in a process of its own, and a member of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import requests
from people import Member

from pytest_totphog import TotphogError, TotpServer

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def app_url(totp_server_session: TotpServer) -> Iterator[str]:
    """The app, which runs as long as the tests and follows their clock: the real time, unless a test freezes it."""
    install()
    try:
        env = totp_server_session.clock.subprocess_env() | {"PORT": "0"}
    except TotphogError as error:
        missing(str(error))
    with subprocess.Popen([program("node"), "app.js"], cwd=HERE, env=env, stdout=subprocess.PIPE, text=True) as app:
        yield app.stdout.readline().strip()
        app.terminate()


@pytest.fixture
def member(app_url: str, totp_server: TotpServer) -> Member:
    """Somebody who has registered, and scanned what the app showed."""
    name, password = f"passenger-{uuid.uuid4().hex[:8]}", "ahoy ahoy"
    answer = requests.post(f"{app_url}/register", json={"name": name, "password": password}, timeout=10)
    return Member(app_url, name, password, totp_server.enroll(answer.json()["uri"]))


def install() -> None:
    """Install what package-lock.json names, once; the workers of pytest-xdist wait for the first of them."""
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HERE / "node_modules" / ".package-lock.json").exists():
            subprocess.run([program("npm"), "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)


def program(name: str) -> str:
    return shutil.which(name) or missing(f"{name} is not installed; on Debian: apt install nodejs npm libfaketime")


def missing(reason: str) -> NoReturn:
    """Skip the test, but on the CI machine, which should have everything, let it fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
