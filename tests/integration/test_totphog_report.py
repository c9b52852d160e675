"""The option --totphog-report, and the table in the summary: what the battery found, from one process or several."""

import json
import re
from pathlib import Path
from typing import Any

import playwright.sync_api
import pytest

from tests.support.system import CHROMIUM_FLAGS, require

LOGIN = """
    import pyotp
    import pytest
    from pytest_totphog.conformance import LoginDriver, Outcome, TotpConformance

    class Login(LoginDriver):
        accepts_used = False

        def __init__(self):
            self.accounts = {}

        def new_account(self):
            self.accounts[len(self.accounts)] = {"secret": pyotp.random_base32(), "last": 0}
            return len(self.accounts) - 1

        def enroll(self, account):
            return self.accounts[account]["secret"]

        def begin(self, account):
            return account

        def submit(self, attempt, code):
            account, now = self.accounts[attempt], int(self.clock.time()) // 30
            for step in (now - 1, now, now + 1):
                if code == pyotp.TOTP(account["secret"]).generate_otp(step):
                    if step > account["last"] or self.accepts_used:
                        account["last"] = step
                        return Outcome.ACCEPTED
            return Outcome.REFUSED

    class CarelessLogin(Login):
        accepts_used = True

    class TestShop(TotpConformance):
        driver = CarelessLogin

    class TestAdmin(TotpConformance):
        driver = Login
        waive = {"V28": "The proxy in front of it throttles."}
    """

# Two rules and one that is waived, so that it takes a second.
SELECTED = ("-k", "V1_ or V6_ or V28_")


def verdicts(path: Path) -> dict[str, dict[str, str]]:
    """Return the verdicts in a report by the names of the login and the rule."""
    report = json.loads(path.read_text("utf-8"))
    return {
        subject["name"]: {finding["rule"]["id"]: finding["verdict"] for finding in subject["findings"]}
        for subject in report["battery"]["subjects"]
    }


EXPECTED = {
    "test_two_logins.py::TestAdmin": {"V1": "passed", "V6": "passed", "V28": "waived"},
    "test_two_logins.py::TestShop": {"V1": "failed", "V6": "passed", "V28": "failed"},
}


@pytest.fixture
def logins(project: pytest.Pytester) -> pytest.Pytester:
    """A project with two logins, one of which accepts a code again and again."""
    project.makepyfile(test_two_logins=LOGIN)
    return project


def test_table(logins: pytest.Pytester) -> None:
    """The summary has a table of each login, also without the option."""
    result = logins.runpytest(*SELECTED)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"], outcomes["xfailed"]) == (3, 2, 1)
    result.stdout.re_match_lines_random(
        [
            r"=+ TOTP battery =+",
            r"test_two_logins\.py::TestAdmin, profile rfc6238",
            r"V1   passed   MUST    A code is accepted once",
            r"V28  waived   MUST    The proxy in front of it throttles\..*",
            r"test_two_logins\.py::TestShop, profile rfc6238",
            r"V1   FAILED   MUST    .+",
            r"window    steps -1 to \+1: 3 codes of 6 digits accepted at a time, each for 90",
            r"throttle  none within 100 wrong codes",
            r"odds      At 10 requests a second a guesser has 10 % after an hour, 93 % after",
        ]
    )
    assert "report written" not in result.stdout.str()


def test_json(logins: pytest.Pytester) -> None:
    """A name that ends in .json is written as JSON, and the summary says where."""
    result = logins.runpytest("--totphog-report=out/battery.json", *SELECTED)
    result.stdout.fnmatch_lines(["-* report written to out/battery.json -*"])
    assert verdicts(logins.path / "out" / "battery.json") == EXPECTED


@pytest.mark.parametrize("dist", ["load", "loadscope"])
def test_xdist(logins: pytest.Pytester, dist: str) -> None:
    """What the workers found is one report, written by the controller."""
    pytest.importorskip("xdist")
    result = logins.runpytest_subprocess(
        "-p", "xdist", "-n", "2", "--dist", dist, "--totphog-report=battery.json", *SELECTED
    )
    assert verdicts(logins.path / "battery.json") == EXPECTED
    assert len(re.findall("TOTP battery", result.stdout.str())) == 1


def test_not_run(logins: pytest.Pytester) -> None:
    """Rules that were not selected are told as not run."""
    logins.runpytest("--totphog-report=battery.json", "-k", "V1_")
    for subject in json.loads((logins.path / "battery.json").read_text("utf-8"))["battery"]["subjects"]:
        assert len(subject["findings"]) == 1
        assert subject["not_run"][:3] == ["V2", "V3", "V4"]


def test_driver_with_a_mistake(project: pytest.Pytester) -> None:
    """The login is in the report, with the reason why no rule was judged."""
    project.makepyfile(
        LOGIN
        + """
    class YesLogin(Login):
        def submit(self, attempt, code):
            return Outcome.ACCEPTED

    del TestShop, TestAdmin

    class TestYes(TotpConformance):
        driver = YesLogin
    """
    )
    result = project.runpytest("--totphog-report=battery.json", *SELECTED)
    result.stdout.fnmatch_lines(["problem   no rule was judged: *"])
    (subject,) = json.loads((project.path / "battery.json").read_text("utf-8"))["battery"]["subjects"]
    assert subject["problem"]
    assert subject["findings"] == []


