"""The flaws that email-mfa can have: those of a verifier. Every mail voids the code before, so no replay is one."""

from __future__ import annotations

from typing import Final

from pytest_totphog.backends.flaws import CODES, THROTTLE

__all__ = ["FLAWS"]

FLAWS: Final[dict[str, tuple[type, ...]]] = CODES | THROTTLE
