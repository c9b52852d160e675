"""Passwords at rest: bcrypt, of any length."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from pytest_totphog.errors import InvalidInput, MissingExtra, shown
from pytest_totphog.inputs import is_whole

__all__ = ["PasswordHasher"]

LEAST_COST: Final = 4
GREATEST_COST: Final = 20


class PasswordHasher:
    """Hashes passwords and checks them against their hashes.

    Args:
        cost: the exponent of bcrypt's work, 4 to 20: 4 takes a millisecond and suits tests, 12 a quarter second.

    Raises:
        InvalidInput: for another cost.
        MissingExtra: where bcrypt is not installed.
    """

    def __init__(self, cost: int = LEAST_COST) -> None:
        try:
            import bcrypt
        except ImportError:
            raise MissingExtra("this backend", "bcrypt", "backends") from None
        if not is_whole(cost, LEAST_COST, GREATEST_COST):
            raise InvalidInput(f"the bcrypt cost is {shown(cost)}; accepted are {LEAST_COST} to {GREATEST_COST}")
        self._bcrypt = bcrypt
        self._cost = cost
        # Checked for accounts that do not exist, so that an answer's time does not tell which do.
        self._nobody = self.hash("")

    def hash(self, password: str) -> str:
        """Return the hash of a password."""
        return self._bcrypt.hashpw(_digest(password), self._bcrypt.gensalt(self._cost)).decode("ascii")

    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether a password has this hash; False, after the same work, for no hash."""
        same = self._bcrypt.checkpw(_digest(password), (hashed or self._nobody).encode("ascii"))
        return same and bool(hashed)


def _digest(password: str) -> bytes:
    # bcrypt reads 72 bytes and stops at a NUL; the digest stands for all of the password.
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
