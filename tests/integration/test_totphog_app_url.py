"""The ini value totphog_app_url: where the app under test is, when no fixture shows it."""

import socket

import pytest

from pytest_totphog import PracticeBackend


def test_app_is_asked(project: pytest.Pytester) -> None:
    """When a test has failed; nothing else is asked then."""
    pytest.importorskip("bcrypt")
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def base_url():
            return "http://127.0.0.1:1"

        def test_login(totp_token, base_url):
            raise RuntimeError
        """
    )

    with PracticeBackend("simple") as app:
        result = project.runpytest("-o", f"totphog_app_url={app.url}/login")
        url = app.url

    result.stdout.fnmatch_lines([f"app    {url} has the same time"])


def test_app_is_left_alone_while_tests_pass(project: pytest.Pytester) -> None:
    """Nobody knocks."""
    project.makepyfile("def test_login(totp_token): totp_token.now()")

    with socket.create_server(("127.0.0.1", 0)) as app:
        project.runpytest("-o", f"totphog_app_url=http://127.0.0.1:{app.getsockname()[1]}").assert_outcomes(passed=1)
        app.setblocking(False)
        with pytest.raises(BlockingIOError):
            app.accept()


def test_app_that_is_away(project: pytest.Pytester) -> None:
    """The section says nothing of it."""
    project.makepyfile("def test_login(totp_token): raise RuntimeError")

    result = project.runpytest("-o", "totphog_app_url=http://127.0.0.1:1")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["clock  live"])
    result.stdout.no_fnmatch_line("app    *")


@pytest.mark.parametrize("url", ["staging.example.com", "ftp://staging.example.com", "http://"])
def test_mistake(project: pytest.Pytester, url: str) -> None:
    """Anything but an URL ends the run with a sentence."""
    result = project.runpytest("-o", f"totphog_app_url={url}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: the ini totphog_app_url is '{url}'; accepted is a URL such as https://staging.example.com"]
    )
