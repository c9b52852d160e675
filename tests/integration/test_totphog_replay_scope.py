"""The ini totphog_replay_scope and its marker: how long the app under test remembers used codes."""

import re
from collections.abc import Iterator

import pytest

from pytest_totphog import TotpServer

KEY = "open sesame"
# Each test says how many steps its clock was moved past for its code.
CONFTEST = """
    import pytest

    @pytest.fixture
    def moved(totp_server, frozen_clock):
        def moved():
            totp_server.add_token(secret="JBSWY3DPEHPK3PXP").one_time_code()
            return (frozen_clock.time() - 1705314600) // 30
        return moved
    """
# A token whose steps are so long that no test outlasts one, in real time.
LIVE = 'import pytest; pytestmark = pytest.mark.totp(secret="JBSWY3DPEHPK3PXP", period=86400)'


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests all log in to one account."""
    project.makeconftest(CONFTEST)
    return project


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TotpServer]:
    """A running server, whose key the environment has."""
    monkeypatch.setenv("TOTPHOG_API_KEY", KEY)
    with TotpServer(api_key=KEY) as server:
        yield server


def with_scope(project: pytest.Pytester, scope: str) -> None:
    """Say in the ini file how long the app remembers."""
    project.makeini(f"[pytest]\ntotphog_replay_scope = {scope}\n")


@pytest.mark.parametrize(
    ("scope", "steps"),
    [
        ("session", [0, 1, 2, 3, 4, 5, 6]),
        ("module", [0, 1, 2, 3, 4, 0, 1]),
        ("class", [0, 1, 0, 0, 0, 0, 0]),
        ("function", [0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_steps_count_within_the_scope(shop: pytest.Pytester, scope: str, steps: list[int]) -> None:
    """A test outside a class is a class of its own, as it is for fixtures."""
    with_scope(shop, scope)
    tests = """
        class TestLogin:
            def test_first(self, moved): print("moved", moved())
            def test_second(self, moved): print("moved", moved())

        class TestLogout:
            def test_third(self, moved): print("moved", moved())

        def test_fourth(moved): print("moved", moved())
        def test_fifth(moved): print("moved", moved())
        """
    others = """
        def test_sixth(moved): print("moved", moved())
        def test_seventh(moved): print("moved", moved())
        """
    shop.makepyfile(test_a=tests, test_b=others)

    result = shop.runpytest("-s")

    result.assert_outcomes(passed=7)
    assert [int(float(step)) for step in re.findall(r"moved ([\d.]+)", result.stdout.str())] == steps


def test_marker_wins_and_the_nearest_of_them(shop: pytest.Pytester) -> None:
    """Over the ini, and over those of class and module; a step of one scope does not count in another."""
    with_scope(shop, "module")
    shop.makepyfile(
        """
        import pytest

        def test_of_the_module(moved): assert moved() == 0
        def test_of_the_module_too(moved): assert moved() == 1

        @pytest.mark.totp_replay_scope("function")
        class TestLogin:
            def test_alone(self, moved): assert [moved(), moved()] == [0, 1]
            def test_alone_too(self, moved): assert moved() == 0

            @pytest.mark.totp_replay_scope(scope="session")
            def test_of_the_session(self, moved): assert moved() == 0

        def test_of_the_module_again(moved): assert moved() == 2

        @pytest.mark.totp_replay_scope("session")
        def test_of_the_session(moved): assert moved() == 1
        """
    )

    shop.runpytest().assert_outcomes(passed=7)


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_live_clock_does_not_wait_for_what_another_test_took(
    project: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """In this process or another worker; within the test every step is given once, also over HTTP."""
    if options:
        pytest.importorskip("xdist")
    with_scope(project, "function")
    project.makepyfile(
        f"""
        {LIVE}
        import requests
        from pytest_totphog import CodeUnavailable

        @pytest.mark.parametrize("number", range(4))
        def test_login(totp_server, totp_token, number):
            totp_token.one_time_code(timeout=0)
            with pytest.raises(CodeUnavailable, match="was handed to"):
                totp_token.one_time_code(timeout=0)
            url = f"{{totp_server.api_url}}/tokens/{{totp_token.id}}/one-time-code"
            assert requests.post(url, json={{"timeout": 0}}, timeout=30).status_code == 503
        """
    )

    project.runpytest_subprocess(*options).assert_outcomes(passed=4)


def test_test_that_is_run_again(project: pytest.Pytester) -> None:
    """Its second run has an app of its own as well."""
    pytest.importorskip("pytest_rerunfailures")
    with_scope(project, "function")
    project.makepyfile(
        f"""
        {LIVE}
        runs = []

        def test_login(totp_token):
            runs.append(totp_token.one_time_code(timeout=0))
            assert len(runs) == 3
        """
    )

    project.runpytest("-p", "rerunfailures", "--reruns=2").stdout.fnmatch_lines("*1 passed, 2 rerun*")


def test_workers_have_modules_of_their_own(project: pytest.Pytester) -> None:
    """A module's tests in two workers have two apps, of which each remembers its own."""
    pytest.importorskip("xdist")
    with_scope(project, "module")
    project.makepyfile(
        f"""
        {LIVE}
        from pytest_totphog import CodeUnavailable

        def test_login(totp_token): totp_token.one_time_code(timeout=0)

        def test_again(totp_token):
            with pytest.raises(CodeUnavailable, match="test_login"): totp_token.one_time_code(timeout=0)
        """
    )

    project.runpytest_subprocess("-p", "xdist", "-n", "2", "--dist=each").assert_outcomes(passed=4)


