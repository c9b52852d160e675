"""Accounts that exist already: read from a file or the environment, and held by one test at a time."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.clocks.wording import duration
from pytest_totphog.credentials.token import Secret, Token
from pytest_totphog.errors import AccountUnavailable, InvalidInput, hidden_in_reports, plural, shown
from pytest_totphog.inputs import as_password, as_text, shape
from pytest_totphog.stores.leases import Lease, Leases

__all__ = ["Account", "AccountPool", "TotpAccount", "as_accounts", "read_accounts"]

__tracebackhide__ = hidden_in_reports

# Where a wait of more than a second says that it begins.
LOG: Final = logging.getLogger("pytest_totphog")

FIELDS: Final = ("name", "password", "secret", "uri")
ACCEPTED: Final = 'a JSON list such as [{"name": …, "password": …, "secret": …}]'


# pytest's assertion diff goes through the fields that are compared, and would show a password.
@dataclass(frozen=True, eq=False)
class Account:
    """An account of the app under test, as it was set up there; validates itself.

    Attributes:
        name: what the user logs in with.
        password: 1 to 1,024 characters.
        secret: the TOTP secret in base32, in any usual spelling, or else
        uri: the key URI `otpauth://totp/…`, which also says digits, period and algorithm.

    Raises:
        InvalidInput: when any of them is not what is accepted.
    """

    name: str
    password: str = field(repr=False, compare=False)
    secret: str | None = field(default=None, repr=False, compare=False)
    uri: str | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        as_text("name", self.name)
        if (self.secret is None) == (self.uri is None):
            raise InvalidInput(f"secret and uri are both {'missing' if self.uri is None else 'given'}; accepted is one")
        object.__setattr__(self, "password", Secret(as_password(self.password)))
        for name in "secret", "uri":
            if getattr(self, name) is not None:
                object.__setattr__(self, name, getattr(self.token, name))

    @cached_property
    def token(self) -> Token:
        """The account's credential, registered nowhere."""
        made_at = as_datetime(0)
        if self.uri is not None:
            return Token.from_uri(self.uri, created_at=made_at)
        return Token.create(name=self.name, secret=self.secret, created_at=made_at)


@dataclass(frozen=True, eq=False)
class TotpAccount:
    """An account that a test holds: no other worker or job has it.

    Attributes:
        name: what the user logs in with.
        password: the password.
        token: the account's token, registered in the server.
    """

    name: str
    password: str = field(repr=False, compare=False)
    token: TotpToken


class AccountPool:
    """The accounts that one test takes, one after the other, and gives back together.

    Args:
        accounts: those there are.
        leases: which of them are taken.
        timeout: how long to wait for one at the most, in real seconds.
    """

    def __init__(self, accounts: Sequence[Account], leases: Leases, timeout: float) -> None:
        self._accounts = {account.token.fingerprint: account for account in accounts}
        self._leases = leases
        self._timeout = timeout
        self._renewing = ExitStack()
        self._taken: list[Lease] = []

    def take(self, holder: str) -> Account:
        """Return the account that has been unused for longest, when one is free.

        Args:
            holder: the test that takes it.

        Raises:
            AccountUnavailable: when there is none in time; it names their holders.
        """
        if len(self._taken) == len(self._accounts):
            raise AccountUnavailable(
                f"the pool has {plural(len(self._accounts), 'account')}, and this test has taken "
                f"{'it' if len(self._accounts) == 1 else 'them all'} already; add accounts to the pool"
            )
        keys, started = [*self._accounts], Clock.monotonic()
        lease = self._leases.take(keys, holder)
        if lease is None and self._timeout > 1:
            LOG.info("waiting up to %g s for an account: others have %s", self._timeout, plural(len(keys), "account"))
        try:
            lease = lease or self._leases.take(keys, holder, self._timeout)
        except BaseException as error:
            error.add_note(f"was waiting {Clock.monotonic() - started:.0f} s for an account that others have")
            raise
        if lease is None:
            raise AccountUnavailable(
                f"none of {plural(len(self._accounts), 'account')} was free within {self._timeout:g} s: "
                f"{self._holders()}. Add accounts to the pool, or wait longer: ini totphog_account_timeout"
            )
        self._taken.append(lease)
        self._renewing.enter_context(self._leases.renewing(lease))
        return self._accounts[lease.id]

    def close(self) -> None:
        """Give all accounts back.

        Raises:
            AccountUnavailable: when another test was given one of them meanwhile, because this process had stood
                still and its leases had expired.
        """
        self._renewing.close()
        lost = [self._accounts[lease.id].name for lease in self._taken if not self._leases.give_back(lease)]
        if lost:
            raise AccountUnavailable(
                f"another test was given {' and '.join(lost)} while this test had it, because this process had stood "
                "still for so long that it seemed dead; run the test again"
            )

    def _holders(self) -> str:
        held = [
            f"{self._accounts[key].name} is held by {holder}, for at least {duration(seconds)}"
            for key, holder, seconds in self._leases.holders([*self._accounts])
        ]
        return "; ".join(held) or "others waited for them first"


def read_accounts(source: str | Path) -> list[Account]:
    """Return the accounts of a JSON list: a file's, or for `env:NAME` an environment variable's.

    Raises:
        InvalidInput: when it cannot be read, or an account is not what is accepted; the message says which, and shows
            no secret.
    """
    text: str | bytes
    if isinstance(source, str) and source.startswith("env:"):
        name = source.removeprefix("env:")
        where, text = f"the environment variable {name}", os.environ.get(name, "")
        if not text:
            raise InvalidInput(f"{where} is not set; accepted is {ACCEPTED}")
    else:
        where = str(source)
        try:
            text = Path(source).read_bytes()
        except OSError as error:
            raise InvalidInput(f"cannot read {where}: {error.strerror}") from None
    try:
        return as_accounts(json.loads(text))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None
    except (ValueError, RecursionError) as error:
        at = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInput(f"{where} is not JSON{at}; accepted is {ACCEPTED}") from None


def as_accounts(entries: object) -> list[Account]:
    """Return the accounts that a list describes.

    Args:
        entries: each an `Account`, or a mapping of `name`, `password`, and `secret` or `uri`.

    Raises:
        InvalidInput: when one is not what is accepted, or two are the same account; the message says which, and shows
            no secret.
    """
    if not isinstance(entries, (list, tuple)):
        raise InvalidInput(f"it is {shape(entries)}; accepted is {ACCEPTED}")
    if not entries:
        raise InvalidInput(f"it has no accounts; accepted is {ACCEPTED}")
    accounts: list[Account] = []
    first: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            account = entry if isinstance(entry, Account) else _account(entry)
        except InvalidInput as error:
            raise InvalidInput(f"entry {number}: {error}") from None
        for same in ("name", account.name), ("credential", account.token.fingerprint):
            if (other := first.setdefault(same, number)) != number:
                raise InvalidInput(f"entry {number}: its {same[0]} is that of entry {other}; list each account once")
        accounts.append(account)
    return accounts


def _account(entry: object) -> Account:
    if not isinstance(entry, Mapping):
        raise InvalidInput(f"it is {shape(entry)}; accepted is an object with {', '.join(FIELDS)}")
    if unknown := entry.keys() - set(FIELDS):
        raise InvalidInput(f"unknown: {', '.join(sorted(map(shown, unknown)))}; accepted are {', '.join(FIELDS)}")
    return Account(**{"name": None, "password": None, **entry})
