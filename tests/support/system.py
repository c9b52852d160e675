"""Programs that come from the system's package manager, not from PyPI."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

# No sandbox, because tests may run as root; and nothing that looks for a network.
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def require(program: str, path: str | None = None) -> str:
    """Return where a program is; without it skip the test, or fail it where CI should have installed it.

    Args:
        program: its name.
        path: where to look, as in PATH; there unless given.
    """
    found = shutil.which(program, path=path)
    return found or _missing(program)


def require_libfaketime() -> Path:
    """Return where libfaketime is, which is no program; without it do as `require` does."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    return found or _missing("libfaketime")


def _missing(name: str) -> NoReturn:
    reason = f"{name} is not installed; `make system` installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
