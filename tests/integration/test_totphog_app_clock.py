"""The ini value totphog_app_clock: whether the clock of the app under test is compared when a test fails."""

import socket

import pytest


@pytest.mark.parametrize("shown_by", ["the ini", "a fixture"])
def test_app_is_left_alone(project: pytest.Pytester, shown_by: str) -> None:
    """A test fails, and nobody knocks; the rest of the section is there."""
    with socket.create_server(("127.0.0.1", 0)) as app:
        url = f"http://127.0.0.1:{app.getsockname()[1]}"
        project.makeconftest(f"import pytest\n\n@pytest.fixture\ndef live_server_url(): return {url!r}\n")
        project.makepyfile("def test_login(totp_token, live_server_url): raise RuntimeError")
        known = ("-o", f"totphog_app_url={url}") if shown_by == "the ini" else ()
        result = project.runpytest("-o", "totphog_app_clock=false", *known)
        app.setblocking(False)
        with pytest.raises(BlockingIOError):
            app.accept()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["clock  live"])
