"""What fails: pytest-xdist's controller, the database, its disk, the network. Nobody gets a code twice, or hangs."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_totphog import Authenticator, CodeUnavailable
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.errors import StoreError
from pytest_totphog.servers.shared_place import SharedPlace
from pytest_totphog.servers.totp_server import server_at
from pytest_totphog.stores import remote
from pytest_totphog.stores.sql import SqlStore
from tests.integration.endurance.conftest import ALICE, SECRET, RunningVerifier
from tests.integration.endurance.network import Network, network_to
from tests.integration.endurance.processes import Clients, Replica
from tests.support.postgresql import PostgreSQL
from tests.support.threads import in_threads, wait_for

pytestmark = pytest.mark.slow

DATABASE = "the database postgres on localhost"
FINGERPRINT = issuer_of(Authenticator().make(**ALICE)).token.fingerprint


# The controller of pytest-xdist

TEST_ORPHAN = """
    from pathlib import Path

    import pytest

    from pytest_totphog import StoreError

    def test_orphan(totp_server):
        token = totp_server.add_token(name="alice", period=1)
        with pytest.raises(StoreError) as caught:
            while True:
                token.one_time_code(timeout=5)
                Path("took-a-code").touch()
        Path("error.new").write_text(str(caught.value))
        Path("error.new").rename("error")
    """


def test_controller_dies(project: pytest.Pytester) -> None:
    """Its workers' tests are told at once which ledger is gone; none goes on with one of its own."""
    pytest.importorskip("xdist")
    project.makepyfile(TEST_ORPHAN)
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "1"]
    # The worker inherits its stderr, which ends with it.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as controller:
        wait_for(Path("took-a-code").exists)
        controller.kill()
        wait_for(Path("error").exists)
        controller.communicate(timeout=30)

    # A connection that was open is reset; a new one is refused.
    sentence, _, reason = Path("error").read_text().rpartition(": ")
    assert sentence == "the ledger that pytest-xdist's controller serves to its workers failed"
    assert reason in {"Connection refused", "Connection reset by peer", "the connection was broken off"}


# The database


