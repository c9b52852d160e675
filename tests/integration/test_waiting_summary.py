"""Waiting, accounted for: a line in pytest's summary, and properties of each test for JUnit XML."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pytest_totphog import TotpServer

LOGINS = """
    import pytest

    @pytest.mark.totp(period=1)
    def test_patient(totp_token):
        for _ in range(3):
            totp_token.one_time_code(min_remaining=0, lookahead=2)
        totp_token.one_time_code(min_remaining=0)

    def test_quick(totp_token, request):
        request.node.user_properties.append(("owner", "alice"))
        totp_token.one_time_code(min_remaining=0)

    def test_home(totp_server):
        pass
    """
LINE = r"totphog: 5 one-time codes, (\d+\.\d) s waited for 1 of them; slowest test \S+::test_patient, (\d+\.\d) s"


def properties(report: Path) -> dict[str, dict[str, str]]:
    """Return the properties of each test in a JUnit XML file."""
    return {
        str(case.get("name")): {str(each.get("name")): str(each.get("value")) for each in case.iter("property")}
        for case in ET.parse(report).iter("testcase")
    }


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_waiting_is_told(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    """How many codes, how long was waited for how many of them, and by which test most; whoever ran it."""
    if options:
        pytest.importorskip("xdist")
    project.makepyfile(LOGINS)

    result = project.runpytest_subprocess(*options, "--junitxml=report.xml")

    result.assert_outcomes(passed=3)
    [(total, slowest)] = re.findall(f"^{LINE}$", result.stdout.str(), re.MULTILINE)
    assert total == slowest
    assert float(total) > 0
    assert properties(project.path / "report.xml") == {
        "test_patient": {
            "totphog_one_time_codes": "4",
            "totphog_codes_waited_for": "1",
            "totphog_waited_seconds": total,
        },
        "test_quick": {
            "owner": "alice",
            "totphog_one_time_codes": "1",
            "totphog_codes_waited_for": "0",
            "totphog_waited_seconds": "0.0",
        },
        "test_home": {},
    }


def test_codes_of_fixtures_and_of_failing_tests_count(project: pytest.Pytester) -> None:
    """In set-up and in tear-down, in Python and over HTTP, whatever becomes of the test; none is waited for here."""
    project.makepyfile(
        """
        import pytest
        import requests

        @pytest.fixture
        def login(totp_token, frozen_clock):
            totp_token.one_time_code()
            yield
            totp_token.one_time_code()

        def test_failing(login, totp_token, totp_server):
            totp_token.one_time_code()
            url = f"{totp_server.api_url}/tokens/{totp_token.id}/one-time-code"
            assert requests.post(url, timeout=30).status_code == 200
            pytest.fail("after four codes")

        @pytest.fixture
        def broken(totp_token):
            totp_token.one_time_code(min_remaining=0)
            pytest.fail("in set-up")

        def test_broken(broken): pass
        """
    )

    result = project.runpytest("--junitxml=report.xml")

    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["totphog: 5 one-time codes, none waited for"])
    counted = {name: each["totphog_one_time_codes"] for name, each in properties(project.path / "report.xml").items()}
    assert counted == {"test_failing": "4", "test_broken": "1"}


def test_account_of_the_session_counts_for_the_test(project: pytest.Pytester) -> None:
    """Each code for the test that took it, also where one fixture serves several."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def account(totp_server_session):
            account = totp_server_session.add_token(period=86400)
            account.one_time_code(min_remaining=0)
            return account

        def test_first(account): pass

        def test_second(account):
            account.one_time_code(min_remaining=0, lookahead=1)

        def test_third(account): pass
        """
    )

    project.runpytest("--junitxml=report.xml").assert_outcomes(passed=3)

    counted = {
        name: each.get("totphog_one_time_codes") for name, each in properties(project.path / "report.xml").items()
    }
    assert counted == {"test_first": "1", "test_second": "1", "test_third": None}


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_run_without_codes_says_nothing(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Nor does one that never heard of codes, or only looks at them."""
    if options:
        pytest.importorskip("xdist")
    project.makepyfile(
        """
        def test_home(): pass
        def test_look(totp_token): totp_token.now()
        """
    )

    result = project.runpytest_subprocess(*options)

    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("totphog:*")


def test_one_line_is_all(project: pytest.Pytester) -> None:
    """It stands above pytest's own short summary."""
    project.makepyfile(
        """
        def test_login(totp_token):
            totp_token.one_time_code(min_remaining=0)
            raise KeyError
        """
    )

    result = project.runpytest("-q")
    result.stdout.fnmatch_lines(
        ["totphog: 1 one-time code, none waited for", "*short test summary info*"], consecutive=True
    )


def test_shared_server(project: pytest.Pytester) -> None:
    """Codes of a server that runs already count as well."""
    project.makepyfile(
        """
        def test_login(totp_token):
            totp_token.one_time_code(min_remaining=0)
        """
    )

    with TotpServer() as server:
        result = project.runpytest(f"--totphog-url={server.url}")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["totphog: 1 one-time code, none waited for"])
