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

__all__ = ["PageClock"]

__tracebackhide__ = hidden_in_reports

# `Date` in every document that may be reached from here, and nothing else: timers and `performance` run on. What was
# sent last holds, in whichever order the scripts of a new document run; null is the real time.
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
    if (turn >= window[key].turn) Object.assign(window[key], { turn, at });
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
        clock: the one that it follows.

    Raises:
        InvalidInput: when it is neither, and for an async page outside of its event loop.
    """

    def __init__(self, page: Any, clock: Clock) -> None:
        self.page = page
        self._library = library_of(page)
        self._thread = threading.get_ident()
        self._loop = _running_loop() if self._library.awaits else None
        if self._library.awaits and self._loop is None:
            raise InvalidInput("an async page follows a clock in its event loop; call apply_to(page) in a coroutine")
        self._clock = clock
        self._released = False
        self._turn = 0
        self._seen = -1  # nothing yet

    def follow(self) -> Any:
        """Show the clock's time, where that can be done now, and return what may be awaited until the page has it.

        In an event loop it is called later.
        """
        if not self._here():
            if self._loop is not None:
                try:
                    self._loop.call_soon_threadsafe(self.follow)
                except RuntimeError:  # it is closed, and so is the page
                    self._clock.followers.remove(self)
            return None
        changes, nanoseconds = self._clock.changes, self._clock.frozen_at
        if changes == self._seen and not self._released:
            return None
        at = None if nanoseconds is None or self._released else nanoseconds // 1_000_000
        # Later than what any clock of this machine has shown in the page.
        self._turn = turn = max(self._turn + 1, round(Clock.monotonic() * 1_000_000))
        self._seen = changes
        if self._library.closed():
            self._clock.followers.remove(self)
            return None
        return self._library.everywhere(f"({SHOW})({json.dumps([turn, at])})")

    def release(self) -> None:
        """Let the page have the real time, and follow no more."""
        self._released = True
        self._clock.followers.remove(self)
        with suppress(Exception):  # with an alert open, say; the test is over
            self.follow()

    def _here(self) -> bool:
        return threading.get_ident() == self._thread if self._loop is None else self._loop is _running_loop()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
