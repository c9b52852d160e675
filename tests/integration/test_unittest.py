"""Test cases of `pytest_totphog.unittest`, under pytest and in the processes that other runners start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = """
    import unittest
    from pytest_totphog.unittest import TotpTestCase, frozen_clock

    @frozen_clock()
    class LoginTest(TotpTestCase, unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.phone = cls.totp_server_of_class().add_token(name="of the class")

        def test_login(self):
            assert self.totp_token.verify(self.one_time_code())
            assert [token.name for token in self.totp_server.tokens] == ["of the class", "test_login"]

        def test_failure(self):
            self.totp_token.now()
            self.fail(self.totp_token.now())

    def test_fixture(totp_server):
        assert totp_server.tokens == []
        assert totp_server.clock.mode == "live"
    """


MAIN = """
import multiprocessing
import runpy

if __name__ == "__main__":
    multiprocessing.set_start_method({!r})
    runpy.run_path("manage.py", run_name="__main__")
"""


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "xdist"])
def test_pytest_runs_them(project: pytest.Pytester, options: list[str]) -> None:
    """They share server, ledger and report with the fixtures; a failure has one TOTP section, with its clock."""
    project.makepyfile(CASES)
    result = project.runpytest(*options)
    result.assert_outcomes(passed=2, failed=1)
    text = result.stdout.str()
    assert text.count("- TOTP -") == 1
    assert "clock  frozen at 2024-01-15T10:30:00Z" in text


def test_class_attribute_is_the_replay_scope(project: pytest.Pytester) -> None:
    """As the marker is, which wins over it."""
    project.makepyfile(
        """
        import unittest
        from pytest_totphog.unittest import TotpTestCase, frozen_clock

        @frozen_clock()
        class LoginTest(TotpTestCase, unittest.TestCase):
            totp_replay_scope = "function"

            def test_a(self):
                self.one_time_code(self.enroll("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
                assert self.totp_server.clock.time() == 1705314600

            test_b = test_a
        """
    )
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.skipif(sys.platform == "win32", reason="processes share no claims there")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_of_djangos_runner_share_one_ledger(tmp_path: Path, start: str) -> None:
    """Thirty tests with one key in four processes, forked or not: every step is handed out once."""
    claims = tmp_path / "claims"
    claims.touch(0o600)
    # In a file, because a spawned process imports the main module again.
    main = tmp_path / "main.py"
    main.write_text(MAIN.format(start), "utf-8")
    example = Path(__file__).parents[2] / "examples" / "django_unittest"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(main), "test", "--parallel", "4"],
        cwd=example,
        env={**os.environ, "TOTPHOG_CLAIMS": str(claims), "PYTHONPATH": os.pathsep.join([str(example), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, "Ran 30 tests" in done.stderr) == (0, True), done.stderr
    entries = [json.loads(line) for line in claims.read_text("utf-8").splitlines()]
    steps = [(entry["fingerprint"], entry["step"]) for entry in entries if "step" in entry]
    assert len(steps) >= 30
    assert len(set(steps)) == len(steps)
    assert {entry["holder"].split(".")[1] for entry in entries} == {"EightDigits", "OneMinute", "SixDigits"}
