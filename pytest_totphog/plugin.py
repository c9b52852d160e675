"""What pytest sees: options, markers, fixtures. No logic, and nothing heavy until a test asks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_totphog.freezing import FrozenClock
    from pytest_totphog.mailbox import Mailbox
    from pytest_totphog.practice import PracticeBackend
    from pytest_totphog.server import TotpServer
    from pytest_totphog.totp_token import TotpToken

MARKERS = (
    (
        "totp(secret=…, digits=…, period=…, algorithm=…, issuer=…, name=…, uri=…): shape the token that the fixture "
        "totp_token gives this test. What is left out keeps its default: a random secret, 6 digits, 30 seconds, sha1. "
        "uri='otpauth://totp/…' says all of it at once."
    ),
    (
        "frozen_clock(at, patch=…): freeze time for this test, at ISO 8601 text with an offset, seconds since the epoch, "
        "or an aware datetime. patch says what stands still besides server and tokens: 'freezegun' or 'time-machine' "
        "(time.time and datetime of the test process), or None (nothing)."
    ),
    (
        "totp_policy(window=…, one_time=…, max_failures=…, lockout_seconds=…): what the verifier of this test's practice "
        "backend accepts. What is left out stays as that backend's API document says."
    ),
)

# One clock a process: server and tokens read it, and the frozen_clock fixture freezes it.
_clock_key = pytest.StashKey["FrozenClock"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options and ini values."""
    group = parser.getgroup("totphog", "one-time passwords (pytest-totphog)")
    group.addoption(
        "--totphog-host",
        metavar="HOST",
        help="loopback address that totp_server listens on: 127.0.0.1 (the default), ::1 or localhost",
    )
    group.addoption(
        "--totphog-port",
        metavar="PORT",
        help="port that totp_server listens on; 0, the default, takes a free one, which pytest-xdist needs",
    )
    group.addoption(
        "--totphog-clock-patch",
        metavar="PATCH",
        help="what frozen_clock stops besides server and tokens: freezegun (the default), time-machine, or none",
    )
    parser.addini("totphog_host", "as --totphog-host", default="127.0.0.1")
    parser.addini("totphog_port", "as --totphog-port", default="0")
    parser.addini("totphog_clock_patch", "as --totphog-clock-patch", default="freezegun")
    parser.addini(
        "totphog_frozen_at",
        "where frozen_clock stands unless a test's marker says otherwise: ISO 8601 with an offset, or seconds since "
        "the epoch",
        default="2024-01-15T10:30:00Z",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the marker frozen_clock ask for its fixture: a test that says when it runs must not run at another time."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        if "frozen_clock" not in names and item.get_closest_marker("frozen_clock") is not None:
            names.insert(0, "frozen_clock")


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Keep pytest from explaining, character by character, how two secrets differ."""
    tokens = sys.modules.get("pytest_totphog.tokens")
    if tokens is None or not (isinstance(left, tokens.Secret) or isinstance(right, tokens.Secret)):
        return None
    return [f"a secret {op} another text (pytest-totphog does not show secrets)"]


@pytest.fixture(scope="session")
def totp_server_session(pytestconfig: pytest.Config) -> Iterator[TotpServer]:
    """The running TOTP server of this process, for session-, module- and class-scoped fixtures."""
    from pytest_totphog.server import TotpServer

    server = TotpServer(
        host=_option(pytestconfig, "host"),
        port=_port(pytestconfig),
        clock=_process_clock(pytestconfig),
        port_option="--totphog-port=0",
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def totp_server(totp_server_session: TotpServer, request: pytest.FixtureRequest) -> Iterator[TotpServer]:
    """The running TOTP server: add_token(), enroll(), url, api_url, clock.

    A test starts from the tokens that wider-scoped fixtures made, and what it adds is gone after it.
    """
    tokens = totp_server_session.tokens
    _give_to_test_case(request, totp_server_session)
    yield totp_server_session
    totp_server_session.restore(tokens)
    if "frozen_clock" not in request.fixturenames:
        totp_server_session.clock.unfreeze()


@pytest.fixture
def totp_token(totp_server: TotpServer, request: pytest.FixtureRequest) -> TotpToken:
    """A fresh token with a random secret, registered in totp_server: now(), one_time_code(), wrong_code(), uri, ….

    `@pytest.mark.totp(secret=…, digits=…, period=…, algorithm=…, issuer=…, name=…, uri=…)` shapes it.
    """
    arguments = _marker_arguments(request, "totp", ("secret", "digits", "period", "algorithm", "issuer", "name", "uri"))
    token: TotpToken = _checked("totp", _add_token, totp_server, arguments)
    _give_to_test_case(request, token)
    return token


@pytest.fixture(scope="session")
def totp_token_factory(totp_server_session: TotpServer) -> Callable[..., TotpToken]:
    """Makes a token at each call, shaped as the marker totp shapes one: totp_token_factory(digits=8)."""

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
    clock = _process_clock(pytestconfig)
    arguments = _marker_arguments(request, "frozen_clock", ("at", "patch"))
    arguments.setdefault("at", pytestconfig.getini("totphog_frozen_at"))
    arguments.setdefault("patch", _clock_patch(pytestconfig))
    _checked("frozen_clock", clock.freeze, **arguments)
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
    """A running practice backend that keeps TOTP credentials for its users, behind bearer tokens. url, clock, reset()."""
    yield from _backend(request, "vault")


@pytest.fixture
def login_demo_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend: a two-factor login with set-up, backup codes and a page. url, clock, policy, reset().

    `@pytest.mark.totp_policy(window=0, max_failures=5)` changes what its verifier accepts.
    """
    yield from _backend(request, "login-demo")


def _backend(request: pytest.FixtureRequest, name: str, **options: Any) -> Iterator[PracticeBackend]:
    from pytest_totphog.practice import PracticeBackend, policy_of

    arguments = _marker_arguments(request, "totp_policy", ("window", "one_time", "max_failures", "lockout_seconds"))
    policy = _checked("totp_policy", policy_of, name, **arguments)
    with PracticeBackend(name, clock=_process_clock(request.config), policy=policy, **options) as backend:
        _give_to_test_case(request, backend)
        yield backend


def _process_clock(config: pytest.Config) -> FrozenClock:
    from pytest_totphog.freezing import FrozenClock

    return config.stash.setdefault(_clock_key, FrozenClock())


def _option(config: pytest.Config, name: str) -> str:
    given = config.getoption(f"totphog_{name}")
    return str(config.getini(f"totphog_{name}") if given is None else given)


def _port(config: pytest.Config) -> int:
    text = _option(config, "port")
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise pytest.UsageError(f"--totphog-port is {text!r}; accepted are 0 to 65535, 0 for a free port")
    return int(text)


def _clock_patch(config: pytest.Config) -> str | None:
    name = _option(config, "clock_patch")
    return None if name == "none" else name


def _add_token(server: TotpServer, arguments: dict[str, Any]) -> TotpToken:
    __tracebackhide__ = True  # pytest prints arguments, and among these is a secret
    if "uri" not in arguments:
        return server.add_token(**arguments)
    if len(arguments) > 1:
        from pytest_totphog.errors import InvalidInput

        raise InvalidInput(f"uri says it all; also given: {', '.join(sorted(set(arguments) - {'uri'}))}")
    return server.add_uri(**arguments)


def _marker_arguments(request: pytest.FixtureRequest, name: str, accepted: tuple[str, ...]) -> dict[str, Any]:
    """Return a marker's arguments by name; those nearest to the test win over its class's and module's."""
    arguments: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(name))):
        if len(marker.args) > (1 if name == "frozen_clock" else 0):
            pytest.fail(
                f"@pytest.mark.{name} takes names: {', '.join(f'{each}=…' for each in accepted)}", pytrace=False
            )
        given = dict(zip(accepted, marker.args, strict=False)) | marker.kwargs
        for unknown in sorted(given.keys() - set(accepted)):
            pytest.fail(
                f"@pytest.mark.{name} does not know {unknown!r}; accepted: {', '.join(accepted)}", pytrace=False
            )
        if "uri" in given or "uri" in arguments:
            arguments = {}
        arguments |= given
    return arguments


def _checked(marker: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call, and tell a wrong argument as a sentence, for a marker's traceback would show only this plugin."""
    from pytest_totphog.errors import TotphogError

    try:
        return call(*args, **kwargs)
    except TotphogError as error:
        mistake = str(error)
    pytest.fail(f"@pytest.mark.{marker}: {mistake}", pytrace=False)


def _give_to_test_case(request: pytest.FixtureRequest, value: object) -> None:
    """Set the fixture's value on a unittest.TestCase, whose methods take no arguments (`usefixtures`)."""
    unittest = sys.modules.get("unittest")
    if unittest is not None and isinstance(request.instance, unittest.TestCase):
        setattr(request.instance, request.fixturename or "", value)
