"""The ini value totphog_timeout: how long one_time_code waits at the most unless the test says otherwise."""

import pytest

LOGINS = """
    import pytest

    from pytest_totphog import CodeUnavailable

    @pytest.fixture
    def spent(totp_server):
        account = totp_server.add_token(period=3600)
        account.one_time_code(min_remaining=0)
        return account

    def test_login(spent):
        spent.one_time_code(min_remaining=0)
    """


@pytest.mark.parametrize(
    ("ini", "seconds"), [("", "90.0"), ("totphog_timeout = 2.5", "2.5"), ("totphog_timeout = 0", "0.0")]
)
def test_nobody_waits_for_longer(project: pytest.Pytester, ini: str, seconds: str) -> None:
    """Ninety seconds unless said. A step that comes too late is not waited for at all."""
    project.makeini(f"[pytest]\n{ini}\n")
    project.makepyfile(LOGINS)

    result = project.runpytest()

    result.assert_outcomes(failed=1)
    said = rf"and the time-out is in {seconds} s; step \d+ was handed to \S+::test_login"
    result.stdout.re_match_lines([rf"E .*CodeUnavailable: no unspent code of 'account' in time: .*, {said}"])


def test_wait_that_is_interrupted(project: pytest.Pytester) -> None:
    """By pytest-timeout, for one: the report says what was going on, and the next test gets the step."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def account(totp_server):
            return totp_server.add_token(name="alice", secret="JBSWY3DPEHPK3PXP", period=86400)

        @pytest.mark.timeout(1, method="signal", func_only=True)
        def test_login(account):
            account.one_time_code(min_remaining=0)
            account.one_time_code(min_remaining=0, timeout=86400)

        def test_next(account, totp_server):
            today = int(totp_server.clock.time()) // 86400
            code = account.one_time_code(min_remaining=0, lookahead=1, timeout=0)
            assert code == account.at((today + 1) * 86400)
        """
    )

    result = project.runpytest_subprocess("-p", "pytest_timeout", "--log-level=INFO")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.re_match_lines(
        [
            r"E +Failed: Timeout .*",
            r"E +was waiting \d s for the next step of alice",
            r"INFO .* waiting \d+ s for .* alice",
        ]
    )


def test_own_timeout_goes_before(project: pytest.Pytester) -> None:
    """A test that is to wait says so, and does."""
    project.makeini("[pytest]\ntotphog_timeout = 0\n")
    project.makepyfile(
        """
        import pytest

        from pytest_totphog import CodeUnavailable

        @pytest.mark.totp(period=1)
        def test_login(totp_token):
            totp_token.one_time_code(min_remaining=0)
            totp_token.one_time_code(min_remaining=0, timeout=30)
            with pytest.raises(CodeUnavailable):
                totp_token.one_time_code(min_remaining=0)
        """
    )

    project.runpytest().assert_outcomes(passed=1)


def test_frozen_clock_has_no_timeout(project: pytest.Pytester) -> None:
    """Nothing is waited for."""
    project.makeini("[pytest]\ntotphog_timeout = 0\n")
    project.makepyfile(
        """
        def test_login(frozen_clock, totp_token):
            assert totp_token.one_time_code() != totp_token.one_time_code()
        """
    )

    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("value", ["", "soon", "-1", "86401", "inf"])
def test_bogus_value_is_a_sentence(project: pytest.Pytester, value: str) -> None:
    """Its name, the value and what is accepted, before any test."""
    result = project.runpytest(f"--override-ini=totphog_timeout={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.lines == [f"ERROR: the ini totphog_timeout is {value!r}; accepted are 0 to 86400 seconds", ""]
