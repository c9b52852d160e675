"""Secrets stay out of what a test leaves behind: the terminal, the logs, the JUnit and HTML reports."""

import re

import pytest

from pytest_totphog import TotpServer

TALKATIVE = ("--showlocals", "-vv", "-rA", "--log-level=DEBUG", "--log-cli-level=DEBUG", "--junitxml=report.xml")


def everything_told(project: pytest.Pytester, *options: str) -> str:
    """Run the project's tests, all of which fail, and return all that was told about it, in lower case."""
    result = project.runpytest(*TALKATIVE, "-o", "junit_logging=all", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    outcomes = result.parseoutcomes()
    assert outcomes.keys() <= {"failed", "errors", "warnings"}
    told = str(result.stdout), str(result.stderr), (project.path / "report.xml").read_text("utf-8")
    return "\n".join(told).lower()


def secrets_in(project: pytest.Pytester, told: str) -> list[str]:
    """Return the secrets of the run (its tests write them down) that occur in what was told."""
    secrets = (project.path / "secrets.txt").read_text("utf-8").split()
    assert secrets, "no test wrote its secret down"
    assert all(len(secret) >= 16 for secret in secrets)
    bare = re.sub(r"[\s-]|%20", "", told)
    # Of half a secret the other half may be guessed.
    return [part for secret in secrets for part in (secret[:8], secret[4:12], secret[-8:]) if part.lower() in bare]


@pytest.fixture
def writes_down(project: pytest.Pytester) -> None:
    """Give the project a function that notes a secret where pytest does not look."""
    project.makepyfile(
        notes="""
        def write_down(secret):
            with open("secrets.txt", "a") as file:
                print(secret, file=file)
        """
    )


pytestmark = pytest.mark.usefixtures("writes_down")


def test_locals_of_a_failing_test(project: pytest.Pytester) -> None:
    """Token, server, URI and secret are among the local variables of the test that fails, alone and in containers."""
    project.makepyfile(
        """
        from notes import write_down

        def test_login(totp_token, totp_server):
            write_down(totp_token.secret)
            secret, uri, tokens = totp_token.secret, totp_token.uri, totp_server.tokens
            shown = {"secret": secret, "all": [uri, (secret, totp_token)], "of": vars(totp_token)}
            why = totp_token.explain(totp_token.wrong_code())
            raise RuntimeError
        """
    )
    told = everything_told(project)
    assert "\"unknown: no code of 'test_login'" in told
    assert secrets_in(project, told) == []


def test_output_and_logs(project: pytest.Pytester) -> None:
    """Printed and logged are tokens, servers and answers to questions about codes; requests' own log is on."""
    project.makepyfile(
        """
        import logging

        import requests
        from notes import write_down

        def test_login(totp_token, totp_server):
            write_down(totp_token.secret)
            print(totp_token, totp_server, totp_server.tokens, repr(totp_token.secret), [totp_token.uri])
            logging.getLogger("shop").warning("enrolled %s with %r", totp_token, totp_token.secret)
            tokens = f"{totp_server.api_url}/tokens"
            requests.post(tokens, json={"uri": totp_token.uri}, timeout=5)
            requests.get(totp_token.code_url, timeout=5)
            requests.post(f"{tokens}/{totp_token.id}/explain", json={"code": "000000"}, timeout=5)
            raise RuntimeError
        """
    )
    told = everything_told(project)
    assert "enrolled <totptoken 'test_login'" in told
    assert "/api/v1/tokens http/1.1" in told
    assert secrets_in(project, told) == []


@pytest.mark.parametrize(
    "comparison",
    [
        "totp_token.secret == 'JBSWY3DPEHPK3PXP'",
        "'JBSWY3DPEHPK3PXP' == totp_token.secret",
        "totp_token.secret == other.secret",
        "totp_token.secret != totp_token.secret",
        "totp_token.secret in 'some page'",
        "totp_token.uri == other.uri",
        "totp_token.uri == totp_token.uri + '&image=x'",
        "not totp_token.uri",
        "totp_token.uri.startswith('https://')",
        "totp_token == other",
        "vars(totp_token) == vars(other)",
        "[totp_token.secret, totp_token.uri] == [other.secret]",
        "{'secret': totp_token.secret} == {'secret': 1}",
        "{totp_token.secret} == {other.secret}",
        "totp_server.tokens == [other]",
    ],
)
def test_failing_assertion(project: pytest.Pytester, comparison: str) -> None:
    """Pytest explains a failed comparison of secrets, URIs or tokens without them."""
    project.makepyfile(
        f"""
        from notes import write_down

        def test_login(totp_token, totp_server):
            other = totp_server.add_token()
            write_down(totp_token.secret)
            write_down(other.secret)
            assert {comparison}
        """
    )
    told = everything_told(project)
    assert f"assert {comparison}".lower() in told
    assert secrets_in(project, told) == []


def test_failing_assertion_of_a_test_case(project: pytest.Pytester) -> None:
    """The comparisons of unittest keep them too."""
    project.makepyfile(
        """
        import unittest

        import pytest
        from notes import write_down

        @pytest.mark.usefixtures("totp_token")
        class TestLogin(unittest.TestCase):
            def test_secret(self):
                write_down(self.totp_token.secret)
                self.assertEqual(self.totp_token.secret, "JBSWY3DPEHPK3PXP")

            def test_uri(self):
                write_down(self.totp_token.secret)
                self.assertEqual(self.totp_token.uri, "otpauth://totp/alice")
        """
    )
    told = everything_told(project)
    assert "assertionerror: '********' != 'jbswy3dpehpk3pxp'" in told
    assert secrets_in(project, told) == []


@pytest.mark.parametrize(
    "call",
    [
        "totp_server.add_token(secret=os.environ['ACCOUNT_SECRET'], digits=5)",
        "totp_server.add_token(secret=os.environ['ACCOUNT_SECRET'] + '1')",
        "totp_server.add_uri(f'otpauth://hotp/alice?secret={os.environ[\"ACCOUNT_SECRET\"]}')",
        "totp_server.add_uri(f'otpauth://totp/alice?secret={os.environ[\"ACCOUNT_SECRET\"]}&digits=x')",
        "totp_server.enroll(os.environ['ACCOUNT_SECRET'] + '!')",
        "totp_token_factory(secret=os.environ['ACCOUNT_SECRET'], period=0)",
        "Token.from_uri(os.environ['ACCOUNT_SECRET'], created_at=None)",
    ],
)
def test_token_that_cannot_be_made(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A secret from the environment, as CI hands it over, is not in the traceback of a call that is refused."""
    monkeypatch.setenv("ACCOUNT_SECRET", "MFRGGZDFMZTWQ2LKNNWG23TPOA")
    project.makepyfile(
        f"""
        import os

        from notes import write_down
        from pytest_totphog.credentials.token import Token

        def test_login(totp_server, totp_token_factory):
            write_down(os.environ["ACCOUNT_SECRET"])
            {call}
        """
    )
    told = everything_told(project)
    assert "invalidinput: " in told
    assert secrets_in(project, told) == []


def test_marker_that_cannot_be_used(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it in the error of a marker which is wrong about something else."""
    monkeypatch.setenv("ACCOUNT_SECRET", "MFRGGZDFMZTWQ2LKNNWG23TPOA")
    project.makepyfile(
        """
        import os

        import pytest
        from notes import write_down

        write_down(os.environ["ACCOUNT_SECRET"])

        @pytest.mark.totp(secret=os.environ["ACCOUNT_SECRET"], digits=5)
        def test_digits(totp_token):
            pass

        @pytest.mark.totp(secret=os.environ["ACCOUNT_SECRET"], colour="red")
        def test_unknown(totp_token):
            pass

        @pytest.mark.totp(os.environ["ACCOUNT_SECRET"])
        def test_positional(totp_token):
            pass
        """
    )
    told = everything_told(project)
    assert "digits is 5" in told
    assert secrets_in(project, told) == []


def test_code_that_cannot_be_had(project: pytest.Pytester) -> None:
    """A one-time code that does not come in time, and a code that is none, fail in the middle of the package."""
    project.makepyfile(
        """
        import pytest
        from notes import write_down

        @pytest.fixture
        def account(totp_server):
            token = totp_server.add_token(period=86400)
            write_down(token.secret)
            token.one_time_code(min_remaining=0)
            return token

        def test_no_step_left(account):
            account.one_time_code(timeout=0)

        def test_no_window(account):
            account.wrong_code(window=-1)

        def test_not_a_code(account):
            account.verify(123456)
        """
    )
    told = everything_told(project)
    assert "codeunavailable: no unspent code of 'account' in time" in told
    assert secrets_in(project, told) == []


def test_under_xdist(project: pytest.Pytester) -> None:
    """What a worker reports to the controller has no secret in it either."""
    pytest.importorskip("xdist")
    project.makepyfile(
        """
        from notes import write_down

        def test_login(totp_token):
            write_down(totp_token.secret)
            secret = totp_token.secret
            assert secret == "JBSWY3DPEHPK3PXP"
        """
    )
    told = everything_told(project, "-p", "xdist", "-n", "2")
    assert "pytest-totphog does not show secrets" in told
    assert secrets_in(project, told) == []


RAW = """
    import logging
    import warnings

    import pytest
    from notes import write_down

    def fours(secret):
        return " ".join(secret[start:start + 4] for start in range(0, len(secret), 4))

    @pytest.fixture
    def secret(totp_token):
        secret = str(totp_token.secret)
        write_down(secret)
        print("made", secret)
        yield secret
        logging.getLogger("shop").info("gone: %s", secret)

    def test_local(secret):
        page = f"<html>{'x' * 99}<code>{fours(secret)}</code>{'x' * 199}</html>"
        raise KeyError

    def test_comparison(secret):
        page = f"<code>{fours(secret).lower()}</code>"
        assert page == f"<code>{secret}</code>"

    def test_list(secret):
        assert [fours(secret), {"secret": secret}] == [fours(secret)[::-1], {"secret": None}]

    def test_exception(secret):
        try:
            raise RuntimeError(f"<code>{secret}</code>")
        except RuntimeError as error:
            if hasattr(error, "add_note"):
                error.add_note(f"seen: {secret.lower()}")
            raise ValueError(f"https://shop.example/qr?data=otpauth%3A%2F%2Ftotp%2Fa%3Fsecret%3D{secret}") from error

    def test_output(secret):
        print("stdout", "-".join(fours(secret).split()))
        logging.getLogger("shop").warning("log %s", fours(secret))
        raise KeyError

    def test_property(secret, record_property, totp_token):
        record_property("page", f"<code>{fours(secret)}</code>")
        record_property("secret", totp_token.secret)
        raise KeyError

    @pytest.mark.filterwarnings("default")
    def test_warning(secret):
        warnings.warn(f"no picture of {secret}", stacklevel=1)
        raise KeyError

    def test_error_in_fixture(broken): pass

    @pytest.fixture
    def broken(secret):
        raise RuntimeError(secret)
    """


@pytest.fixture
def talkative(project: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests show their secrets as they are, in every way there is."""
    project.makepyfile(RAW)
    return project


@pytest.mark.parametrize("traceback", ["long", "short", "native", "line"])
def test_raw_texts(talkative: pytest.Pytester, traceback: str) -> None:
    """Masked is also what was never marked as a secret: texts made of it, printed, logged, compared and raised."""
    told = everything_told(talkative, f"--tb={traceback}", "--log-file=log.txt")
    assert "warning  shop:test_raw_texts.py" in told
    assert "no picture of ********" in told
    assert secrets_in(talkative, told) == []
    log = (talkative.path / "log.txt").read_text("utf-8")
    assert "log ********" in log
    assert secrets_in(talkative, log.lower()) == []


def test_raw_texts_under_xdist(talkative: pytest.Pytester) -> None:
    """A worker masks what it sends, and what it writes to the log file."""
    pytest.importorskip("xdist")
    told = everything_told(talkative, "-p", "xdist", "-n", "2", "--log-file=log.txt")
    assert "made ********" in told
    assert "no picture of ********" in told
    log = (talkative.path / "log.txt").read_text("utf-8")
    assert secrets_in(talkative, told + log.lower()) == []


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_html_report(talkative: pytest.Pytester, options: tuple[str, ...]) -> None:
    """pytest-html's page has the masks too, and so has what a conftest attaches to a report."""
    pytest.importorskip("pytest_html")
    talkative.makeconftest(
        """
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport(item, call):
            report = (yield).get_result()
            page = f"page: {item.funcargs.get('secret')}"
            report.extras = [*getattr(report, "extras", []), {
                "name": "page", "content": page, "format_type": "text", "mime_type": "text/plain", "extension": "txt",
            }]
        """
    )
    plugins = ("-p", "pytest_html.plugin", "-p", "pytest_metadata.plugin", *options)
    told = everything_told(talkative, *plugins, "--html=report.html", "--self-contained-html")
    html = (talkative.path / "report.html").read_text("utf-8").lower()
    assert "made ********" in html
    assert secrets_in(talkative, told + html) == []


def test_what_tests_see_stays(project: pytest.Pytester) -> None:
    """Masked is what is shown: a test sees its output, logs and warnings as they are, and its objects stay whole."""
    project.makepyfile(
        """
        import logging
        import warnings
        from unittest.mock import Mock

        import pytest

        @pytest.fixture
        def login(totp_token):
            secret = str(totp_token.secret)
            yield
            assert totp_token.secret == secret

        def test_login(totp_token, login, capsys, caplog, record_property):
            secret = str(totp_token.secret)
            print(secret)
            logging.getLogger("shop").warning(secret)
            assert capsys.readouterr().out == f"{secret}\\n"
            assert secret in caplog.text
            everything = [totp_token, Mock(), secret]
            everything.append(everything)
            record_property("everything", everything)
            with pytest.warns(UserWarning, match=secret):
                warnings.warn(secret)
        """
    )
    project.runpytest("--log-cli-level=DEBUG").assert_outcomes(passed=1)


def test_account(project: pytest.Pytester) -> None:
    """Of an existing account the password is masked as well, and so are the accounts that nobody has taken."""
    project.makefile(
        ".json",
        accounts="""[
            {"name": "alice", "password": "correct horse", "secret": "MFRGGZDFMZTWQ2LKNNWG23TPOA"},
            {"name": "bob", "password": "battery staple", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY"}
        ]""",
    )
    project.makeini("[pytest]\ntotphog_account_pool = accounts.json")
    project.makepyfile(
        """
        from notes import write_down

        def test_login(totp_account):
            write_down("MFRGGZDFMZTWQ2LKNNWG23TPOA")
            write_down("GEZDGNBVGY3TQOJQGEZDGNBVGY")
            form = open("accounts.json").read()
            print(form)
            raise RuntimeError(form)
        """
    )
    told = everything_told(project)
    assert '{"name": "bob", "password": "********", "secret": "********"}' in told
    assert "horse" not in told
    assert secrets_in(project, told) == []


def test_secret_from_a_page(project: pytest.Pytester) -> None:
    """One that an app has made is known as soon as it is enrolled, in Python or over HTTP."""
    project.makepyfile(
        """
        import requests
        from notes import write_down

        def test_python(totp_server):
            page = "mfrg gzdf mztw q2lk nnwg 23tp oa"
            write_down("MFRGGZDFMZTWQ2LKNNWG23TPOA")
            print("before:", page)
            totp_server.enroll(page)
            raise RuntimeError(page)

        def test_http(totp_server):
            page = "gezd gnbv gy3t qojq gezd gnbv gy"
            write_down("GEZDGNBVGY3TQOJQGEZDGNBVGY")
            token = {"name": "alice", "secret": page}
            assert requests.post(f"{totp_server.api_url}/tokens", json=token, timeout=5).status_code == 201
            raise RuntimeError(page)
        """
    )
    told = everything_told(project)
    assert "before: ********" in told
    assert told.count("runtimeerror: ********") >= 2
    assert secrets_in(project, told) == []


def test_api_key(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a shared server is masked where a test shows its environment."""
    key = "MFRGGZDFMZTWQ2LKNNWG23TPOA"
    monkeypatch.setenv("TOTPHOG_API_KEY", key)
    project.makepyfile(
        """
        import os

        from notes import write_down

        def test_login(totp_server):
            write_down(os.environ["TOTPHOG_API_KEY"])
            raise RuntimeError(os.environ["TOTPHOG_API_KEY"])
        """
    )
    with TotpServer(api_key=key) as server:
        told = everything_told(project, f"--totphog-url={server.url}")
    assert "runtimeerror: ********" in told
    assert secrets_in(project, told) == []


def test_short_secret_is_left_alone(project: pytest.Pytester) -> None:
    """One of a single byte would put asterisks into every other word."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(secret="ME")
        def test_login(totp_token):
            raise RuntimeError("somebody told ME the secret")
        """
    )
    result = project.runpytest()
    result.stdout.fnmatch_lines(["*RuntimeError: somebody told ME the secret"])
    assert "********" not in result.stdout.str()


def test_key_uri_as_parameter(project: pytest.Pytester) -> None:
    """The id of a test shows no key URI that it is parametrised with."""
    project.makepyfile(
        """
        import pytest
        from notes import write_down

        URI = "otpauth://totp/Shop:alice?secret=MFRGGZDFMZTWQ2LKNNWG23TPOA"

        @pytest.mark.parametrize("uri", [URI, URI.replace("alice", "bob")])
        def test_login(uri, totp_server):
            write_down("MFRGGZDFMZTWQ2LKNNWG23TPOA")
            totp_server.add_uri(uri)
            raise KeyError
        """
    )
    told = everything_told(project)
    assert "test_key_uri_as_parameter.py::test_login[uri0]" in told
    assert "test_key_uri_as_parameter.py::test_login[uri1]" in told
    assert secrets_in(project, told) == []


def test_line_of_code_in_a_warning(project: pytest.Pytester) -> None:
    """The summary shows the line that warned: a secret in it is masked."""
    project.makepyfile(
        """
        import warnings

        import pytest

        @pytest.mark.filterwarnings("default")
        @pytest.mark.totp(secret="MFRGGZDFMZTWQ2LKNNWG23TPOA")
        def test_login(totp_token):
            warnings.warn("told", UserWarning if "mfrg gzdf mztw q2lk nnwg 23tp oa" else None)
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(['*warnings.warn("told", UserWarning if "********" else None)'])


def test_failure_of_pytest_itself(project: pytest.Pytester) -> None:
    """The traceback of a plugin that fails has masks as well."""
    project.makeconftest(
        """
        def pytest_runtest_logreport(report):
            if report.when == "teardown":
                raise RuntimeError("MFRGGZDFMZTWQ2LKNNWG23TPOA")
        """
    )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(secret="MFRGGZDFMZTWQ2LKNNWG23TPOA")
        def test_login(totp_token): pass
        """
    )
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["INTERNALERROR> RuntimeError: ********"])
    assert "MFRG" not in result.stdout.str()


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 9 brought subtests")
def test_subtests(project: pytest.Pytester) -> None:
    """Each part of a test that has several is reported by itself, with what it printed."""
    project.makepyfile(
        """
        from notes import write_down

        def test_login(totp_token, subtests):
            secret = str(totp_token.secret)
            write_down(secret)
            with subtests.test("page", page=secret.lower()):
                print("page", secret)
                raise RuntimeError(secret)
        """
    )
    told = everything_told(project)
    assert "page ********" in told
    assert secrets_in(project, told) == []
