"""The files that a run leaves behind, looked into: texts, and texts in zip and gzip archives."""

from __future__ import annotations

import glob
import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

__all__ = ["Artifacts"]

# Bytes, of a file, or of one in an archive.
MAX_SIZE: Final = 64 * 1024 * 1024
# Bytes of all that an archive holds.
MAX_ARCHIVE: Final = 256 * 1024 * 1024
# What shows a text, if any, in pixels.
PICTURES: Final = frozenset({".gif", ".jpeg", ".jpg", ".mp4", ".pdf", ".png", ".webm", ".webp"})


class Artifacts:
    """Looks for secrets in files.

    Args:
        found: returns the names of the secrets in a text, each with its line.

    Attributes:
        files: how many were looked at; an archive is one.
    """

    def __init__(self, found: Callable[[str], list[tuple[str, int]]]) -> None:
        self.files = 0
        self._found = found
        self._left_out: list[str] = []
        self._pictures = 0

    @property
    def left_out(self) -> list[str]:
        """What was not looked at, and why."""
        pictures = [f"pictures, videos and PDF files ({self._pictures:,})"] if self._pictures else []
        return [*self._left_out, *pictures]

    def matching(self, root: Path, pattern: str) -> list[Path]:
        """Return the files that a pattern names, relative to a folder; `**` stands for folders of any depth."""
        # Not Path.glob, which takes no absolute pattern.
        paths = [Path(path) for path in glob.glob(str(root / Path(pattern).expanduser()), recursive=True)]  # noqa: PTH207
        files = sorted(path for path in paths if path.is_file())
        if not files:
            self._left_out.append(f"{pattern}, of the ini totphog_leak_check_files, names no file")
        return files

    def look_into(self, path: Path, name: str) -> list[str]:
        """Return where a file has which secret, a sentence each.

        Args:
            path: the file.
            name: how it is called.
        """
        if path.suffix.lower() in PICTURES:
            self._pictures += 1
            return []
        try:
            with path.open("rb") as file:
                leaks = [
                    f"{secret} in {where} (line {line})"
                    for where, text in self._texts(file, name)
                    for secret, line in self._found(text)
                ]
        except OSError as error:
            self._left_out.append(f"{name}: {error.strerror or error}")
            return []
        self.files += 1
        return leaks

    def _texts(self, file: IO[bytes], name: str) -> Iterator[tuple[str, str]]:
        """Yield the texts in a file, each with where it stands."""
        start = file.read(4)
        file.seek(0)
        try:
            if start == b"PK\3\4":
                yield from self._texts_of_zip(file, name)
            elif start[:2] == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    yield from self._text(unpacked, name)
            else:
                yield from self._text(file, name)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, gzip.BadGzipFile):
            # RuntimeError is zipfile's for a password, NotImplementedError for an unknown compression.
            self._left_out.append(f"{name}, or a part of it, which cannot be unpacked")

    def _texts_of_zip(self, file: IO[bytes], name: str) -> Iterator[tuple[str, str]]:
        left = MAX_ARCHIVE
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                where = f"{name}: {member.filename!a}"
                if Path(member.filename).suffix.lower() in PICTURES:
                    self._pictures += 1
                    continue
                if member.file_size > left:
                    self._left_out.append(f"{where} and what follows in the archive, beyond {MAX_ARCHIVE:,} bytes")
                    return
                left -= member.file_size
                with archive.open(member) as unpacked:
                    yield from self._text(unpacked, where)

    def _text(self, file: IO[bytes] | gzip.GzipFile, where: str) -> Iterator[tuple[str, str]]:
        content = file.read(MAX_SIZE + 1)
        if len(content) > MAX_SIZE:
            self._left_out.append(f"what {where} has after its first {MAX_SIZE:,} bytes")
        encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
        yield where, content[:MAX_SIZE].decode(encoding, "replace")
