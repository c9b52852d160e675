"""Options and ini values that are not what is accepted: the run ends at its start, whatever its tests take."""

import pytest


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "--totphog-url=staging:8045",
            "--totphog-url: the server's URL is 'staging:8045'; accepted is one such as http://127.0.0.1:8045",
        ),
        (
            "-ototphog_url=https://user:s3cret@staging",
            "the ini totphog_url: the server's URL is one with a password; accepted is one such as http://127.0.0.1:8045",
        ),
        (
            "--totphog-profile=nist",
            "--totphog-profile is 'nist'; accepted are rfc6238, nist-800-63b, asvs-5-l2",
        ),
        (
            "-ototphog_host=0.0.0.0",
            "the ini totphog_host is '0.0.0.0'; accepted are 127.0.0.1, ::1 and localhost. For a *",
        ),
        ("-ototphog_min_remaining=soon", "the ini totphog_min_remaining is 'soon'; accepted are 0 to 86400 seconds"),
        ("-ototphog_account_timeout=-1", "the ini totphog_account_timeout is '-1'; accepted are 0 to 86400 seconds"),
        (
            '-ototphog_account_pool=[{"name": "alice", "secret": "GEZDGNBVGY3TQOJQ"}]',
            "the ini totphog_account_pool holds accounts; accepted are a file's path and env:NAME",
        ),
        (
            "-ototphog_leak_check=maybe",
            "the ini totphog_leak_check: invalid truth value 'maybe'; accepted are true and false",
        ),
        ("-ototphog_throttle=2", "the ini totphog_throttle: invalid truth value '2'; accepted are true and false"),
        ("-ototphog_app_clock=", "the ini totphog_app_clock: invalid truth value ''; accepted are true and false"),
        (
            "-ototphog_report=findings.txt",
            "the ini totphog_report: 'findings.txt' does not say the format; accepted are names ending in .html, *",
        ),
    ],
)
def test_mistake(project: pytest.Pytester, given: str, sentence: str) -> None:
    """Told once, by the name under which it was given, also where no test takes what it is about."""
    project.makepyfile("def test_home(): pass")
    result = project.runpytest(given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert "test session starts" not in result.stdout.str()
    assert "GEZDGNBVGY3TQOJQ" not in result.stdout.str() + result.stderr.str()


def test_mistake_under_xdist(project: pytest.Pytester) -> None:
    """No worker is started for it."""
    pytest.importorskip("xdist")
    project.makepyfile("def test_home(): pass")
    result = project.runpytest_subprocess("-p", "xdist", "-n", "2", "--totphog-port=http")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str() == "ERROR: --totphog-port is 'http'; accepted are 0 to 65535, 0 for a free port\n"


def test_help_comes_in_spite_of_a_mistake(project: pytest.Pytester) -> None:
    """It is what one wants to read then."""
    result = project.runpytest("--totphog-port=http", "--help")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*--totphog-port=PORT*"])
