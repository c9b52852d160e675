"""The frozen clock: a clock that takes the rest of the process with it."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, Protocol

from pytest_totphog.clock import Clock, Instant, as_datetime, as_nanoseconds
from pytest_totphog.errors import ClockHeld, InvalidInput, MissingExtra, TotphogError, hidden_in_reports, shown
from pytest_totphog.timestamp_file import TimestampFile

if TYPE_CHECKING:
    from typing_extensions import Self

    from pytest_totphog.browsers.page_clock import PageClock, PageClocks

__all__ = ["DEFAULT_FROZEN_AT", "DEFAULT_PATCH", "PATCHES", "FrozenClock"]

__tracebackhide__ = hidden_in_reports

DEFAULT_FROZEN_AT: Final = "2024-01-15T10:30:00Z"
DEFAULT_PATCH: Final = "freezegun"

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

    def stop(self) -> None:
        """Let the wall clock run again."""
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
            undo.callback(freezer.stop)  # also when it starts only half: it asks every module for every attribute
            with _no_garbage_collection():
                self._factory = freezer.start()
            self._freezes = api.freeze_factories
            self._undo = undo.pop_all()

    def move_to(self, nanoseconds: int) -> None:
        """Stand at another instant."""
        self._factory.move_to(as_datetime(nanoseconds))

    def stop(self) -> None:
        """Let the wall clock run again.

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

    def stop(self) -> None:
        """Let the wall clock run again."""
        self._traveller.stop()


class NoPatch:
    """Server and tokens only: the process's wall clock runs on."""

    def start(self, nanoseconds: int) -> None:
        """Do nothing."""

    def move_to(self, nanoseconds: int) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


PATCHES: Final[dict[str | None, type[Patch]]] = {
    "freezegun": FreezegunPatch,
    "time-machine": TimeMachinePatch,
    None: NoPatch,
}


class FrozenClock(Clock):
    """A clock that tests freeze, and that takes the wall clock of the whole test process with it.

    Under every patch `time.monotonic`, `time.perf_counter`, `time.sleep` and all time-outs run on.
    Usable without pytest: `with FrozenClock("2024-01-15T10:30:00Z") as clock: …`

    Args:
        at: where to stand; live unless given.
        patch: what else stands still: `"freezegun"` or `"time-machine"` (`time.time` and `datetime` of the
            process), or None (only what reads this clock).

    Raises:
        InvalidInput: when `at` has no time zone or `patch` is none of these.
        MissingExtra: for `"time-machine"` where it is not installed.
    """

    def __init__(self, at: Instant | None = None, patch: str | None = DEFAULT_PATCH) -> None:
        super().__init__()
        self._patch: Patch | None = None
        self._timestamp_file: TimestampFile | None = None
        self._page_clocks: PageClocks | None = None
        self._changing_in: set[int] = set()  # threads
        if at is not None:
            self.freeze(at, patch)

    @property
    def patch(self) -> str | None:
        """What else stands still, see the class; None on a live clock as well."""
        return next((name for name, kind in PATCHES.items() if isinstance(self._patch, kind)), None)

    def freeze(self, at: Instant, patch: str | None = None) -> None:
        """Stand still at a point in time; a frozen clock moves there, and keeps its patch unless given another.

        Args:
            at: seconds since the epoch, ISO 8601 text with an offset, or an aware datetime.
            patch: what else stands still, see the class; nothing unless given.
        """
        if patch not in PATCHES:
            raise InvalidInput(f"patch is {shown(patch)}; accepted are 'freezegun', 'time-machine' and None")
        nanoseconds = as_nanoseconds(at)
        with self._changing():
            if self._patch is not None and patch is not None and not isinstance(self._patch, PATCHES[patch]):
                self._show(None)
            if self._patch is None:
                starting = PATCHES[patch]()
                starting.start(nanoseconds)
                self._patch = starting
            self._show(nanoseconds)

    def time_ns(self) -> int:
        """Return the time as whole nanoseconds since the epoch."""
        self._show_in_pages()
        return super().time_ns()

    def apply_to(self, page: Any) -> Any:
        """Give a page's JavaScript this clock's time: in what it shows now, and in every document that it will show.

        Its `Date` stands still with this clock, moves with it, and has the real time while it is live. Timers,
        `performance` and animations run on. It follows until the fixture, or the clock's `with` block, ends. A move
        from another thread reaches it when its own thread next reads or moves the clock, as `one_time_code()` does.

        Args:
            page: a page of Playwright's; or a WebDriver of Selenium's for Chromium and its family, of which the tab
                follows that is shown now. An async page is applied in its event loop: `await clock.apply_to(page)`.

        Returns:
            For an async page what is awaited until it has the time, else None.

        Raises:
            BrowserError: when the browser cannot do it.
            InvalidInput: when it is no page.
        """
        from pytest_totphog.browsers.page_clock import PageClocks

        with self._changed:
            if self._page_clocks is None:
                self._page_clocks = PageClocks(self._frozen_at)
        return self._page_clocks.add(page)

    @property
    def applied_to(self) -> tuple[PageClock, ...]:
        """The pages that follow this clock."""
        return () if self._page_clocks is None else self._page_clocks.pages

    def release(self, kept: tuple[PageClock, ...] = ()) -> None:
        """Let all pages but some have the real time, and follow no more."""
        if self._page_clocks is not None:
            self._page_clocks.release(*kept)

    def subprocess_env(self) -> dict[str, str]:
        """Return the environment for an app under test in another process that follows this clock, in any language.

        It is `os.environ` and what libfaketime needs: `subprocess.Popen(["node", "app.js"], env=…)`. A process that is
        started with it sees every change of this clock at once, and the real time while this clock is live. Its
        monotonic clock, sleeps, timers, sockets and file times are always real. It follows until the clock's `with`
        block ends, or else until the interpreter exits, and has the real time afterwards.

        Raises:
            TotphogError: where there is no Linux or no libfaketime.
        """
        with self._changed:
            if self._timestamp_file is None:
                self._timestamp_file = TimestampFile()
                self._timestamp_file.show(self._frozen_at)
            return self._timestamp_file.environment()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.unfreeze()
        self.release()
        with self._changed:
            if self._timestamp_file is not None:
                self._timestamp_file.remove()
                self._timestamp_file = None

    def _show(self, nanoseconds: int | None) -> None:
        if self._patch is not None:
            if nanoseconds is None:
                self._patch.stop()
                self._patch = None
            else:
                self._patch.move_to(nanoseconds)
        super()._show(nanoseconds)
        if self._timestamp_file is not None:
            self._timestamp_file.show(nanoseconds)
        if self._page_clocks is not None:
            self._page_clocks.note(nanoseconds)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        thread = threading.get_ident()
        with super()._changing():
            self._changing_in.add(thread)
            try:
                yield
            finally:
                self._changing_in.remove(thread)
        self._show_in_pages()

    def _show_in_pages(self) -> None:
        # Without the lock: a page may be waiting for a server that waits for it.
        if self._page_clocks is not None and threading.get_ident() not in self._changing_in:
            self._page_clocks.show()


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
