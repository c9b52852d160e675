"""What tests do with HTTP, sockets and files does not reach the plugin's own requests and pages."""

import pytest

from pytest_totphog import TotpServer
from tests.support.system import require_libfaketime
from tests.unit.wsgi.conftest import Certificate, certificate  # noqa: F401 -- a fixture

MOCKS = ("httpretty", "pook", "pyfakefs", "pytest_socket", "requests_mock", "responses", "vcr")
KEY = "open sesame"

# Each takes a code by a request of the plugin's to a ledger elsewhere.
PROJECT = """
    import http.client
    import socket

    import pytest
    import requests


    def forbidden(*_, **__):
        raise RuntimeError("this suite forbids the network")


    def test_requests_mock(totp_token, frozen_clock, requests_mock):
        requests_mock.get("https://api.example.com/me", json={"ok": True})
        assert requests.get("https://api.example.com/me", timeout=5).json()["ok"]
        assert len(totp_token.one_time_code()) == 6
        assert requests_mock.call_count == 1


    def test_responses(totp_token, frozen_clock):
        import responses

        with responses.RequestsMock():
            assert len(totp_token.one_time_code()) == 6


    @pytest.mark.parametrize("mode", ["none", "new_episodes", "all"])
    def test_cassette(totp_token, frozen_clock, tmp_path, mode):
        import vcr

        with vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode=mode):
            assert len(totp_token.one_time_code()) == 6
        assert not (tmp_path / "cassette.yaml").exists()


    def test_httpretty(totp_token, frozen_clock):
        import httpretty

        with httpretty.enabled(allow_net_connect=False):
            assert len(totp_token.one_time_code()) == 6


    def test_pook(totp_token, frozen_clock):
        import pook

        with pook.use():
            assert len(totp_token.one_time_code()) == 6


    @pytest.mark.disable_socket
    def test_pytest_socket(totp_token, frozen_clock):
        with pytest.raises(RuntimeError):
            socket.socket()
        assert len(totp_token.one_time_code()) == 6


    def test_fake_files(totp_token, frozen_clock, fs):
        assert len(totp_token.one_time_code()) == 6


    @pytest.mark.parametrize(
        ("owner", "name"),
        [
            (socket, "socket"),
            (socket, "getaddrinfo"),
            (socket, "create_connection"),
            (socket.socket, "connect"),
            (socket.socket, "sendall"),
            (socket.socket, "__init__"),
            (http.client.HTTPConnection, "request"),
            (http.client, "HTTPConnection"),
            (requests.Session, "request"),
            (requests.adapters.HTTPAdapter, "send"),
        ],
        ids=str,
    )
    def test_patched(totp_token, frozen_clock, monkeypatch, owner, name):
        monkeypatch.setattr(owner, name, forbidden)
        assert len(totp_token.one_time_code()) == 6
    """
COUNT = 19
OPTIONS = tuple(
    option
    for plugin in ("pytest_socket", "pyfakefs.pytest_plugin", "requests_mock.contrib._pytest_plugin")
    for option in ("-p", plugin)
)


@pytest.fixture
def mocks() -> None:
    """Skip where the mocks are not installed, which are many, and of use here only."""
    for name in MOCKS:
        pytest.importorskip(name)


@pytest.mark.usefixtures("mocks")
def test_ledger_of_the_controller(project: pytest.Pytester) -> None:
    """Under pytest-xdist each claim is a request; no mock meets it, and no cassette keeps it with its key."""
    project.makepyfile(PROJECT)
    # Not every warning is an error: pytest-socket and httpretty have some.
    result = project.runpytest_subprocess(*OPTIONS, "-p", "xdist", "-n", "1", "-W", "default")
    result.assert_outcomes(passed=COUNT)


@pytest.mark.usefixtures("mocks")
def test_shared_server(
    project: pytest.Pytester,
    certificate: Certificate,  # noqa: F811 -- the imported fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With --totphog-url tokens and clock are requests too, encrypted ones here."""
    monkeypatch.setenv("TOTPHOG_API_KEY", KEY)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.path)
    project.makepyfile(PROJECT)
    with TotpServer(api_key=KEY, ssl_context=certificate.context) as server:
        result = project.runpytest_subprocess(*OPTIONS, f"--totphog-url={server.url}", "-W", "default")
    result.assert_outcomes(passed=COUNT)


@pytest.mark.usefixtures("mocks")
def test_without_sockets(project: pytest.Pytester) -> None:
    """Tokens and clock need none; the server starts where a test may have one, and TLS stays what it was."""
    project.makepyfile(
        """
        import pytest
        import pytest_socket


        def test_code(totp_token, frozen_clock):
            assert len(totp_token.one_time_code()) == 6


        def test_that_fails(totp_server, totp_token):
            assert totp_token.now() == "a code"


        def test_asked(totp_server):
            with pytest.raises(pytest_socket.SocketBlockedError):
                totp_server.url


        @pytest.mark.enable_socket
        def test_allowed(totp_server, totp_token):
            import ssl

            import requests

            assert totp_server.running
            assert requests.get(totp_token.code_url, timeout=5).json()["success"]
            assert ssl.SSLSocket.__mro__[1].__module__ == "socket"
        """
    )
    result = project.runpytest_subprocess(*OPTIONS, "--disable-socket", "-W", "default")
    result.assert_outcomes(passed=3, failed=1, warnings=1)  # the warning is test_asked's
    assert "test_asked" in result.stdout.str().partition("warnings summary")[2]


@pytest.mark.usefixtures("mocks")
def test_pages_with_fake_files(project: pytest.Pytester) -> None:
    """The page, its files and the contracts are those of the package, also where a test has files of its own."""
    project.makepyfile(
        """
        import requests

        PATHS = [
            "/", "/ui/app.js", "/openapi.json", "/openapi.yaml", "/api/v1/openapi.json",
            "/docs", "/docs/plain.css", "/docs/swagger-ui.css", "/docs/openapi.json",
        ]


        def test_pages(totp_server, login_demo_backend, simple_backend, fs):
            for url in [f"{totp_server.url}{path}" for path in PATHS] + [
                f"{login_demo_backend.url}/", f"{login_demo_backend.url}/openapi.json", f"{simple_backend.url}/docs"
            ]:
                answer = requests.get(url, timeout=5)
                assert (answer.status_code, bool(answer.content)) == (200, True), url
        """
    )
    project.runpytest_subprocess(*OPTIONS).assert_outcomes(passed=1)


@pytest.mark.usefixtures("mocks")
def test_clock_of_another_process_with_fake_files(project: pytest.Pytester) -> None:
    """What moves the clock in such a test reaches the app all the same."""
    require_libfaketime()
    project.makepyfile(
        """
        import subprocess

        import pytest


        @pytest.fixture
        def shell(frozen_clock):
            env = frozen_clock.subprocess_env()
            with subprocess.Popen(["sh"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
                yield shell
                shell.stdin.close()


        def test_moved(shell, frozen_clock, fs):
            frozen_clock.tick(100)
            shell.stdin.write("date -u +%H:%M:%S\\n")
            shell.stdin.flush()
            assert shell.stdout.readline() == "10:31:40\\n"
        """
    )
    project.runpytest_subprocess(*OPTIONS).assert_outcomes(passed=1)
