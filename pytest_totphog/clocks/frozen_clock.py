"""The frozen clock: a clock that takes the rest of the process with it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, cast, overload

from pytest_totphog.clocks.clock import NANOSECONDS, Clock, Instant, as_nanoseconds
from pytest_totphog.clocks.leftovers import warning
from pytest_totphog.clocks.libfaketime import TimestampFile
from pytest_totphog.clocks.patches import AUTO, PATCHES, Patch, PatchName, chosen
from pytest_totphog.clocks.stopped_time import mover
from pytest_totphog.errors import InvalidInput, TotphogWarning, hidden_in_reports, shown

if TYPE_CHECKING:
    from typing import Self

    from pytest_totphog.browsers.pages import AsyncPage, SyncPage, WebDriver
    from pytest_totphog.clocks.page_clock import PageClock

__all__ = ["FrozenClock"]

__tracebackhide__ = hidden_in_reports


KEPT: Final = "kept"


class FrozenClock(Clock):
    """A clock that tests freeze, and that takes the wall clock of the whole test process with it.

    Under every patch `time.monotonic`, `time.perf_counter`, `time.sleep` and all time-outs run on.
    Usable without pytest: `with FrozenClock("2024-01-15T10:30:00Z") as clock: …`

    Args:
        at: where to stand; live unless given.
        patch: what else stands still: `"time-machine"` or `"freezegun"` (`time.time` and `datetime` of the
            process), `"auto"` (the first of these that is installed), or None (only what reads this clock).

    Raises:
        InvalidInput: when `at` has no time zone or `patch` is none of these.
        MissingExtra: for `"time-machine"` where it is not installed.

    Attributes:
        leftovers: the names of what still holds freezegun's types after freezes that have ended.
    """

    held: bool

    def __init__(self, at: Instant | None = None, patch: PatchName | None = AUTO) -> None:
        super().__init__()
        self.leftovers: list[str] = []
        self._patch: Patch | None = None
        self._timestamp_file: TimestampFile | None = None
        self._pages: tuple[PageClock, ...] = ()
        # What `freeze` stops unless it is told.
        self.kept_patch: PatchName | None = None
        if at is not None:
            self.freeze(at, patch)

    @property
    def patch(self) -> PatchName | None:
        """What else stands still, see the class; None on a live clock as well."""
        found = next((name for name, kind in PATCHES.items() if isinstance(self._patch, kind)), None)
        return cast("PatchName | None", found)

    def freeze(self, at: Instant, patch: PatchName | Literal["kept"] | None = KEPT) -> None:
        """Stand still at a point in time; a frozen clock moves there.

        Args:
            at: seconds since the epoch, ISO 8601 text with an offset, or an aware datetime.
            patch: what else stands still, see the class; unless given, what did when the clock was frozen last, and
                nothing the first time.
        """
        wanted = self.kept_patch if patch == KEPT else chosen(patch)
        if wanted not in PATCHES:
            raise InvalidInput(f"patch is {shown(patch)}; accepted are 'auto', 'time-machine', 'freezegun' and None")
        nanoseconds = as_nanoseconds(at)
        with self._changing():
            if self._patch is not None and not isinstance(self._patch, PATCHES[wanted]):
                self._show(None)
            if self._patch is None:
                starting = PATCHES[wanted]()
                starting.start(nanoseconds)
                self._patch = starting
            self.kept_patch = wanted
            self._show(nanoseconds)

    def overruled_by(self) -> str:
        """Return what shows the process another time than this clock would; empty where nothing does."""
        with self._changed:
            if self._frozen_at is None:
                return self.stopped_by()
            # freezegun counts in floating point.
            agrees = abs(time.time_ns() - self._frozen_at) < NANOSECONDS // 1000
            return "" if self.patch is None or agrees else mover()

    @overload
    def apply_to(self, page: AsyncPage) -> Awaitable[None]: ...

    @overload
    def apply_to(self, page: SyncPage | WebDriver) -> None: ...

    def apply_to(self, page: Any) -> Any:
        """Give a page's JavaScript this clock's time: in what it shows now, and in every document that it will show.

        Its `Date` stands still with this clock, moves with it, and has the real time while it is live. Timers,
        `performance` and animations run on. It follows until the fixture, or the clock's `with` block, ends. A move
        from another thread reaches a synchronous page when its own thread next moves the clock, or calls
        `one_time_code()`, `fill_code()` or `enroll_from()`.

        Args:
            page: a page of Playwright's; or a WebDriver of Selenium's for Chromium and its family, of which the tab
                follows that is shown now. An async page is applied in its event loop: `await clock.apply_to(page)`.

        Returns:
            For an async page what is awaited until it has the time, else None.

        Raises:
            BrowserError: when the browser cannot do it.
            InvalidInput: when it is no page.
        """
        from pytest_totphog.clocks.page_clock import PageClock

        clock = PageClock(page, self)
        shown = self.followers.add(clock)
        with self._changed:
            for each in self.applied_to:
                if each.page is page:
                    self.followers.remove(each)
            self._pages = (*self.applied_to, clock)
        return shown

    @property
    def applied_to(self) -> tuple[PageClock, ...]:
        """The pages that follow this clock."""
        return tuple(each for each in self._pages if each in self.followers)

    def release(self, kept: tuple[PageClock, ...] = ()) -> None:
        """Let all pages but some have the real time, and follow no more."""
        for each in self.applied_to:
            if each not in kept:
                each.release()

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
                self._timestamp_file = TimestampFile(self)
                self.followers.add(self._timestamp_file)
            return self._timestamp_file.environment()

    def __enter__(self) -> Self:
        self.held = True
        return self

    def __exit__(self, *exception: object) -> None:
        self.held = False
        self.unfreeze()
        self.release()
        with self._changed:
            file, self._timestamp_file = self._timestamp_file, None
        if file is not None:
            self.followers.remove(file)
            file.remove()

    def _show(self, nanoseconds: int | None) -> None:
        if self._patch is not None:
            if nanoseconds is None:
                self.leftovers += self._patch.stop()
                self._patch = None
            else:
                self._patch.move_to(nanoseconds)
        super()._show(nanoseconds)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        known = len(self.leftovers)
        with super()._changing():
            yield
        if left := self.leftovers[known:]:
            warnings.warn(warning(left), TotphogWarning, stacklevel=4)
