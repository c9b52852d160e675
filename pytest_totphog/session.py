"""What the fixtures of one pytest process share: its clock, its store, and its server."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from pytest_totphog.authenticator.replay_scope import ReplayScope, ScopedLedger
from pytest_totphog.clocks.clock import as_nanoseconds
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.errors import ClockHeld, InvalidInput
from pytest_totphog.failures.recorder import Recorder
from pytest_totphog.inputs import base_url
from pytest_totphog.settings import app_url, checked, flag, once, option, part_of_run, port, seconds, setting
from pytest_totphog.stores.ledger import MAX_HOLDER
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.xdist import address

if TYPE_CHECKING:
    from pytest_totphog.failures.waiting import Waited
    from pytest_totphog.servers.shared_server import SharedTotpServer
    from pytest_totphog.servers.totp_server import TotpServer
    from pytest_totphog.stores import Store
    from pytest_totphog.stores.ledger import Ledger

__all__ = [
    "borrowed_clock",
    "holder",
    "process_server",
    "record_wait",
    "require_own_time",
    "share_with_forks",
    "shared_store",
]

_recorder_key = pytest.StashKey[Recorder]()
_run_key = pytest.StashKey[str]()
_shared_server_key = pytest.StashKey["SharedTotpServer"]()
_store_key = pytest.StashKey["Store"]()


def check_settings(config: pytest.Config) -> None:
    """Look, before the run, at the settings of the process's clock and server.

    Raises:
        pytest.UsageError: when one is not what is accepted.
    """
    for name, check, value in (
        ("the ini totphog_frozen_at", as_nanoseconds, config.getini("totphog_frozen_at")),
        (setting(config, "url"), base_url, option(config, "url") or "http://localhost"),
    ):
        try:
            check(value)
        except InvalidInput as mistake:
            raise pytest.UsageError(f"{name}: {mistake}") from None


def process_clock(config: pytest.Config) -> FrozenClock:
    """Return the clock of this process: server and tokens read it, and frozen_clock freezes it."""
    return _recorder(config).clock


@contextmanager
def borrowed_clock(request: pytest.FixtureRequest) -> Iterator[FrozenClock]:
    """The process's clock; it is given back live, or where a wider-scoped fixture had frozen it."""
    clock = process_clock(request.config)
    frozen_at = clock.now() if clock.mode == "frozen" else None
    applied_to, kept_patch = clock.applied_to, clock.kept_patch
    try:
        yield clock
    finally:
        # With several borrowers in a test it is frozen_clock that gives it back: others tear down in its time.
        if request.fixturename == "frozen_clock" or "frozen_clock" not in request.fixturenames:
            clock.release(applied_to)
            if frozen_at is None:
                clock.unfreeze()
                clock.kept_patch = kept_patch
            else:
                clock.freeze(frozen_at, kept_patch)


def require_own_time(clock: FrozenClock, patch: str | None, fixtures: Collection[str]) -> None:
    """Do nothing, unless frozen_clock would freeze time that somebody else has stopped, or would move.

    Args:
        clock: the live clock.
        patch: what else is to stand still.
        fixtures: the names of the test's fixtures.

    Raises:
        ClockHeld: when it would.
    """
    by = clock.stopped_by()
    if patch == "freezegun" and (by == "time-machine" or "time_machine" in fixtures):
        raise ClockHeld(
            "time-machine moves the time of this test, and does not reach what freezegun has stopped; let frozen_clock "
            "stop it by time-machine too: --totphog-clock-patch time-machine"
        )
    # time-machine nests; and without a patch the process's time is left to whom it belongs.
    if by not in {"", "time-machine"} and patch is not None:
        raise ClockHeld(
            f"time is stopped by {by}, not by frozen_clock; take one of them. frozen_clock stops time.time and "
            "datetime too, and its tick(), move_to() and one_time_code() move them"
        )


def record_wait(config: pytest.Config, waited: Waited) -> None:
    """Record that the running test has waited, for its report and the summary."""
    _recorder(config).wait(waited)


def shared_store(config: pytest.Config) -> Store:
    """Return the store of what test processes share: claims on codes, and leases of accounts.

    With `--totphog-url` it is the running server's, in a worker of pytest-xdist its controller's, else this process's.
    """
    return once(config, _store_key, partial(_store, config))


def share_with_forks(config: pytest.Config) -> None:
    """Make what this process and those that are forked from it share: masks, and the ledger unless others keep it."""
    from pytest_totphog.secrecy.masks import known_secrets

    known_secrets(config)
    if not option(config, "url") and address(config) is None and not hasattr(config, "workerinput"):
        shared_store(config)


