"""The fixture totp_account: an existing account that no other test has at the same time."""

import json
import subprocess
import sys

import pytest

from pytest_totphog import TotpServer
from tests.support.threads import in_threads

ALICE = {"name": "alice", "password": "correct horse", "secret": "JBSWY3DPEHPK3PXP"}
BOB = {
    "name": "bob@example.com",
    "password": "battery staple",
    "uri": "otpauth://totp/Shop:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Shop&digits=8",
}

# Tests that never meet in one account: whoever finds its file there already fails.
EXCLUSIVE = """
    import pathlib
    import threading

    import pytest

    @pytest.mark.parametrize("turn", range(6))
    def test_alone(totp_account, turn):
        with open(totp_account.name, "x"):
            threading.Event().wait(0.05)
        pathlib.Path(totp_account.name).unlink()
    """


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """A project with accounts of Alice and Bob."""
    use(project, ALICE, BOB)
    return project


def use(project: pytest.Pytester, *accounts: dict[str, str], timeout: float = 60) -> None:
    """Let a project have some accounts."""
    (project.path / "accounts.json").write_text(json.dumps(accounts), "utf-8")
    project.makeini(f"[pytest]\ntotphog_account_pool = accounts.json\ntotphog_account_timeout = {timeout}\n")


def test_account_is_ready_to_log_in_with(shop: pytest.Pytester) -> None:
    """Name and password as they were given, and a token whose codes Python and HTTP give."""
    shop.makepyfile(
        """
        import requests

        def test_login(totp_account, totp_server):
            assert (totp_account.name, totp_account.password) == ("alice", "correct horse")
            assert totp_account.token.at("2024-01-15T10:30:00Z") == "648307"
            assert totp_server.tokens == [totp_account.token]
            code = requests.get(totp_account.token.code_url, timeout=5).json()["data"]["code"]
            assert totp_account.token.verify(code, window=1)

        def test_key_uri(totp_account):
            assert (totp_account.name, totp_account.token.name) == ("bob@example.com", "bob")
            assert len(totp_account.token.now()) == 8
        """
    )
    shop.runpytest().assert_outcomes(passed=2)


def test_accounts_take_turns(shop: pytest.Pytester) -> None:
    """The one unused for longest comes first, as its next code is the most likely to be free; its token is gone."""
    shop.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("name", ["alice", "bob@example.com", "alice", "bob@example.com"])
        def test_turn(totp_account, totp_server, name):
            assert totp_account.name == name
            assert totp_server.tokens == [totp_account.token]
        """
    )
    shop.runpytest().assert_outcomes(passed=4)


def test_account_is_given_back_however_the_test_ends(project: pytest.Pytester) -> None:
    """One account serves tests that pass, fail, skip, and fail in what they set up."""
    use(project, ALICE, timeout=0)
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken(totp_account):
            raise RuntimeError

        def test_passes(totp_account): pass
        def test_fails(totp_account): raise RuntimeError
        def test_skips(totp_account): pytest.skip("on purpose")
        def test_is_not_set_up(broken): pass
        def test_passes_again(totp_account): pass
        """
    )
    project.runpytest().assert_outcomes(passed=2, failed=1, skipped=1, errors=1)


def test_codes_of_an_account_are_spent_once(project: pytest.Pytester) -> None:
    """The next test that gets the account gets the next code; frozen time spares it the wait."""
    use(project, ALICE)
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("code", ["648307", "764426", "812434"])
        def test_login(totp_account, frozen_clock, code):
            assert totp_account.token.one_time_code() == code
        """
    )
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_frozen_time_does_not_hold_up_who_waits(project: pytest.Pytester, patch: str) -> None:
    """A wait for an account ends in real time, also while the test's time stands still."""
    use(project, ALICE, timeout=0.2)
    project.makepyfile(
        f"""
        import pytest

        from pytest_totphog.session import Session

        @pytest.mark.frozen_clock(patch={patch!r})
        def test_login(frozen_clock, totp_account, totp_account_pool, pytestconfig):
            key = totp_account_pool[0].token.fingerprint
            assert Session.of(pytestconfig).leases.take([key], "another test", timeout=0.2) is None
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_unittest_style(shop: pytest.Pytester) -> None:
    """A TestCase, whose methods take no arguments, finds it on itself."""
    shop.makepyfile(
        """
        import unittest

        import pytest

        @pytest.mark.usefixtures("totp_account")
        class TestLogin(unittest.TestCase):
            def test_name(self):
                self.assertEqual(self.totp_account.name, "alice")
        """
    )
    shop.runpytest().assert_outcomes(passed=1)


def test_workers_have_an_account_each_at_a_time(project: pytest.Pytester) -> None:
    """One account, and two workers of pytest-xdist: the one waits while the other has it."""
    pytest.importorskip("xdist")
    use(project, ALICE)
    project.makepyfile(EXCLUSIVE)
    project.runpytest_subprocess("-p", "xdist", "-n", "2").assert_outcomes(passed=6)


def test_jobs_have_an_account_each_at_a_time(project: pytest.Pytester) -> None:
    """Two test runs that use one server: the one waits while the other has it."""
    use(project, ALICE)
    project.makepyfile(EXCLUSIVE)
    with TotpServer() as server:
        command = [sys.executable, "-m", "pytest", f"--totphog-url={server.url}"]
        jobs = in_threads(
            2, lambda _: subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
        )
    assert [job.returncode for job in jobs] == [0, 0], "\n".join(job.stdout for job in jobs)


def test_holders_are_named_when_none_is_free(project: pytest.Pytester) -> None:
    """Who waits in vain learns who has the accounts, in which worker."""
    pytest.importorskip("xdist")
    use(project, ALICE, timeout=0.5)
    project.makepyfile(
        """
        import pathlib
        import threading

        import pytest

        def wait_for(name):
            for _ in range(6000):
                if pathlib.Path(name).exists():
                    return
                threading.Event().wait(0.01)
            pytest.fail(f"there is no {name} after a minute")

        @pytest.fixture
        def late():
            wait_for("taken")
            yield
            pathlib.Path("over").touch()

        def test_holds_it(totp_account):
            pathlib.Path("taken").touch()
            wait_for("over")

        def test_wants_it(late, totp_account):
            pass
        """
    )
    result = project.runpytest_subprocess("-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.re_match_lines(
        [r"totp_account: none of 1 account .*: alice is held by gw[01] \S+::test_holds_it, for at least \d+ s\. "]
    )


def test_lost_account_fails_the_test_at_its_end(project: pytest.Pytester) -> None:
    """Another job, for which this one seemed dead, has got the account: what the test saw may be the other's doing."""
    use(project, ALICE)
    project.makepyfile(
        """
        from pytest_totphog.session import Session
        from pytest_totphog.stores.leases import Leases

        def test_login(totp_account, totp_account_pool, pytestconfig):
            keys, seconds = [totp_account_pool[0].token.fingerprint], 0
            other = Leases(Session.of(pytestconfig).leases._repository, monotonic=lambda: seconds)
            assert other.take(keys, "another job") is None
            seconds += 1000
            assert other.take(keys, "another job") is not None
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["totp_account: another test was given alice while this test had it, because *; run the test again"]
    )
