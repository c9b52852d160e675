"""The fixture frozen_clock with its marker, ini value and option; what else stands still is in test_frozen_time.py."""

import pytest

# 2024-01-15T10:30:00Z, the default.
DEFAULT = 1705314600

NAIVE = (
    "the time '2024-01-15 10:30:00' has no time zone, so it means another instant on another machine; "
    "append 'Z', or an offset such as '+02:00'"
)


def test_default_instant(project: pytest.Pytester) -> None:
    """Without any word of when, time stands at 2024-01-15T10:30:00Z: for clock, server, `time` and `datetime`."""
    project.makepyfile(
        f"""
        import time
        from datetime import datetime, timezone

        def test_now(frozen_clock, totp_server):
            assert frozen_clock is totp_server.clock
            now = datetime.now(timezone.utc)
            assert frozen_clock.now() == now == datetime(2024, 1, 15, 10, 30, tzinfo=timezone.utc)
            assert frozen_clock.time() == time.time() == {DEFAULT}
        """
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "argument",
    [
        '"2001-09-09T01:46:40Z"',
        '"2001-09-09T03:46:40+02:00"',
        "1000000000",
        '"1000000000"',
        "at=1e9",
        "datetime(2001, 9, 9, 1, 46, 40, tzinfo=timezone.utc)",
    ],
)
def test_marker_says_when(project: pytest.Pytester, argument: str) -> None:
    """The marker takes a point in time in each accepted form, by position or by name."""
    project.makepyfile(
        f"""
        import time
        from datetime import datetime, timezone

        import pytest

        @pytest.mark.frozen_clock({argument})
        def test_then(frozen_clock):
            assert frozen_clock.time() == time.time() == 1000000000
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_marker_alone_freezes(project: pytest.Pytester) -> None:
    """A marked test is frozen whether it names the fixture or not; so are all tests of a marked class."""
    project.makepyfile(
        """
        import time

        import pytest

        @pytest.mark.frozen_clock("2001-09-09T01:46:40Z")
        def test_marked():
            assert time.time() == 1000000000

        @pytest.mark.frozen_clock("2001-09-09T01:46:40Z")
        class TestMarked:
            def test_of_the_class(self):
                assert time.time() == 1000000000

            @pytest.mark.frozen_clock("1970-01-01T00:00:59Z")
            def test_nearest_marker_wins(self):
                assert time.time() == 59

        def test_unmarked():
            assert time.time() > 1710000000
        """
    )
    project.runpytest().assert_outcomes(passed=4)


def test_marker_freezes_the_fixtures_of_the_test(project: pytest.Pytester) -> None:
    """Function-scoped fixtures of a marked test are set up and torn down in its time."""
    project.makepyfile(
        """
        import time

        import pytest

        @pytest.fixture
        def account(totp_token):
            assert time.time() == totp_token.created_at.timestamp() == 1000000000
            yield totp_token
            assert time.time() == 1000000005

        @pytest.mark.frozen_clock("2001-09-09T01:46:40Z")
        def test_marked(account, totp_server):
            totp_server.clock.tick(5)
        """
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("how", ["arguments", "usefixtures", "class", "autouse"])
def test_marker_comes_before_all_fixtures_of_the_test(project: pytest.Pytester, how: str) -> None:
    """Also where the test names the fixture itself, after others; what lasts longer than the test is made before."""
    project.makeconftest(
        f"""
        import time
        import pytest

        @pytest.fixture(scope="class")
        def kept():
            return time.time()

        @pytest.fixture(autouse={how == "autouse"})
        def database():
            return time.time()
        """
    )
    test = "def test_login(self, kept, database, frozen_clock):"
    fixtures = '"database", "frozen_clock"'
    if how in {"usefixtures", "class"}:
        test = "def test_login(self, kept, database):"
    project.makepyfile(
        f"""
        import pytest

        {f"@pytest.mark.usefixtures({fixtures})" if how == "class" else ""}
        class TestLogin:
            @pytest.mark.frozen_clock("2001-09-09T01:46:40Z")
            {f"@pytest.mark.usefixtures({fixtures})" if how == "usefixtures" else ""}
            {test}
                assert (database, kept > 1710000000) == (1000000000, True)
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_marker_of_one_parameter(project: pytest.Pytester) -> None:
    """A marked parameter freezes its own test and no other of the same function."""
    project.makepyfile(
        """
        import time

        import pytest

        @pytest.mark.parametrize(
            "frozen", [False, pytest.param(True, marks=pytest.mark.frozen_clock("2001-09-09T01:46:40Z")), False]
        )
        def test_one_of_three(frozen):
            assert (time.time() == 1000000000) is frozen
            assert (time.time() > 1710000000) is not frozen
        """
    )
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize("value", ["2001-09-09T01:46:40Z", "1000000000"])
def test_ini_says_when(project: pytest.Pytester, value: str) -> None:
    """The ini value totphog_frozen_at is where tests stand, unless their marker says otherwise."""
    project.makeini(f"[pytest]\ntotphog_frozen_at = {value}\n")
    project.makepyfile(
        """
        import time

        import pytest

        def test_by_ini(frozen_clock):
            assert time.time() == 1000000000

        @pytest.mark.frozen_clock("1970-01-01T00:00:59Z")
        def test_by_marker(frozen_clock):
            assert time.time() == 59

        @pytest.mark.frozen_clock(patch=None)
        def test_patch_by_marker(frozen_clock):
            assert frozen_clock.time() == 1000000000
        """
    )
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("patch", "stands"),
    [("auto", "time_machine"), ("freezegun", "freezegun"), ("time-machine", "time_machine"), ("none", None)],
)
@pytest.mark.parametrize("door", ["option", "ini"])
def test_clock_patch(project: pytest.Pytester, door: str, patch: str, stands: str | None) -> None:
    """The option --totphog-clock-patch, or the ini value, says by what else time stands still."""
    if stands is not None:
        pytest.importorskip(stands)
    project.makepyfile(
        f"""
        import time

        import freezegun.api

        def test_then(frozen_clock, totp_token):
            assert frozen_clock.time() == totp_token.created_at.timestamp() == {DEFAULT}
            assert (time.time() == {DEFAULT}) is {stands is not None}
            assert bool(freezegun.api.freeze_factories) is {stands == "freezegun"}

        def test_afterwards():
            assert time.time() > 1710000000
        """
    )
    if door == "ini":
        project.makeini(f"[pytest]\ntotphog_clock_patch = {patch}\n")
    options = [f"--totphog-clock-patch={patch}"] if door == "option" else []
    project.runpytest(*options).assert_outcomes(passed=2)