def process_server(config: pytest.Config) -> TotpServer:
    """Return the server that totp_server gives: one in this process, or with `--totphog-url` the running one."""
    if option(config, "url"):
        return _shared_server(config)
    from pytest_totphog.servers.totp_server import TotpServer

    server: TotpServer = checked(
        "totp_server",
        TotpServer,
        option(config, "host"),
        port(config),
        clock=process_clock(config),
        store=MemoryStore(_ledger(config)),
        scope=ReplayScope,  # the ledger knows
        **_code_options(config),
    )
    return server


def _recorder(config: pytest.Config) -> Recorder:
    """Return the recorder of this process, which brings the clock along that it looks at."""

    def make() -> Recorder:
        app = app_url(config) if flag(config, "totphog_app_clock") else None
        recorder = Recorder(FrozenClock(), lambda: _ledger(config), app, option(config, "url"))
        config.pluginmanager.register(recorder, "totphog-recorder")
        return recorder

    return once(config, _recorder_key, make)


def _store(config: pytest.Config) -> Store:
    if option(config, "url"):
        return _shared_server(config).store
    shared = address(config)
    if shared is None and not hasattr(config, "workerinput"):
        return MemoryStore()
    if shared is None:
        # Codes of a ledger of one's own would be handed out twice, and nobody would know why logins fail.
        pytest.fail(
            "this worker of pytest-xdist has got no address of the ledger from its controller: is pytest-totphog "
            "installed, in the same version, and not switched off where the controller runs?",
            pytrace=False,
        )
    from pytest_totphog.stores.remote import RemoteStore

    store = RemoteStore(**shared, name="the ledger that pytest-xdist's controller serves to its workers")
    config.add_cleanup(store.close)
    return store


def _shared_server(config: pytest.Config) -> SharedTotpServer:
    return once(config, _shared_server_key, partial(_make_shared_server, config))


def _make_shared_server(config: pytest.Config) -> SharedTotpServer:
    from pytest_totphog.secrecy.masks import learn_api_key
    from pytest_totphog.servers.shared_server import SharedTotpServer

    api_key = os.environ.get("TOTPHOG_API_KEY", "").strip() or None
    if api_key is not None:
        learn_api_key(config, api_key)
    server: SharedTotpServer = checked(
        "the environment's TOTPHOG_API_KEY",
        SharedTotpServer,
        option(config, "url"),
        api_key=api_key,
        namespace=_namespace(config),
        clock=process_clock(config),
        holder=partial(holder, config),
        scope=partial(_scope, config),
        **_code_options(config),
    )
    config.add_cleanup(server.store.close)
    config.pluginmanager.register(_ScopeTeller(server), "totphog-scope-teller")
    return server


def holder(config: pytest.Config) -> str:
    """Return who takes a code or an account, as others find it: the test, its worker, and among many runs its job."""
    from pytest_totphog.authenticator.authenticator import running_test

    if not option(config, "url"):
        return running_test()
    github = os.environ.get("GITHUB_RUN_ID")
    job = os.environ.get("CI_JOB_URL") or os.environ.get("BUILD_URL") or (github and f"GitHub run {github}")
    place = f" ({job or socket.gethostname()})"
    return running_test()[: MAX_HOLDER - len(place)] + place


def _code_options(config: pytest.Config) -> dict[str, Any]:
    from pytest_totphog.secrecy.masks import known_secrets, learn_token

    known_secrets(config)  # here, and not when the first token is made, which may be in another thread
    options: dict[str, Any] = {
        "timeout": seconds(config, "totphog_timeout"),
        "on_code": _recorder(config).record,
        "on_token": partial(learn_token, config),
    }
    if config.getini("totphog_min_remaining"):
        options["min_remaining"] = seconds(config, "totphog_min_remaining")
    return options


def _namespace(config: pytest.Config) -> str:
    """Return the name of this run and worker, unlike any other's."""
    worker = getattr(config, "workerinput", {"workerid": "main"})["workerid"]
    return f"{_run(config)}-{worker}"


def _run(config: pytest.Config) -> str:
    """Return the name of this run, the same in all its workers, and unlike any other's."""
    # Not pytest-xdist's name of it, which `--testrunuid` makes anything, and the same in several jobs.
    shared = address(config)
    return config.stash.setdefault(
        _run_key, uuid.uuid4().hex if shared is None else sha256(shared["api_key"].encode()).hexdigest()[:32]
    )


def _scope(config: pytest.Config) -> ReplayScope:
    """Return where a claim counts now."""
    return ReplayScope(_run(config) if option(config, "url") else "", part_of_run(config))


def _ledger(config: pytest.Config) -> Ledger:
    """Return the ledger of what was handed out, as far as the app under test remembers it."""
    return ScopedLedger(shared_store(config), process_clock(config), partial(_scope, config))


class _ScopeTeller:
    """Tells a shared server where claims over HTTP count, test by test."""

    def __init__(self, server: SharedTotpServer) -> None:
        self._server = server

    def pytest_runtest_setup(self) -> None:
        """Tell it, after it has been found out."""
        checked("--totphog-url", self._server.show_scope)
