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
    """A file of one entry a line, without a name unless given; whoever is forked from this process has it too.

    A process that wants to read or write takes its turn: `with log: …`. One that dies gives up its turn.

    Args:
        path: its name, for processes that are not forked from one another; made unless it is there.

    Raises:
        OSError: when the system has no file left, or the file with that name is not this user's alone.
    """

    # Held by the class, because pyfakefs replaces what modules hold.
    _lock, _close = staticmethod(fcntl.lockf), staticmethod(os.close)
    _read_at, _write_at = staticmethod(os.pread), staticmethod(os.pwrite)

    def __init__(self, path: str | None = None) -> None:
        self._file = _file_without_name() if path is None else _file(path)
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


def _file(path: str) -> int:
    # Where others may write, too, a name may be theirs, or lead elsewhere.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    found = os.fstat(file)
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        os.close(file)
        raise PermissionError(f"{path} is not this user's alone")
    return file


def _file_without_name() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("totphog-claims")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
