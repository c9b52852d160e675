"""The section TOTP of a failed test: what it took, what the clocks show, and the most likely cause."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pytest_totphog import TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of
from tests.support.system import CHROMIUM_FLAGS, require

# An app in the test process that accepts each code once, and whose clock, by the Date of its answers, may be off.
APP = """
    import threading
    import time
    from socketserver import ThreadingMixIn
    from wsgiref.handlers import format_date_time
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    import pytest

    from pytest_totphog.authenticator.totp_token import issuer_of

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True  # a browser opens connections that it does not use

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    class App:
        def __init__(self):
            self.ahead = 0
            self.spent = set()
            self.token = None

        def __call__(self, environ, start_response):
            start_response("200 OK", [("Date", format_date_time(time.time() + self.ahead))])
            return []

        def login(self, code):
            right = issuer_of(self.token).token.code_at_step(int(time.time()) // self.token.period)
            accepted = code == right and code not in self.spent
            self.spent.add(code)
            return "welcome" if accepted else "refused"

    @pytest.fixture(scope="session")
    def app():
        app = App()
        with make_server("127.0.0.1", 0, app, Server, Quiet) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            app.url = f"http://127.0.0.1:{server.server_port}"
            yield app
            server.shutdown()
            thread.join()

    @pytest.fixture
    def login(app, totp_token):
        app.token = totp_token
        return app.login
    """
XDIST = pytest.param(("-p", "xdist", "-n", "2"), id="xdist")


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """A project with an app."""
    project.makeconftest(APP)
    return project


def sections(result: pytest.RunResult) -> dict[str, str]:
    """Return the sections TOTP by the tests' names; line breaks are spaces."""
    tests = re.split(r"^_+ (?:ERROR at \w+ of )?([\w\[\]. ]+?) _+$", result.stdout.str(), flags=re.MULTILINE)
    found = {}
    for name, text in zip(tests[1::2], tests[2::2], strict=True):
        _, title, section = text.partition(" TOTP -")
        if title:
            section = re.split(r"^(?:=+ |-+ |totphog: )", section.partition("\n")[2], flags=re.MULTILINE)[0]
            found[name] = " ".join(section.split())
    return found


def failures(path: Path) -> dict[str, dict[str, Any]]:
    """Return the failed tests of a report by their names."""
    return {test["test"].partition("::")[2]: test for test in json.loads(path.read_text("utf-8"))["tests"]}


@pytest.mark.parametrize("options", [pytest.param((), id="alone"), XDIST])
def test_same_code_twice(shop: pytest.Pytester, options: tuple[str, ...]) -> None:
    """The section stands below the traceback, from whichever process, and its cause comes first."""
    if options:
        pytest.importorskip("xdist")
    shop.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.totp(period=86400, secret="JBSWY3DPEHPK3PXP", name="alice", issuer="Shop")

        def test_login(login, totp_token):
            assert login(totp_token.now()) == "welcome"
            assert login(totp_token.now()) == "welcome"
        """
    )

    result = shop.runpytest_subprocess(*options)

    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"-+ TOTP -+$",
            r"Most likely cause: now\(\) gave the same code twice, within one time step\. An app$",
            r"that accepts each code once refuses the second: take one_time_code\(\)\.$",
            r"$",
            r"token  'alice' of 'Shop', fingerprint [0-9a-f]{8}, 6 digits, 86400 s, sha1$",
            r"codes  2 taken by this test:$",
            r"    1  now\(\) at \d\d:\d\d:\d\dZ, step \d+, valid [\w. ]+ more$",
            r"    2  now\(\) at \d\d:\d\d:\d\dZ, step \d+, the same as 1$",
            r"clock  live$",
            r"app    http://127\.0\.0\.1:\d+ has the same time$",
        ],
        consecutive=True,
    )
    assert "JBSWY3DPEHPK3PXP" not in result.stdout.str()


def test_nothing_odd(shop: pytest.Pytester) -> None:
    """A test that fails for its own reasons gets the facts, and no cause."""
    shop.makepyfile(
        """
        def test_login(login, totp_token, frozen_clock):
            assert login(totp_token.one_time_code()) == "welcome"
            assert login(totp_token.wrong_code()) == "welcome"
        """
    )

    (section,) = sections(shop.runpytest()).values()

    assert re.fullmatch(
        r"token 'test_login' of 'TOTPHog', fingerprint \w{8} codes 2 taken by this test: "
        r"1 one_time_code\(\) at 10:30:00Z, code \d{6}, step 56843820, valid 30 s more "
        r"2 wrong_code\(\) at 10:30:00Z, code \d{6} clock frozen at 2024-01-15T10:30:00Z, patch='time-machine' "
        r"app http://127\.0\.0\.1:\d+ has the same time",
        section,
    )


def test_tests_that_get_no_section(shop: pytest.Pytester) -> None:
    """Those that pass, that are expected to fail, that use nothing of the plugin, or that it could not even start."""
    shop.makepyfile(
        """
        import pytest

        def test_passing(totp_token):
            totp_token.now()

        @pytest.mark.xfail
        def test_expected(totp_token):
            totp_token.now()
            raise RuntimeError

        def test_without_codes(app):
            raise RuntimeError

        @pytest.mark.totp(digits=5)
        def test_mistaken(totp_token):
            pass
        """
    )

    result = shop.runpytest("-rA")

    result.assert_outcomes(passed=1, xfailed=1, failed=1, errors=1)
    assert "TOTP -" not in result.stdout.str()


def test_battery_has_evidence_of_its_own(project: pytest.Pytester) -> None:
    """It sends codes twice on purpose."""
    pytest.importorskip("bcrypt")
    project.makepyfile(
        """
        import pytest
        from pytest_totphog.conformance import LoginDriver, Outcome, TotpConformance

        class Login(LoginDriver):
            def enroll(self): return "JBSWY3DPEHPK3PXP"
            def begin(self, account): return account
            def submit(self, attempt, code):
                return Outcome.ACCEPTED if code == self.phone.now() else Outcome.REFUSED

        class TestShop(TotpConformance):
            @pytest.fixture
            def login_driver(self, totp_server):
                driver = Login()
                driver.phone = totp_server.add_token(secret="JBSWY3DPEHPK3PXP")
                return driver
        """
    )

    result = project.runpytest("-k", "V1_")

    result.assert_outcomes(failed=1)
    assert "TOTP -" not in result.stdout.str()


@pytest.mark.parametrize(
    ("ahead", "cause"),
    [
        (-41, "is, by the Date of its answer, 4[0-2] s behind this machine's: more than a time step."),
        (12, "is, by the Date of its answer, 1[1-3] s ahead of this machine's: near the end of a time step"),
    ],
)
def test_clock_of_the_app(shop: pytest.Pytester, ahead: int, cause: str) -> None:
    """The app is asked for its time where a fixture shows it."""
    shop.makepyfile(
        f"""
        def test_login(app, totp_token):
            app.ahead = {ahead}
            totp_token.one_time_code(min_remaining=0)
            raise RuntimeError
        """
    )

    (section,) = sections(shop.runpytest()).values()

    assert re.match(rf"Most likely cause: The clock of the app at http://127\.0\.0\.1:\d+ {cause}", section)


BROWSERS = {
    "selenium": """
        from selenium import webdriver

        @pytest.fixture
        def browser():
            options = webdriver.ChromeOptions()
            options.binary_location = "CHROMIUM"
            for flag in FLAGS:
                options.add_argument(flag)
            with webdriver.Chrome(options, webdriver.ChromeService("CHROMEDRIVER")) as driver:
                driver.goto = driver.get
                yield driver
        """,
    "playwright": """
        from playwright.sync_api import sync_playwright

        @pytest.fixture
        def browser():
            with sync_playwright() as driver:
                chromium = driver.chromium.launch(executable_path="CHROMIUM", args=FLAGS)
                yield chromium.new_page()
                chromium.close()
        """,
}


@pytest.mark.parametrize("driver", BROWSERS)
def test_clock_of_the_app_in_a_browser(shop: pytest.Pytester, driver: str) -> None:
    """The browser knows where the app is, and is closed as ever afterwards."""
    pytest.importorskip(driver)
    fixture = textwrap.dedent(BROWSERS[driver])
    fixture = fixture.replace("CHROMIUM", require("chromium")).replace("FLAGS", repr(list(CHROMIUM_FLAGS)))
    if driver == "selenium":
        fixture = fixture.replace("CHROMEDRIVER", require("chromedriver"))
    shop.makepyfile(
        "import pytest\n"
        + fixture
        + textwrap.dedent(
            """
            @pytest.fixture(autouse=True)
            def page_is_open(request, app, totp_token):
                app.ahead = 41
                browser = request.getfixturevalue("browser")
                browser.goto(f"{app.url}/login?next=/")
                del app.url

            def test_login(browser):
                raise RuntimeError
            """
        )
    )

    result = shop.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    (section,) = sections(result).values()
    pattern = r"Most likely cause: The clock of the app at http://127\.0\.0\.1:\d+ is, .* 4[0-2] s ahead"
    assert re.match(pattern, section)


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_app_that_follows_the_frozen_clock(shop: pytest.Pytester, patch: str) -> None:
    """One in the test process does, after every move."""
    shop.makepyfile(
        """
        def test_login(login, totp_token, frozen_clock):
            frozen_clock.tick(3600)
            assert login(totp_token.expired_code()) == "welcome"
        """
    )

    (section,) = sections(shop.runpytest(f"--totphog-clock-patch={patch}")).values()

    assert "cause" not in section
    assert f"clock frozen at 2024-01-15T11:30:00Z, patch='{patch}'; moved on by 3600 s app http" in section
    assert section.endswith("has the same time")


def test_app_at_real_time(shop: pytest.Pytester) -> None:
    """The clock is frozen where the app does not see it."""
    shop.makepyfile(
        """
        import pytest

        @pytest.mark.frozen_clock("2024-01-15T10:30:00Z", patch=None)
        def test_login(login, totp_token):
            assert login(totp_token.one_time_code()) == "welcome"
        """
    )

    (section,) = sections(shop.runpytest()).values()

    assert re.match(
        r"Most likely cause: Time is frozen at 2024-01-15T10:30:00Z, and the app at http://127\.0\.0\.1:\d+ runs at "
        r"real time: where it runs in the test process, freeze with patch='auto'; else start it with the environment "
        r"frozen_clock\.subprocess_env\(\)\.",
        section,
    )


def test_time_that_somebody_else_stopped(shop: pytest.Pytester) -> None:
    """App and codes follow freezegun's own freeze; neither is wrong, and who stopped them is said."""
    shop.makepyfile(
        """
        import freezegun
        import pytest

        @pytest.fixture
        def stopped():
            with freezegun.freeze_time("2024-01-15T10:30:00Z", ignore=["_pytest.timing"], real_asyncio=True):
                yield

        def test_login(stopped, app, totp_token):
            raise RuntimeError
        """
    )

    (section,) = sections(shop.runpytest("-p", "no:timeout")).values()

    assert "cause" not in section
    assert "clock stopped by freezegun, not by frozen_clock" in section


def test_codes_in_time_that_somebody_else_stopped(shop: pytest.Pytester) -> None:
    """Where codes were taken it is the cause, also after the freeze has ended."""
    shop.makepyfile(
        """
        import freezegun
        import pytest

        @freezegun.freeze_time("2024-01-15T10:30:00Z", ignore=["_pytest.timing"], real_asyncio=True)
        def test_stopped(totp_token):
            totp_token.now()
            raise RuntimeError

        @freezegun.freeze_time("2024-01-15T12:00:00Z", ignore=["_pytest.timing"], real_asyncio=True)
        def test_moved(totp_token, frozen_clock):
            totp_token.now()
            raise RuntimeError

        def test_unconcerned(totp_token):
            totp_token.now()
            raise RuntimeError
        """
    )

    found = sections(shop.runpytest("-p", "no:timeout", "--totphog-clock-patch=freezegun"))

    assert found["test_stopped"].startswith(
        "Most likely cause: Time is stopped by freezegun, not by frozen_clock: codes stay the same, and no wait for "
        "the next one would end. Take frozen_clock instead, which one_time_code() moves on."
    )
    assert "clock stopped by freezegun, not by frozen_clock" in found["test_stopped"]
    assert found["test_moved"].startswith(
        "Most likely cause: freezegun showed the test process, and an app in it, another time than frozen_clock shows "
        "to server and tokens: take one of them only."
    )
    assert "patch='freezegun', overruled by freezegun" in found["test_moved"]
    assert "cause" not in found["test_unconcerned"]


def test_clock_that_was_moved_past_another_tests_step(shop: pytest.Pytester) -> None:
    """The cause names from where to where, the test that took the later step, and the setting; not a test's own."""
    shop.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.totp(secret="JBSWY3DPEHPK3PXP")

        @pytest.mark.frozen_clock("2030-01-01T00:00:00Z")
        def test_later(totp_token, frozen_clock):
            totp_token.one_time_code()

        def test_moved(totp_token, frozen_clock):
            totp_token.one_time_code()
            totp_token.one_time_code()
            assert frozen_clock.time() < 1705314700

        @pytest.mark.totp_replay_scope("function")
        def test_alone(totp_token, frozen_clock):
            totp_token.one_time_code()
            totp_token.one_time_code()
            raise RuntimeError
        """
    )

    found = sections(shop.runpytest())

    assert list(found) == ["test_moved", "test_alone"]
    assert found["test_moved"].startswith(
        "Most likely cause: one_time_code() moved the clock on by 6 years, from 2024-01-15T10:30:00Z to "
        "2030-01-01T00:00:30Z: test_clock_that_was_moved_past_another_tests_step.py::test_later had taken the code of "
        "the step before, and an app that remembers it accepts later ones only. If the app forgets used codes between "
        "tests, as with a fresh database for each, say so: ini totphog_replay_scope = function, "
        '@pytest.mark.totp_replay_scope("function"), or totp_replay_scope = "function" in a TotpTestCase. token '
    )
    assert "cause" not in found["test_alone"]


@pytest.mark.parametrize(("scope", "given"), [("session", True), ("function", False)])
def test_code_that_the_app_has_forgotten(shop: pytest.Pytester, scope: str, given: bool) -> None:
    """It was given to an earlier test, of which this one's app knows nothing."""
    shop.makeini(f"[pytest]\ntotphog_replay_scope = {scope}\n")
    shop.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.totp(period=86400, secret="JBSWY3DPEHPK3PXP")

        def test_first(totp_token):
            totp_token.now()

        def test_second(totp_token):
            totp_token.now()
            raise RuntimeError
        """
    )

    (section,) = sections(shop.runpytest()).values()

    assert ("given before to test_code_that_the_app_has_forgotten.py::test_first" in section) == given
    assert ("Most likely cause: The code of now() had been given before" in section) == given


def test_clock_that_was_moved_back(shop: pytest.Pytester) -> None:
    """How it was moved stands in the section."""
    shop.makepyfile(
        """
        def test_login(login, totp_token, frozen_clock):
            assert login(totp_token.one_time_code()) == "welcome"
            frozen_clock.tick(90)
            frozen_clock.move_to("2024-01-15T10:29:00Z")
            assert login(totp_token.now()) == "refused"
        """
    )

    (section,) = sections(shop.runpytest()).values()

    assert section.startswith("Most likely cause: The clock was moved back: an app that has seen a later time step")
    assert "clock frozen at 2024-01-15T10:29:00Z, patch='time-machine'; moved on by 90 s, back by 150 s" in section


def test_late_code(shop: pytest.Pytester) -> None:
    """It was read at second 29 and sent at second 31."""
    shop.makepyfile(
        """
        def test_login(login, totp_token, frozen_clock):
            frozen_clock.tick(29)
            code = totp_token.now()
            frozen_clock.tick(2)
            assert login(code) == "welcome"
        """
    )

    (section,) = sections(shop.runpytest()).values()

    assert section.startswith(
        "Most likely cause: The code of now() had 1 s to live when it was taken, and had expired when the test failed. "
        "Take one_time_code(), which gives none that is about to expire. token"
    )


def test_code_that_is_not_to_be_had(project: pytest.Pytester) -> None:
    """The error says why."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(period=86400)
        def test_login(totp_token):
            totp_token.now()
            totp_token.one_time_code(min_remaining=0)
            totp_token.one_time_code(timeout=0)
        """
    )

    (section,) = sections(project.runpytest()).values()

    assert section.startswith("token 'test_login'")


def test_token_of_the_session(shop: pytest.Pytester) -> None:
    """The code that an earlier test had of the same token."""
    shop.makepyfile(
        test_account="""
        import pytest

        @pytest.fixture(scope="session")
        def account(totp_server_session):
            return totp_server_session.add_token(name="alice", period=86400)

        def test_first(account):
            account.now()

        def test_second(account):
            account.now()
            raise RuntimeError

        def test_third(account):
            raise RuntimeError
        """
    )

    result = sections(shop.runpytest())

    assert result["test_second"].startswith(
        "Most likely cause: The code of now() had been given before, to test_account.py::test_first by now(). An app"
    )
    assert result["test_third"].endswith("codes none taken by this test clock live")


def test_account_of_the_pool(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its token is the test's, also before a code was taken."""
    monkeypatch.setenv("ACCOUNTS", '[{"name": "alice", "password": "hunter2", "secret": "JBSWY3DPEHPK3PXP"}]')
    project.makepyfile("def test_login(totp_account): raise RuntimeError")

    (section,) = sections(project.runpytest("-o", "totphog_account_pool=env:ACCOUNTS")).values()

    assert section.startswith("token 'alice'")


def test_phases(project: pytest.Pytester) -> None:
    """Each phase that fails gets one, also set-up, and tear-down with the time that the test had."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken(totp_token):
            totp_token.now()
            raise RuntimeError

        def test_setup(broken): pass

        @pytest.fixture
        def breaking():
            yield
            raise RuntimeError

        def test_teardown(breaking, totp_token, frozen_clock):
            totp_token.one_time_code()
            frozen_clock.tick(12)
        """
    )

    result = sections(project.runpytest())

    assert "1 now() at" in result["test_setup"]
    assert result["test_teardown"].endswith(
        "step 56843820, valid 18 s more clock frozen at 2024-01-15T10:30:12Z, patch='time-machine'; moved on by 12 s"
    )


