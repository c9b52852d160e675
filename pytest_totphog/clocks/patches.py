"""What makes the process's wall clock stand still: time-machine, freezegun, or nothing."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal, Protocol, TypeAlias

from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.clocks.leftovers import leftovers
from pytest_totphog.errors import ClockHeld, MissingExtra, TotphogError, hidden_in_reports

__all__ = ["AUTO", "PATCHES", "Patch", "PatchName", "choose"]

__tracebackhide__ = hidden_in_reports

PatchName: TypeAlias = Literal["auto", "freezegun", "time-machine"]

# The best that is installed.
AUTO: Final = "auto"
# Of the modules that freezegun exempts by default, those that an app's name is likely to begin with.
_SHORT_NAMES: Final = ("gi", "multiprocessing", "queue", "threading")


class Patch(Protocol):
    """Makes the process's wall clock stand still, and nothing else."""

    def start(self, nanoseconds: int) -> None:
        """Stand at an instant."""
        ...

    def move_to(self, nanoseconds: int) -> None:
        """Stand at another instant."""
        ...

    def stop(self) -> list[str]:
        """Let the wall clock run again, and return the names of what still holds the types of the frozen one."""
        ...


class FreezegunPatch:
    """`time.time` and `datetime` by freezegun, made to leave every other clock alone.

    As it comes, freezegun also stops `time.monotonic` and `perf_counter`, and with them every time-out
    (https://github.com/spulec/freezegun/issues/307), and shows the real time to whatever runs near `threading`.
    """

    def __init__(self) -> None:
        self._undo = ExitStack()
        self._freezes: list[Any] = []
        self._factory: Any = None
        self._modules: frozenset[str] = frozenset()

    def start(self, nanoseconds: int) -> None:
        """Stand at an instant."""
        import freezegun
        from freezegun import api

        with ExitStack() as undo:
            # Time-outs are counted on these: sockets, threads, WebDriverWait, asyncio, pytest's durations.
            _replace(undo, api, "_get_fake_monotonic", api.real_monotonic)
            _replace(undo, api, "_get_fake_monotonic_ns", api.real_monotonic_ns)
            # Only the direct caller decides who is exempt: five frames up there is always `threading` for an
            # app in a thread, be it Django's live server or a FastAPI endpoint in an executor.
            _replace(undo, api, "call_stack_inspection_limit", 1)
            if (passlib := sys.modules.get("passlib.totp")) is not None:
                # The class keeps the `time.time` of its import.
                _replace(undo, passlib.TOTP, "now", staticmethod(_time))
            undo.enter_context(_local_time_in_utc())
            freezer = freezegun.freeze_time(as_datetime(nanoseconds), ignore=["_pytest.timing"])
            # They are beginnings of module names: `gi` would exempt an app called `gifts`, `queue` one called `queues`.
            freezer.ignore = tuple(f"{name}." if name in _SHORT_NAMES else name for name in freezer.ignore)
            undo.callback(freezer.stop)  # also when it starts only half: it reads every attribute of every module
            with _no_garbage_collection():
                self._factory = freezer.start()
            self._freezes = api.freeze_factories
            self._modules = frozenset(sys.modules)
            self._undo = undo.pop_all()

    def move_to(self, nanoseconds: int) -> None:
        """Stand at another instant."""
        self._factory.move_to(as_datetime(nanoseconds))

    def stop(self) -> list[str]:
        """Let the wall clock run again, and return the names of what still holds freezegun's types.

        Raises:
            ClockHeld: while another freeze of freezegun that began later is on; nothing was changed.
        """
        # freezegun always ends the latest freeze, and what it had replaced would stay.
        if self._freezes[-1] is not self._factory:
            raise ClockHeld(
                "the clock cannot be unfrozen inside a freeze_time() that began later; end that one first, "
                "or freeze with one of them only"
            )
        self._undo.close()
        imported = sys.modules.keys() - self._modules
        return leftovers(self._modules) if imported and not self._freezes else []


class TimeMachinePatch:
    """The wall clock by time-machine, which replaces it for the whole interpreter and leaves the others alone."""

    def __init__(self) -> None:
        self._traveller: Any = None
        self._coordinates: Any = None

    def start(self, nanoseconds: int) -> None:
        """Stand at an instant."""
        try:
            import time_machine
        except ImportError:
            raise MissingExtra("patch='time-machine'", "time-machine", "time-machine") from None
        self._traveller = time_machine.travel(_off_utc(nanoseconds), tick=False)
        self._coordinates = self._traveller.start()

    def move_to(self, nanoseconds: int) -> None:
        """Stand at another instant."""
        self._coordinates.move_to(_off_utc(nanoseconds), tick=False)

    def stop(self) -> list[str]:
        """Let the wall clock run again; it had no types of its own."""
        self._traveller.stop()
        return []


class NoPatch:
    """Server and tokens only: the process's wall clock runs on."""

    def start(self, nanoseconds: int) -> None:
        """Do nothing."""

    def move_to(self, nanoseconds: int) -> None:
        """Do nothing."""

    def stop(self) -> list[str]:
        """Do nothing."""
        return []


PATCHES: Final[dict[str | None, type[Patch]]] = {
    "freezegun": FreezegunPatch,
    "time-machine": TimeMachinePatch,
    None: NoPatch,
}


def choose(patch: PatchName | None) -> PatchName | None:
    """Return the patch that a name stands for: `"auto"` for time-machine where it is installed, else freezegun.

    Inside another `freeze_time()` it is freezegun: time-machine refuses to start there.
    """
    if patch != AUTO:
        return patch
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return "freezegun"
    try:
        import time_machine  # noqa: F401
    except ImportError:
        return "freezegun"
    return "time-machine"


def _replace(undo: ExitStack, owner: Any, name: str, value: object) -> None:
    if name not in vars(owner):
        from freezegun import __version__

        raise TotphogError(
            f"patch='freezegun' does not know freezegun {__version__}, whose {owner.__name__} has no {name}; "
            "take patch='time-machine', or a newer pytest-totphog"
        )
    undo.callback(setattr, owner, name, vars(owner)[name])
    setattr(owner, name, value)


def _time() -> float:
    return time.time()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep other threads from importing while freezegun lists all modules.

    Up to Python 3.11 a collection in the middle of `list(sys.modules.items())` lets them run, and a module more is
    "dictionary changed size during iteration".
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _local_time_in_utc() -> Iterator[None]:
    """Make UTC the local time, because freezegun's naive datetimes are, and pyotp up to 2.10 takes them for local.

    `os.environ` stays as it is: what a test changes there survives, and what it restores later is not ours.
    """
    if hasattr(time, "tzset"):  # not on Windows
        time.tzset()
    if not hasattr(time, "tzset") or time.tzname == ("UTC", "UTC"):
        yield
        return
    os.putenv("TZ", "UTC")
    time.tzset()
    try:
        yield
    finally:
        zone = os.environ.get("TZ")
        if zone is None:
            os.unsetenv("TZ")
        else:
            os.putenv("TZ", zone)
        time.tzset()


def _off_utc(nanoseconds: int) -> datetime:
    """Return the instant in a zone for which time-machine leaves `TZ` alone; for UTC newer ones set it."""
    return as_datetime(nanoseconds).astimezone(timezone(timedelta(hours=-1)))
