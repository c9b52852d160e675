"""The report's file: its format by its name, looked at before the run."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from pytest_totphog import InvalidInput
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report.files import checked_path, write


@pytest.mark.parametrize(
    "name", ["battery.html", "battery.json", "a.sarif", "a.sarif.json", "BATTERY.HTML", "a.b.json"]
)
def test_accepted_name(tmp_path: Path, name: str) -> None:
    """The ending says the format, in either case."""
    assert checked_path(str(tmp_path / name)) == tmp_path / name


@pytest.mark.parametrize(
    "name", ["battery", "battery.htm", "battery.xml", "battery.html.txt", "html", ".json", "a.sarif.gz"]
)
def test_unknown_format(tmp_path: Path, name: str) -> None:
    """Another ending is an error that names those that are accepted."""
    path = str(tmp_path / name)
    with pytest.raises(
        InvalidInput,
        match=r"does not say the format; accepted are names ending in \.html, \.json, \.sarif and \.sarif\.json$",
    ) as failure:
        checked_path(path)
    assert repr(path) in str(failure.value)


def test_new_directory(tmp_path: Path) -> None:
    """The directory is made; the file not yet."""
    path = checked_path(str(tmp_path / "reports" / "today" / "battery.json"))
    assert path.parent.is_dir()
    assert not path.exists()


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way is an error before the run."""
    (tmp_path / "reports").write_text("a file", "utf-8")
    with pytest.raises(InvalidInput, match=r"battery\.json' cannot be written: "):
        checked_path(str(tmp_path / "reports" / "battery.json"))


def test_directory_in_place_of_the_file(tmp_path: Path) -> None:
    """A directory of that name is an error before the run."""
    (tmp_path / "battery.json").mkdir()
    with pytest.raises(InvalidInput, match=r"battery\.json' is a directory; accepted is the name of a file"):
        checked_path(str(tmp_path / "battery.json"))


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("battery.html", "<!doctype html>"),
        ("battery.json", '{\n  "version": 1,'),
        ("battery.sarif", '{\n  "$schema": "https://docs.oasis-open.org/sarif/'),
        ("battery.sarif.json", '{\n  "$schema": "https://docs.oasis-open.org/sarif/'),
    ],
)
def test_format(tmp_path: Path, shop: Subject, created_at: datetime, name: str, beginning: str) -> None:
    """What is written is what the name says."""
    write(tmp_path / name, [shop], created_at)
    assert (tmp_path / name).read_text("utf-8").startswith(beginning)


def test_replaces(tmp_path: Path, shop: Subject, created_at: datetime) -> None:
    """An older report is replaced."""
    path = tmp_path / "battery.json"
    write(path, [shop, shop], created_at)
    write(path, [], created_at)
    assert json.loads(path.read_text("utf-8"))["battery"] == {"subjects": []}
