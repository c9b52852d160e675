"""Files of packages."""

import builtins
import importlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from pytest_totphog.wsgi.files import package_file


def test_file_of_a_package_comes_from_the_real_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test with a fake one has put its own `open` and `os` everywhere."""
    for owner, name in (builtins, "open"), (io, "open"), (io, "open_code"), (os, "stat"), (os, "open"):
        monkeypatch.delattr(owner, name)
    content = package_file("pytest_totphog.wsgi", "plain.css")
    monkeypatch.undo()
    assert content == (Path(importlib.import_module("pytest_totphog.wsgi").__path__[0]) / "plain.css").read_bytes()


def test_file_of_a_package_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python imports from those too."""
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_package/__init__.py", "")
        archive.writestr("packed_package/page.html", "<p>")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")
    assert package_file("packed_package", "page.html") == b"<p>"
