"""What pytest sees: options, markers, fixtures. No logic, and nothing heavy until a test asks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_totphog.settings import (
    BATTERY_PROPERTY,
    CODES_PROPERTY,
    MARKERS,
    add_options,
    call_or_fail,
    check_settings,
    clock_patch,
    enter_part,
    flag,
    marker_arguments,
    option,
    replay_scope,
    says_when_or_where,
    warn_of_unread_markers,
)

if TYPE_CHECKING:
    from pytest_totphog.authenticator.accounts import Account, TotpAccount
    from pytest_totphog.authenticator.factory import TotpTokenFactory
    from pytest_totphog.authenticator.totp_token import TotpToken
    from pytest_totphog.backends.mailbox import Mailbox
    from pytest_totphog.clocks.frozen_clock import FrozenClock
    from pytest_totphog.servers.practice import PracticeBackend
    from pytest_totphog.servers.totp_server import TotpServer
    from pytest_totphog.session import Session


class _Reported:
    """What tests reported of codes and the battery, in this process or, under pytest-xdist, in its workers."""

    def __init__(self) -> None:
        self.tests: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the last report of a test that has codes or findings."""
        if report.when == "teardown" and any(name.startswith("totphog_") for name, _ in report.user_properties):
            self.tests.append(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report of --totphog-report: the battery's findings, and what failed tests had taken."""
        if option(session.config, "report") and not session.config.option.collectonly:
            from pytest_totphog.report.hooks import write_report

            write_report(session, self.tests)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Show what the battery found, how many one-time codes the tests took, and how long they waited for them."""
        if option(config, "report") or self._with(BATTERY_PROPERTY):
            from pytest_totphog.report.hooks import summarise

            summarise(terminalreporter, self.tests)
        if waiting := self._with(CODES_PROPERTY):
            from pytest_totphog.failures.waiting import summary

            terminalreporter.write_line(summary(waiting))

    def _with(self, wanted: str) -> list[pytest.TestReport]:
        return [report for report in self.tests if any(name == wanted for name, _ in report.user_properties)]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options and ini values."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and look at where a report is to be written."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    replay_scope(config)
    if not hasattr(config, "workerinput"):
        if option(config, "report"):
            from pytest_totphog.report.hooks import check_path

            check_path(config)
        config.pluginmanager.register(_Reported(), "totphog-reported")
    if flag(config, "totphog_leak_check") and not config.option.collectonly:
        from pytest_totphog.secrecy.leak_check import LeakCheck

        config.pluginmanager.register(LeakCheck(config, lambda: _session(config).secrets), "totphog-leak-check")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let a mistake in an option or ini value end the run before it begins, and not test by test."""
    if hasattr(session.config, "workerinput"):
        return
    check_settings(session.config)
    if says_when_or_where(session.config):
        _session(session.config).check_settings()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let the runs that pytest-xdist's --looponfail starts one after the other share a ledger."""
    if config.getoption("looponfail", default=False):
        from pytest_totphog.xdist import share_with_restarts

        share_with_restarts(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the ledger is that all of them share."""
    from pytest_totphog.xdist import ADDRESS, share

    node.workerinput[ADDRESS] = share(node.config)


@pytest.hookimpl(tryfirst=True)
def pytest_report_from_serializable(config: pytest.Config, data: dict[str, Any]) -> None:
    """Learn what secrets a worker of pytest-xdist knows, before its report is shown or written."""
    if secrets := data.pop("totphog_secrets", None):
        _session(config).secrets.learn_from_worker(secrets)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a key URI in a parametrisation by its argument: the ids of tests are shown everywhere."""
    if isinstance(val, str) and val.lower().startswith(("otpauth://", "otpauth-migration://")):
        return argname
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the marker frozen_clock bring its fixture: a test that says when it runs must not run at another time.

    Under pytest-forked, let there be a ledger before the first test's process is forked.
    """
    if config.pluginmanager.hasplugin("pytest_forked") and (
        config.getoption("forked", default=False) or any(item.get_closest_marker("forked") for item in items)
    ):
        _session(config).share_with_forks()
    for item in items:
        # Before any test: `ssl` makes its class of whatever `socket.socket` is by then, and where that is first a class
        # which pytest-socket puts there for a test, all TLS is blocked for good.
        if "totp_server_session" in getattr(item, "fixturenames", ()) and not item.config.option.collectonly:
            import ssl  # noqa: F401 # for others to find
        if isinstance(item, pytest.Function) and item.get_closest_marker("frozen_clock") is not None:
            # As if the test named it first: what lasts longer than the test is not made in frozen time.
            fixtures = item._fixtureinfo.name2fixturedefs  # noqa: SLF001 # the scope is nowhere else
            wider = [name for name in item.fixturenames if name in fixtures and fixtures[name][-1].scope != "function"]
            # A new list, because the old one belongs to all tests that one function is parametrised to.
            item.fixturenames = list(dict.fromkeys([*wider, "frozen_clock", *item.fixturenames]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let test cases of `pytest_totphog.unittest` share what the fixtures give."""
    if "pytest_totphog.unittest" not in sys.modules:
        return (yield)
    from pytest_totphog.servers.run import stand_in
    from pytest_totphog.session import FixturesOf

    with stand_in(FixturesOf(item)):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Keep for how long the app remembers used codes; say of a marker that the test takes nothing it could shape."""
    enter_part(item)
    if item.own_markers:
        warn_of_unread_markers(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Name the fixture to use where a wider-scoped fixture requested one that is made for each test."""
    report = yield
    if call.when == "setup" and call.excinfo is not None and call.excinfo.errisinstance(pytest.fail.Exception):
        from pytest_totphog.failures.scopes import advice

        if text := advice(str(call.excinfo.value)):
            report.sections.append(("TOTP", text))
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Keep pytest from explaining, character by character, how two secrets differ."""
    tokens = sys.modules.get("pytest_totphog.credentials.token")
    if tokens is None or not (isinstance(left, tokens.Secret) or isinstance(right, tokens.Secret)):
        return None
    return [f"a secret {op} another text (pytest-totphog does not show secrets)"]


@pytest.fixture(scope="session")
def totp_server_session(pytestconfig: pytest.Config) -> Iterator[TotpServer]:
    """The server that totp_server gives, for session-, module- and class-scoped fixtures.

    Example:
        @pytest.fixture(scope="module")
        def phone(totp_server_session):
            return totp_server_session.enroll(SECRET)
    """
    session = _session(pytestconfig)
    server = session.server()
    session.start(server)
    yield server
    server.stop()


@pytest.fixture
def totp_server(totp_server_session: TotpServer, request: pytest.FixtureRequest) -> Iterator[TotpServer]:
    """The running TOTP server, an authenticator app for tests: add_token(), enroll(), tokens, url, api_url, clock.

    A test starts from the tokens that wider-scoped fixtures made, and what it adds is gone after it.

    Example:
        def test_login(app, totp_server):
            phone = totp_server.enroll(app.show_setup_page())
            assert app.log_in("alice", phone.one_time_code())
    """
    session = _session(request.config)
    with session.borrowed_clock(request), session.borrowed_server(totp_server_session):
        _give_to_test_case(request, totp_server_session)
        yield totp_server_session


@pytest.fixture
def totp_token(totp_server: TotpServer, request: pytest.FixtureRequest) -> TotpToken:
    """A fresh token with a random secret, registered in totp_server: now(), one_time_code(), wrong_code(), uri.

    `@pytest.mark.totp(secret=…, digits=…, period=…, algorithm=…, issuer=…, name=…, uri=…)` shapes it.

    Example:
        def test_login(app, totp_token):
            app.add_user("alice", totp_secret=totp_token.secret)
            assert app.log_in("alice", totp_token.one_time_code())
    """
    from pytest_totphog.session import add_token

    arguments = marker_arguments(request, "totp", ("secret", "digits", "period", "algorithm", "issuer", "name", "uri"))
    if "uri" not in arguments:
        # So that a page full of tokens, and an explanation, name the test of each.
        arguments.setdefault("name", ascii(request.node.name)[1:-1][:80])
    token: TotpToken = call_or_fail("@pytest.mark.totp", add_token, totp_server, arguments)
    _give_to_test_case(request, token)
    return token


@pytest.fixture(scope="session")
def totp_token_factory(totp_server_session: TotpServer) -> TotpTokenFactory:
    """Makes a token each time it is called, with the arguments of the marker totp: digits=8, name='alice'.

    The tokens stay until the session ends; those that a test makes are gone after it if it takes totp_server too.

    Example:
        alice, bob = totp_token_factory(name="alice"), totp_token_factory(name="bob", digits=8)
    """
    from pytest_totphog.session import add_token

    def make(*positional: Any, **arguments: Any) -> TotpToken:
        __tracebackhide__ = True
        return add_token(totp_server_session, arguments, *positional)

    return make


@pytest.fixture
def frozen_clock(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[FrozenClock]:
    """Time stands still, at 2024-01-15T10:30:00Z, until moved: tick(), next_step(), move_to(), unfreeze().

    Server, tokens, time.time and datetime stop; time.monotonic, sleep and all time-outs run on.
    An app in another process follows when it is started with the environment subprocess_env(), a page in a browser
    after apply_to(page).
    `@pytest.mark.frozen_clock("2025-06-01T12:00:00Z", patch=None)` or the ini totphog_frozen_at say when and what.

    Example:
        def test_code_expires(app, totp_token, frozen_clock):
            code = totp_token.one_time_code()
            frozen_clock.tick(5 * 60)
            assert not app.log_in("alice", code)
    """
    from pytest_totphog.clocks.frozen_clock import companions_of
    from pytest_totphog.clocks.stopped_time import require_own_time, stopped_by

    defaults = {"at": pytestconfig.getini("totphog_frozen_at"), "patch": clock_patch(pytestconfig)}
    arguments = defaults | marker_arguments(request, "frozen_clock", ("at", "patch"))
    with _session(pytestconfig).borrowed_clock(request) as clock:
        clock.unfreeze()  # a clock that is frozen already would keep its patch
        call_or_fail(
            "frozen_clock", require_own_time, stopped_by(clock.monotonic), arguments["patch"], request.fixturenames
        )
        call_or_fail("@pytest.mark.frozen_clock", clock.freeze, **arguments)
        _give_to_test_case(request, clock)
        companions_of(clock).held = True
        yield clock
        companions_of(clock).held = False
        clock.unfreeze()


@pytest.fixture
def totp_mailbox(request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    """An SMTP server in this process that keeps every mail: host, port, messages, wait_for_message(), wait_for_code().

    Let your app send its mails to it.

    Example:
        def test_mailed_code(app, totp_mailbox):
            app.settings.update(smtp_host=totp_mailbox.host, smtp_port=totp_mailbox.port)
            app.send_code("alice@example.com")
            assert app.log_in("alice", totp_mailbox.wait_for_code(to="alice@example.com"))
    """
    from pytest_totphog.backends.mailbox import Mailbox

    with Mailbox() as mailbox:
        _give_to_test_case(request, mailbox)
        yield mailbox


@pytest.fixture
def simple_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend: register a user, get a code, verify it. url, clock, policy, reset().

    `@pytest.mark.totp_policy(one_time=True, max_failures=5, reregister=False)` makes it strict.

    Example:
        def test_login(simple_backend, totp_server):
            user = requests.post(f"{simple_backend.url}/register", json={"username": "alice"}).json()
            phone = totp_server.enroll(user["secret"])
    """
    yield from _backend(request, "simple")


@pytest.fixture
def email_mfa_backend(request: pytest.FixtureRequest, totp_mailbox: Mailbox) -> Iterator[PracticeBackend]:
    """A running practice backend that mails its codes and reset links to totp_mailbox. url, clock, policy, reset().

    `@pytest.mark.totp_policy(max_failures=3)` changes what its verifier accepts.

    Example:
        def test_login(email_mfa_backend, totp_mailbox):
            requests.post(f"{email_mfa_backend.url}/login", json={"email": "alice@example.com", "password": "…"})
            code = totp_mailbox.wait_for_code(to="alice@example.com")
    """
    yield from _backend(request, "email-mfa", mailbox=totp_mailbox)


@pytest.fixture
def vault_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend that keeps its users' TOTP credentials behind bearer tokens. url, clock, reset().

    Example:
        def test_list(vault_backend, bearer):
            totps = requests.get(f"{vault_backend.url}/api/management/totp", headers={"Authorization": bearer}).json()
    """
    yield from _backend(request, "vault")


@pytest.fixture
def login_demo_backend(request: pytest.FixtureRequest) -> Iterator[PracticeBackend]:
    """A running practice backend: a two-factor login with set-up, backup codes and a page. url, clock, policy, reset().

    `@pytest.mark.totp_policy(window=0, max_failures=5)` changes what its verifier accepts.

    Example:
        def test_login(login_demo_backend, alice, phone):
            login = alice | {"totpCode": phone.one_time_code()}
            assert requests.post(f"{login_demo_backend.url}/api/auth/login", json=login).ok
    """
    yield from _backend(request, "login-demo")


@pytest.fixture(scope="session")
def totp_account_pool(pytestconfig: pytest.Config) -> list[Account]:
    """The accounts that totp_account chooses from, as the ini totphog_account_pool says.

    Override it to return a list of your own: each an Account, or a dict of name, password, and secret or uri.

    Example:
        @pytest.fixture(scope="session")
        def totp_account_pool():
            return [{"name": "alice", "password": "correct horse", "secret": os.environ["ALICE_SECRET"]}]
    """
    return _session(pytestconfig).read_accounts()


@pytest.fixture
def totp_account(totp_account_factory: Callable[[], TotpAccount], request: pytest.FixtureRequest) -> TotpAccount:
    """An account of totp_account_pool that no other worker or job has until this test ends: name, password, token.

    It is the one unused for longest. When others have them all, the test waits.

    Example:
        def test_login(page, totp_account):
            log_in(page, totp_account.name, totp_account.password, totp_account.token.one_time_code())
    """
    account = totp_account_factory()
    _give_to_test_case(request, account)
    return account


@pytest.fixture
def totp_account_factory(
    totp_server: TotpServer, totp_account_pool: object, pytestconfig: pytest.Config
) -> Iterator[Callable[[], TotpAccount]]:
    """Takes another account each time it is called, as totp_account does, for tests that need several at once.

    Example:
        sender, receiver = totp_account_factory(), totp_account_factory()
    """
    with _session(pytestconfig).accounts(totp_account_pool, totp_server) as take:
        yield take


def _session(config: pytest.Config) -> Session:
    from pytest_totphog.session import Session

    return Session.of(config)


def _backend(request: pytest.FixtureRequest, name: str, **options: Any) -> Iterator[PracticeBackend]:
    with _session(request.config).backend(request, name, **options) as backend:
        _give_to_test_case(request, backend)
        yield backend


def _give_to_test_case(request: pytest.FixtureRequest, value: object) -> None:
    """Set the fixture's value on a unittest.TestCase, whose methods take no arguments (`usefixtures`)."""
    unittest = sys.modules.get("unittest")
    if unittest is not None and isinstance(request.instance, unittest.TestCase):
        setattr(request.instance, request.fixturename or "", value)
