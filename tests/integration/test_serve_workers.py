"""`totphog serve --workers`: several processes on one port and one database are one server."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_totphog.cli import main
from pytest_totphog.credentials.otp import random_secret
from tests.support.threads import in_threads

FROZEN = {"frozen_at": "2024-01-15T10:30:00Z"}
STEP = 56_843_820


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of two workers, on either database."""
    database = f"sqlite:///{tmp_path_factory.mktemp('workers')}/store.db"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgresql_url")
    command = [sys.executable, "-m", "pytest_totphog", "serve", "--port", "0", "--workers", "2", "--database", database]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


@pytest.fixture
def api(url: str, request: pytest.FixtureRequest) -> str:
    """The API in a namespace of the test's own."""
    return f"{url}/namespaces/{request.node.originalname}/api/v1"


def ask(method: str, url: str, **body: Any) -> Any:
    """Ask on a new connection, which goes to either worker."""
    response = requests.request(method, url, json=body or None, timeout=30)
    assert response.status_code in {200, 201}, response.text
    return response.json().get("data", response.json())


def add(api: str, **parameters: Any) -> str:
    """Add an account that nobody else has, and return its URL."""
    token = ask("POST", f"{api}/tokens", name="alice", secret=random_secret(), **parameters)
    return f"{api}/tokens/{token['id']}"


def test_token_is_there_in_both(api: str) -> None:
    """Whichever of them was told; and when it is deleted, it is in neither."""
    token = add(api)

    assert [ask("GET", token)["name"] for _ in range(20)] == ["alice"] * 20
    ask("DELETE", token)
    assert [ask("GET", f"{api}/tokens") for _ in range(20)] == [[]] * 20


def test_clock_is_one(api: str) -> None:
    """Frozen, moved and released in both; no tick is lost, however they fall together."""
    ask("PUT", f"{api}/clock", **FROZEN)
    assert {ask("GET", f"{api}/clock")["time"] for _ in range(20)} == {1_705_314_600.0}

    in_threads(8, lambda _: [ask("POST", f"{api}/clock/tick", seconds=1) for _ in range(5)])
    assert {ask("GET", f"{api}/clock")["time"] for _ in range(20)} == {1_705_314_640.0}

    ask("DELETE", f"{api}/clock")
    assert {ask("GET", f"{api}/clock")["mode"] for _ in range(20)} == {"live"}


def test_no_code_twice_on_a_frozen_clock(api: str) -> None:
    """Both hand them out, in line, and the clock stands at the last of them."""
    ask("PUT", f"{api}/clock", **FROZEN)
    token = add(api)

    steps = [ask("POST", f"{token}/one-time-code")["step"] for _ in range(20)]

    assert steps == list(range(STEP, STEP + 20))
    assert ask("GET", f"{api}/clock")["time"] == (STEP + 19) * 30
    last = ask("POST", f"{token}/explain", code=ask("GET", f"{token}/code")["code"])
    assert last["verdict"] == "current"


def test_client_without_a_name(api: str) -> None:
    """Whichever worker answers, the ledger has its address."""
    ask("PUT", f"{api}/clock", **FROZEN)
    token = add(api)

    holders = set()
    for _ in range(20):
        code = ask("POST", f"{token}/one-time-code")["code"]
        holders.add(ask("POST", f"{token}/explain", code=code)["explanation"].rpartition(" to ")[2])

    assert holders == {"127.0.0.1, no holder given"}


def test_no_code_twice_on_a_live_clock(api: str) -> None:
    """Sixteen ask at the same time, and each gets a step of its own."""
    token = add(api)

    steps = in_threads(16, lambda _: ask("POST", f"{token}/one-time-code", min_remaining=0, lookahead=16)["step"])

    assert sorted(steps) == list(range(min(steps), min(steps) + 16))


def test_waiting_for_a_code_keeps_nobody_else_waiting(api: str) -> None:
    """Eight wait for steps of a second, and the server answers meanwhile."""
    token = add(api, period=1)

    def take(number: int) -> int:
        if number == 0:
            ask("GET", f"{api}/tokens")
        return int(ask("POST", f"{token}/one-time-code", min_remaining=0, lookahead=6, timeout=30)["step"])

    assert len(set(in_threads(8, take))) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "--workers is 0; accepted are 1 to 100"),
        (["--workers", "-1"], "--workers is -1; accepted are 1 to 100"),
        (["--workers", "101"], "--workers is 101; accepted are 1 to 100"),
        (["--workers", "2"], "--workers 2 needs a --database: what a process keeps in memory no other one sees"),
        (
            ["--workers", "2", "--app", "email-mfa", "--database", "sqlite:///store.db"],
            "--workers 2 needs --smtp: mails in memory are those of one process",
        ),
        (
            ["--workers", "2", "--database", "mysql://localhost/"],
            "the database's URL is none of those accepted: *",
        ),
        (
            ["--workers", "2", "--database", "sqlite:///nowhere/store.db"],
            "the database nowhere/store.db failed: unable to open database file; *",
        ),
        (
            ["--workers", "2", "--database", "sqlite:///store.db", "--port", "65536"],
            "port 65536 does not exist; accepted are 0 to 65535, 0 for a free one",
        ),
    ],
)
def test_mistake_is_a_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    """Told once, and not by every worker."""
    monkeypatch.chdir(tmp_path)

    assert main(["serve", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert fnmatch(err, f"totphog: {message}\n")


def test_number_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """As every argument that should be one."""
    with pytest.raises(SystemExit):
        main(["serve", "--workers", "two"])
    assert "argument --workers: invalid int value: 'two'" in capsys.readouterr().err