def test_several_policies(project: pytest.Pytester) -> None:
    """A class with parameters is several logins."""
    project.makepyfile(
        LOGIN
        + """
    del TestShop, TestAdmin

    @pytest.mark.parametrize("careless", [True, False], ids=["careless", "careful"])
    class TestLogin(TotpConformance):
        @pytest.fixture
        def login_driver(self, careless):
            return CarelessLogin() if careless else Login()
    """
    )
    project.runpytest("--totphog-report=battery.json", "-k", "V1_")
    found = verdicts(project.path / "battery.json")
    assert [(name.partition("::")[2], each) for name, each in found.items()] == [
        ("TestLogin[careful]", {"V1": "passed"}),
        ("TestLogin[careless]", {"V1": "failed"}),
    ]


def test_without_the_battery(project: pytest.Pytester) -> None:
    """A report that was asked for is written also where no rule was run; a table there is none."""
    project.makepyfile("def test_other(): pass")
    result = project.runpytest("--totphog-report=battery.json")
    result.assert_outcomes(passed=1)
    assert "TOTP battery" not in result.stdout.str()
    assert verdicts(project.path / "battery.json") == {}


def test_collect_only(project: pytest.Pytester) -> None:
    """Who only looks keeps the report of the last run."""
    project.makepyfile("def test_other(): pass")
    (project.path / "battery.json").write_text("the last one", "utf-8")
    assert project.runpytest("--totphog-report=battery.json", "--collect-only").ret == pytest.ExitCode.OK
    assert (project.path / "battery.json").read_text("utf-8") == "the last one"


def test_changed_directory(project: pytest.Pytester) -> None:
    """A relative name is meant from where pytest was started."""
    project.makepyfile(
        """
        import os

        def test_elsewhere(tmp_path):
            os.chdir(tmp_path)
        """
    )
    project.runpytest_subprocess("--totphog-report=battery.json").assert_outcomes(passed=1)
    assert verdicts(project.path / "battery.json") == {}


def test_ini(project: pytest.Pytester) -> None:
    """A project can say it once; the command line has the last word."""
    project.makeini("[pytest]\ntotphog_report = ini.json")
    project.makepyfile("def test_other(): pass")
    project.runpytest()
    assert verdicts(project.path / "ini.json") == {}
    project.runpytest("--totphog-report=option.json")
    assert verdicts(project.path / "option.json") == {}


@pytest.mark.parametrize("name", ["battery.pdf", "battery"])
def test_unknown_format(project: pytest.Pytester, name: str) -> None:
    """Another ending is an error before the first test."""
    project.makepyfile("def test_other(): pass")
    result = project.runpytest(f"--totphog-report={name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --totphog-report: '{name}' does not say the format; accepted are names *"])


def test_report_that_cannot_be_written(project: pytest.Pytester) -> None:
    """A run whose report got lost is no success."""
    project.makepyfile(
        """
        from pathlib import Path

        def test_in_the_way():
            Path("battery.json").mkdir()
        """
    )
    result = project.runpytest("--totphog-report=battery.json")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["-*ERROR: no report: *battery.json*"])


def test_no_secret(logins: pytest.Pytester) -> None:
    """No secret, and no code that was right, is in a report of any format, nor in the table."""
    logins.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def written_down(login_driver, monkeypatch):
            def enroll(account, enroll=login_driver.enroll):
                return write(enroll(account))

            def submit(attempt, code, submit=login_driver.submit):
                outcome = submit(attempt, code)
                return outcome if outcome == "refused" else write(code) and outcome

            def write(value):
                with open("secrets.txt", "a") as file:
                    print(value, file=file)
                return value

            monkeypatch.setattr(login_driver, "enroll", enroll)
            monkeypatch.setattr(login_driver, "submit", submit)
        """
    )
    for name in ("battery.html", "battery.json", "battery.sarif"):
        result = logins.runpytest(f"--totphog-report={name}", *SELECTED)
        secrets = (logins.path / "secrets.txt").read_text("utf-8").split()
        assert {len(secret) for secret in secrets} == {6, 32}
        text = (logins.path / name).read_text("utf-8") + result.stdout.str()
        assert "TestShop" in text
        # A code is a word of its own: a step or a colour may have its digits.
        assert set(re.findall(r"(?<![#\w])\w+", text)) & set(secrets) == set()


@pytest.fixture
def browser() -> Any:
    """Chromium."""
    with playwright.sync_api.sync_playwright() as library:
        browser = library.chromium.launch(executable_path=require("chromium"), args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


def opened(browser: Any, url: str, scheme: str) -> tuple[list[str], Any]:
    """Return what a phone's browser says and asks for when it opens a page, and the page."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 844})
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text))
    page.on("request", lambda request: seen.append(request.url))
    page.goto(url)
    return seen, page


def test_page_in_chromium(logins: pytest.Pytester, browser: Any) -> None:
    """The page keeps to its own Content-Security-Policy, loads nothing, fits a phone, and is light or dark."""
    logins.runpytest("--totphog-report=battery.html", *SELECTED)
    url = (logins.path / "battery.html").as_uri()
    backgrounds = []
    for scheme in ("light", "dark"):
        seen, page = opened(browser, url, scheme)
        assert seen == [url]
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(251, 251, 250)", "rgb(20, 23, 26)"]
