"""The rules of simple: a user is a name with a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from pytest_totphog.backends.verifier import Verifier
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.credentials.otp import random_secret
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.records import put

__all__ = ["User", "Users"]

# A name is a part of a path, which a slash ends and which clients take away when it is all dots, and of a key URI's
# label, where a colon ends the issuer.
_NAME = re.compile(r"(?!\.{1,2}\Z)(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff/:]{1,200}")


@dataclass(frozen=True)
class User:
    """A user; the id is the name."""

    collection: ClassVar[str] = "backends_simple_model_user"

    id: str
    secret: str = field(repr=False)


class Users:
    """All users of the app.

    Args:
        store: where they live.
        clock: what codes follow.
        verifier: judges codes and counts failures, by the user's name.
        replaces: whether registering a name again replaces its secret.
    """

    def __init__(self, store: Store, clock: Clock, verifier: Verifier, *, replaces: bool = False) -> None:
        self._clock = clock
        self._replaces = replaces
        self._verifier = verifier
        self._users: Repository[User] = store.repository(User)

    def register(self, name: str) -> User | None:
        """Return a new user with a random secret; None when the name is taken, and stays with its secret.

        Raises:
            InvalidInput: when the name is not what is accepted.
        """
        if _NAME.fullmatch(name) is None:
            raise InvalidInput(
                "username is not what is accepted: 1 to 200 printable characters, one of them visible, "
                "without a slash or a colon, and neither '.' nor '..'"
            )
        user = User(name, random_secret())
        if self._replaces:
            return put(self._users, name, lambda _: user)
        return user if self._users.add(user) else None

    def get(self, name: str) -> User | None:
        """Return the user of a name."""
        # What cannot have been registered is not asked for: some databases fail at it.
        return self._users.get(name) if _NAME.fullmatch(name) else None

    def token(self, user: User) -> Token:
        """Return a user's credential, under the name that an authenticator app shows."""
        return Token.create(name=f"TOTP Demo ({user.id})", issuer="", secret=user.secret, created_at=as_datetime(0))

    def code(self, user: User) -> str:
        """Return a user's current code."""
        token = self.token(user)
        return token.code_at_step(token.step_at(self._clock.time_ns()))

    def verify(self, user: User, code: str) -> bool:
        """Return whether a code is good now."""
        return self._verifier.verify(user.id, self.token(user), code).accepted