def test_test_case(project: pytest.Pytester) -> None:
    """Unittest's tests have the section too."""
    project.makepyfile(
        """
        import unittest
        import pytest

        @pytest.mark.usefixtures("totp_token", "frozen_clock")
        class TestLogin(unittest.TestCase):
            def test_login(self):
                self.totp_token.one_time_code()
                self.fail("refused")
        """
    )

    (section,) = sections(project.runpytest()).values()

    assert "1 one_time_code() at 10:30:00Z, code " in section


def test_frozen_clock_alone(project: pytest.Pytester) -> None:
    """A test that took no code but stopped the time is told so."""
    project.makepyfile("def test_login(frozen_clock): raise RuntimeError")

    assert sections(project.runpytest()) == {"test_login": "clock frozen at 2024-01-15T10:30:00Z, patch='time-machine'"}


def test_code_over_http(project: pytest.Pytester) -> None:
    """Codes that another process fetched, for whom it said, are the running test's; of many the last ten are shown."""
    project.makepyfile(
        """
        import subprocess
        import sys

        SCRIPT = '''if True:
            import json, sys, urllib.request
            url = sys.argv[1]
            for _ in range(12):
                urllib.request.urlopen(f"{url}/code?at=0").read()
            urllib.request.urlopen(f"{url}/code").read()
            body = json.dumps({"holder": "node login.js"}).encode()
            request = urllib.request.Request(f"{url}/one-time-code", body, {"Content-Type": "application/json"})
            urllib.request.urlopen(request).read()
            '''

        def test_login(totp_server, totp_token, frozen_clock):
            url = f"{totp_server.api_url}/tokens/{totp_token.id}"
            subprocess.run([sys.executable, "-c", SCRIPT, url], check=True)
            raise RuntimeError
        """
    )

    (section,) = sections(project.runpytest()).values()

    assert section.startswith(
        "Most likely cause: GET /tokens/…/code and POST /tokens/…/one-time-code gave the same code, within one time "
        "step."
    )
    assert "codes 14 taken by this test, the last 10: 5 GET /tokens/…/code?at=… at 10:30:00Z, code " in section
    assert re.search(
        r"14 POST /tokens/…/one-time-code at 10:30:00Z, code \d{6}, step 56843820, for node login\.js, the same as 13",
        section,
    )


