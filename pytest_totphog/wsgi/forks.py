"""What is to be done when this process is forked, as multiprocessing, os.fork and pytest-forked do."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

__all__ = ["at_fork"]


def at_fork(**methods: Callable[[], object]) -> None:
    """Call methods whenever this process is forked, for as long as their object is there; on Windows nothing forks.

    Args:
        methods: by `before`, `after_in_parent` and `after_in_child`, as `os.register_at_fork` takes them.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(**{when: _weak(method) for when, method in methods.items()})


def _weak(method: Callable[[], object]) -> Callable[[], Any]:
    known = WeakMethod(method)

    def call() -> None:
        if (bound := known()) is not None:
            bound()

    return call
