"""An app in several processes on one port: how it starts, goes on and ends."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_totphog.errors import ServerError
from pytest_totphog.servers.workers import serve_in_workers
from tests.support.system import require
from tests.support.threads import wait_for

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from functools import partial
from pytest_totphog.apps import create_app
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.servers.workers import serve_in_workers

def app(database):
    return create_app("totphog", store=SqlStore(database))

if __name__ == "__main__":
    say = partial(print, flush=True)
    serve_in_workers(partial(app, sys.argv[1]), sys.argv[2], 0, 2, say)
    say("stopped")
"""


# A worker ends with its database open.
WARNINGS = ("-W", "error", "-W", "ignore:unclosed database:ResourceWarning")


class Program:
    """A program that serves the app totphog in two workers.

    Attributes:
        url: what it has said.
    """

    def __init__(self, path: Path, *arguments: str) -> None:
        """Start it, and wait until it answers; in a session of its own, so that all its processes can be found."""
        path.write_text(PROGRAM)
        self.process = subprocess.Popen(
            [sys.executable, *WARNINGS, path, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        # It has said its URL when the first worker answered.
        wait_for(lambda: len(self.serving()) == 2)

    def serving(self) -> set[int]:
        """Return the ids of the workers that accept connections: they have a selector."""
        return {worker for worker in self.workers() if "anon_inode:[eventpoll]" in self._files(worker)}

    def _files(self, worker: int) -> list[str]:
        try:
            return [str(link.readlink()) for link in Path(f"/proc/{worker}/fd").iterdir()]
        except OSError:  # it has ended, or has closed one
            return []

    def workers(self) -> set[int]:
        """Return the ids of the processes that serve."""
        listed = self._listed("--ppid", "pid=,args=")
        return {int(line.split()[0]) for line in listed if "spawn_main" in line}

    def processes(self) -> list[str]:
        """Return what runs of it still."""
        return [line for line in self._listed("-s", "stat=,args=") if not line.startswith("Z")]

    def _listed(self, by: str, columns: str) -> list[str]:
        # Without any it fails.
        command = [require("ps"), "-ww", by, str(self.process.pid), "-o", columns]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()

    def end(self) -> tuple[str, str, int]:
        """Wait for the end, and return what it has said since and its exit status."""
        out, err = self.process.communicate(timeout=30)
        return out, err, self.process.returncode

    def kill(self) -> None:
        """End all its processes; the workers end with their parent."""
        # Of one that has ended before, another process may have the number by now.
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=30)


Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts programs, which end with the test."""
    with ExitStack() as cleanup:

        def start(host: str = "127.0.0.1") -> Program:
            program = Program(tmp_path / "program.py", f"sqlite:///{tmp_path}/store.db", host)
            cleanup.callback(program.kill)
            return program

        yield start


def health(url: str) -> int:
    """Ask on a new connection, and return the status."""
    return requests.get(f"{url}/api/v1/health", timeout=30).status_code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_serves_until_a_signal(start: Start, number: signal.Signals) -> None:
    """It says its URL when it answers; with the signal all processes end, and it returns."""
    program = start()
    assert program.url.startswith("http://127.0.0.1:")
    assert health(program.url) == 200
    assert len(program.workers()) == 2

    program.process.send_signal(number)

    assert program.end() == ("stopped\n", "", 0)
    wait_for(lambda: program.processes() == [])
    with pytest.raises(requests.ConnectionError):
        health(program.url)


def test_interrupt_at_a_terminal(start: Start) -> None:
    """Ctrl-C goes to the workers as well, and is nobody's mistake."""
    program = start()

    os.killpg(program.process.pid, signal.SIGINT)

    assert program.end() == ("stopped\n", "", 0)
    wait_for(lambda: program.processes() == [])


def test_it_stops_while_a_client_waits_for_a_code(start: Start) -> None:
    """Nobody waits for the end of a time step that may be a day away."""
    program = start()
    api = f"{program.url}/api/v1"
    token = requests.post(f"{api}/tokens", json={"name": "a", "secret": "AA", "period": 86400}, timeout=30).json()
    claim = f"/api/v1/tokens/{token['data']['id']}/one-time-code"
    requests.post(f"{program.url}{claim}", json={"min_remaining": 0}, timeout=30)
    host, _, port = program.url.removeprefix("http://").partition(":")
    body = '{"timeout": 86400, "min_remaining": 0}'
    with socket.create_connection((host, int(port)), timeout=30) as waiting:
        waiting.sendall(
            f"POST {claim} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        assert health(program.url) == 200

        program.process.send_signal(signal.SIGTERM)

        assert program.end() == ("stopped\n", "", 0)
        assert waiting.recv(1) == b""
    wait_for(lambda: program.processes() == [])


def test_held_requests_keep_nobody_waiting(start: Start) -> None:
    """However many there are for each worker: a thread of its own waits for each, and others are answered at once."""
    program = start()
    api = f"{program.url}/api/v1"
    token = requests.post(f"{api}/tokens", json={"name": "a", "secret": "AA", "period": 500}, timeout=30).json()
    host, _, port = program.url.removeprefix("http://").partition(":")
    claim = f"/api/v1/tokens/{token['data']['id']}/one-time-code"
    requests.post(f"{program.url}{claim}", json={"min_remaining": 0}, timeout=30)
    # In line for the steps of a day to come.
    body = '{"timeout": 86400, "min_remaining": 0}'
    head = f"POST {claim} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    with ExitStack() as waiting:
        clients = [waiting.enter_context(socket.create_connection((host, int(port)), timeout=30)) for _ in range(150)]
        for client in clients:
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

        assert [health(program.url) for _ in range(10)] == [200] * 10

        answered, _, _ = select.select(clients, [], [], 0)
        assert len(answered) <= 1  # the first step may have begun


def test_killed_worker_is_replaced(start: Start) -> None:
    """The other one serves on meanwhile."""
    program = start()
    killed, other = program.workers()

    os.kill(killed, signal.SIGKILL)

    wait_for(lambda: len(program.serving() - {killed}) == 2)
    assert other in program.workers()
    assert [health(program.url) for _ in range(10)] == [200] * 10


def test_workers_end_with_their_parent(start: Start) -> None:
    """Killed with SIGKILL it cannot tell them; the port is free for another one."""
    program = start()
    workers = program.workers()

    program.process.kill()

    wait_for(lambda: program.processes() == [])
    assert len(workers) == 2
    with pytest.raises(requests.ConnectionError):
        health(program.url)


def test_workers_that_cannot_stay(start: Start) -> None:
    """They are not started for ever: it ends, and says why."""
    program = start()
    killed: set[int] = set()

    def none_is_left() -> bool:
        for worker in program.workers() - killed:
            killed.add(worker)
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        return program.process.poll() is not None

    wait_for(none_is_left)

    _, err, status = program.end()
    assert status == 1
    assert err.endswith(
        "ServerError: a worker and its replacement died within seconds, so the others were stopped too\n"
    )
    wait_for(lambda: program.processes() == [])


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_other_addresses(start: Start, host: str) -> None:
    """A name, and IPv6."""
    program = start(host)

    assert program.url.startswith(f"http://{f'[{host}]' if ':' in host else host}:")
    assert health(program.url) == 200


def load() -> Any:
    """Nothing is loaded where nothing starts."""
    raise AssertionError


def test_busy_port_is_an_error() -> None:
    """It does not join whoever listens there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError) as caught:
            serve_in_workers(load, "127.0.0.1", port, 2, print)

    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another port, or let port 0 find a free one"
    )


def test_port_of_another_one_with_workers(start: Start) -> None:
    """Its sockets would share the port with a second one, and each would get half of the requests."""
    port = int(start().url.rpartition(":")[2])

    with pytest.raises(ServerError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
        serve_in_workers(load, "127.0.0.1", port, 2, print)
