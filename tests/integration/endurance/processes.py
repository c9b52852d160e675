"""Servers and clients in processes of their own."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_totphog.clocks.clock import Clock


class Replica:
    """A `totphog serve` on a database, or else in memory."""

    def __init__(self, database: str | None = None, port: int = 0) -> None:
        """Start it, and wait until it answers."""
        self._database = database
        arguments = ["serve", "--port", str(port), *([] if database is None else ["--database", database])]
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