def test_shared_server(project: pytest.Pytester) -> None:
    """The codes that others took are in its ledger, and the server is named."""
    project.makepyfile(
        """
        def test_login(totp_server):
            account = totp_server.add_token(name="alice", secret="JBSWY3DPEHPK3PXP", period=86400)
            account.now()
            raise RuntimeError
        """
    )

    with TotpServer() as server:
        theirs = server.add_token(name="alice", secret="JBSWY3DPEHPK3PXP", period=86_400)
        issuer_of(theirs).claim(holder="job 7", min_remaining=0)
        url = server.url
        (section,) = sections(project.runpytest(f"--totphog-url={url}")).values()

    assert section.startswith("Most likely cause: The code of now() had been given before, to job 7. An app that")
    assert section.endswith(f"server {url}; what others took there, its page shows")


def test_live_codes_are_not_shown(project: pytest.Pytester) -> None:
    """A log is read by many; a code is in it when no app accepts it any more."""
    project.makepyfile(
        """
        from pathlib import Path

        def test_login(totp_token):
            codes = [totp_token.now(), totp_token.expired_code(steps=1), totp_token.expired_code(steps=2)]
            Path("codes.txt").write_text(" ".join(codes))
            raise RuntimeError
        """
    )

    (section,) = sections(project.runpytest()).values()

    shown = [code in section for code in (project.path / "codes.txt").read_text("utf-8").split()]
    assert shown == [False, False, True]


