"""The files that a run leaves behind, looked into."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_totphog.secrecy import artifacts
from pytest_totphog.secrecy.artifacts import Artifacts


@pytest.fixture
def looking() -> Artifacts:
    """What finds a word in files."""

    def found(text: str) -> list[tuple[str, int]]:
        before, word, _ = text.partition("treasure")
        return [("the treasure", before.count("\n") + 1)] if word else []

    return Artifacts(found)


def zipped(path: Path) -> None:
    """Write an archive of two texts and a picture."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("map.txt", "no\n")
        archive.writestr("deep/log.txt", "no\nno\ntreasure")
        archive.writestr("shot.png", "treasure")


@pytest.mark.parametrize(
    ("write", "leak"),
    [
        (lambda path: path.write_text("no\ntreasure"), "the treasure in file (line 2)"),
        (lambda path: path.write_bytes(b"\xff\0\xfe treasure"), "the treasure in file (line 1)"),
        (lambda path: path.write_text("treasure", "utf-16"), "the treasure in file (line 1)"),
        (lambda path: path.write_bytes(gzip.compress(b"\ntreasure")), "the treasure in file (line 2)"),
        (zipped, "the treasure in file: 'deep/log.txt' (line 3)"),
    ],
    ids=["text", "bytes", "utf-16", "gzip", "zip"],
)
def test_leak(looking: Artifacts, tmp_path: Path, write: Callable[[Path], object], leak: str) -> None:
    """Texts are read, packed or not, and the sentence says where."""
    write(tmp_path / "file")
    assert looking.look_into(tmp_path / "file", "file") == [leak]
    assert looking.files == 1


def test_pictures_are_counted(looking: Artifacts, tmp_path: Path) -> None:
    """What a picture shows nobody reads here; it is told how many there were, also in archives."""
    (tmp_path / "shot.PNG").write_text("treasure")
    zipped(tmp_path / "trace.zip")
    assert looking.look_into(tmp_path / "shot.PNG", "shot.PNG") == []
    assert looking.left_out == ["pictures, videos and PDF files (1)"]
    looking.look_into(tmp_path / "trace.zip", "trace.zip")
    assert (looking.files, looking.left_out) == (1, ["pictures, videos and PDF files (2)"])


@pytest.mark.parametrize(
    "content",
    [b"PK\3\4 but no archive", gzip.compress(b"cut short")[:-9], b"\x1f\x8b\x07 no gzip"],
    ids=["zip", "cut short", "gzip"],
)
def test_broken_archive(looking: Artifacts, tmp_path: Path, content: bytes) -> None:
    """An archive that cannot be unpacked is told."""
    (tmp_path / "broken").write_bytes(content)
    assert looking.look_into(tmp_path / "broken", "broken") == []
    assert looking.left_out == ["broken, or a part of it, which cannot be unpacked"]


def test_file_that_cannot_be_read(looking: Artifacts, tmp_path: Path) -> None:
    """A report that was never written is told, and does not count."""
    assert looking.look_into(tmp_path / "gone.xml", "gone.xml") == []
    assert (looking.files, looking.left_out) == (0, ["gone.xml: No such file or directory"])


def test_huge_file(looking: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read as far as the limit goes, and it is told that there was more."""
    monkeypatch.setattr(artifacts, "MAX_SIZE", 20)
    (tmp_path / "log").write_text("treasure and so much more treasure")
    assert looking.look_into(tmp_path / "log", "log") == ["the treasure in log (line 1)"]
    assert looking.left_out == ["what log has after its first 20 bytes"]


def test_huge_archive(looking: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an archive as much is unpacked as the limit allows."""
    monkeypatch.setattr(artifacts, "MAX_ARCHIVE", 10)
    zipped(tmp_path / "trace.zip")
    assert looking.look_into(tmp_path / "trace.zip", "trace.zip") == []
    assert looking.left_out == ["trace.zip: 'deep/log.txt' and what follows in the archive, beyond 10 bytes"]


def test_patterns(looking: Artifacts, tmp_path: Path) -> None:
    """They begin at a folder, and go down with two asterisks; one that names no file is told."""
    (tmp_path / "out" / "deep").mkdir(parents=True)
    for name in "out/b.txt", "out/a.log", "out/deep/c.txt":
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in looking.matching(tmp_path, "out/**/*.txt")]
    assert names == ["out/b.txt", "out/deep/c.txt"]
    assert looking.matching(tmp_path, str(tmp_path / "out/*.log")) == [tmp_path / "out/a.log"]
    assert looking.matching(tmp_path, "art/*") == []
    assert looking.left_out == ["art/*, of the ini totphog_leak_check_files, names no file"]
