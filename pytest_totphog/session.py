"""What the fixtures of one pytest process share: its clock, store, server, secrets and recorder."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import pytest

from pytest_totphog.authenticator.replay_scope import ReplayScope, ScopedLedger
from pytest_totphog.clocks.frozen_clock import FrozenClock, snapshot
from pytest_totphog.clocks.instants import as_nanoseconds
from pytest_totphog.errors import InvalidInput
from pytest_totphog.failures.hooks import RecorderHooks
from pytest_totphog.failures.recorder import Recorder
from pytest_totphog.inputs import base_url
from pytest_totphog.settings import (
    app_url,
    call_or_fail,
    flag,
    marker_arguments,
    option,
    part_of_run,
    port,
    seconds,
    setting,
)
from pytest_totphog.stores.ledger import MAX_HOLDER
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.xdist import address, controller_store

if TYPE_CHECKING:
    from pytest_totphog.authenticator.accounts import Account, TotpAccount
    from pytest_totphog.authenticator.totp_token import TotpToken
    from pytest_totphog.secrecy.masks import Masks
    from pytest_totphog.servers.own_place import OwnPlace
    from pytest_totphog.servers.practice import PracticeBackend
    from pytest_totphog.servers.shared_place import SharedPlace
    from pytest_totphog.servers.totp_server import TotpServer
    from pytest_totphog.stores import Store
    from pytest_totphog.stores.leases import Leases

__all__ = ["FixturesOf", "Session", "add_token"]

Value = TypeVar("Value")

# Held while something that a session keeps is made, which may need another such thing.
_MAKING: Final = threading.RLock()


class _Once(Generic[Value]):
    """A property that is made at the first access; other threads wait for it.

    pytest-xdist's controller, for one, calls hooks in a thread for each worker.
    """

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, session: Session, owner: type[Session]) -> Value:
        name, made = self._make.__name__, vars(session)
        with _MAKING:
            if name not in made:
                made[name] = self._make(session)  # where Python finds it the next time, without a lock
            value: Value = made[name]
        return value


class Session:
    """What the fixtures of one pytest process share; there is one for each config, see `Session.of`.

    Args:
        config: pytest's.

    Attributes:
        config: see above.
        clock: the clock that server and tokens read, and that frozen_clock freezes.
        recorder: records what the running test takes.
    """

    _key = pytest.StashKey["Session"]()

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.clock = FrozenClock()
        app = app_url(config) if flag(config, "totphog_app_clock") else None
        self.recorder = Recorder(self.clock, lambda: self.ledger, app, option(config, "url"))
        config.pluginmanager.register(RecorderHooks(self.recorder), "totphog-recorder")

    @classmethod
    def of(cls, config: pytest.Config) -> Session:
        """Return the session of a config, made at the first call."""
        with _MAKING:
            if cls._key not in config.stash:
                config.stash[cls._key] = cls(config)
            return config.stash[cls._key]

    def check_settings(self) -> None:
        """Look, before the run, at the settings of clock and server.

        Raises:
            pytest.UsageError: when one is not what is accepted.
        """
        for name, check, value in (
            ("the ini totphog_frozen_at", as_nanoseconds, self.config.getini("totphog_frozen_at")),
            (setting(self.config, "url"), base_url, option(self.config, "url") or "http://localhost"),
        ):
            try:
                check(value)
            except InvalidInput as mistake:
                raise pytest.UsageError(f"{name}: {mistake}") from None

    @_Once
    def secrets(self) -> Masks:
        """The secrets that this process knows; from the first use on they are masked."""
        from pytest_totphog.secrecy.masks import Masks

        masks = Masks(self.config)
        self.config.pluginmanager.register(masks, "totphog-masks")
        return masks

    @_Once
    def store(self) -> Store:
        """The store of what test processes share: claims on codes, and leases of accounts.

        With `--totphog-url` it is the running server's, in a worker of pytest-xdist its controller's, else this
        process's.
        """
        if option(self.config, "url"):
            return self._shared_place.store
        return controller_store(self.config) or MemoryStore()

    @property
    def ledger(self) -> ScopedLedger:
        """The ledger of what was handed out, as far as the app under test remembers it."""
        return ScopedLedger(self.store, self.clock, self._scope)

    @_Once
    def leases(self) -> Leases:
        """The leases of accounts: which test has which."""
        from pytest_totphog.stores.leases import Lease, Leases

        return Leases(self.store.repository(Lease))

    def server(self) -> TotpServer:
        """Return the server that totp_server gives: a new one, or with `--totphog-url` the one that runs."""
        from pytest_totphog.servers.totp_server import server_at

        return server_at(self._shared_place if option(self.config, "url") else self._own_place())

    def start(self, server: TotpServer) -> None:
        """Start a server for a fixture, unless it runs."""
        from pytest_totphog.servers.totp_server import place_of

        call_or_fail("totp_server", place_of(server).start_when_possible)

    @contextmanager
    def borrowed_server(self, server: TotpServer) -> Iterator[None]:
        """Let a test use a server: it runs, and the tokens that the test adds are gone afterwards."""
        from pytest_totphog.servers.totp_server import place_of

        self.start(server)
        tokens = call_or_fail("totp_server", lambda: server.tokens)
        yield
        call_or_fail("totp_server", place_of(server).restore, tokens)

    def holder(self) -> str:
        """Return the holder of a code or an account: the test, its worker, and among many runs its job."""
        from pytest_totphog.authenticator.authenticator import running_test

        if not option(self.config, "url"):
            return running_test()
        github = os.environ.get("GITHUB_RUN_ID")
        job = os.environ.get("CI_JOB_URL") or os.environ.get("BUILD_URL") or (github and f"GitHub run {github}")
        place = f" ({job or socket.gethostname()})"
        return running_test()[: MAX_HOLDER - len(place)] + place

    def share_with_forks(self) -> None:
        """Make what processes that are forked from this one share with it: masks, and the store if it is in memory."""
        _ = self.secrets
        if not option(self.config, "url") and address(self.config) is None and not hasattr(self.config, "workerinput"):
            _ = self.store

    @contextmanager
    def borrowed_clock(self, request: pytest.FixtureRequest) -> Iterator[FrozenClock]:
        """The clock for a fixture; it is given back live, or where a wider-scoped fixture had frozen it."""
        restore = snapshot(self.clock)
        try:
            yield self.clock
        finally:
            # With several borrowers in a test it is frozen_clock that gives it back: others tear down in its time.
            if request.fixturename == "frozen_clock" or "frozen_clock" not in request.fixturenames:
                restore()

    @contextmanager
    def backend(self, request: pytest.FixtureRequest, name: str, **options: Any) -> Iterator[PracticeBackend]:
        """A running practice backend for a fixture, as the markers of its test want it."""
        from pytest_totphog.servers.practice import PracticeBackend, policy_of

        names = ("window", "one_time", "max_failures", "lockout_seconds", "reregister")
        arguments = marker_arguments(request, "totp_policy", names)
        options["policy"] = call_or_fail("@pytest.mark.totp_policy", policy_of, name, **arguments)
        options["flaws"] = _flaws(request)
        source = "@pytest.mark.totp_flaws" if options["flaws"] else str(request.fixturename)
        with (
            self.borrowed_clock(request) as clock,
            call_or_fail(source, PracticeBackend, name, clock=clock, **options) as backend,
        ):
            yield backend

    def read_accounts(self) -> list[Account]:
        """Return the accounts that the ini totphog_account_pool names; from now on their secrets are masked."""
        from pytest_totphog.authenticator.accounts import read_accounts

        source = str(self.config.getini("totphog_account_pool"))
        if not source:
            pytest.fail(
                "totp_account has no accounts to choose from; name a JSON file, or an environment variable as "
                "env:NAME, in the ini totphog_account_pool, or override the fixture totp_account_pool",
                pytrace=False,
            )
        path = source if source.startswith("env:") else self.config.rootpath / Path(source).expanduser()
        accounts: list[Account] = call_or_fail("ini totphog_account_pool", read_accounts, path)
        self.secrets.learn_accounts(accounts)
        return accounts

    @contextmanager
    def accounts(self, entries: object, server: TotpServer) -> Iterator[Callable[[], TotpAccount]]:
        """A function that takes one account after the other of a list, see `as_accounts`; all are given back."""
        from pytest_totphog.authenticator.accounts import AccountPool, TotpAccount, as_accounts

        accounts = call_or_fail("totp_account_pool", as_accounts, entries)
        self.secrets.learn_accounts(accounts)
        pool = AccountPool(accounts, self.leases, seconds(self.config, "totphog_account_timeout"))

        def take() -> TotpAccount:
            account = call_or_fail("totp_account", pool.take, self.holder())
            return TotpAccount(account.name, account.password, server.add_uri(account.token.uri))

        yield take
        call_or_fail("totp_account", pool.close)

    def _own_place(self) -> OwnPlace:
        from pytest_totphog.authenticator.authenticator import Authenticator
        from pytest_totphog.credentials.token import Token
        from pytest_totphog.servers.own_place import OwnPlace
        from pytest_totphog.wsgi.gate import gate_for

        store, host = MemoryStore(self.ledger), option(self.config, "host")
        authenticator = Authenticator(self.clock, store.repository(Token), store.ledger, **self._code_options())
        return OwnPlace(authenticator, store, call_or_fail("totp_server", gate_for, host), host, port(self.config))

    @_Once
    def _shared_place(self) -> SharedPlace:
        from pytest_totphog.servers.shared_place import SharedPlace

        api_key = os.environ.get("TOTPHOG_API_KEY", "").strip() or None
        if api_key is not None:
            self.secrets.learn_api_key(api_key)
        place: SharedPlace = call_or_fail(
            "the environment's TOTPHOG_API_KEY",
            SharedPlace,
            option(self.config, "url"),
            api_key=api_key,
            namespace=self._namespace,
            clock=self.clock,
            holder=self.holder,
            scope=self._scope,
            **self._code_options(),
        )
        self.config.add_cleanup(place.store.close)
        self.config.pluginmanager.register(_ScopeSender(place), "totphog-scope-sender")
        return place

    def _code_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "timeout": seconds(self.config, "totphog_timeout"),
            "on_code": self.recorder.record,
            "on_token": self.secrets.learn_token,  # made here, and not with the first token, in whatever thread
        }
        if self.config.getini("totphog_min_remaining"):
            options["min_remaining"] = seconds(self.config, "totphog_min_remaining")
        return options

    @property
    def _namespace(self) -> str:
        """The name of this run and worker, unlike any other's."""
        worker = getattr(self.config, "workerinput", {"workerid": "main"})["workerid"]
        return f"{self._run}-{worker}"

    @_Once
    def _run(self) -> str:
        """The name of this run, the same in all its workers, and unlike any other's."""
        # Not pytest-xdist's name of it, which `--testrunuid` makes anything, and the same in several jobs.
        shared = address(self.config)
        return uuid.uuid4().hex if shared is None else sha256(shared["api_key"].encode()).hexdigest()[:32]

    def _scope(self) -> ReplayScope:
        """Return where a claim counts now."""
        return ReplayScope(self._run if option(self.config, "url") else "", part_of_run(self.config))


