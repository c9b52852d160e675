"""Secrets stay out of what a failing test leaves behind: the terminal, the logs, the JUnit report."""

import pytest

TALKATIVE = ("--showlocals", "-vv", "-rA", "--log-level=DEBUG", "--log-cli-level=DEBUG", "--junitxml=report.xml")


def everything_told(project: pytest.Pytester, *options: str) -> str:
    """Run the project's tests, all of which fail, and return all that was told about it, in lower case."""
    result = project.runpytest(*TALKATIVE, "-o", "junit_logging=all", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    outcomes = result.parseoutcomes()
    assert outcomes.keys() <= {"failed", "errors"}
    told = str(result.stdout), str(result.stderr), (project.path / "report.xml").read_text("utf-8")
    return "\n".join(told).lower()


def secrets_in(project: pytest.Pytester, told: str) -> list[str]:
    """Return the secrets of the run (its tests write them down) that occur in what was told."""
    secrets = (project.path / "secrets.txt").read_text("utf-8").split()
    assert secrets, "no test wrote its secret down"
    assert all(len(secret) >= 16 for secret in secrets)
    return [secret for secret in secrets if secret.lower() in told]


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
            shown = {"secret": secret, "all": [uri, (secret, totp_token)], "as_dict": totp_token.as_dict()}
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
        "totp_token.as_dict() == other.as_dict()",
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
        "TotpToken.from_uri(os.environ['ACCOUNT_SECRET'], created_at=None)",
    ],
)
def test_token_that_cannot_be_made(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A secret from the environment, as CI hands it over, is not in the traceback of a call that is refused."""
    monkeypatch.setenv("ACCOUNT_SECRET", "MFRGGZDFMZTWQ2LKNNWG23TPOA")
    project.makepyfile(
        f"""
        import os

        from notes import write_down
        from pytest_totphog import TotpToken

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