@pytest.mark.parametrize("url", [False, True], ids=["own server", "shared server"])
def test_accounts_of_the_pool_count_for_the_whole_run(project: pytest.Pytester, server: TotpServer, url: bool) -> None:
    """All tests share them, and the app that has them; whichever door their codes come by."""
    with_scope(project, "function")
    project.makepyfile(
        f"""
        import pytest, requests
        from pytest_totphog import CodeUnavailable

        @pytest.fixture(scope="session")
        def totp_account_pool():
            uri = "otpauth://totp/alice?secret=JBSWY3DPEHPK3PXP&period=86400"
            return [{{"name": "alice", "password": "x", "uri": uri}}]

        def test_login(totp_account):
            totp_account.token.one_time_code(timeout=0)

        def test_again(totp_account, totp_server):
            with pytest.raises(CodeUnavailable, match="test_login"):
                totp_account.token.one_time_code(timeout=0)
            url = f"{{totp_server.api_url}}/tokens/{{totp_account.token.id}}/one-time-code"
            headers = {{"Authorization": "Bearer {KEY}"}}
            answer = requests.post(url, json={{"timeout": 0}}, headers=headers, timeout=30)
            assert (answer.status_code, "test_login" in answer.text) == (503, True)
        """
    )

    project.runpytest(*([f"--totphog-url={server.url}"] if url else [])).assert_outcomes(passed=2)


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_shared_server(project: pytest.Pytester, server: TotpServer, options: tuple[str, ...]) -> None:
    """It follows from test to test, with what it hands out over HTTP too."""
    if options:
        pytest.importorskip("xdist")
    project.makepyfile(
        f"""
        {LIVE}
        import requests
        from pytest_totphog import CodeUnavailable

        def over_http(totp_server, token):
            url = f"{{totp_server.api_url}}/tokens/{{token.id}}/one-time-code"
            headers = {{"Authorization": "Bearer {KEY}"}}
            return requests.post(url, json={{"timeout": 0}}, headers=headers, timeout=30).status_code

        @pytest.mark.totp_replay_scope("function")
        @pytest.mark.parametrize("python_first", [True, False])
        def test_alone(totp_server, totp_token, python_first):
            if python_first:
                totp_token.one_time_code(timeout=0)
            else:
                assert over_http(totp_server, totp_token) == 200
            assert over_http(totp_server, totp_token) == 503
            with pytest.raises(CodeUnavailable):
                totp_token.one_time_code(timeout=0)

        def test_of_the_session(totp_server, totp_token):
            assert over_http(totp_server, totp_token) == 200
            with pytest.raises(CodeUnavailable):
                totp_token.one_time_code(timeout=0)
        """
    )

    run = project.runpytest_subprocess if options else project.runpytest
    run(f"--totphog-url={server.url}", *options).assert_outcomes(passed=3)
    if not options:  # the next run gets the steps of parts anew, and none that counts for all
        again = run(f"--totphog-url={server.url}")
        again.assert_outcomes(passed=2, failed=1)
        again.stdout.fnmatch_lines("*FAILED*test_of_the_session*")


