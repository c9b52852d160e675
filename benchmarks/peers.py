"""The servers that are measured beside each other, each started and stopped here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@contextmanager
def totphog_in_process() -> Iterator[str]:
    """Our server as tests have it: in a thread of the process that asks."""
    from pytest_totphog import TotpServer

    with TotpServer() as server:
        yield server.add_token(name="alice", secret=SECRET).code_url


@contextmanager
def totphog_serve() -> Iterator[str]:
    """Our server as `totphog serve` runs it, in a process of its own."""
    import requests

    command = [sys.executable, "-m", "pytest_totphog", "serve", "--port", "0"]
    with process(command) as url:
        tokens = f"{url}/api/v1/tokens"
        token = requests.post(tokens, json={"name": "alice", "secret": SECRET}, timeout=5).json()["data"]
        yield f"{tokens}/{token['id']}/code"


@contextmanager
def pytest_httpserver() -> Iterator[str]:
    """pytest-httpserver, threaded, with a static JSON answer and its log silenced."""
    import logging

    from pytest_httpserver import HTTPServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with HTTPServer(threaded=True) as server:
        server.expect_request("/code").respond_with_json({"success": True, "data": {"code": "123456"}})
        yield server.url_for("/code")


@contextmanager
def express() -> Iterator[str]:
    """Express and speakeasy, the reference server, in a process of its own."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SystemExit("the benchmark needs node and npm for its reference server; install them first")
    if not (REFERENCE / "node_modules").is_dir():
        subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund"], cwd=REFERENCE, check=True)
    with process([node, str(REFERENCE / "server.js")]) as port:
        yield f"http://127.0.0.1:{port}/get-totp/alice"


@contextmanager
def process(command: list[str]) -> Iterator[str]:
    """Run a server and yield the line that it prints when it is ready."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.terminate()


PEERS = {
    "totphog, in the test process": totphog_in_process,
    "totphog serve": totphog_serve,
    "pytest-httpserver, static JSON": pytest_httpserver,
    "Express + speakeasy": express,
}
