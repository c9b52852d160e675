"""What stands where a clock does, in a place of its own: a file, a page, a report, another server."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Protocol

__all__ = ["Follower", "Followers"]


class Follower(Protocol):
    """One place that shows a clock's time."""

    def follow(self) -> object:
        """Read the clock's `frozen_at` and stand there; do nothing where its `changes` are those seen before.

        Called in the thread that moved the clock, and so in several at once: a follower that reads and writes under one
        lock of its own ends at the latest time.
        """
        ...


class Followers:
    """The followers of one clock, called while none of its locks is held: they may be slow, or wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[Follower, ...] = ()

    def __contains__(self, follower: Follower) -> bool:
        return follower in self._all

    def add(self, follower: Follower) -> object:
        """Call a follower now and after every change, until it is removed, and return what its first call returns.

        Raises:
            Exception: what that call raises; it does not follow then.
        """
        self.remove(follower)
        with self._lock:
            self._all = (*self._all, follower)
        try:
            return follower.follow()
        except BaseException:
            self.remove(follower)
            raise

    def remove(self, follower: Follower) -> None:
        """Call a follower no more; does nothing where it does not follow."""
        with self._lock:
            self._all = tuple(each for each in self._all if each is not follower)

    def call(self) -> None:
        """Call all of them, the others too when one of them raises an error."""
        with ExitStack() as calls:
            for follower in reversed(self._all):
                calls.callback(follower.follow)
