"""The plugin beside other ways of writing and running tests."""

import pytest


def test_unittest_test_case(project: pytest.Pytester) -> None:
    """Methods of a TestCase take no arguments: `usefixtures` sets the fixtures on the test case, before setUp."""
    project.makepyfile(
        """
        import unittest

        import pytest

        @pytest.mark.usefixtures("totp_token", "totp_server", "frozen_clock")
        @pytest.mark.totp(secret="JBSWY3DPEHPK3PXP")
        class TestLogin(unittest.TestCase):
            def setUp(self):
                self.code = self.totp_token.now()

            def test_fixtures(self):
                self.assertEqual(self.totp_server.tokens, [self.totp_token])
                self.assertEqual(self.frozen_clock.time(), 1705314600)
                self.assertEqual(self.code, "648307")

            @pytest.mark.totp(digits=8)
            @pytest.mark.frozen_clock("1970-01-01T00:00:59Z")
            def test_markers(self):
                self.assertEqual(self.code, "41996554")

        @pytest.mark.usefixtures("totp_token")
        class TestAsynchronously(unittest.IsolatedAsyncioTestCase):
            async def test_code(self):
                self.assertTrue(self.totp_token.verify(self.totp_token.now(), window=1))

        class TestWithout(unittest.TestCase):
            def test_nothing_is_set(self):
                self.assertFalse(hasattr(self, "totp_token"))
        """
    )
    project.runpytest().assert_outcomes(passed=4)


def test_plain_class(project: pytest.Pytester) -> None:
    """In a class that is no TestCase fixtures are arguments, and nothing is set on the instance."""
    project.makepyfile(
        """
        class TestLogin:
            def test_code(self, totp_token):
                assert not hasattr(self, "totp_token")
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_doctest(project: pytest.Pytester) -> None:
    """A doctest gets the fixtures by `getfixture`."""
    project.maketxtfile(
        test_page="""
        >>> clock = getfixture("frozen_clock")
        >>> phone = getfixture("totp_server").enroll("JBSW Y3DP EHPK 3PXP")
        >>> phone.now()
        '648307'
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_pytest_asyncio(project: pytest.Pytester) -> None:
    """Asynchronous tests and fixtures take the fixtures, and asyncio's own time runs on while the clock is frozen."""
    pytest.importorskip("pytest_asyncio")
    project.makepyfile(
        """
        import asyncio

        import pytest

        @pytest.fixture
        async def account(totp_server):
            await asyncio.sleep(0)
            return totp_server.enroll("JBSWY3DPEHPK3PXP")

        async def test_frozen(frozen_clock, account):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), timeout=0.01)
            assert account.now() == "648307"

        @pytest.mark.frozen_clock("1970-01-01T00:00:59Z")
        async def test_marked(account):
            assert account.now() == "996554"

        async def test_live(account):
            code = await asyncio.to_thread(account.now)
            assert account.verify(code, window=1)
        """
    )
    # It wants to be told of a default that older versions do not know.
    quiet = "ignore:The configuration option"
    result = project.runpytest_subprocess("-p", "pytest_asyncio.plugin", "--asyncio-mode=auto", "-W", quiet)
    result.assert_outcomes(passed=3)


def test_each_worker_of_xdist_has_a_server_of_its_own(project: pytest.Pytester) -> None:
    """Two workers listen on two ports, and neither knows the other's tokens."""
    pytest.importorskip("xdist")
    project.makepyfile(
        """
        import os
        from pathlib import Path

        import pytest
        import requests

        @pytest.mark.parametrize("turn", [1, 2])
        def test_server(totp_server, totp_token, turn):
            listed = requests.get(f"{totp_server.api_url}/tokens", timeout=5).json()
            assert [token["id"] for token in listed["data"]] == [totp_token.id]
            with Path(os.environ["PYTEST_XDIST_WORKER"]).open("a") as file:
                print(totp_server.port, file=file)
        """
    )
    project.runpytest_subprocess("-p", "xdist", "--dist", "each", "--tx", "2*popen").assert_outcomes(passed=4)
    first, second = ((project.path / worker).read_text("utf-8").split() for worker in ("gw0", "gw1"))
    assert len(first) == len(second) == 2
    assert len(set(first)) == len(set(second)) == 1
    assert first != second


@pytest.mark.parametrize(
    "options",
    [
        ("-p", "no:cacheprovider"),
        ("--import-mode=importlib",),
        ("--import-mode=append",),
        ("--assert=plain",),
        ("-p", "no:unittest"),
        ("-p", "no:logging"),
        ("-s",),
    ],
    ids=" ".join,
)
def test_run_with(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Fixtures, markers and the ledger work whatever else pytest is told to do or not to do."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(secret="JBSWY3DPEHPK3PXP")
        def test_login(totp_server, totp_token, totp_token_factory, frozen_clock):
            assert totp_token.one_time_code() == "648307"
            assert totp_token_factory() in totp_server.tokens
            assert "test_login" in totp_token.explain("648307")
        """
    )
    project.runpytest(*options).assert_outcomes(passed=1)