@pytest.mark.parametrize("options", [pytest.param((), id="alone"), XDIST])
def test_report_in_json(shop: pytest.Pytester, options: tuple[str, ...]) -> None:
    """A run without a battery has a report too: the failed tests with the facts and the causes, by their names."""
    if options:
        pytest.importorskip("xdist")
    shop.makepyfile(
        """
        import pytest

        @pytest.mark.totp(secret="JBSWY3DPEHPK3PXP", name="alice", issuer="Shop")
        def test_login(login, totp_token, frozen_clock):
            totp_token.now()
            totp_token.one_time_code()
            raise RuntimeError

        def test_home(totp_token):
            totp_token.one_time_code(min_remaining=0)

        def test_about(frozen_clock):
            raise RuntimeError
        """
    )

    shop.runpytest_subprocess("--totphog-report=totp.json", *options)

    report = shop.path / "totp.json"
    assert "JBSWY3DPEHPK3PXP" not in report.read_text("utf-8")
    found = failures(report)
    assert list(found) == ["test_about", "test_login"]
    login = found["test_login"]
    assert login["when"] == "call"
    (cause,) = login["causes"]
    assert cause.startswith("now() and one_time_code() gave the same code, within one time step.")
    assert login["tokens"] == [
        {
            "name": "alice",
            "issuer": "Shop",
            "fingerprint": "1c4fa388",
            "digits": 6,
            "period": 30,
            "algorithm": "sha1",
            "bits": 80,
        }
    ]
    assert login["codes"][1] == {
        "number": 2,
        "token": 0,
        "by": "one_time_code()",
        "step": 56843820,
        "code": "648307",
        "taken_at": 1705314600.0,
        "begins_at": 1705314600,
        "ends_at": 1705314630,
        "holder": None,
        "same_as": 1,
        "given_before": "",
        "moved_from": None,
        "spent_by": "",
    }
    assert login["clock"]["time"] == 1705314600.0
    assert [app["ahead"] for app in login["apps"]] == [0]


