"""Programs that come from the system's package manager, not from PyPI."""

import os
import shutil

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
    if found is None:
        reason = f"{program} is not installed; `make system` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found
