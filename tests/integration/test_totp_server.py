"""The fixture totp_server: the server of this process, with no traces of the tests before."""

import socket

import pytest


def test_server_answers_over_http(project: pytest.Pytester) -> None:
    """The fixture gives a running server, which answers at the URL that it tells."""
    project.makepyfile(
        """
        import requests

        def test_health(totp_server):
            answer = requests.get(f"{totp_server.api_url}/health", timeout=5)
            assert answer.status_code == 200
            assert answer.json()["service"] == "TOTPHog"
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_port_is_closed_after_the_run(project: pytest.Pytester) -> None:
    """When the test run is over, nothing listens on the server's port any more."""
    project.makepyfile(
        """
        from pathlib import Path

        def test_port(totp_server):
            Path("port.txt").write_text(str(totp_server.port))
        """
    )
    project.runpytest().assert_outcomes(passed=1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int((project.path / "port.txt").read_text())))


def test_what_a_test_adds_is_gone_after_it(project: pytest.Pytester) -> None:
    """Tokens that one test adds, in Python or over HTTP, are not there in the next one."""
    project.makepyfile(
        """
        import requests

        def test_adds(totp_server, totp_token):
            totp_server.add_token(name="by python")
            answer = requests.post(
                f"{totp_server.api_url}/tokens", json={"name": "by http", "secret": "JBSWY3DPEHPK3PXP"}, timeout=5
            )
            assert answer.status_code == 201
            assert len(totp_server.tokens) == 3

        def test_finds_nothing(totp_server):
            assert totp_server.tokens == []
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_what_a_failing_test_adds_is_gone_after_it(project: pytest.Pytester) -> None:
    """A test that fails half-way leaves no token to the next one."""
    project.makepyfile(
        """
        def test_adds_and_fails(totp_server):
            totp_server.add_token()
            raise RuntimeError

        def test_finds_nothing(totp_server):
            assert totp_server.tokens == []
        """
    )
    project.runpytest().assert_outcomes(failed=1, passed=1)


def test_tokens_of_wider_fixtures_are_there_in_each_test(project: pytest.Pytester) -> None:
    """A token that a module-scoped fixture has made outlives the tests of the module."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def account(totp_server_session):
            return totp_server_session.add_token(name="of the module")

        def test_first(totp_server, account, totp_token):
            assert totp_server.tokens == [account, totp_token]

        def test_second(totp_server, account):
            assert totp_server.tokens == [account]
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_wider_token_that_a_test_removes_comes_back_to_its_place(project: pytest.Pytester) -> None:
    """What a test removes is there again in the next one, in the order in which it was made."""
    project.makepyfile(
        """
        import pytest
        import requests

        @pytest.fixture(scope="module")
        def accounts(totp_token_factory):
            return [totp_token_factory(name=name) for name in ("alice", "bob", "carol")]

        def test_removes_one(totp_server, accounts):
            totp_server.remove(accounts[0])

        def test_removes_all_over_http(totp_server, accounts):
            assert totp_server.tokens == accounts
            requests.delete(f"{totp_server.api_url}/tokens", timeout=5)
            assert totp_server.tokens == []

        def test_finds_all(totp_server, accounts):
            assert totp_server.tokens == accounts
        """
    )
    project.runpytest().assert_outcomes(passed=3)


def test_clock_that_a_test_freezes_over_http_runs_again_after_it(project: pytest.Pytester) -> None:
    """A test that freezes the server's clock, and no more, leaves it running to the next one."""
    project.makepyfile(
        """
        import requests

        def test_freezes(totp_server):
            answer = requests.put(f"{totp_server.api_url}/clock", json={"frozen_at": 59}, timeout=5)
            assert answer.json()["mode"] == "frozen"
            assert totp_server.clock.time() == 59

        def test_runs(totp_server):
            assert totp_server.clock.mode == "live"
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_clock_that_a_wider_fixture_freezes_is_put_back(project: pytest.Pytester) -> None:
    """Each test of a module starts where the module's fixture has frozen the server's clock."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def at_59(totp_server_session):
            totp_server_session.clock.freeze(59)
            yield
            totp_server_session.clock.unfreeze()

        def test_moves_on(totp_server):
            totp_server.clock.tick(30)

        def test_releases(totp_server):
            assert totp_server.clock.time() == 59
            totp_server.clock.unfreeze()

        def test_freezes_all_time(totp_server, frozen_clock):
            assert totp_server.clock.time() == 1705314600

        def test_names_it_the_other_way_round(frozen_clock, totp_server):
            assert totp_server.clock.time() == 1705314600

        def test_finds_it(totp_server):
            assert totp_server.clock.time() == 59
        """
    )
    project.runpytest().assert_outcomes(passed=5)


def test_codes_that_were_handed_out_stay_spent(project: pytest.Pytester) -> None:
    """A second test with the same secret gets a later step's code, as the verifier remembers the first."""
    project.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.totp(secret="JBSWY3DPEHPK3PXP")
        CODES = []

        @pytest.mark.parametrize("turn", [1, 2, 3])
        def test_logs_in(totp_token, frozen_clock, turn):
            CODES.append(totp_token.one_time_code())
            assert len(set(CODES)) == turn
        """
    )
    project.runpytest().assert_outcomes(passed=3)


def test_parametrised_tests_start_alike(project: pytest.Pytester) -> None:
    """Every parameter's test has the server to itself."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("name", ["alice", "bob"])
        def test_adds(totp_server, name):
            totp_server.add_token(name=name)
            assert [token.name for token in totp_server.tokens] == [name]
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_server_may_be_asked_for_while_the_test_runs(project: pytest.Pytester) -> None:
    """A fixture or a test that takes totp_server by `getfixturevalue` is cleaned up after like any other."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def phone(request):
            return request.getfixturevalue("totp_server").add_token()

        def test_by_a_fixture(phone, totp_server):
            assert totp_server.tokens == [phone]

        def test_by_itself(request):
            assert request.getfixturevalue("totp_server").tokens == []
            request.getfixturevalue("totp_token")

        def test_finds_nothing(totp_server):
            assert totp_server.tokens == []
        """
    )
    project.runpytest().assert_outcomes(passed=3)


def test_fixtures_of_a_frozen_test_tear_down_at_its_time(project: pytest.Pytester) -> None:
    """Cleaning up after the server moves no frozen clock under the fixtures that are still there."""
    project.makepyfile(
        """
        import time

        import pytest

        SEEN = []

        @pytest.fixture
        def session_of_alice():
            yield
            SEEN.append(time.time())

        def test_moves_on(frozen_clock, session_of_alice, totp_server):
            frozen_clock.tick(90)

        def test_logged_out_at_that_time():
            assert SEEN == [1705314690]
        """
    )
    project.runpytest().assert_outcomes(passed=2)
