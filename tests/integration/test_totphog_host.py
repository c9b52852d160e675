"""The option --totphog-host: the address that the server of the tests listens on."""

import socket

import pytest

URL_STARTS = """
    import requests

    def test_url(totp_server):
        assert totp_server.url.startswith({expected!r})
        assert requests.get(f"{{totp_server.api_url}}/health", timeout=5).status_code == 200
    """


@pytest.fixture
def ipv6() -> None:
    """Skip where the machine has no IPv6 loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")


def test_ipv4_loopback_by_default(project: pytest.Pytester) -> None:
    """Without the option the server listens on 127.0.0.1."""
    project.makepyfile(URL_STARTS.format(expected="http://127.0.0.1:"))
    project.runpytest().assert_outcomes(passed=1)


def test_loopback_by_name(project: pytest.Pytester) -> None:
    """The option stands in the server's URL as it was given."""
    project.makepyfile(URL_STARTS.format(expected="http://localhost:"))
    project.runpytest("--totphog-host=localhost").assert_outcomes(passed=1)


@pytest.mark.usefixtures("ipv6")
def test_ipv6_loopback(project: pytest.Pytester) -> None:
    """An IPv6 address stands in brackets in the URL."""
    project.makepyfile(URL_STARTS.format(expected="http://[::1]:"))
    project.runpytest("--totphog-host=::1").assert_outcomes(passed=1)


def test_ini(project: pytest.Pytester) -> None:
    """The ini value does the same, and the option beats it."""
    project.makeini("[pytest]\ntotphog_host = localhost\n")
    project.makepyfile(URL_STARTS.format(expected="http://localhost:"))
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--totphog-host=127.0.0.1").assert_outcomes(failed=1)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "totp.example"])
def test_beyond_loopback_is_refused(project: pytest.Pytester, host: str) -> None:
    """An address that other machines reach ends the run at its start, with a sentence of what pytest can do."""
    result = project.runpytest(f"--totphog-host={host}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str() == (
        f"ERROR: --totphog-host is '{host}'; accepted are 127.0.0.1, ::1 and localhost. For a server that other "
        "machines reach run `totphog serve --api-key KEY`, and give pytest --totphog-url\n"
    )


def test_other_loopback_address(project: pytest.Pytester) -> None:
    """All of 127.0.0.0/8 is this machine's."""
    project.makepyfile(URL_STARTS.format(expected="http://127.0.0.2:"))
    project.runpytest("--totphog-host=127.0.0.2").assert_outcomes(passed=1)
