"""Files of packages, which pages and contracts need."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from io import FileIO

__all__ = ["package_file"]


def package_file(package: str, name: str) -> bytes:
    """Return the content of a file of a package, the real one also while a test has a fake file system.

    Args:
        package: the package's name.
        name: the file's path in it.
    """
    try:
        # The class that `open` is made of: pyfakefs replaces `open`, and `os`, in every module.
        with FileIO(f"{import_module(package).__path__[0]}/{name}") as file:
            return file.readall()
    except OSError:  # the package is in an archive
        return pkgutil.get_data(package, name) or b""
