"""The report's file: which formats there are, and how one is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.errors import InvalidInput
from pytest_totphog.failures.failure import Failure
from pytest_totphog.report import json, page, sarif

__all__ = ["checked_path", "write"]

Renderer: TypeAlias = "Callable[[Sequence[Subject], datetime, Sequence[Failure]], str]"

# By the end of the file's name; the longer one is looked at first.
_FORMATS: Final[dict[str, Renderer]] = {
    ".sarif.json": sarif.render,
    ".sarif": sarif.render,
    ".html": page.render,
    ".json": json.render,
}


def checked_path(name: str) -> Path:
    """Return where the report goes, its directory made, before a run that may take long.

    Args:
        name: a path; its ending says the format.

    Raises:
        InvalidInput: for another ending, and where no file can be made.
    """
    path = Path(name)
    if _renderer(path) is None:
        raise InvalidInput(
            f"{name!r} does not say the format; accepted are names ending in .html, .json, .sarif and .sarif.json"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{name!r} cannot be written: {error}") from None
    if path.is_dir():
        raise InvalidInput(f"{name!r} is a directory; accepted is the name of a file")
    return path


def write(path: Path, subjects: Sequence[Subject], created_at: datetime, failures: Sequence[Failure] = ()) -> None:
    """Write the report.

    Args:
        path: as `checked_path` returned it.
        subjects: the logins.
        created_at: the time, in UTC, that the report shows.
        failures: the tests that used the plugin and failed.

    Raises:
        OSError: when the file cannot be written.
    """
    renderer = _renderer(path)
    assert renderer is not None
    path.write_text(renderer(subjects, created_at, failures), "utf-8")


def _renderer(path: Path) -> Renderer | None:
    name = path.name.lower()
    return next((renderer for ending, renderer in _FORMATS.items() if name.endswith(ending) and name != ending), None)
