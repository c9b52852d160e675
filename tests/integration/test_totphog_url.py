"""The option --totphog-url: a server that runs already, and that many test runs share."""

import re
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pytest_totphog import TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of

KEY = "open sesame"
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TotpServer]:
    """A running server, whose key the environment has."""
    monkeypatch.setenv("TOTPHOG_API_KEY", KEY)
    with TotpServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def unused_url() -> Iterator[str]:
    """A URL where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def kept(server: TotpServer) -> list[dict[str, Any]]:
    """Return the tokens of all namespaces of a server."""
    url = f"{server.url}/api/v1/store/tokens_token/find"
    answer: list[dict[str, Any]] = requests.post(url, json={"equal": {}}, headers=HEADERS, timeout=30).json()["result"]
    return answer


def test_fixtures_use_the_running_server(project: pytest.Pytester, server: TotpServer) -> None:
    """Tokens are added there, in a namespace of the run, and their codes are served there."""
    project.makepyfile(
        f"""
        import os

        import requests

        def test_login(totp_server, totp_token, totp_token_factory):
            assert (totp_server.host, totp_server.port) == ("127.0.0.1", {server.port})
            assert totp_server.url.startswith("{server.url}/namespaces/")
            other = totp_token_factory(name="other")
            assert totp_server.tokens == [totp_token, other]
            for token in (totp_token, other):
                assert token.code_url == f"{{totp_server.api_url}}/tokens/{{token.id}}/code"
                answer = requests.get(token.code_url, headers={HEADERS!r}, timeout=30)
                assert token.verify(answer.json()["data"]["code"], window=1)
        """
    )

    project.runpytest(f"--totphog-url={server.url}").assert_outcomes(passed=1)


def test_ini(project: pytest.Pytester, server: TotpServer, unused_url: str) -> None:
    """The ini value does the same, and the option beats it."""
    project.makepyfile(f"def test_url(totp_server): assert totp_server.port == {server.port}")
    project.makeini(f"[pytest]\ntotphog_url = {server.url}\n")
    project.runpytest().assert_outcomes(passed=1)
    project.makeini(f"[pytest]\ntotphog_url = {unused_url}\n")
    project.runpytest(f"--totphog-url={server.url}").assert_outcomes(passed=1)


def test_test_starts_from_the_tokens_it_had(project: pytest.Pytester, server: TotpServer) -> None:
    """What a test adds is gone after it; what a fixture of the session made is there in every test."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def account(totp_server_session):
            return totp_server_session.add_token(name="of the session")

        @pytest.mark.parametrize("number", range(2))
        def test_login(account, totp_server, number):
            assert totp_server.tokens == [account]
            totp_server.add_token()
            totp_server.remove(account)
        """
    )

    project.runpytest(f"--totphog-url={server.url}").assert_outcomes(passed=2)


def test_nothing_is_left_after_the_run(project: pytest.Pytester, server: TotpServer) -> None:
    """The server's own tokens stay, and what was handed out stays spent."""
    own = server.add_token(name="own")
    project.makepyfile(
        """
        def test_login(totp_server, totp_token):
            totp_server.add_token(secret="JBSWY3DPEHPK3PXP", period=86400).one_time_code(min_remaining=0)

        def test_failing(totp_token):
            assert totp_token.now() == ""
        """
    )

    project.runpytest(f"--totphog-url={server.url}").assert_outcomes(passed=1, failed=1)

    assert server.tokens == [own]
    assert [token["name"] for token in kept(server)] == ["own"]
    spent = server.add_token(secret="JBSWY3DPEHPK3PXP", period=86_400)
    current = issuer_of(spent).claim(min_remaining=0, lookahead=1)
    assert current.step == issuer_of(spent).token.step_at(server.clock.time_ns()) + 1


