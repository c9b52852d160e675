"""pytest-xdist: all workers share one ledger, with nothing to configure."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("xdist")

# Under a frozen clock no code is waited for: each worker's clock moves on past what the others have.
TAKE_CODES = """
    import os
    from pathlib import Path

    import pytest

    from pytest_totphog.authenticator.totp_token import issuer_of

    @pytest.mark.parametrize("number", range(20))
    @pytest.mark.frozen_clock("2024-01-15T10:30:00Z", patch=None)
    def test_login(totp_server, number):
        account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
        worker = os.environ["PYTEST_XDIST_WORKER"]
        with Path(f"steps-{worker}.txt").open("a") as file:
            print(issuer_of(account).claim().step, file=file)
    """


def steps(folder: Path) -> dict[str, list[int]]:
    """Return the steps that each worker has written down."""
    return {
        path.stem.removeprefix("steps-"): [int(line) for line in path.read_text("utf-8").split()]
        for path in folder.glob("steps-*.txt")
    }


def xdist(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the project's tests with pytest-xdist, in processes of their own."""
    return project.runpytest_subprocess("-p", "xdist", *arguments)


@pytest.mark.parametrize("distribution", ["load", "loadgroup"])
def test_no_code_twice(project: pytest.Pytester, distribution: str) -> None:
    """Twenty logins of one account in three workers: twenty steps, however the tests are distributed."""
    project.makepyfile(TAKE_CODES)

    xdist(project, "-n", "3", f"--dist={distribution}").assert_outcomes(passed=20)

    taken = [step for each in steps(project.path).values() for step in each]
    assert len(steps(project.path)) > 1
    assert sorted(taken) == list(range(56_843_820, 56_843_840))


def test_no_code_twice_on_a_live_clock(project: pytest.Pytester) -> None:
    """Four workers log in to one account at the same time: each waits for a time step of its own."""
    project.makepyfile(
        """
        import os
        import threading
        from pathlib import Path

        from pytest_totphog.authenticator.totp_token import issuer_of

        def test_login(totp_server):
            worker = os.environ["PYTEST_XDIST_WORKER"]
            account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP", period=1)
            Path(f"ready-{worker}").touch()
            looking = threading.Event()
            while len(list(Path().glob("ready-*"))) < 4:
                looking.wait(0.02)
            claimed = issuer_of(account).claim(timeout=30)
            assert totp_server.clock.time() >= claimed.step
            Path(f"steps-{worker}.txt").write_text(str(claimed.step))
        """
    )

    xdist(project, "-n", "4", "--dist=each").assert_outcomes(passed=4)

    assert len({step for each in steps(project.path).values() for step in each}) == 4


def test_error_names_the_test_of_another_worker(project: pytest.Pytester) -> None:
    """Who waits in vain learns which test has the code, and in which worker."""
    project.makepyfile(
        """
        import threading
        from pathlib import Path

        import pytest

        ACCOUNT = dict(secret="JBSWY3DPEHPK3PXP", period=86400)

        @pytest.mark.xdist_group("one")
        def test_admin(totp_server):
            totp_server.add_token(**ACCOUNT).one_time_code(min_remaining=0)
            Path("taken").touch()

        @pytest.mark.xdist_group("other")
        def test_guest(totp_server):
            looking = threading.Event()
            while not Path("taken").exists():
                looking.wait(0.02)
            totp_server.add_token(**ACCOUNT).one_time_code(min_remaining=0, timeout=0)
        """
    )

    result = xdist(project, "-n", "2", "--dist=loadgroup")

    result.assert_outcomes(passed=1, failed=1)
    assert re.search(
        r"no unspent code of 'account' in time: .*; step \d+ was handed to "
        r"gw[01] test_error_names_the_test_of_another_worker\.py::test_admin\S* ",
        result.stdout.str(),
    )


def test_code_of_another_worker_is_explained(project: pytest.Pytester) -> None:
    """`explain` knows what all of them were given."""
    project.makepyfile(
        """
        import os
        import threading
        from pathlib import Path

        def test_login(totp_server, frozen_clock):
            worker = os.environ["PYTEST_XDIST_WORKER"]
            account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
            Path(f"code-{worker}.txt.part").write_text(account.one_time_code())
            Path(f"code-{worker}.txt.part").rename(f"code-{worker}.txt")
            other = Path("code-gw1.txt" if worker == "gw0" else "code-gw0.txt")
            looking = threading.Event()
            while not other.exists():
                looking.wait(0.02)
            told = str(account.explain(other.read_text()))
            assert f"handed out" in told
            assert f"to {other.stem.removeprefix('code-')} test_code_of_another_worker_is_explained.py::" in told
        """
    )

    xdist(project, "-n", "2", "--dist=each").assert_outcomes(passed=2)


