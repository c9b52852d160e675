"""Four processes on one PostgreSQL, through two replicas of the server of which one is killed and started again."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_totphog import Authenticator
from pytest_totphog.clock import Clock
from pytest_totphog.stores.sql import SqlStore
from tests.integration.endurance.conftest import SECRET, RunningVerifier

pytestmark = pytest.mark.slow

ALICE = {"name": "alice", "secret": SECRET, "digits": 8, "period": 1}


class Replica:
    """A `totphog serve` on a database."""

    def __init__(self, database: str, port: int = 0) -> None:
        """Start it, and wait until it answers."""
        self._database = database
        arguments = ["serve", "--database", database, "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest_totphog", *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.api_url = f"{self.url}/api/v1"

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.communicate(timeout=10)

    def again(self) -> "Replica":
        """Start another one on the same port."""
        return Replica(self._database, int(self.url.rpartition(":")[2]))


class Clients:
    """Processes that ask for codes, and what they have written down."""

    def __init__(self, count: int, verifier: str, folder: Path, urls: list[str]) -> None:
        """Start them."""
        program = Path(__file__).with_name("client.py")
        self._logs = [folder / f"client-{number}.log" for number in range(count)]
        self.processes = [
            subprocess.Popen([sys.executable, program, log.stem, verifier, log, *urls]) for log in self._logs
        ]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Every answer so far."""
        lines = [
            line for log in self._logs if log.exists() for line in log.read_text("utf-8").splitlines(keepends=True)
        ]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_for(self, count: int, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until there are so many more answers of a kind."""
        goal = sum(map(wanted, self.entries)) + count
        looking, deadline = threading.Event(), Clock.monotonic() + 60
        while sum(map(wanted, self.entries)) < goal:
            assert Clock.monotonic() < deadline, self.entries[-5:]
            looking.wait(0.05)

    def stop(self) -> None:
        """End them."""
        for process in self.processes:
            process.kill()
            process.wait(10)


@pytest.fixture
def start(postgresql_url: str) -> Iterator[Callable[[], Replica]]:
    """Starts replicas, and ends them after the test."""
    replicas: list[Replica] = []

    def start() -> Replica:
        replicas.append(Replica(postgresql_url))
        return replicas[-1]

    yield start
    for replica in replicas:
        replica.kill()


@pytest.mark.timeout(180)
def test_a_replica_is_killed_and_started_again(
    start: Callable[[], Replica], postgresql_url: str, verifier: RunningVerifier, tmp_path: Path
) -> None:
    """No code is handed out twice, and every claim that was answered is still there, with its holder."""
    first, second = start(), start()
    token = requests.post(f"{first.api_url}/tokens", json=ALICE, timeout=10).json()["data"]
    urls = [f"{replica.api_url}/tokens/{token['id']}" for replica in (first, second)]
    clients = Clients(4, verifier.url, tmp_path, urls)
    restarted = None
    try:
        clients.wait_for(5, lambda entry: entry.get("replica") == urls[0])
        first.kill()
        clients.wait_for(5, lambda entry: entry.get("replica") == urls[1])
        restarted = first.again()
        clients.wait_for(5, lambda entry: entry.get("replica") == urls[0])
    finally:
        clients.stop()
        if restarted is not None:
            restarted.kill()

    answered = [entry for entry in clients.entries if entry["status"] == 200]
    assert {entry["verdict"] for entry in answered} == {"accepted"}
    assert {entry["verdict"] for entry in verifier.entries} == {"accepted"}
    steps = [entry["step"] for entry in answered]
    assert len(set(steps)) == len(steps)
    store = SqlStore(postgresql_url)
    fingerprint = Authenticator().make(**ALICE).fingerprint
    claims = [store.ledger.find(fingerprint, step) for step in steps]
    store.close()
    assert [claim.holder for claim in claims if claim is not None] == [entry["holder"] for entry in answered]
    # Nobody was told anything else than to wait.
    assert {entry["status"] for entry in clients.entries} <= {200, 503}