def test_database_goes_away(
    serve: Callable[..., Replica],
    postgresql: PostgreSQL,
    verifier: RunningVerifier,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """For five seconds everybody is told so; then all goes on, on the same server, and no code comes twice."""
    server = serve(postgresql.url)
    token = requests.post(f"{server.api_url}/tokens", json=ALICE, timeout=10).json()["data"]
    clients = Clients(3, verifier.url, tmp_path, [f"{server.api_url}/tokens/{token['id']}"])
    try:
        clients.wait_for(2, lambda entry: entry["status"] == 200)
        postgresql.stop()
        try:
            stopped_at = Clock().time_ns()
            clients.wait_for(3, lambda entry: entry["status"] == 503)
            assert Clock().wait_until(stopped_at + 5 * NANOSECONDS, timeout=6)
        finally:
            postgresql.start()
        clients.wait_for(2, lambda entry: entry["status"] == 200)
        # Whoever is not answered within ten seconds ends with an error of its own.
        processes: list[subprocess.Popen[Any]] = [server.process, *clients.processes]
        assert [process.poll() for process in processes] == [None] * 4
    finally:
        clients.stop()

    answered = [entry for entry in clients.entries if entry["status"] == 200]
    assert {entry["verdict"] for entry in answered} == {"accepted"}
    assert {entry["verdict"] for entry in verifier.entries} == {"accepted"}
    store = SqlStore(postgresql.url)
    claims = [store.ledger.find(FINGERPRINT, entry["step"]) for entry in answered]
    store.close()
    assert [claim and claim.holder for claim in claims] == [entry["holder"] for entry in answered]
    refused = [entry["error"] for entry in clients.entries if entry["status"] == 503]
    assert all(error.startswith(f"Database error: {DATABASE} failed: ") for error in refused)
    assert refused[-1].endswith('.s.PGSQL.5432" failed: No such file or directory')
    # Neither the server nor a client has anything else to tell.
    assert capfd.readouterr().err == ""


def test_database_goes_away_under_a_store(postgresql: PostgreSQL) -> None:
    """Whoever uses it directly is told so, and goes on with the same store."""
    store = SqlStore(postgresql.url)
    alice = Authenticator(Clock(), ledger=store.ledger).make(name="alice", period=1)
    codes = [issuer_of(alice).claim()]
    postgresql.stop()
    try:
        errors = []
        for _ in range(3):
            with pytest.raises(StoreError) as caught:
                alice.one_time_code()
            errors.append(str(caught.value))
    finally:
        postgresql.start()
    codes += [issuer_of(alice).claim() for _ in range(2)]
    store.close()

    assert all(error.startswith(f"{DATABASE} failed: ") for error in errors)
    assert [code.step for code in codes] == sorted({code.step for code in codes})


# The disk of an SQLite database


class FullDisk:
    """A file system of a megabyte."""

    reason = "database or disk is full"

    def __init__(self, folder: Path) -> None:
        """Mount it, for which one must be root."""
        self.folder = folder
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "totphog-tests", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("only root may mount a file system, and not in every container")

    def fill(self, _: int) -> None:
        """Leave no room."""
        with (self.folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def free(self, _: int) -> None:
        """Make room again."""
        (self.folder / "ballast").unlink()

    def close(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)


class ForbiddenDisk:
    """A folder in which a process is not allowed to write, like one whose quota is used up."""

    reason = "disk I/O error"

    def __init__(self, folder: Path) -> None:
        """Take any folder."""
        self.folder = folder
        if not hasattr(resource, "prlimit"):
            pytest.skip("only Linux can take a right from a process that runs")

    def fill(self, process: int) -> None:
        """Let no file grow beyond nothing."""
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def free(self, process: int) -> None:
        """Let them grow again."""
        resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self) -> None:
        """Leave nothing behind."""


@pytest.fixture(params=[FullDisk, ForbiddenDisk])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FullDisk | ForbiddenDisk]:
    """A disk that can be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = request.param(folder)
    yield disk
    disk.close()


def test_disk_is_full(disk: FullDisk | ForbiddenDisk, serve: Callable[..., Replica]) -> None:
    """Everybody is told so; what was answered before is there; with room again, all goes on after the last step."""
    path = disk.folder / "totphog.db"
    server = serve(f"sqlite:///{path}")
    requests.put(f"{server.api_url}/clock", json={"frozen_at": "2024-01-15T10:30:00Z"}, timeout=10)
    token = requests.post(f"{server.api_url}/tokens", json=ALICE, timeout=10).json()["data"]

    def ask(number: int) -> requests.Response:
        url = f"{server.api_url}/tokens/{token['id']}/one-time-code"
        return requests.post(url, json={"holder": f"request {number}"}, timeout=30)

    before = [ask(number) for number in range(3)]
    disk.fill(server.process.pid)
    # A page that is begun may have room for one more.
    full = [ask(number) for number in range(3, 8)]
    disk.free(server.process.pid)
    after = [ask(number) for number in range(8, 11)]

    assert {answer.status_code for answer in [*before, *after]} == {200}
    assert full[-1].status_code == 500
    assert full[-1].json() == {
        "success": False,
        "error": f"Database error: the database {path} failed: {disk.reason}",
    }
    answered = {
        number: answer.json()["data"]["step"]
        for number, answer in enumerate([*before, *full, *after])
        if answer.status_code == 200
    }
    assert list(answered.values()) == sorted(set(answered.values()))
    store = SqlStore(f"sqlite:///{path}")
    holders = [store.ledger.find(f"{FINGERPRINT}/frozen", step).holder for step in answered.values()]
    store.close()
    assert holders == [f"request {number}" for number in answered]


# The network


@pytest.fixture
def network(serve: Callable[..., Replica]) -> Iterator[Network]:
    """A network to a server, of 200 milliseconds in each direction."""
    with network_to(serve().url, delay=0.2) as network:
        yield network


def test_slow_network(network: Network, verifier: RunningVerifier) -> None:
    """Three test runs with one account each get codes that live when they arrive, and no code comes twice."""

    def run(number: int) -> list[str]:
        with server_at(SharedPlace(network.url, namespace=f"run-{number}")) as server:
            token = server.add_token(**ALICE)
            logins = [{"code": token.one_time_code(timeout=30), "holder": f"run {number}"} for _ in range(2)]
            return [requests.post(verifier.url, json=login, timeout=30).text for login in logins]

    assert in_threads(3, run) == [["accepted"] * 2] * 3
    assert [entry["verdict"] for entry in verifier.entries] == ["accepted"] * 6


def test_slow_network_and_a_long_line(network: Network) -> None:
    """Nobody waits for a step that comes too late; the error names the holders."""
    with server_at(SharedPlace(network.url, namespace="run")) as server:
        token = server.add_token(name="alice", secret=SECRET)
        step = issuer_of(token).claim(min_remaining=0, holder="gw0 test_login").step
        issuer_of(token).keeper.ledger.claim(
            issuer_of(token).token.fingerprint, step + 1, step + 1, holder="gw1 test_login", claimed_at=0
        )

        with pytest.raises(CodeUnavailable, match=f"step {step + 1} was handed to gw1 test_login"):
            token.one_time_code(timeout=2)


TEST_LOGIN = """
    import pytest
    import requests

    @pytest.mark.totp(secret="{secret}", digits=8, period=1)
    @pytest.mark.parametrize("attempt", [1, 2])
    def test_login(totp_token, attempt):
        login = {{"code": totp_token.one_time_code(), "holder": f"attempt {{attempt}}"}}
        assert requests.post("{verifier}", json=login, timeout=30).text == "accepted"
    """


def test_totphog_url_over_a_slow_network(project: pytest.Pytester, network: Network, verifier: RunningVerifier) -> None:
    """`--totphog-url` needs nothing else."""
    project.makepyfile(TEST_LOGIN.format(secret=SECRET, verifier=verifier.url))

    result = project.runpytest_subprocess("--totphog-url", network.url)

    result.assert_outcomes(passed=2)


def test_answer_is_lost(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes within the time-out; the step stays spent, because nobody knows who got it."""
    monkeypatch.setattr(remote, "TIMEOUT", 1)
    clock = FrozenClock("2024-01-15T10:30:00Z", None)
    with server_at(SharedPlace(network.url, namespace="run", clock=clock)) as server:
        token = server.add_token(name="alice", secret=SECRET)
        network.loses_answers = True
        with pytest.raises(StoreError) as caught:
            issuer_of(token).claim(holder="the one without an answer")
        network.loses_answers = False
        ledger = issuer_of(token).keeper.ledger
        wait_for(lambda: ledger.last(issuer_of(token).token.fingerprint))

        assert str(caught.value) == f"the totphog server at {network.url} failed: it did not answer in time"
        assert ledger.last(issuer_of(token).token.fingerprint).holder == "the one without an answer"
        assert (ledger.last(issuer_of(token).token.fingerprint).step, issuer_of(token).claim().step) == (
            56843820,
            56843821,
        )
