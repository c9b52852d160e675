"""What pytest sees: options, markers, fixtures. No logic, and nothing heavy until a test asks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_totphog.settings import (
    MARKERS,
    add_options,
    checked,
    clock_patch,
    marker_arguments,
    marker_names,
    option,
    port,
)

if TYPE_CHECKING:
    from pytest_totphog.freezing import FrozenClock
    from pytest_totphog.mailbox import Mailbox
    from pytest_totphog.practice import PracticeBackend
    from pytest_totphog.server import TotpServer
    from pytest_totphog.totp_token import TotpToken


class _Reported:
    """What the battery's tests reported, in this process or, under pytest-xdist, in its workers."""

    def __init__(self) -> None:
        self.properties: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test reported."""
        if report.when == "teardown":
            self.properties += [str(value) for name, value in report.user_properties if name == "totphog_battery"]


_reported_key = pytest.StashKey[_Reported]()
# One clock a process: server and tokens read it, and the frozen_clock fixture freezes it.
_clock_key = pytest.StashKey["FrozenClock"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options and ini values."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and look at where a report is to be written."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if hasattr(config, "workerinput"):
        return
    if option(config, "report"):
        from pytest_totphog.conformance.reports.hooks import check_path

        check_path(config)
    config.stash[_reported_key] = _Reported()
    config.pluginmanager.register(config.stash[_reported_key], "totphog-reported")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report of the battery that --totphog-report asks for."""
    config = session.config
    reported = config.stash.get(_reported_key, None)
    if reported is not None and option(config, "report") and not config.option.collectonly:
        from pytest_totphog.conformance.reports.hooks import write_report
        from pytest_totphog.conformance.rules import CHECKS

        write_report(session, reported.properties, [check.rule for check in CHECKS])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what the battery found."""
    reported = config.stash.get(_reported_key, None)
    if reported is None:  # a worker of pytest-xdist
        return
    if reported.properties or option(config, "report"):
        from pytest_totphog.conformance.reports.hooks import summarise
        from pytest_totphog.conformance.rules import CHECKS

        summarise(terminalreporter, reported.properties, [check.rule for check in CHECKS])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the marker frozen_clock ask for its fixture: a test that says when it runs must not run at another time."""
    for item in items:
        if (
            isinstance(item, pytest.Function)
            and "frozen_clock" not in item.fixturenames
            and item.get_closest_marker("frozen_clock") is not None
        ):
            # As if the test had named it first: what lasts longer than the test is not made in frozen time.
            fixtures = item._fixtureinfo.name2fixturedefs  # noqa: SLF001 # pytest tells the scope nowhere else
            wider = [name for name in item.fixturenames if name in fixtures and fixtures[name][-1].scope != "function"]
            # A new list, because the old one belongs to all tests that one function is parametrised to.
            item.fixturenames = list(dict.fromkeys([*wider, "frozen_clock", *item.fixturenames]))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Keep pytest from explaining, character by character, how two secrets differ."""
    tokens = sys.modules.get("pytest_totphog.tokens")
    if tokens is None or not (isinstance(left, tokens.Secret) or isinstance(right, tokens.Secret)):
        return None
    return [f"a secret {op} another text (pytest-totphog does not show secrets)"]


@pytest.fixture(scope="session")
def totp_server_session(pytestconfig: pytest.Config) -> Iterator[TotpServer]:
    """The server that totp_server gives, for session-, module- and class-scoped fixtures."""
    from pytest_totphog.server import TotpServer

    server = checked(
        "--totphog-host",
        TotpServer,
        option(pytestconfig, "host"),
        port(pytestconfig),
        clock=_process_clock(pytestconfig),
        port_option="--totphog-port=0",
    )
    checked("totp_server", server.start)
    yield server
    server.stop()


@pytest.fixture
def totp_server(totp_server_session: TotpServer, request: pytest.FixtureRequest) -> Iterator[TotpServer]:
    """The running TOTP server, an authenticator app for tests: add_token(), enroll(), tokens, url, api_url, clock.

    A test starts from the tokens that wider-scoped fixtures made, and what it adds is gone after it.
    """
    tokens = totp_server_session.tokens
    with _borrowed_clock(request):
        _give_to_test_case(request, totp_server_session)
        yield totp_server_session
        totp_server_session.restore(tokens)


@pytest.fixture
def totp_token(totp_server: TotpServer, request: pytest.FixtureRequest) -> TotpToken:
    """A fresh token with a random secret, registered in totp_server: now(), one_time_code(), wrong_code(), uri.

    `@pytest.mark.totp(secret=…, digits=…, period=…, algorithm=…, issuer=…, name=…, uri=…)` shapes it.
    """
    arguments = marker_arguments(request, "totp", ("secret", "digits", "period", "algorithm", "issuer", "name", "uri"))
    if "uri" not in arguments:
        # So that a page full of tokens, and an explanation, tell whose is which.
        arguments.setdefault("name", ascii(request.node.name)[1:-1][:80])
    token: TotpToken = checked("@pytest.mark.totp", _add_token, totp_server, arguments)
    _give_to_test_case(request, token)
    return token


@pytest.fixture(scope="session")
def totp_token_factory(totp_server_session: TotpServer) -> Callable[..., TotpToken]:
    """Makes a token each time it is called, with the arguments of the marker totp: digits=8, name='alice'.

    The tokens stay until the session ends; those that a test makes are gone after it if it takes totp_server too.
    """

    def make(**arguments: Any) -> TotpToken:
        __tracebackhide__ = True
        return _add_token(totp_server_session, arguments)

    return make


@pytest.fixture
def frozen_clock(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[FrozenClock]:
    """Time stands still, at 2024-01-15T10:30:00Z, until moved: tick(), next_step(), move_to(), unfreeze().

    Server, tokens, time.time and datetime stop; time.monotonic, sleep and all time-outs run on.
    `@pytest.mark.frozen_clock("2025-06-01T12:00:00Z", patch=None)` or the ini totphog_frozen_at say when and what.
    """
    from pytest_totphog.clock import as_nanoseconds

    arguments = marker_arguments(request, "frozen_clock", ("at", "patch"))
    if "at" not in arguments:
        arguments["at"] = pytestconfig.getini("totphog_frozen_at")
        checked("ini totphog_frozen_at", as_nanoseconds, arguments["at"])
    arguments.setdefault("patch", clock_patch(pytestconfig))
    with _borrowed_clock(request) as clock:
        clock.unfreeze()  # a clock that is frozen already would keep its patch
        checked("@pytest.mark.frozen_clock", clock.freeze, **arguments)
        _give_to_test_case(request, clock)
        yield clock
        clock.unfreeze()


@pytest.fixture
def totp_mailbox(request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    """An SMTP server in this process that keeps every mail: host, port, messages, wait_for_message(), wait_for_code().

    Let your app send its mails to it.
    """
    from pytest_totphog.mailbox import Mailbox

    with Mailbox() as mailbox:
        _give_to_test_case(request, mailbox)
        yield mailbox


@pytest.fixture
def simple_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend: register a user, get a code, verify it. url, clock, policy, reset().

    `@pytest.mark.totp_policy(one_time=True)` changes what its verifier accepts.
    """
    yield from _backend(request, "simple")


