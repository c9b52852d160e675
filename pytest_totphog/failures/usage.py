"""What a test took of the plugin: codes, and how it moved the clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.failures.waiting import Waited

if TYPE_CHECKING:
    from pytest_totphog.authenticator.codes import TakenCode

__all__ = ["KEPT_CODES", "Usage"]

# A test may take millions.
KEPT_CODES: Final = 100
KEPT_INSTANTS: Final = 20


@dataclass
class Usage:
    """What a test took.

    Attributes:
        codes: the latest codes, oldest first.
        code_count: how many there were in all.
        waited: how many of them were one-time codes, and how long was waited for those.
        patch: what else stood still when the clock was frozen last.
        instants: where the clock stood since it was frozen last, in nanoseconds since the epoch, the latest last.
        move_count: how often it was moved.
        moved_back: whether one of the moves was back.
        overruled_by: what showed the process another time than the clock does, while a code was taken; empty unless
            something did.
    """

    codes: deque[TakenCode] = field(default_factory=lambda: deque(maxlen=KEPT_CODES))
    code_count: int = 0
    waited: Waited = field(default_factory=Waited)
    patch: str | None = None
    instants: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT_INSTANTS))
    move_count: int = 0
    moved_back: bool = False
    overruled_by: str = ""
    _live: bool = True

    @property
    def moves(self) -> tuple[float, ...]:
        """By how many seconds the clock was moved, the latest last; not all where there are many."""
        return tuple((after - before) / NANOSECONDS for before, after in pairwise(self.instants))

    def add(self, code: TakenCode) -> None:
        """Add a code that was taken."""
        self.codes.append(code)
        self.code_count += 1
        if code.waited_seconds is not None:
            self.waited += Waited.of(code.waited_seconds)

    def show(self, nanoseconds: int | None, patch: str | None = None) -> None:
        """Note where the clock stands now, or that it is live again, and what else stands still."""
        if nanoseconds is None:
            self._live = True
            return
        self.patch = patch
        if self._live:
            self._live, self.move_count, self.moved_back = False, 0, False
            self.instants.clear()
            self.instants.append(nanoseconds)
        elif nanoseconds != (before := self.instants[-1]):
            self.instants.append(nanoseconds)
            self.move_count += 1
            self.moved_back |= nanoseconds < before

    def copy(self) -> Usage:
        """Return what was taken so far."""
        return replace(self, codes=self.codes.copy(), instants=self.instants.copy())