def test_frozen_clock(project: pytest.Pytester, server: TotpServer) -> None:
    """The clock of the run's namespace stands too, so that a page's codes are the test's; and is released after it."""
    project.makepyfile(
        f"""
        import pytest
        import requests

        def served(token):
            return requests.get(token.code_url, headers={HEADERS!r}, timeout=30).json()["data"]["code"]

        @pytest.mark.parametrize("patch", ["freezegun", None])
        def test_frozen(frozen_clock, totp_server, patch):
            frozen_clock.freeze("2024-01-15T10:30:00Z", patch)
            account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
            assert served(account) == account.now() == "648307"
            frozen_clock.next_step()
            assert served(account) == account.now() == "764426"

        def test_live(totp_server, totp_token):
            assert totp_server.clock.mode == "live"
            clock = requests.get(f"{{totp_server.api_url}}/clock", headers={HEADERS!r}, timeout=30).json()
            assert clock["mode"] == "live"
            requests.put(
                f"{{totp_server.api_url}}/clock", json={{"frozen_at": 0}}, headers={HEADERS!r}, timeout=30
            )

        def test_live_again(totp_server):
            clock = requests.get(f"{{totp_server.api_url}}/clock", headers={HEADERS!r}, timeout=30).json()
            assert clock["mode"] == "live"
        """
    )

    project.runpytest(f"--totphog-url={server.url}").assert_outcomes(passed=4)
    assert server.clock.mode == "live"


# Several runs

RUN = """
    import threading
    from pathlib import Path

    import pytest

    from pytest_totphog.authenticator.totp_token import issuer_of

    @pytest.mark.parametrize("number", range(10))
    @pytest.mark.frozen_clock("2024-01-15T10:30:00Z", patch=None)
    def test_login(totp_server, number, request):
        account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
        Path(f"../ready-{Path.cwd().name}").touch()
        looking = threading.Event()
        while len(list(Path("..").glob("ready-*"))) < 2:
            looking.wait(0.02)
        assert totp_server.tokens == [account]
        with open("steps.txt", "a") as file:
            print(issuer_of(account).claim().step, file=file)
    """


def test_two_runs_at_the_same_time(project: pytest.Pytester, server: TotpServer) -> None:
    """Neither sees the other's tokens, and no step of the account that both use is handed out twice."""
    runs = []
    for name in ("first", "second"):
        folder = project.mkdir(name)
        (folder / "test_run.py").write_text(textwrap.dedent(RUN), "utf-8")
        command = [sys.executable, "-m", "pytest", f"--totphog-url={server.url}"]
        runs.append(subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True))

    outputs = [run.communicate(timeout=60)[0] for run in runs]

    assert [run.returncode for run in runs] == [0, 0], outputs
    steps = [int(line) for path in project.path.glob("*/steps.txt") for line in path.read_text("utf-8").split()]
    assert len(steps) == 20
    assert sorted(steps) == list(range(56_843_820, 56_843_840))
    assert kept(server) == []


def test_workers_of_xdist(project: pytest.Pytester, server: TotpServer) -> None:
    """Each has a namespace of its own there; the ledger is the server's, not the controller's."""
    pytest.importorskip("xdist")
    project.makepyfile(
        """
        import os
        from pathlib import Path

        from pytest_totphog.authenticator.totp_token import issuer_of

        def test_login(totp_server, frozen_clock):
            account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
            assert totp_server.tokens == [account]
            worker = os.environ["PYTEST_XDIST_WORKER"]
            assert totp_server.url.endswith(worker)
            Path(f"step-{worker}").write_text(str(issuer_of(account).claim().step))
        """
    )
    server.clock.freeze("2024-01-15T10:30:00Z")
    server.add_token(secret="JBSWY3DPEHPK3PXP").one_time_code()

    result = project.runpytest_subprocess("-p", "xdist", "-n", "2", "--dist=each", f"--totphog-url={server.url}")

    result.assert_outcomes(passed=2)
    steps = sorted(int(path.read_text("utf-8")) for path in project.path.glob("step-*"))
    assert steps == [56_843_821, 56_843_822]


