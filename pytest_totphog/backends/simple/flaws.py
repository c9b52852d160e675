"""The flaws that simple can have: those of its verifier."""

from __future__ import annotations

from typing import Final

from pytest_totphog.backends.flaws import CODES, MEMORY, THROTTLE

__all__ = ["FLAWS"]

FLAWS: Final[dict[str, tuple[type, ...]]] = MEMORY | CODES | THROTTLE
