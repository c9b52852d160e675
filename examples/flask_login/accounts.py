"""The accounts of the app, in SQLite: passwords, TOTP secrets, and the last time step that each has used."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyotp
from werkzeug.security import check_password_hash, generate_password_hash

ISSUER = "Harbour"
PERIOD = 30
WINDOW = 1  # steps before and after the current one that are accepted, for phones whose clock is a little off

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    secret TEXT NOT NULL,
    enrolled INTEGER NOT NULL,
    last_step INTEGER NOT NULL DEFAULT 0
)
"""


@dataclass(frozen=True)
class Account:
    name: str
    password_hash: str
    secret: str
    enrolled: bool

    @property
    def uri(self) -> str:
        """What the QR code says."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=self.name, issuer_name=ISSUER)


class Accounts:
    def __init__(self, database: Path | str) -> None:
        self._database = database
        with self._connection() as connection:
            connection.execute(SCHEMA)

    def add(self, name: str, password: str, secret: str | None = None, *, enrolled: bool = False) -> bool:
        """Add an account with a secret of its own; False when the name is taken."""
        row = (name, generate_password_hash(password), secret or pyotp.random_base32(), enrolled)
        with self._connection() as connection:
            statement = "INSERT OR IGNORE INTO accounts (name, password_hash, secret, enrolled) VALUES (?, ?, ?, ?)"
            return connection.execute(statement, row).rowcount == 1

    def get(self, name: str) -> Account | None:
        with self._connection() as connection:
            statement = "SELECT name, password_hash, secret, enrolled FROM accounts WHERE name = ?"
            row = connection.execute(statement, (name,)).fetchone()
        return Account(*row) if row else None

    def check_password(self, name: str, password: str) -> Account | None:
        """Return the account when the password is right."""
        account = self.get(name)
        return account if account and check_password_hash(account.password_hash, password) else None

    def accept_code(self, account: Account, code: str) -> bool:
        """Accept a code once: it must be right, and of a later time step than every code accepted before.

        The first accepted code completes the enrolment.
        """
        step = matching_step(account.secret, code)
        if step is None:
            return False
        with self._connection() as connection:
            # One statement compares and sets, so of two equal codes at the same moment only one gets in.
            statement = "UPDATE accounts SET enrolled = 1, last_step = ? WHERE name = ? AND last_step < ?"
            return connection.execute(statement, (step, account.name, step)).rowcount == 1

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            yield connection


def matching_step(secret: str, code: str) -> int | None:
    """Return the time step whose code this is, if it is one of those around now."""
    totp = pyotp.TOTP(secret, interval=PERIOD)
    current = int(time.time()) // PERIOD
    for step in range(current - WINDOW, current + WINDOW + 1):
        if totp.verify(code, for_time=datetime.fromtimestamp(step * PERIOD, UTC)):
            return step
    return None
