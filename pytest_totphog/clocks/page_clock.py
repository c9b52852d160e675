"""The time in web pages, which follows a clock."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from typing import Any, Final

from pytest_totphog.browsers.library import library_of
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["PageClocks"]

__tracebackhide__ = hidden_in_reports

# `Date` in every document that may be reached from here, and nothing else: timers and `performance` run on. Whatever is
# told last holds, in whichever order the scripts of a new document run; null is the real time.
SHOW: Final = """([turn, at]) => {
  const key = Symbol.for("pytest-totphog: time");
  const show = window => {
    if (!window[key]) {
      const { Date } = window, { now } = Date, clock = { turn: 0, at: null };
      Object.defineProperty(window, key, { value: clock });
      Date.now = () => clock.at ?? now();
      window.Date = Date.prototype.constructor = new Proxy(Date, {
        construct: (Date, values, made) => Reflect.construct(Date, values.length ? values : [Date.now()], made),
        apply: Date => new Date(Date.now()).toString(),
      });
    }
    if (turn > window[key].turn) Object.assign(window[key], { turn, at });
  };
  const each = window => {
    try { show(window); } catch {} // of another site
    for (let i = 0; window[i]; i++) each(window[i]);
  };
  each(top);
}"""


class PageClock:
    """The time in one page, whose library is called only in the thread, or the event loop, that it was given in.

    Args:
        page: a WebDriver, or a page of Playwright's.

    Raises:
        InvalidInput: when it is neither, and for an async page outside of its event loop.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self._library = library_of(page)
        self._thread = threading.get_ident()
        self._loop = _running_loop() if self._library.awaits else None
        if self._library.awaits and self._loop is None:
            raise InvalidInput("an async page follows a clock in its event loop; call apply_to(page) in a coroutine")
        self.closed = False
        self._shown = 0

    def show(self, turn: int, at: int | None) -> Any:
        """Show a time, where that can be done now, and return what may be awaited; an event loop is asked to do it.

        Args:
            turn: what is later has a higher one.
            at: milliseconds since the epoch, or None for the real time.
        """
        if turn <= self._shown:
            return None
        if self._here():
            self._shown = turn
            self.closed = self._library.closed()
            return None if self.closed else self._library.everywhere(f"({SHOW})({json.dumps([turn, at])})")
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self.show, turn, at)
            except RuntimeError:  # it is closed, and so is the page
                self.closed = True
        return None

    def _here(self) -> bool:
        return threading.get_ident() == self._thread if self._loop is None else self._loop is _running_loop()


class PageClocks:
    """The pages that follow a clock.

    Args:
        nanoseconds: where it stands, since the epoch; None while it is live.

    Attributes:
        pages: those that were not closed when they were last looked at.
    """

    def __init__(self, nanoseconds: int | None) -> None:
        self.pages: tuple[PageClock, ...] = ()
        self._lock = threading.Lock()
        self._latest: tuple[int, int | None] = (0, None)
        self.note(nanoseconds)

    def note(self, nanoseconds: int | None) -> None:
        """Take the time that the pages are to show, without showing it yet; None for the real one."""
        with self._lock:
            self._latest = (self._next_turn(), None if nanoseconds is None else nanoseconds // 1_000_000)

    def add(self, page: Any) -> Any:
        """Let a page show the time from now on, and return what may be awaited until it does."""
        clock = PageClock(page)
        with self._lock:
            self._latest = (self._next_turn(), self._latest[1])
        shown = clock.show(*self._latest)
        with self._lock:
            self.pages = (*(each for each in self.pages if each.page is not page), clock)
        return shown

    def show(self) -> None:
        """Show the time in all pages where that can be done now."""
        for each in self.pages:
            each.show(*self._latest)
        with self._lock:
            self.pages = tuple(each for each in self.pages if not each.closed)

    def release(self, *kept: PageClock) -> None:
        """Let all pages but some have the real time, and follow no more."""
        with self._lock:
            released = [each for each in self.pages if each not in kept]
            self.pages = tuple(each for each in self.pages if each in kept)
            turn = self._next_turn()
        for each in released:
            with suppress(Exception):  # with an alert open, say; the test is over
                each.show(turn, None)

    def _next_turn(self) -> int:
        # Later than what any clock of this machine has told a page.
        return max(self._latest[0] + 1, round(Clock.monotonic() * 1_000_000))


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
