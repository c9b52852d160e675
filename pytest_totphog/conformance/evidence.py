"""The evidence of a rule: what was sent and what came of it, and never a secret or a code."""

from __future__ import annotations

import threading
from collections import Counter

__all__ = ["Evidence"]


class Evidence:
    """Counts requests and keeps notes; may be written from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._notes: list[tuple[str, int]] = []

    def note(self, line: str) -> None:
        """Keep a line; one that repeats the last is counted."""
        with self._lock:
            last, times = self._notes[-1] if self._notes else ("", 0)
            if line == last:
                self._notes[-1] = (line, times + 1)
            else:
                self._notes.append((line, 1))

    def count(self, event: str) -> None:
        """Count an event, such as `"logins begun"`."""
        with self._lock:
            self._counts[event] += 1

    def lines(self) -> tuple[str, ...]:
        """Return the notes, and what was counted in a last line."""
        with self._lock:
            notes = [line if times == 1 else f"{line} ({times} times)" for line, times in self._notes]
            counts = ", ".join(f"{event}: {number}" for event, number in self._counts.items())
        return (*notes, counts) if counts else tuple(notes)
