"""One-time codes for unittest: what a test case has at hand, and what is left of it afterwards."""

import asyncio
import copy
import io
import os
import pickle
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

import pytest

from pytest_totphog import InvalidCall, InvalidInput, StoreError, TotpServer, TotpToken
from pytest_totphog.servers.run import Run, stand_in
from pytest_totphog.unittest import TotpTestCase, frozen_clock, totp, totp_server

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
FROZEN = 1705314600.0  # 2024-01-15T10:30:00Z


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What tests share where pytest does not run them."""
    monkeypatch.delenv("TOTPHOG_CLAIMS", raising=False)
    run = Run()
    with stand_in(run):
        yield run
    run.server.stop()


def result_of(*cases: type[unittest.TestCase]) -> unittest.TestResult:
    """Run test cases as `python -m unittest` does."""
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases)
    return unittest.TextTestRunner(io.StringIO()).run(suite)


def test_case_has_codes() -> None:
    """A fresh token for each test, with the test's name, and codes of it or of any other token."""

    class Case(TotpTestCase, unittest.TestCase):
        def test_login(self) -> None:
            self.frozen_clock()
            self.assertEqual(self.totp_token.name, "test_login")
            self.assertIs(self.totp_token, self.totp_token)
            codes = [self.one_time_code(), self.one_time_code(self.totp_token, min_remaining=5)]
            self.assertTrue(self.totp_token.verify(codes[1]))
            self.assertNotEqual(*codes)

        def test_enrolment(self) -> None:
            self.frozen_clock("2024-01-15T10:30:00Z", patch=None)
            phone = self.enroll(SECRET, name="alice")
            self.assertEqual((phone.name, phone.now()), ("alice", "746148"))
            self.assertEqual(self.totp_server.tokens, [phone])

    assert result_of(Case).wasSuccessful()


def test_what_a_test_adds_is_gone_after_it(run: Run) -> None:
    """Tokens and the freeze; what the class added goes with the class."""
    seen = []

    class Case(TotpTestCase, unittest.TestCase):
        phone: TotpToken

        @classmethod
        def setUpClass(cls) -> None:
            cls.phone = cls.totp_server_of_class().add_token(name="of the class")

        def test_a(self) -> None:
            self.frozen_clock()
            _ = self.totp_token
            seen.append([token.name for token in self.totp_server.tokens])

        def test_b(self) -> None:
            seen.append([token.name for token in self.totp_server.tokens] + [self.totp_server.clock.mode])

    assert result_of(Case).wasSuccessful()
    assert seen == [["of the class", "test_a"], ["of the class", "live"]]
    assert (run.server.tokens, run.clock.mode) == ([], "live")


def test_decorators_of_class_and_method() -> None:
    """The method's counts where both have one; a class is frozen before its setUp, and coroutines are as well."""

    @frozen_clock("2030-01-01T00:00:00Z")
    @totp(digits=7)
    class Case(TotpTestCase, unittest.IsolatedAsyncioTestCase):
        def setUp(self) -> None:
            self.began = time.time()

        def test_class(self) -> None:
            self.assertEqual((self.began, len(self.one_time_code())), (1893456000.0, 7))

        @totp(uri=f"otpauth://totp/Shop:alice?secret={SECRET}&digits=8")
        @frozen_clock(1893456030)
        async def test_method(self) -> None:
            code = await self.totp_token.aone_time_code()
            self.assertEqual((self.began, self.totp_token.issuer, len(code)), (1893456030.0, "Shop", 8))

    assert result_of(Case).wasSuccessful()


def test_decorated_function() -> None:
    """One that belongs to no test case is frozen too, and so is a coroutine."""

    @frozen_clock()
    def now() -> float:
        return time.time()

    @frozen_clock()
    async def later() -> float:
        return time.time()

    assert (now(), asyncio.run(later())) == (FROZEN, FROZEN)
    assert time.time() > FROZEN + 86_400


def test_context_managers(run: Run) -> None:
    """The same without any test case."""
    with totp_server() as server, totp(name="alice", digits=8) as token, frozen_clock() as clock:
        assert server.tokens == [token]
        assert (len(token.one_time_code()), clock.time()) == (8, FROZEN)
    assert (run.server.tokens, run.clock.mode) == ([], "live")


@pytest.mark.parametrize("decorator", [frozen_clock(), totp(digits=8)])
def test_class_that_is_no_test_case_of_ours(decorator: Any) -> None:
    """The decorator would do nothing there, and says so."""
    with pytest.raises(InvalidCall, match=r"^Case does not derive from TotpTestCase"):

        @decorator
        class Case(unittest.TestCase):
            pass


def test_uri_says_all() -> None:
    """As it does for the marker."""
    with pytest.raises(InvalidInput, match=r"^uri says it all; also given: digits$"):
        totp(uri=f"otpauth://totp/alice?secret={SECRET}", digits=8)


def test_unknown_replay_scope() -> None:
    """It is refused where the class is written."""
    with pytest.raises(InvalidInput, match=r"^Case\.totp_replay_scope is 'test'; accepted are 'session', 'cl"):

        class Case(TotpTestCase):
            totp_replay_scope = "test"  # type: ignore[assignment] # which is the mistake


