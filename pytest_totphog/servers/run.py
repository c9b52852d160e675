"""What the tests of one process share where pytest does not run them: clock, ledger, server and recorder."""

from __future__ import annotations

import atexit
import os
import secrets
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from pytest_totphog.authenticator.authenticator import Authenticator, this_process
from pytest_totphog.authenticator.replay_scope import ReplayScope, ScopedLedger
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import StoreError
from pytest_totphog.failures.recorder import Recorder
from pytest_totphog.servers.own_place import OwnPlace
from pytest_totphog.servers.totp_server import place_of, server_at
from pytest_totphog.stores.ledger import MAX_HOLDER, MemoryLedger
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.gate import Gate

if TYPE_CHECKING:
    from pytest_totphog.servers.totp_server import TotpServer

__all__ = ["SCOPES", "Run", "Shared", "share_claims", "shared", "stand_in"]

# The environment's variable with the file that the processes of a run share.
VARIABLE: Final = "TOTPHOG_CLAIMS"
# For how long an app may remember used codes.
SCOPES: Final = ("session", "class", "function")

_stand_ins: list[Shared] = []


class Shared(Protocol):
    """What all tests of a process share: a `Run`, or what pytest's fixtures give."""

    @property
    def clock(self) -> FrozenClock:
        """The clock that server and tokens read, and that `frozen_clock` freezes."""

    @property
    def server(self) -> TotpServer:
        """The server, which runs."""


class Run:
    """What the tests of this process share; there is one for each process, see `Run.current`.

    Attributes:
        clock: the clock that server and tokens read, and that `frozen_clock` freezes.
        recorder: records what the running test takes.
        test: the name of the running test; empty between tests.
        part: the part of the run for which the app remembers used codes; empty for all of it.
    """

    clock: FrozenClock

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.test = ""
        self.part = ""
        self._store = MemoryStore(_ledger())
        self._ledger = ScopedLedger(self._store, self.clock, lambda: ReplayScope(part=self.part))
        self.recorder = Recorder(self.clock, lambda: self._ledger)
        self._starting = threading.Lock()
        self._server: TotpServer | None = None

    @classmethod
    def current(cls) -> Run:
        """Return the run of this process, made for the first who asks; a forked process has its own."""
        return _run_of(os.getpid())

    @property
    def server(self) -> TotpServer:
        """The server, which runs from the first use to the end of the process."""
        with self._starting:
            if self._server is None:
                authenticator = Authenticator(
                    self.clock,
                    self._store.repository(Token),
                    self._ledger,
                    holder=self._holder,
                    on_code=self.recorder.record,
                )
                self._server = server_at(OwnPlace(authenticator, self._store, Gate(), "127.0.0.1", 0))
                atexit.register(self._server.stop)
            place_of(self._server).start_when_possible()
            return self._server

    @contextmanager
    def running(self, test: str, cls: type, scope: str) -> Iterator[None]:
        """Let a test run.

        Args:
            test: its name.
            cls: its class.
            scope: how long the app remembers used codes, one of `SCOPES`.
        """
        parts = {"session": "", "class": _part_of(cls), "function": uuid.uuid4().hex}
        self.test, self.part = test, parts[scope]
        try:
            yield
        finally:
            self.recorder.end(self.test, self.part)
            self.test = self.part = ""

    def _holder(self) -> str:
        return (self.test or this_process())[:MAX_HOLDER]


def shared() -> Shared:
    """Return what the tests of this process share."""
    return _stand_ins[-1] if _stand_ins else Run.current()


@contextmanager
def stand_in(other: Shared) -> Iterator[None]:
    """Let the tests of this process share something else than its run: what pytest's fixtures give."""
    _stand_ins.append(other)
    try:
        yield
    finally:
        _stand_ins.remove(other)


@cache
def _part_of(cls: type) -> str:  # noqa: ARG001 # it is what a name is kept by
    """Return a name of a class that no other has, in any process or run."""
    return uuid.uuid4().hex


@cache
def _run_of(process: int) -> Run:  # noqa: ARG001 # it is what a run is kept by
    return Run()


def share_claims() -> None:
    """Let the processes that this one starts share what they hand out: it names a file for it in the environment.

    Does nothing where it is named already, as in those processes, and on Windows.
    """
    if sys.platform == "win32" or os.environ.get(VARIABLE):
        return
    path = Path(tempfile.gettempdir(), f"totphog-claims-{secrets.token_hex(8)}")
    os.environ[VARIABLE] = str(path)
    atexit.register(_forget, path, os.getpid())


def _forget(path: Path, process: int) -> None:
    if os.getpid() == process:
        path.unlink(missing_ok=True)


def _ledger() -> MemoryLedger:
    path = os.environ.get(VARIABLE)
    if not path or sys.platform == "win32":
        return MemoryLedger()
    from pytest_totphog.stores.claim_log import ClaimLog

    try:
        return MemoryLedger(log=ClaimLog(path))
    except OSError as error:
        # With a ledger of its own, this process would hand out the others' codes again.
        raise StoreError(
            f"the file that the environment's {VARIABLE} names for what was handed out cannot be used: {error}; "
            "accepted is a file that only this user may read and write, or one that is not there yet"
        ) from None
