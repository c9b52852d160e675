"""Claims on paper: what processes that were forked from one another write down for each other."""

from __future__ import annotations

import fcntl  # not on Windows, where nothing forks
import json
import os
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ClaimLog"]

PIECE: Final = 1024 * 1024


class ClaimLog:
    """A file without a name, of one entry a line, which whoever is forked from this process has too.

    A process that wants to read or write takes its turn: `with log: …`. One that dies gives up its turn.

    Raises:
        OSError: when the system has no file left.
    """

    # Held by the class, because pyfakefs replaces what modules hold.
    _lock, _close = staticmethod(fcntl.lockf), staticmethod(os.close)
    _read_at, _write_at = staticmethod(os.pread), staticmethod(os.pwrite)

    def __init__(self) -> None:
        self._file = _file_without_name()
        self._end = 0
        weakref.finalize(self, self._close, self._file)

    def __enter__(self) -> Self:
        self._lock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock(self._file, fcntl.LOCK_UN)

    def news(self) -> Iterator[Any]:
        """Yield the entries that others have written since."""
        text = b""
        while piece := self._read_at(self._file, PIECE, self._end + len(text)):
            text += piece
        # What a process wrote that was killed in the middle of it is not whole.
        lines = text[: text.rfind(b"\n") + 1].splitlines(keepends=True)
        for line in lines:
            self._end += len(line)
            yield json.loads(line)

    def write(self, entry: Any) -> None:
        """Write an entry, after all news has been read."""
        line = json.dumps(entry).encode("ascii") + b"\n"
        self._write_at(self._file, line, self._end)
        self._end += len(line)


def _file_without_name() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("totphog-claims")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