@pytest.mark.parametrize(("scope", "times"), [("session", [0, 30]), ("class", [0, 30]), ("function", [0, 0])])
def test_replay_scope(scope: Any, times: list[int]) -> None:
    """Where the app forgets used codes after each test, the next one begins with the same step."""
    seen = []

    @frozen_clock()
    class Case(TotpTestCase, unittest.TestCase):
        totp_replay_scope = scope

        def test_a(self) -> None:
            self.one_time_code(self.enroll(SECRET))
            seen.append(self.totp_server.clock.time() - FROZEN)

        def test_b(self) -> None:
            self.test_a()

    assert result_of(Case).wasSuccessful()
    assert seen == times


def test_failure_is_explained() -> None:
    """Failures, errors and subtests, each with the codes of its test; the secret is not shown."""

    @frozen_clock()
    class Case(TotpTestCase, unittest.TestCase):
        def test_failure(self) -> None:
            self.totp_token.now()
            self.assertEqual(self.totp_token.now(), "Welcome")

        def test_error(self) -> None:
            self.totp_token.now()
            raise RuntimeError(self.totp_token.now())

        def test_subtests(self) -> None:
            for number in range(2):
                with self.subTest(number=number):
                    self.fail(self.totp_token.now())

        def test_without_codes(self) -> None:
            self.totp_server.clock.unfreeze()
            self.fail("for another reason")

    result = result_of(Case)
    texts = {str(test).partition(" ")[0]: text for test, text in result.failures + result.errors}
    cause = "Most likely cause: now() gave the same code twice, within one time step."
    assert [cause in texts[name] for name in ("test_failure", "test_error", "test_without_codes")] == [
        True,
        True,
        False,
    ]
    assert texts["test_failure"].count("- TOTP -") == 1
    assert "clock  frozen at 2024-01-15T10:30:00Z, patch=" in texts["test_failure"]
    assert len([text for test, text in result.failures if "number=1" in str(test) and "the same as 1" in text]) == 1


ALONE = """
import builtins
import sys

real = builtins.__import__
def without_pytest(name, *rest, **more):
    assert name.partition(".")[0] not in {"pytest", "_pytest"}, name
    return real(name, *rest, **more)
builtins.__import__ = without_pytest

import unittest
from pytest_totphog.unittest import TotpTestCase

class LoginTest(TotpTestCase, unittest.TestCase):
    def test_login(self):
        self.frozen_clock(patch="freezegun")
        self.assertTrue(self.totp_token.verify(self.one_time_code()))
        self.assertTrue(self.totp_server.url.startswith("http://127.0.0.1:"))

    def test_failure(self):
        self.totp_token.now()
        self.fail(self.totp_token.now())
"""


def test_without_pytest(tmp_path: Any) -> None:
    """Nothing of it imports pytest, no warning is left, and the claims' file is gone."""
    (tmp_path / "test_alone.py").write_text(ALONE, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", "test_alone"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Ran 2 tests" in done.stderr
    assert "FAILED (failures=1)" in done.stderr
    assert done.stderr.count("- TOTP -") == 1
    assert [path.name for path in tmp_path.glob("totphog*")] == []


# Processes, copies, and blocks in blocks


@pytest.mark.skipif(sys.platform == "win32", reason="processes share no claims there")
def test_claims_that_others_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that is not shared would hand out codes twice, so there is none, and the error says what is accepted."""
    claims = tmp_path / "claims"
    claims.touch()
    claims.chmod(0o666)
    monkeypatch.setenv("TOTPHOG_CLAIMS", str(claims))
    with pytest.raises(StoreError, match=r"TOTPHOG_CLAIMS .*claims is not this user's alone; accepted is a file that"):
        Run()


class Login(TotpTestCase, unittest.TestCase):
    """A test case, as users write them."""

    __test__ = False  # run by the tests below

    def test_login(self) -> None:
        """Keep a token."""
        self.phone = self.totp_token


def test_block_gives_back_the_time_that_it_found() -> None:
    """A block inside another one, and after it the time runs."""
    with frozen_clock("2024-01-15T10:30:00Z", patch=None) as clock:
        clock.tick(5)
        with frozen_clock("2030-01-01T00:00:00Z", patch=None):
            assert clock.now().isoformat() == "2030-01-01T00:00:00+00:00"
        assert clock.now().isoformat() == "2024-01-15T10:30:05+00:00"
    assert clock.mode == "live"


def test_block_that_cannot_freeze_leaves_the_time_alone() -> None:
    """A mistake inside a frozen block does not let the time run."""
    with frozen_clock("2024-01-15T10:30:00Z", patch=None) as clock:
        with pytest.raises(ValueError, match="has no time zone"):
            frozen_clock("2030-01-01 00:00").__enter__()
        assert clock.now().isoformat() == "2024-01-15T10:30:00+00:00"


def test_mixin_behind_the_test_case() -> None:
    """The `run` of unittest would come first, and nothing of the mixin would happen: an error says how to write it."""
    with pytest.raises(InvalidCall, match=r"write it first: class Wrong\(TotpTestCase, …\)"):
        type("Wrong", (unittest.TestCase, TotpTestCase), {})


def test_test_case_that_has_run_can_be_sent_to_another_process() -> None:
    """As Django's --parallel sends it with a subtest that failed; tokens and secrets stay here."""
    case = Login("test_login")
    result = unittest.TestResult()
    case.run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])

    sent = pickle.dumps(case)

    assert case.phone.secret.encode() not in sent
    assert "phone" not in vars(pickle.loads(sent))


def test_copy_of_a_token_is_the_token() -> None:
    """Django copies what setUpTestData keeps, for every test."""
    token = TotpServer().add_token(name="alice")
    assert copy.deepcopy({"phone": token})["phone"] is token
