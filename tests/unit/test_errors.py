"""The errors: what they are besides our own, and what they show of an offending value."""

import pickle
import re

import pytest

import pytest_totphog
from pytest_totphog import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InvalidInput, ValueError),
        (errors.InvalidCall, TypeError),
        (errors.TokenNotFound, LookupError),
        (errors.ClockNotFrozen, RuntimeError),
        (errors.CodeUnavailable, TimeoutError),
        (errors.MailNotReceived, TimeoutError),
        (errors.ServerError, OSError),
        (errors.StoreError, OSError),
        (errors.MissingExtra, ImportError),
    ],
)
def test_every_error_is_ours_and_pythons(error: type[Exception], builtin: type[Exception]) -> None:
    """Who does not know our names catches the built-in error that says the same."""
    assert issubclass(error, errors.TotphogError)
    assert issubclass(error, builtin)


def test_every_error_can_be_imported_from_the_package() -> None:
    """`except pytest_totphog.CodeUnavailable` needs no knowledge of our modules."""
    functions = {"hidden_in_reports", "plural", "shown"}

    assert {name: getattr(pytest_totphog, name) for name in errors.__all__ if name not in functions} == {
        name: getattr(errors, name) for name in errors.__all__ if name not in functions
    }


def test_missing_extra_names_the_command_that_installs_it() -> None:
    """The reader can copy the command from the message."""
    error = errors.MissingExtra("patch='time-machine'", "time-machine", "time-machine")

    assert str(error) == (
        "patch='time-machine' needs time-machine; install it with: pip install 'pytest-totphog[time-machine]'"
    )


def test_code_unavailable_survives_pickling() -> None:
    """A pool of processes hands the error on whole, with the time to wait."""
    error = pickle.loads(pickle.dumps(errors.CodeUnavailable("none in time", retry_after=12.5)))

    assert str(error) == "none in time"
    assert error.retry_after == 12.5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (7, "7"),
        ("sha3", "'sha3'"),
        ("é", r"'\xe9'"),
        ("\ud800", r"'\ud800'"),
        ("x" * 1_000_000, "'xxxxxxxxxxxx...xxxxxxxxxxxxx'"),
        ([1] * 1_000_000, "[1, 1, 1, 1, 1, 1, ...]"),
        (10**5000, "a huge int"),
    ],
    ids=["none", "number", "text", "accent", "lone-surrogate", "megabyte", "long-list", "huge-integer"],
)
def test_shown_value_is_short_printable_ascii(value: object, text: str) -> None:
    """An error may quote anything: it goes into logs, terminals and JSON all the same."""
    assert errors.shown(value) == text


class Unprintable:
    """Something whose `repr` fails."""

    def __repr__(self) -> str:
        """Fail."""
        raise RuntimeError("no repr")


def test_shown_value_may_have_no_repr() -> None:
    """An error about a broken object is still an error about the object."""
    assert "Unprintable" in errors.shown(Unprintable())


def test_report_of_a_refused_secret_ends_at_the_callers_line(pytester: pytest.Pytester) -> None:
    """The last function of a traceback is printed with its arguments, and ours would show the secret."""
    pytester.makepyfile(
        """
        import os
        import pytest
        from pytest_totphog import TotpServer

        ENVIRONMENT = {"SECRET": "OZSXE6JAONSWG4TFOQQGWZLZGEZDGNBV"}

        @pytest.mark.parametrize("ending", ["1", "A"])
        def test_base32(ending):
            TotpServer().add_token(name="alice", secret=ENVIRONMENT["SECRET"] + ending)

        @pytest.mark.parametrize("ending", ["%ZZ", "&secret=", "&digits=9"])
        def test_uri(ending):
            TotpServer().enroll("otpauth://totp/Example:alice?secret=" + ENVIRONMENT["SECRET"] + ending)

        def test_argument(totp_token_factory):
            totp_token_factory(secret=ENVIRONMENT["SECRET"], digits=9)

        def test_without_a_name(totp_server):
            totp_server.add_token(ENVIRONMENT["SECRET"])

        def test_without_a_name_in_the_factory(totp_token_factory):
            totp_token_factory(ENVIRONMENT["SECRET"])
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:cacheprovider", "--tb=long")

    result.assert_outcomes(failed=8)
    # The one place that has it is the test file's own source, and no failing line is that one.
    assert "OZSXE6JAONSWG4TFOQQGWZLZGEZDGNBV" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "E *InvalidInput: the secret is not base32: character 33 is '1'; *",
            "E *InvalidCall: add_token() takes arguments by name, and was given 1 without one (not shown, *",
            "E *InvalidCall: add_token() takes arguments by name*: write add_token(secret=*",
        ]
    )


def test_report_of_a_helpers_error_ends_at_the_callers_line(pytester: pytest.Pytester) -> None:
    """What goes on in a browser's helper, or in making a server, says nothing of the caller's mistake."""
    pytester.makepyfile(
        """
        from pytest_totphog import FrozenClock, PracticeBackend, TotpServer, VerifierPolicy, create_app, fill_code

        class Driver:
            def find_elements(self, *locator):
                return []

            def execute_script(self, *script):
                return "about:blank"

            def get_screenshot_as_png(self):
                return b""

        def test_field():
            fill_code(Driver(), "#code", TotpServer().add_token(), field_timeout=0)

        def test_locator():
            fill_code(Driver(), None, TotpServer().add_token())

        def test_page():
            fill_code(None, "#code", TotpServer().add_token())

        def test_set_up_page():
            TotpServer().enroll_from(Driver(), "#qr", timeout=0)

        def test_clock_of_a_page():
            FrozenClock().apply_to("#page")

        def test_policy():
            VerifierPolicy(window=-1)

        def test_backend():
            PracticeBackend("complex")

        def test_app():
            create_app("complex")

        def test_port():
            with TotpServer() as server:
                TotpServer(port=server.port).start()
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:cacheprovider")

    result.assert_outcomes(failed=9)
    ends = [line for line in result.outlines if re.match(r"\S+\.py:\d+: ", line)]
    assert len(ends) == 9
    assert all(line.startswith("test_") for line in ends)


def test_report_of_another_exception_keeps_our_frames(pytester: pytest.Pytester) -> None:
    """Only errors raised on purpose end at the caller: a mistake of ours must be seen where it is."""
    pytester.makepyfile(
        """
        from pytest_totphog import Authenticator

        def test_unknown_argument():
            Authenticator().make(nickname="alice")
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:cacheprovider")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*authenticator.py:*: TypeError"])


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 codes"), (1, "1 code"), (2, "2 codes"), (1.5, "1.5 codes"), (12_345, "12,345 codes")]
)
def test_plural(number: float, text: str) -> None:
    """A noun in the number that goes before it."""
    assert errors.plural(number, "code") == text