def test_holder_is_told_to_other_runs(
    project: pytest.Pytester, server: TotpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the job, as CI calls it."""
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")
    project.makepyfile(
        """
        def test_login(totp_server):
            totp_server.add_token(secret="JBSWY3DPEHPK3PXP", period=86400).one_time_code(min_remaining=0)
        """
    )
    project.runpytest(f"--totphog-url={server.url}").assert_outcomes(passed=1)

    token = server.add_token(secret="JBSWY3DPEHPK3PXP", period=86_400)

    assert re.search(
        r"handed out .+ to test_holder_is_told_to_other_runs\.py::test_login \(https://ci\.example/jobs/7\)$",
        str(token.explain(token.now())),
    )


# Mistakes


def sentence(project: pytest.Pytester, url: str) -> str:
    """Return what two tests that want the server are told, each of them; a third one passes."""
    project.makepyfile(
        """
        def test_login(totp_server): pass
        def test_logout(totp_token): pass
        def test_home(): pass
        """
    )
    result = project.runpytest(f"--totphog-url={url}", "-rN")
    result.assert_outcomes(errors=2, passed=1)
    output = result.stdout.str()
    told: list[str] = re.findall(r"^_+ ERROR at setup of \w+ _+\n(.*)$", output, re.MULTILINE)
    assert told[0] == told[1]
    assert KEY not in output
    return told[0]


ADVICE = "Is `totphog serve` running there, and TOTPHOG_API_KEY its key?"


def test_nobody_listens(project: pytest.Pytester, unused_url: str) -> None:
    """No test falls back to a server of its own."""
    assert sentence(project, unused_url) == (
        f"totp_server: the totphog server at {unused_url} failed: Connection refused. {ADVICE}"
    )


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("another", "The API key that was sent is not this server's"),
        ("", "Send the API key as 'Authorization: Bearer …'"),
    ],
)
def test_wrong_key(
    project: pytest.Pytester, server: TotpServer, monkeypatch: pytest.MonkeyPatch, key: str, reason: str
) -> None:
    """The server says what it wants."""
    monkeypatch.setenv("TOTPHOG_API_KEY", key)

    assert sentence(project, server.url) == (
        f"totp_server: the totphog server at {server.url} failed: {reason}. {ADVICE}"
    )


def test_path_too_much(project: pytest.Pytester, server: TotpServer) -> None:
    """What is given is where the server is, not its API."""
    assert sentence(project, server.api_url) == (
        f"totp_server: the totphog server at {server.api_url} failed: Not found. {ADVICE}"
    )


def test_key_that_no_header_carries(
    project: pytest.Pytester, server: TotpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lines of a file."""
    monkeypatch.setenv("TOTPHOG_API_KEY", f"{KEY}\n{KEY}")

    assert sentence(project, server.url) == (
        "the environment's TOTPHOG_API_KEY: the API key has a line break or a control character in it; "
        "accepted is printable text"
    )


@pytest.mark.parametrize("url", ["localhost:8045", "postgresql://localhost/", "http://"])
def test_other_urls(project: pytest.Pytester, url: str) -> None:
    """They end the run: the option is named, its value, and what is accepted."""
    result = project.runpytest(f"--totphog-url={url}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --totphog-url: the server's URL is {url!r}; accepted is one such as http://127.0.0.1:8045"]
    )


def test_url_with_a_password(project: pytest.Pytester) -> None:
    """It is not shown, because reports are."""
    result = project.runpytest("--totphog-url=http://ci:hunter2@127.0.0.1:8045")
    assert result.stderr.lines == [
        "ERROR: --totphog-url: the server's URL is one with a password; accepted is one such as http://127.0.0.1:8045",
        "",
    ]


def test_server_that_goes_away(project: pytest.Pytester, server: TotpServer) -> None:
    """Whoever asks it is told in a sentence, and so is the end of the test, which cannot clean up."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def gone(totp_token, pytestconfig):
            pytestconfig.server.stop()

        def test_login(totp_token, gone):
            totp_token.one_time_code()
        """
    )

    class Plugin:
        def pytest_configure(self, config: pytest.Config) -> None:
            vars(config)["server"] = server

    url = server.url
    result = project.runpytest_inprocess(f"--totphog-url={url}", plugins=[Plugin()])

    result.assert_outcomes(failed=1, errors=1)
    said = f"the totphog server at {url} failed: Connection refused"
    told = ["*ERROR at teardown of test_login*", f"totp_server: {said}", f"E  *StoreError: {said}"]
    result.stdout.fnmatch_lines(told)
