"""The option --totphog-port: the port that the server of the tests listens on."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that nobody else is given meanwhile: bound here, and not listened on."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_free_port_by_default(project: pytest.Pytester, busy_port: int) -> None:
    """Without the option the server takes a port that is free."""
    project.makepyfile(
        f"""
        def test_port(totp_server):
            assert totp_server.port not in (0, {busy_port})
            assert totp_server.url == f"http://127.0.0.1:{{totp_server.port}}"
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_fixed_port(project: pytest.Pytester, free_port: int) -> None:
    """The option is the server's port, run after run."""
    project.makepyfile(
        f"""
        import requests

        def test_port(totp_server):
            assert requests.get("http://127.0.0.1:{free_port}/api/v1/health", timeout=5).status_code == 200
        """
    )
    for _ in range(2):
        project.runpytest(f"--totphog-port={free_port}").assert_outcomes(passed=1)


def test_ini(project: pytest.Pytester, free_port: int, busy_port: int) -> None:
    """The ini value does the same, and the option beats it."""
    project.makepyfile(f"def test_port(totp_server): assert totp_server.port == {free_port}")
    project.makeini(f"[pytest]\ntotphog_port = {free_port}\n")
    project.runpytest().assert_outcomes(passed=1)
    project.makeini(f"[pytest]\ntotphog_port = {busy_port}\n")
    project.runpytest(f"--totphog-port={free_port}").assert_outcomes(passed=1)


def test_busy_port_is_a_sentence(project: pytest.Pytester, busy_port: int) -> None:
    """A port that is taken is told in one sentence, to every test that wants the server: which port, which option."""
    project.makepyfile(
        """
        def test_login(totp_server): pass
        def test_logout(totp_token): pass
        def test_home(): pass
        """
    )
    result = project.runpytest(f"--totphog-port={busy_port}", "-rN")
    result.assert_outcomes(errors=2, passed=1)
    sentence = (
        f"totp_server: cannot listen on 127.0.0.1 port {busy_port}: Address already in use*port 0 find a free one*"
    )
    result.stdout.fnmatch_lines(
        ["*ERROR at setup of test_login*", sentence, "*ERROR at setup of test_logout*", sentence, "=*"],
        consecutive=True,
    )


@pytest.mark.parametrize("value", ["http", "-1", "65536", "80.5", "", "8_0", "٨٠", "1" * 5000])
@pytest.mark.parametrize("door", ["option", "ini"])
def test_bogus_value_is_a_sentence(project: pytest.Pytester, door: str, value: str) -> None:
    """What is no port ends the run, with the setting's name, the value and what is accepted."""
    option = f"--totphog-port={value}" if door == "option" else f"--override-ini=totphog_port={value}"
    name = "--totphog-port" if door == "option" else "the ini totphog_port"
    result = project.runpytest(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.lines == [f"ERROR: {name} is {value!r}; accepted are 0 to 65535, 0 for a free port", ""]