def test_report_in_html(project: pytest.Pytester) -> None:
    """A page with the causes and the facts."""
    project.makepyfile("def test_login(frozen_clock): raise RuntimeError")

    project.runpytest("--totphog-report=totp.html")

    page = (project.path / "totp.html").read_text("utf-8")
    assert "<title>TOTP in failed tests: 1 failed test</title>" in page
    assert "<pre>clock  frozen at 2024-01-15T10:30:00Z, patch=&#x27;time-machine&#x27;</pre>" in page


def test_test_that_passes_when_it_is_run_again(project: pytest.Pytester) -> None:
    """pytest-rerunfailures: its failure is in no report, and a second failure is in it once."""
    pytest.importorskip("pytest_rerunfailures")
    project.makepyfile(
        """
        import pytest

        runs = []

        def test_flaky(totp_token):
            runs.append(totp_token.now())
            assert len(runs) == 2

        @pytest.mark.totp(period=86400, secret="JBSWY3DPEHPK3PXP")
        def test_broken(totp_token):
            totp_token.now()
            raise RuntimeError
        """
    )

    result = project.runpytest("-p", "pytest_rerunfailures", "--reruns=1", "--totphog-report=totp.json")

    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 2}
    assert list(failures(project.path / "totp.json")) == ["test_broken"]
    assert "given before to" in sections(result)["test_broken"]


@pytest.mark.parametrize("options", [pytest.param((), id="alone"), XDIST])
def test_pytest_html(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Its page shows cause and facts above the log of the test."""
    pytest.importorskip("pytest_html")
    if options:
        pytest.importorskip("xdist")
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(period=86400)
        def test_login(totp_token):
            totp_token.now()
            totp_token.now()
            raise RuntimeError

        def test_home(totp_token):
            totp_token.now()
        """
    )

    project.runpytest_subprocess(
        *("-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "--html=report.html", *options)
    ).assert_outcomes(passed=1, failed=1)

    page = (project.path / "report.html").read_text("utf-8")
    (blob,) = re.findall(r'data-jsonblob="([^"]*)"', page)
    tests = json.loads(blob.replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&"))["tests"]
    extras = {name.partition("::")[2]: [each["content"] for each in rows[0]["extras"]] for name, rows in tests.items()}
    assert extras["test_home"] == []
    (content,) = extras["test_login"]
    assert "Most likely cause:" in content
    assert "2 taken by this test" in content
