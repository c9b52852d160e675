"""On GitHub Actions the job's log learns what to mask: the accounts that are there before and after the run."""

import pytest

ACCOUNTS = """[
    {"name": "alice", "password": "100% correct horse", "secret": "JBSW Y3DP EHPK 3PXP"},
    {"name": "bob", "password": "dragons", "secret": "gezdgnbvgy3tqojq"}
]"""

COMMANDS = [
    "::add-mask::JBSWY3DPEHPK3PXP",
    "::add-mask::jbswy3dpehpk3pxp",
    "::add-mask::JBSW Y3DP EHPK 3PXP",
    "::add-mask::jbsw y3dp ehpk 3pxp",
    "::add-mask::100%25 correct horse",
    "::add-mask::GEZDGNBVGY3TQOJQ",
    "::add-mask::gezdgnbvgy3tqojq",
    "::add-mask::GEZD GNBV GY3T QOJQ",
    "::add-mask::gezd gnbv gy3t qojq",
]


@pytest.fixture
def on_github(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with two accounts and several tests that take one, in a job of GitHub's."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.makefile(".json", accounts=ACCOUNTS)
    project.makeini("[pytest]\ntotphog_account_pool = accounts.json")
    project.makepyfile(
        """
        import pytest

        def test_home(): pass

        @pytest.mark.parametrize("turn", range(4))
        def test_login(totp_account, turn):
            pytest.fail(f"logged in as {totp_account.name}")
        """
    )
    return project


def commands(result: pytest.RunResult) -> list[str]:
    """Return the lines of a run's output that GitHub reads as commands."""
    return [line for line in result.outlines if line.startswith("::")]


@pytest.mark.parametrize("capture", ["fd", "sys", "no"])
def test_masks(on_github: pytest.Pytester, capture: str) -> None:
    """Each account once: the secret as pages print it, and the password, escaped as GitHub wants it.

    A password of seven characters is left out: its mask would be all over the log.
    """
    result = on_github.runpytest_subprocess(f"--capture={capture}")
    result.assert_outcomes(passed=1, failed=4)
    assert commands(result) == COMMANDS
    result.stdout.fnmatch_lines([COMMANDS[-1], "*Failed: logged in as alice"])


@pytest.mark.parametrize("capture", ["fd", "no"])
def test_under_xdist(on_github: pytest.Pytester, capture: str) -> None:
    """The controller prints them, once for all workers: what workers print reaches no log."""
    pytest.importorskip("xdist")
    result = on_github.runpytest_subprocess("-p", "xdist", "-n", "2", f"--capture={capture}")
    result.assert_outcomes(passed=1, failed=4)
    assert commands(result) == COMMANDS


def test_quiet(on_github: pytest.Pytester) -> None:
    """However little pytest shows."""
    assert commands(on_github.runpytest_subprocess("-p", "no:terminal")) == COMMANDS


def test_accounts_that_nobody_takes(on_github: pytest.Pytester) -> None:
    """Nothing is read, and nothing printed, before a test asks for an account."""
    assert commands(on_github.runpytest_subprocess("-k", "home")) == []


def test_elsewhere(on_github: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is no command, it would be the secrets themselves: other machines print nothing."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert commands(on_github.runpytest_subprocess()) == []


def test_fresh_tokens(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random secret is worth nothing after the run, and a mask for each would only fill the log."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.makepyfile("def test_login(totp_token): pass")
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert commands(result) == []
