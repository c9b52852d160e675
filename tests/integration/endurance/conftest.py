"""What the long tests share."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.endurance.processes import Replica

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ALICE: dict[str, Any] = {"name": "alice", "secret": SECRET, "digits": 8, "period": 1}


class RunningVerifier:
    """The login server, and the log that it has written."""

    def __init__(self, url: str, log: Path) -> None:
        """Keep where it is."""
        self.url = url
        self._log = log

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Every code that was judged, in order."""
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]


@pytest.fixture
def verifier(tmp_path: Path) -> Iterator[RunningVerifier]:
    """A login server in a process of its own, that accepts each code of SECRET once; a step is a second."""
    log = tmp_path / "verifier.log"
    program = Path(__file__).with_name("verifier.py")
    with subprocess.Popen([sys.executable, program, SECRET, "1", log], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield RunningVerifier(process.stdout.readline().strip(), log)
        process.kill()


@pytest.fixture
def serve() -> Iterator[Callable[..., Replica]]:
    """Starts servers on a database, or else in memory, and kills them after the test."""
    replicas: list[Replica] = []

    def start(database: str | None = None) -> Replica:
        replicas.append(Replica(database))
        return replicas[-1]

    yield start
    for replica in replicas:
        replica.kill()