def test_worker_that_crashes_is_replaced(project: pytest.Pytester) -> None:
    """The one that takes its place shares the ledger, and what the dead one has taken stays taken."""
    project.makepyfile(
        """
        import os
        from pathlib import Path

        import pytest

        from pytest_totphog.authenticator.totp_token import issuer_of

        @pytest.mark.parametrize("number", range(6))
        @pytest.mark.frozen_clock("2024-01-15T10:30:00Z", patch=None)
        def test_login(totp_server, number):
            account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
            worker = os.environ["PYTEST_XDIST_WORKER"]
            with Path(f"steps-{worker}.txt").open("a") as file:
                print(issuer_of(account).claim().step, file=file)
            if number == 1:
                os._exit(1)
        """
    )

    xdist(project, "-n", "1", "--max-worker-restart=1").assert_outcomes(passed=5, failed=1)

    taken = steps(project.path)
    assert list(taken) == ["gw0", "gw1"] or list(taken) == ["gw1", "gw0"]
    assert sorted(taken["gw0"] + taken["gw1"]) == list(range(56_843_820, 56_843_826))


# A ledger that cannot be reached


def test_controller_without_a_ledger_is_told(project: pytest.Pytester) -> None:
    """Every test that wants a code fails and says so; none of them takes one of a ledger of its own."""
    project.makeconftest(
        """
        def pytest_configure(config):
            if hasattr(config, "workerinput"):
                config.workerinput["totphog_controller"]["url"] = "http://127.0.0.1:9"
        """
    )
    project.makepyfile(
        """
        def test_login(totp_token): totp_token.one_time_code(min_remaining=0)
        def test_other_login(totp_token): totp_token.one_time_code(min_remaining=0)
        def test_home(): pass
        """
    )

    result = xdist(project, "-n", "1")

    result.assert_outcomes(passed=1, failed=2)
    sentence = "the ledger that pytest-xdist's controller serves to its workers failed: Connection refused"
    assert result.stdout.str().count(f"StoreError: {sentence}") >= 2


def test_ledger_that_dies_during_the_run_is_told(project: pytest.Pytester) -> None:
    """The codes before it are good, and nobody is given one after it."""
    project.makeconftest(
        """
        from pytest_totphog import xdist

        served = []

        class Known(xdist.ControllerStore):
            def __init__(self):
                super().__init__()
                served.append(self)

        xdist.ControllerStore = Known

        def pytest_runtest_logreport(report):
            # The worker reports to itself as well, and serves nothing.
            if served and report.nodeid.endswith("test_first") and report.when == "teardown":
                served.pop().close()
                open("dead", "w").close()
        """
    )
    project.makepyfile(
        """
        import threading
        from pathlib import Path

        def test_first(totp_token):
            totp_token.one_time_code(min_remaining=0)

        def test_second(totp_token):
            looking = threading.Event()
            while not Path("dead").exists():
                looking.wait(0.02)
            totp_token.one_time_code(min_remaining=0)
        """
    )

    result = xdist(project, "-n", "1")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E  *StoreError: the ledger that pytest-xdist's controller serves to its workers failed: *"]
    )


def test_controller_without_the_plugin_is_told(project: pytest.Pytester) -> None:
    """The workers have it, and do not know that nobody shares a ledger with them."""
    project.makeconftest(
        """
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_configure_node(node):
            del node.workerinput["totphog_controller"]
        """
    )
    project.makepyfile(
        """
        def test_login(totp_token): pass
        def test_home(): pass
        """
    )

    result = xdist(project, "-n", "1")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["this worker of pytest-xdist has got no address of the ledger from its controller: is pytest-totphog *"]
    )


def test_key_of_the_ledger_is_in_no_report(project: pytest.Pytester) -> None:
    """Not even where pytest prints local variables, and everything else that it knows."""
    project.makeconftest(
        """
        def pytest_configure(config):
            if hasattr(config, "workerinput"):
                with open("key", "w") as file:
                    file.write(config.workerinput["totphog_controller"]["api_key"])
                config.workerinput["totphog_controller"]["url"] = "http://127.0.0.1:9"
        """
    )
    project.makepyfile("def test_login(totp_token, totp_server): totp_token.one_time_code()")

    result = xdist(project, "-n", "1", "-vvv", "--showlocals", "--fulltrace", "--junitxml=report.xml", "-rA")

    result.assert_outcomes(failed=1)
    key = (project.path / "key").read_text("utf-8")
    assert len(key) == 64
    assert key not in result.stdout.str() + result.stderr.str()
    assert key not in (project.path / "report.xml").read_text("utf-8")


# Runs one after the other


@pytest.mark.skipif(sys.platform == "win32", reason="it is ended by a signal")
def test_looponfail_never_gives_a_code_twice(project: pytest.Pytester) -> None:
    """A failing test is run again as soon as a file changes, within the same time step: it gets another code."""
    project.makepyfile(
        """
        from pathlib import Path

        import pytest

        @pytest.mark.frozen_clock("2024-01-15T10:30:00Z", patch=None)
        def test_login(totp_server):
            account = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
            with Path("codes.txt").open("a") as file:
                print(account.one_time_code(), file=file)
            pytest.fail("not yet")
        """
    )
    codes = project.path / "codes.txt"
    environment = {**os.environ, "PYTEST_ADDOPTS": "-p totphog -p xdist -p xdist.looponfail"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--looponfail"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # What the test writes is a change by itself.
    looking, deadline = threading.Event(), time.monotonic() + 60
    while not codes.exists() or codes.read_text("utf-8").count("\n") < 3:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        looking.wait(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert codes.read_text("utf-8").split()[:3] == ["648307", "764426", "812434"]
    assert "api_key" not in output
