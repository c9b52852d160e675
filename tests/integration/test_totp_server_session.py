"""The fixture totp_server_session: the same server, for fixtures that outlive a test."""

import pytest


def test_session_fixtures_and_tests_share_one_server(project: pytest.Pytester) -> None:
    """The server of a session-scoped fixture is the one that the tests get, in every module."""
    project.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def account(totp_server_session):
            return totp_server_session.add_token(name="of the session")
        """
    )
    module = """
        import requests

        def test_served(account, totp_server, totp_server_session):
            assert totp_server is totp_server_session
            code = requests.get(account.code_url, timeout=5).json()["data"]["code"]
            assert account.verify(code, window=1)
            assert totp_server.tokens == [account]
        """
    project.makepyfile(test_one=module, test_two=module)
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["session", "package", "module", "class"])
def test_every_scope_may_ask_for_it(project: pytest.Pytester, scope: str) -> None:
    """Fixtures of all scopes wider than a test can enrol accounts."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.fixture(scope="{scope}")
        def account(totp_server_session):
            return totp_server_session.enroll("JBSW Y3DP EHPK 3PXP")

        class TestLogin:
            def test_code(self, account):
                assert account.at(1705314600) == "648307"

            def test_token_is_still_there(self, account, totp_server):
                assert totp_server.tokens == [account]
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_narrow_fixture_in_a_wide_one_is_pytests_own_error(project: pytest.Pytester) -> None:
    """A module-scoped fixture that takes totp_server hears of the scopes, from pytest."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def account(totp_server):
            return totp_server.add_token()

        def test_code(account):
            pass
        """
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ScopeMismatch: *function scoped fixture totp_server with a module scoped request*"])


def test_session_fixture_is_made_in_real_time_for_a_frozen_test(project: pytest.Pytester) -> None:
    """What lasts longer than the test is not made in its frozen time, whether a marker freezes it or the fixture."""
    project.makepyfile(
        """
        import time

        import pytest

        @pytest.fixture(scope="session")
        def app(totp_server_session):
            return {"started": time.time(), "account": totp_server_session.add_token()}

        @pytest.fixture(scope="module")
        def page(app):
            return time.time()

        @pytest.mark.frozen_clock("2001-09-09T01:46:40Z")
        def test_by_marker(app, page):
            assert time.time() == 1000000000
            assert min(page, app["started"], app["account"].created_at.timestamp()) > 1700000000
        """,
        test_fixture="""
        import time

        import pytest

        @pytest.fixture(scope="module")
        def page():
            return time.time()

        def test_by_fixture(frozen_clock, page):
            assert time.time() == 1705314600
            assert page > 1710000000
        """,
    )
    project.runpytest().assert_outcomes(passed=2)


def test_account_of_the_session_in_live_and_frozen_tests(project: pytest.Pytester) -> None:
    """A token that was made on the live clock follows the frozen one for just the test that freezes it."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def account(totp_server_session):
            return totp_server_session.add_token(secret="JBSWY3DPEHPK3PXP")

        @pytest.fixture
        def code(account):
            return account.now()

        def test_live(totp_server_session, code):
            assert totp_server_session.clock.mode == "live"

        def test_frozen(account, frozen_clock, code):
            assert code == "648307"

        def test_live_again(totp_server_session, code):
            assert totp_server_session.clock.mode == "live"
        """
    )
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "1"]], ids=["alone", "xdist"])
def test_wider_fixture_that_takes_totp_server_learns_of_it(project: pytest.Pytester, options: list[str]) -> None:
    """The report names the fixture to take, below pytest's own ScopeMismatch."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def account(totp_server):
            return totp_server.add_token(name="alice")

        def test_login(account):
            pass
        """
    )
    result = project.runpytest(*options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "ScopeMismatch: You tried to access the function scoped fixture totp_server with a module scoped*",
            "*- TOTP -*",
            "totp_server is made for each test. In a fixture with scope 'module' use",
            "totp_server_session, which is the same server.",
        ]
    )
