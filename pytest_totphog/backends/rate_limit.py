"""A limit to how many requests one address may send."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.errors import InvalidInput, shown
from pytest_totphog.inputs import is_whole
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Guard

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["RateLimit"]

WINDOW_SECONDS: Final = 60


class RateLimit:
    """A gate behind a gate, which counts the requests of each address in each minute of a clock.

    Args:
        gate: what is checked before.
        clock: whose minutes they are.
        requests: how many an address may send in a minute.

    Raises:
        InvalidInput: when `requests` is not a whole number of at least one.
    """

    def __init__(self, gate: Guard, clock: Clock, requests: int) -> None:
        if not is_whole(requests, 1):
            raise InvalidInput(
                f"the rate limit is {shown(requests)}; accepted are 1 and more requests a minute, or None"
            )
        self._gate = gate
        self._clock = clock
        self._requests = requests
        self._lock = threading.Lock()
        self._window = -1
        self._counts: Counter[str] = Counter()

    def check(self, environ: WSGIEnvironment) -> None:
        """Let a request pass.

        Raises:
            HttpError: 429 for one too many, with the seconds until the next minute as `Retry-After`.
        """
        self._gate.check(environ)
        seconds = self._clock.time_ns() // NANOSECONDS
        window, gone = divmod(seconds, WINDOW_SECONDS)
        address = environ.get("REMOTE_ADDR", "")  # and no X-Forwarded-For, which a client could make up
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            self._counts[address] += 1
            too_many = self._counts[address] > self._requests
        if too_many:
            wait = WINDOW_SECONDS - gone
            raise HttpError(
                429,
                f"Too many requests; accepted are {self._requests} a minute, and again in {wait} s",
                {"Retry-After": str(wait)},
            )