@pytest.fixture
def email_mfa_backend(request: pytest.FixtureRequest, totp_mailbox: Mailbox) -> Iterator[PracticeBackend]:
    """A running practice backend that mails its codes and reset links to totp_mailbox. url, clock, policy, reset().

    `@pytest.mark.totp_policy(max_failures=3)` changes what its verifier accepts.
    """
    yield from _backend(request, "email-mfa", mailbox=totp_mailbox)


@pytest.fixture
def vault_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend that keeps its users' TOTP credentials behind bearer tokens. url, clock, reset()."""
    yield from _backend(request, "vault")


@pytest.fixture
def login_demo_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend: a two-factor login with set-up, backup codes and a page. url, clock, policy, reset().

    `@pytest.mark.totp_policy(window=0, max_failures=5)` changes what its verifier accepts.
    """
    yield from _backend(request, "login-demo")


def _backend(request: pytest.FixtureRequest, name: str, **options: Any) -> Iterator[PracticeBackend]:
    from pytest_totphog.practice import PracticeBackend, policy_of

    arguments = marker_arguments(request, "totp_policy", ("window", "one_time", "max_failures", "lockout_seconds"))
    options["policy"] = checked("@pytest.mark.totp_policy", policy_of, name, **arguments)
    options["flaws"] = marker_names(request, "totp_flaws")
    source = "@pytest.mark.totp_flaws" if options["flaws"] else str(request.fixturename)
    with _borrowed_clock(request) as clock, checked(source, PracticeBackend, name, clock=clock, **options) as backend:
        _give_to_test_case(request, backend)
        yield backend


def _process_clock(config: pytest.Config) -> FrozenClock:
    from pytest_totphog.freezing import FrozenClock

    return config.stash.setdefault(_clock_key, FrozenClock())


@contextmanager
def _borrowed_clock(request: pytest.FixtureRequest) -> Iterator[FrozenClock]:
    """The process's clock; it is given back live, or where a wider-scoped fixture had frozen it."""
    clock = _process_clock(request.config)
    frozen_at = clock.now() if clock.mode == "frozen" else None
    try:
        yield clock
    finally:
        # With several borrowers in a test it is frozen_clock that gives it back: others tear down in its time.
        if request.fixturename == "frozen_clock" or "frozen_clock" not in request.fixturenames:
            if frozen_at is None:
                clock.unfreeze()
            else:
                clock.freeze(frozen_at)


def _add_token(server: TotpServer, arguments: dict[str, Any]) -> TotpToken:
    __tracebackhide__ = True  # pytest prints arguments, and among these is a secret
    if "uri" not in arguments:
        return server.add_token(**arguments)
    if len(arguments) > 1:
        from pytest_totphog.errors import InvalidInput

        raise InvalidInput(f"uri says it all; also given: {', '.join(sorted(set(arguments) - {'uri'}))}")
    return server.add_uri(**arguments)


def _give_to_test_case(request: pytest.FixtureRequest, value: object) -> None:
    """Set the fixture's value on a unittest.TestCase, whose methods take no arguments (`usefixtures`)."""
    unittest = sys.modules.get("unittest")
    if unittest is not None and isinstance(request.instance, unittest.TestCase):
        setattr(request.instance, request.fixturename or "", value)
