"""Tests in processes of their own, as pytest-forked runs them: one ledger, and no secret in their reports."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")

# What pytest-forked does, which does not run under every pytest that this suite runs under.
CONFTEST = """
    import os
    import pickle

    import pytest
    from _pytest.runner import runtestprotocol

    class Forked:
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(self, item):
            if item.get_closest_marker("forked") is None:
                return None
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                reports = runtestprotocol(item, log=False)
                for report in reports:
                    report.longrepr = report.longrepr and str(report.longrepr)
                with open(writing, "wb") as file:
                    pickle.dump(reports, file)
                os._exit(0)
            os.close(writing)
            with open(reading, "rb") as file:
                reports = pickle.load(file)
            os.waitpid(child, 0)
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
            return True

    def pytest_configure(config):
        config.addinivalue_line("markers", "forked: run in a process of its own")
        config.pluginmanager.register(Forked(), "pytest_forked")
    """

TAKE_CODES = """
    from pathlib import Path

    import pytest

    from pytest_totphog.authenticator.totp_token import issuer_of

    @pytest.mark.forked
    @pytest.mark.parametrize("number", range(3))
    @pytest.mark.frozen_clock("2024-01-15T10:30:00Z", patch=None)
    def test_login(totp_server, number):
        account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
        with Path("steps.txt").open("a") as file:
            print(issuer_of(account).claim().step, file=file)
        print("the secret is", account.secret.lower())
        assert number < 2
    """


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")])
def test_no_code_twice_and_no_secret(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    """The ledger is made before the first process; what tests print there is masked, and found by the leak check."""
    project.makeconftest(CONFTEST)
    project.makepyfile(TAKE_CODES)

    result = project.runpytest_subprocess(*options, "-o", "totphog_leak_check=true", "-W", "ignore::DeprecationWarning")

    result.assert_outcomes(passed=2, failed=1)
    steps = sorted(int(line) for line in (project.path / "steps.txt").read_text("utf-8").split())
    assert steps == [56_843_820, 56_843_821, 56_843_822]
    assert "jbswy3dpehpk3pxp" not in result.stdout.str().lower()
    result.stdout.fnmatch_lines(
        ["the secret is ********", "secret of 'account' (fingerprint 1c4fa388) in captured stdout call of *(line 1)"]
    )
