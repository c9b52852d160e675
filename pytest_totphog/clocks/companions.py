"""What goes along with a frozen clock: the wall clock of this process, pages in browsers, other processes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from pytest_totphog.clocks.libfaketime import TimestampFile
from pytest_totphog.clocks.patches import PATCHES, Patch, PatchName
from pytest_totphog.errors import hidden_in_reports

if TYPE_CHECKING:
    from pytest_totphog.clocks.clock import Clock
    from pytest_totphog.clocks.page_clock import PageClock

__all__ = ["Companions"]

__tracebackhide__ = hidden_in_reports


class Companions:
    """What goes along with one clock. The patch changes only while the clock's lock is held.

    Args:
        clock: the clock.

    Attributes:
        held: whether it stays frozen until a fixture or a `with` block ends: the reset of a server leaves it alone.
        kept_patch: what `freeze` stops unless it is given a patch.
        leftovers: the names of what still holds freezegun's types after freezes that have ended.
    """

    def __init__(self, clock: Clock) -> None:
        self.held = False
        self.kept_patch: PatchName | None = None
        self.leftovers: list[str] = []
        self._clock = clock
        self._lock = threading.Lock()
        self._patch: Patch | None = None
        self._pages: tuple[PageClock, ...] = ()
        self._timestamp_file: TimestampFile | None = None

    @property
    def patch(self) -> PatchName | None:
        """What else stands still, see `FrozenClock`; None on a live clock as well."""
        found = next((name for name, kind in PATCHES.items() if isinstance(self._patch, kind)), None)
        return cast("PatchName | None", found)

    @property
    def pages(self) -> tuple[PageClock, ...]:
        """The pages that follow the clock."""
        return tuple(each for each in self._pages if each in self._clock.followers)

    def is_other(self, patch: PatchName | None) -> bool:
        """Return whether something else stands still by another patch."""
        return self._patch is not None and not isinstance(self._patch, PATCHES[patch])

    def start(self, nanoseconds: int, patch: PatchName | None) -> None:
        """Let a patch stop the process's time, unless it has."""
        if self._patch is None:
            starting = PATCHES[patch]()
            starting.start(nanoseconds)
            self._patch = starting
        self.kept_patch = patch

    def show(self, nanoseconds: int | None) -> None:
        """Let what a patch has stopped stand at an instant, or have the real time for None."""
        if self._patch is not None:
            if nanoseconds is None:
                self.leftovers += self._patch.stop()
                self._patch = None
            else:
                self._patch.move_to(nanoseconds)

    def add_page(self, page: Any) -> Any:
        """Let a page follow the clock; see `FrozenClock.apply_to`."""
        from pytest_totphog.clocks.page_clock import PageClock

        new = PageClock(page, self._clock)
        first_call = self._clock.followers.add(new)
        with self._lock:
            for each in self.pages:
                if each.page is page:
                    self._clock.followers.remove(each)
            self._pages = (*self.pages, new)
        return first_call

    def release_pages(self, kept: tuple[PageClock, ...] = ()) -> None:
        """Let all pages but some have the real time, and follow no more."""
        for each in self.pages:
            if each not in kept:
                each.release()

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that follows the clock; see `FrozenClock.subprocess_env`."""
        with self._lock:
            if self._timestamp_file is None:
                self._timestamp_file = TimestampFile(self._clock)
                self._clock.followers.add(self._timestamp_file)
            return self._timestamp_file.environment()

    def remove_environment(self) -> None:
        """Let other processes have the real time."""
        with self._lock:
            file, self._timestamp_file = self._timestamp_file, None
        if file is not None:
            self._clock.followers.remove(file)
            file.remove()