def test_patch_of_the_marker_beats_the_option(project: pytest.Pytester) -> None:
    """A marker's patch is what this test needs, whatever the suite's is."""
    project.makepyfile(
        f"""
        import time

        import pytest

        @pytest.mark.frozen_clock(patch="freezegun")
        def test_freezegun(frozen_clock):
            assert time.time() == {DEFAULT}

        @pytest.mark.frozen_clock(patch=None)
        def test_none(frozen_clock):
            assert frozen_clock.time() == {DEFAULT}
            assert time.time() > 1710000000
        """
    )
    project.runpytest("--totphog-clock-patch=none", "-k", "freezegun").assert_outcomes(passed=1, deselected=1)
    project.runpytest("--totphog-clock-patch=freezegun", "-k", "none").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        (
            '"2024-01-15T10:30:00"',
            f"@pytest.mark.frozen_clock: {NAIVE}",
        ),
        (
            "datetime(2024, 1, 15, 10, 30)",
            f"@pytest.mark.frozen_clock: {NAIVE.partition('; ')[0]}; give it one: tzinfo=timezone.utc",
        ),
        (
            '"tomorrow"',
            (
                "@pytest.mark.frozen_clock: 'tomorrow' is no point in time; accepted are seconds since the epoch and "
                "ISO 8601 such as '2024-01-15T10:30:00Z'"
            ),
        ),
        (
            "None",
            (
                "@pytest.mark.frozen_clock: None is no point in time; accepted are seconds since the epoch, ISO 8601 "
                "text such as '2024-01-15T10:30:00Z', and aware datetimes"
            ),
        ),
        (
            '0, patch="bogus"',
            "@pytest.mark.frozen_clock: patch is 'bogus'; accepted are 'auto', 'time-machine', 'freezegun' and None",
        ),
        ("0, tick=True", "@pytest.mark.frozen_clock does not know 'tick'; accepted: at, patch"),
        ('0, "freezegun"', "@pytest.mark.frozen_clock takes names: at=…, patch=…"),
    ],
)
def test_bad_marker_is_a_sentence(project: pytest.Pytester, marker: str, sentence: str) -> None:
    """A marker's mistake is told in one sentence, without the plugin's traceback, and freezes no later test."""
    project.makepyfile(
        f"""
        import time
        from datetime import datetime

        import pytest

        @pytest.mark.frozen_clock({marker})
        def test_then():
            pass

        def test_next(totp_server):
            assert totp_server.clock.mode == "live"
            assert time.time() > 1710000000
        """
    )
    result = project.runpytest("-rN")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_then*", sentence, "=*"], consecutive=True)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--totphog-clock-patch=bogus",
            "--totphog-clock-patch is 'bogus'; accepted are auto, time-machine, freezegun and none",
        ),
        (
            "--override-ini=totphog_clock_patch=bogus",
            "the ini totphog_clock_patch is 'bogus'; accepted are auto, time-machine, freezegun and none",
        ),
        (
            "--override-ini=totphog_frozen_at=2024-01-15T10:30",
            f"the ini totphog_frozen_at: {NAIVE}",
        ),
        (
            "--override-ini=totphog_frozen_at=",
            (
                "the ini totphog_frozen_at: '' is no point in time; accepted are seconds since the epoch and ISO 8601 "
                "such as '2024-01-15T10:30:00Z'"
            ),
        ),
    ],
)
def test_bad_option_is_a_sentence(project: pytest.Pytester, option: str, sentence: str) -> None:
    """A mistake in the configuration ends the run, with the name of the option or ini value."""
    result = project.runpytest(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.lines == [f"ERROR: {sentence}", ""]


def test_time_machine_where_it_is_not_installed(project: pytest.Pytester) -> None:
    """The patch that an extra brings says which one to install."""
    project.makeconftest("import sys; sys.modules['time_machine'] = None")
    project.makepyfile("def test_then(frozen_clock): pass")
    result = project.runpytest("--totphog-clock-patch=time-machine")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*needs time-machine; install it with: pip install 'pytest-totphog[[]time-machine[]]'"]
    )


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_real_time_after_a_failing_test(project: pytest.Pytester, patch: str) -> None:
    """Whether a frozen test fails in its body, its fixtures or their teardown, the next one has the real time."""
    pytest.importorskip(patch.replace("-", "_"))
    project.makepyfile(
        """
        import time

        import pytest

        @pytest.fixture
        def broken():
            raise RuntimeError

        @pytest.fixture
        def breaks_later():
            yield
            raise RuntimeError

        def test_fails(frozen_clock):
            raise RuntimeError

        def test_after_failure():
            assert time.time() > 1710000000

        def test_broken_setup(frozen_clock, broken):
            pass

        def test_after_setup():
            assert time.time() > 1710000000

        def test_broken_teardown(frozen_clock, breaks_later):
            pass

        def test_after_teardown(totp_server):
            assert time.time() > 1710000000
            assert totp_server.clock.mode == "live"
        """
    )
    project.runpytest(f"--totphog-clock-patch={patch}").assert_outcomes(passed=4, failed=1, errors=2)


