"""The ini value totphog_min_remaining: how long a one-time code has to live unless the test says otherwise."""

import pytest

# The clock stands ten seconds before the end of a step.
LATE = "2024-01-15T10:30:20Z"


def steps(elapsed: int) -> str:
    """Return a project's test of the steps that codes are of."""
    return f"""
        import pytest
        import requests

        @pytest.fixture
        def account(totp_server, frozen_clock):
            frozen_clock.move_to("{LATE}")
            return totp_server.add_token(secret="JBSWY3DPEHPK3PXP")

        def test_default(account):
            assert account.one_time_code() == account.at((56843820 + {elapsed}) * 30)

        def test_own(account):
            assert account.one_time_code(min_remaining=10) == account.at(56843820 * 30)

        def test_over_http(account, totp_server):
            url = f"{{totp_server.api_url}}/tokens/{{account.id}}/one-time-code"
            assert requests.post(url, timeout=30).json()["data"]["step"] == 56843820 + {elapsed}
        """


@pytest.mark.parametrize(
    ("ini", "elapsed"), [("", 0), ("totphog_min_remaining = 10", 0), ("totphog_min_remaining = 10.5", 1)]
)
def test_code_has_that_long_to_live(project: pytest.Pytester, ini: str, elapsed: int) -> None:
    """Ten seconds unless said; what a test asks for goes before. Each test has an account that nobody used."""
    project.makeini(f"[pytest]\n{ini}\n")
    project.makepyfile(steps(elapsed))

    for name in ("test_default", "test_own", "test_over_http"):
        project.runpytest("-k", name).assert_outcomes(passed=1, deselected=2)


def test_period_that_is_shorter(project: pytest.Pytester) -> None:
    """All of it, then: nobody has to know every account's period."""
    project.makeini("[pytest]\ntotphog_min_remaining = 20\n")
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(period=6)
        def test_login(frozen_clock, totp_token):
            frozen_clock.tick(1)
            totp_token.one_time_code()
            assert frozen_clock.time() == 1705314606
        """
    )

    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("value", ["soon", "-1", "86401", "nan"])
def test_bogus_value_is_a_sentence(project: pytest.Pytester, value: str) -> None:
    """Its name, the value and what is accepted."""
    project.makeini(f"[pytest]\ntotphog_min_remaining = {value}\n")

    result = project.runpytest()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    sentence = f"the ini totphog_min_remaining is {value!r}; accepted are 0 to 86400 seconds"
    assert result.stderr.lines == [f"ERROR: {sentence}", ""]