# Frozen time and real time


def test_time_frozen_ahead_does_not_reach_other_runs(project: pytest.Pytester, server: TotpServer) -> None:
    """A job that tests in 2030 keeps nobody from logging in today, nor does today keep it from any instant."""
    project.makepyfile(
        test_frozen=f"""
        {LIVE}
        @pytest.mark.frozen_clock("2030-01-01T12:00:00Z")
        def test_ahead(totp_token, frozen_clock):
            totp_token.one_time_code()
            assert frozen_clock.time() == 1893499200

        @pytest.mark.frozen_clock("2024-01-15T12:00:00Z")
        @pytest.mark.totp(secret="GEZDGNBVGY3TQOJQ")
        def test_back_then(totp_token, frozen_clock):
            totp_token.one_time_code()
            assert frozen_clock.time() == 1705320000
        """,
        test_live=f"""
        {LIVE}
        import freezegun

        @pytest.mark.parametrize("secret", ["JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ"])
        def test_now(totp_server, secret):
            totp_server.add_token(secret=secret, period=86400).one_time_code(min_remaining=0, timeout=0)

        @freezegun.freeze_time("2031-01-01T12:00:00Z")
        def test_time_that_somebody_else_froze(totp_server):
            totp_server.add_token(secret="MFRGGZDFMZTWQ2LK", period=86400).one_time_code()
        """,
        test_later=f"""
        {LIVE}
        def test_now(totp_server):
            totp_server.add_token(secret="MFRGGZDFMZTWQ2LK", period=86400).one_time_code(min_remaining=0, timeout=0)
        """,
    )
    url = f"--totphog-url={server.url}"

    for name, passed in {"frozen": 2, "live": 3, "later": 1}.items():
        project.runpytest(url, f"test_{name}.py").assert_outcomes(passed=passed)


@pytest.mark.parametrize("shared", [False, True], ids=["own server", "shared server"])
def test_time_frozen_ahead_within_a_run(project: pytest.Pytester, server: TotpServer, shared: bool) -> None:
    """The error comes at once: which test froze the clock, how far ahead, what to do; and doing that is enough."""
    project.makepyfile(
        f"""
        {LIVE}
        @pytest.mark.frozen_clock("2150-01-01T12:00:00Z")
        def test_ahead(totp_token, frozen_clock): totp_token.one_time_code()

        def test_login(totp_token): totp_token.one_time_code()
        """
    )
    options = [f"--totphog-url={server.url}"] if shared else []

    result = project.runpytest(*options)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.re_match_lines(
        r"E .*CodeUnavailable: no unspent code of 'test_login': .*::test_ahead.* took the code of step \d+ on a clock "
        r"frozen 12\d years ahead, at 2150-01-01T12:00:00Z, .*totphog_replay_scope = function.*"
    )
    with_scope(project, "function")
    project.runpytest(*options).assert_outcomes(passed=2)


# Mistakes


def test_ini_that_is_no_scope(project: pytest.Pytester) -> None:
    """The run does not start."""
    with_scope(project, "test")
    project.makepyfile("def test_anything(): pass")

    result = project.runpytest()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: the ini totphog_replay_scope is 'test'; accepted are session, module, class, function"
    )


@pytest.mark.parametrize(
    "arguments", ["", "'test'", "'class', 'module'", "scope='package'", "'class', patch=1", "['function']"]
)
def test_marker_that_is_no_scope(project: pytest.Pytester, arguments: str) -> None:
    """The test fails before its fixtures are made, with a sentence."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.totp_replay_scope({arguments})
        def test_login(): pass
        """
    )

    result = project.runpytest()

    result.assert_outcomes(errors=1)
    assert (
        f"@pytest.mark.totp_replay_scope({arguments}); accepted is one of 'session', 'module', 'class', 'function'"
    ) in result.stdout.lines