@pytest.mark.parametrize("patch", ["freezegun", "time-machine", "none"])
def test_two_frozen_tests_in_a_row(project: pytest.Pytester, patch: str) -> None:
    """The second frozen test starts where it should, not where the first has moved the clock."""
    if patch != "none":
        pytest.importorskip(patch.replace("-", "_"))
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_moves_on(frozen_clock, turn):
            assert frozen_clock.time() == {DEFAULT}
            frozen_clock.tick(3600)

        def test_lets_go(frozen_clock):
            frozen_clock.unfreeze()

        def test_stands_again(frozen_clock):
            assert frozen_clock.time() == {DEFAULT}
        """
    )
    project.runpytest(f"--totphog-clock-patch={patch}").assert_outcomes(passed=4)


def test_freezes_all_time_over_a_clock_that_was_frozen_before(project: pytest.Pytester) -> None:
    """Where a wider-scoped fixture has frozen the server alone, the fixture still stops the whole process."""
    project.makepyfile(
        f"""
        import time

        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def at_59(totp_server_session):
            totp_server_session.clock.freeze(59)
            yield
            totp_server_session.clock.unfreeze()

        def test_all_of_it(frozen_clock):
            assert frozen_clock.time() == time.time() == {DEFAULT}

        def test_server_alone(totp_server):
            assert totp_server.clock.time() == 59
            assert time.time() > 1710000000
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_stops_no_more_than_asked_over_a_clock_that_was_frozen_before(project: pytest.Pytester) -> None:
    """Where a wider-scoped fixture has stopped the whole process, a test without a patch has the real time in it."""
    project.makepyfile(
        f"""
        import time

        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def at_59(totp_server_session):
            totp_server_session.clock.freeze(59, "freezegun")
            yield
            totp_server_session.clock.unfreeze()

        def test_of_the_module(totp_server):
            assert totp_server.clock.time() == time.time() == 59

        @pytest.mark.frozen_clock(patch=None)
        def test_server_alone(totp_server):
            assert totp_server.clock.time() == {DEFAULT}
            assert time.time() > 1710000000
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_clock_that_is_frozen_through_a_practice_backend(project: pytest.Pytester) -> None:
    """A test that freezes the clock of its backend, and takes no other fixture, leaves it running to the next one."""
    project.makepyfile(
        """
        def test_freezes(simple_backend):
            simple_backend.clock.freeze(59)

        def test_runs(simple_backend):
            assert simple_backend.clock.mode == "live"
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_on_top_of_time_that_somebody_else_stopped(project: pytest.Pytester) -> None:
    """It says who has stopped it, unless it would leave the process's time to them, or nests."""
    project.makepyfile(
        """
        import time

        import freezegun
        import pytest
        import time_machine

        @pytest.fixture
        def freezer():  # as pytest-freezer's
            with freezegun.freeze_time(ignore=["_pytest.runner", "_pytest.terminal"]) as factory:
                yield factory

        @pytest.fixture
        def traveller():
            with time_machine.travel("2001-01-01T00:00:00+00:00", tick=False) as traveller:
                yield traveller

        def test_freezer(freezer, frozen_clock):
            pass

        def test_traveller(traveller, frozen_clock):
            assert (frozen_clock.tick(), time.time()) == (1705314601, 1705314601)

        def test_fixture_of_time_machine(frozen_clock, time_machine):
            time_machine.move_to("2001-01-01T00:00:00+00:00", tick=False)
            assert time.time() == 978307200

        @pytest.mark.frozen_clock(patch=None)
        def test_without_a_patch(frozen_clock, freezer):
            assert frozen_clock.time() == 1705314600
        """
    )

    result = project.runpytest("-p", "time_machine", "--totphog-clock-patch=freezegun")
    result.assert_outcomes(errors=3, passed=1)
    said = "frozen_clock: time is stopped by freezegun, not by frozen_clock; take one of them."
    assert sum(line.startswith(said) for line in result.stdout.lines) == 1
    moved = "frozen_clock: time-machine moves the time of this test, "
    assert [
        line.endswith(": --totphog-clock-patch time-machine") for line in result.stdout.lines if moved in line[:60]
    ] == [
        True,
        True,
    ]

    result = project.runpytest("-p", "time_machine", "--totphog-clock-patch=time-machine")
    result.assert_outcomes(errors=1, passed=3)
    assert sum(line.startswith(said) for line in result.stdout.lines) == 1


def test_reset_of_the_server_leaves_it_frozen(project: pytest.Pytester) -> None:
    """As long as the test holds it; a clock that the test froze itself is let go."""
    project.makepyfile(
        """
        def test_held(totp_server, frozen_clock):
            frozen_clock.tick(5)
            totp_server.reset()
            assert (frozen_clock.mode, frozen_clock.time()) == ("frozen", 1705314605)
            frozen_clock.unfreeze()
            assert totp_server.clock.mode == "live"

        def test_frozen_by_hand(totp_server):
            totp_server.clock.freeze("2024-01-15T10:30:00Z")
            totp_server.reset()
            assert totp_server.clock.mode == "live"
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_may_be_asked_for_while_the_test_runs(project: pytest.Pytester) -> None:
    """`getfixturevalue` freezes from there on, and until the end of the test."""
    project.makepyfile(
        f"""
        import time

        def test_from_here_on(request, totp_server):
            assert time.time() > 1710000000
            request.getfixturevalue("frozen_clock")
            assert time.time() == totp_server.clock.time() == {DEFAULT}

        def test_next(totp_server):
            assert totp_server.clock.mode == "live"
            assert time.time() > 1710000000
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_under_xdist(project: pytest.Pytester) -> None:
    """Each worker freezes its own process: frozen and unfrozen tests run side by side."""
    pytest.importorskip("xdist")
    project.makepyfile(
        f"""
        import time

        import pytest

        @pytest.mark.parametrize("turn", range(4))
        def test_frozen(frozen_clock, totp_token, turn):
            assert time.time() == {DEFAULT}
            assert totp_token.verify(totp_token.one_time_code())

        @pytest.mark.parametrize("turn", range(4))
        def test_live(turn):
            assert time.time() > 1710000000
        """
    )
    project.runpytest_subprocess("-p", "xdist", "-n", "2").assert_outcomes(passed=8)
