"""The frozen clock: a clock that takes the rest of the process with it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.companions import Companions
from pytest_totphog.clocks.instants import NANOSECONDS, Instant, as_nanoseconds
from pytest_totphog.clocks.leftovers import warning
from pytest_totphog.clocks.patches import AUTO, PATCHES, PatchName, choose
from pytest_totphog.clocks.stopped_time import mover, stopped_by
from pytest_totphog.errors import InvalidInput, TotphogWarning, hidden_in_reports, shown

if TYPE_CHECKING:
    from typing import Self

    from pytest_totphog.browsers.pages import AsyncPage, SyncPage, WebDriver

__all__ = ["FrozenClock", "companions_of", "overruled_by", "snapshot"]

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
    """

    def __init__(self, at: Instant | None = None, patch: PatchName | None = AUTO) -> None:
        super().__init__()
        self._companions = Companions(self)
        if at is not None:
            self.freeze(at, patch)

    def freeze(self, at: Instant, patch: PatchName | Literal["kept"] | None = KEPT) -> None:
        """Stand still at a point in time; a frozen clock moves there.

        Args:
            at: seconds since the epoch, ISO 8601 text with an offset, or an aware datetime.
            patch: what else stands still, see the class; unless given, what did when the clock was frozen last, and
                nothing the first time.
        """
        wanted = self._companions.kept_patch if patch == KEPT else choose(patch)
        if wanted not in PATCHES:
            raise InvalidInput(f"patch is {shown(patch)}; accepted are 'auto', 'time-machine', 'freezegun' and None")
        nanoseconds = as_nanoseconds(at)
        with self._changing():
            if self._companions.is_other(wanted):
                self._show(None)
            self._companions.start(nanoseconds, wanted)
            self._show(nanoseconds)

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
        return self._companions.add_page(page)

    def subprocess_env(self) -> dict[str, str]:
        """Return the environment for an app under test in another process that follows this clock, in any language.

        It is `os.environ` and what libfaketime needs: `subprocess.Popen(["node", "app.js"], env=…)`. A process that is
        started with it sees every change of this clock at once, and the real time while this clock is live. Its
        monotonic clock, sleeps, timers, sockets and file times are always real. It follows until the clock's `with`
        block ends, or else until the interpreter exits, and has the real time afterwards.

        Raises:
            TotphogError: where there is no Linux or no libfaketime.
        """
        return self._companions.environment()

    def __enter__(self) -> Self:
        self._companions.held = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._companions.held = False
        self.unfreeze()
        self._companions.release_pages()
        self._companions.remove_environment()

    def _show(self, nanoseconds: int | None) -> None:
        self._companions.show(nanoseconds)
        super()._show(nanoseconds)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        known = len(self._companions.leftovers)
        with super()._changing():
            yield
        if left := self._companions.leftovers[known:]:
            warnings.warn(warning(left), TotphogWarning, stacklevel=4)


def companions_of(clock: FrozenClock) -> Companions:
    """Return what goes along with a clock: for the plugin and its reports."""
    return clock._companions  # noqa: SLF001 # of this module


def snapshot(clock: FrozenClock) -> Callable[[], None]:
    """Return what takes a clock back to where it stands now, and gives the pages applied since the real time."""
    companions = companions_of(clock)
    pages, patch = companions.pages, companions.kept_patch
    frozen_at = clock.now() if clock.mode == "frozen" else None

    def restore() -> None:
        companions.release_pages(pages)
        if frozen_at is None:
            clock.unfreeze()
            companions.kept_patch = patch
        else:
            clock.freeze(frozen_at, patch)

    return restore


def overruled_by(clock: FrozenClock) -> str:
    """Return what shows the process another time than a clock would; empty where nothing does."""
    with clock._changed:  # noqa: SLF001 # of this module
        if clock.frozen_at is None:
            return stopped_by(clock.monotonic)
        # freezegun counts in floating point.
        agrees = abs(time.time_ns() - clock.frozen_at) < NANOSECONDS // 1000
        return "" if companions_of(clock).patch is None or agrees else mover()