class FixturesOf:
    """What the fixtures give, for test cases that take none.

    Args:
        item: the running test.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    @property
    def clock(self) -> FrozenClock:
        """The clock that frozen_clock freezes."""
        return Session.of(self._item.config).clock

    @property
    def server(self) -> TotpServer:
        """The server that totp_server_session gives."""
        request: pytest.FixtureRequest = self._item._request  # type: ignore[attr-defined] # noqa: SLF001 # has no other name
        server: TotpServer = request.getfixturevalue("totp_server_session")
        return server


def add_token(server: TotpServer, arguments: dict[str, Any], *positional: Any) -> TotpToken:
    """Add a token that a marker or a test describes; a `uri` says all of it.

    Raises:
        InvalidInput: when an argument is not what is accepted.
    """
    __tracebackhide__ = True  # pytest prints arguments, and among these is a secret
    if positional or "uri" not in arguments:
        return server.add_token(*positional, **arguments)
    if len(arguments) > 1:
        raise InvalidInput(f"uri says it all; also given: {', '.join(sorted(set(arguments) - {'uri'}))}")
    return server.add_uri(**arguments)


def _flaws(request: pytest.FixtureRequest) -> tuple[Any, ...]:
    """Return the mistakes that the markers of a test, its class and its module name, all together."""
    markers = list(request.node.iter_markers("totp_flaws"))
    for unknown in [each for marker in markers for each in marker.kwargs]:
        pytest.fail(f"@pytest.mark.totp_flaws takes names, and no {unknown}=…", pytrace=False)
    return tuple(each for marker in markers for each in marker.args)


class _ScopeSender:
    """Sends a shared server where claims over HTTP count, test by test."""

    def __init__(self, place: SharedPlace) -> None:
        self._place = place

    def pytest_runtest_setup(self) -> None:
        """Send it, after the plugin has read the test's marker."""
        call_or_fail("--totphog-url", self._place.send_scope)
