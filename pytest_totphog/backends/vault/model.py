"""The rules of vault: accounts, the tokens that open them, and the TOTP credentials that they hold."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import as_datetime, as_period
from pytest_totphog.credentials import otp
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown
from pytest_totphog.inputs import as_email, as_password, as_text, is_whole, shape
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.records import put

__all__ = ["DEMO_EMAIL", "TOTP_FIELDS", "Totp", "Totps", "VaultAccount", "VaultAccounts", "seed"]

__tracebackhide__ = hidden_in_reports

DAY_MILLISECONDS: Final = 86_400_000
MAX_DAYS: Final = 3650
MAX_SECRET: Final = 1024
MAX_METADATA: Final = 10_000
MAX_DEPTH: Final = 20

DEMO_EMAIL: Final = "demo@email.com"

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class VaultAccount:
    """A user.

    Attributes:
        id: the e-mail address in lower case, so that the store's unique key keeps an address to one account.
        user_id: the UUID that the API knows the user by; random, because whoever knows it gets a token.
        name: the user's name.
        email: the address as it was registered.
        password_hash: the bcrypt hash.
    """

    collection: ClassVar[str] = "backends_vault_model_account"

    id: str
    user_id: str
    name: str
    email: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Access:
    """A token that opens an account; the token itself is kept nowhere.

    Attributes:
        id: the SHA-256 hash of the token.
        user_id: whose it is.
        expires_at: milliseconds since the epoch.
    """

    collection: ClassVar[str] = "backends_vault_model_access"

    id: str
    user_id: str
    expires_at: int


@dataclass(frozen=True)
class Totp:
    """A TOTP credential of a user."""

    collection: ClassVar[str] = "backends_vault_model_totp"

    id: str
    user_id: str
    label: str
    secret: str = field(repr=False)
    digits: int = 6
    period: int = 30
    algorithm: str = "sha1"
    icon: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    sort: int = 0

    def code_at(self, nanoseconds: int) -> tuple[str, int]:
        """Return the code of an instant, and when its time step ends, in milliseconds since the epoch."""
        token = Token.create(
            name=self.id,
            secret=self.secret,
            digits=self.digits,
            period=self.period,
            algorithm=self.algorithm,
            created_at=as_datetime(0),
        )
        step = token.step_at(nanoseconds)
        return token.code_at_step(step), (step + 1) * self.period * 1000


class VaultAccounts:
    """All accounts and their tokens.

    Args:
        store: where they live.
        clock: what tokens expire on.
        passwords: hashes the passwords.
    """

    def __init__(self, store: Store, clock: Clock, passwords: PasswordHasher) -> None:
        self._clock = clock
        self._passwords = passwords
        self._accounts: Repository[VaultAccount] = store.repository(VaultAccount)
        self._accesses: Repository[Access] = store.repository(Access)

    def register(self, name: str, email: str, password: str) -> VaultAccount | None:
        """Return a new account; None when the address, in whichever case, has one.

        Raises:
            InvalidInput: when a field is not what is accepted.
        """
        name, email, password = as_text("name", name), as_email(email), as_password(password)
        account = VaultAccount(email.lower(), str(uuid.uuid4()), name, email, self._passwords.hash(password))
        return account if self._accounts.add(account) else None

    def log_in(self, email: str, password: str) -> VaultAccount | None:
        """Return the account of an address, in any case, when the password is right."""
        try:
            account = self._accounts.get(as_email(email).lower())
        except InvalidInput:  # nobody was registered with it, and some databases fail when they are asked for it
            account = None
        right = self._passwords.verify(password, None if account is None else account.password_hash)
        return account if right else None

    def get(self, user_id: str) -> VaultAccount | None:
        """Return the account of a user."""
        return next(iter(self._accounts.find(user_id=user_id)), None) if _ID.fullmatch(user_id) else None

    def issue_token(self, account: VaultAccount, days: int) -> tuple[str, int]:
        """Return a new token and when it expires, in milliseconds since the epoch.

        Raises:
            InvalidInput: unless days are a whole number from 1 to 3,650.
        """
        if not is_whole(days, 1, MAX_DAYS):
            raise InvalidInput(f"days is {shown(days)}; accepted are whole days from 1 to {MAX_DAYS}")
        token = uuid.uuid4().hex
        expires_at = self._clock.time_ns() // 1_000_000 + days * DAY_MILLISECONDS
        self._accesses.add(Access(_hash(token), account.user_id, expires_at))
        return token, expires_at

    def revoke_token(self, token: str) -> None:
        """Let a token open nothing any more."""
        self._accesses.remove(_hash(token))

    def user_of(self, token: str) -> str | None:
        """Return the id of the user whose account a token opens; None for one that is expired, revoked or unknown."""
        access = self._accesses.get(_hash(token))
        if access is None or access.expires_at <= self._clock.time_ns() // 1_000_000:
            return None
        return access.user_id


class Totps:
    """The TOTP credentials of all users; nobody reaches those of another.

    Args:
        store: where they live.
    """

    def __init__(self, store: Store) -> None:
        self._totps: Repository[Totp] = store.repository(Totp)

    def all(self, user_id: str) -> list[Totp]:
        """Return a user's credentials by their `sort`, oldest first among equals."""
        return sorted(self._totps.find(user_id=user_id), key=lambda totp: totp.sort)

    def add(self, user_id: str, all_fields: Sequence[Mapping[str, Any]]) -> list[Totp]:
        """Return new credentials, all or none.

        Args:
            user_id: whose they are.
            all_fields: for each its label and secret, and others of `TOTP_FIELDS`.

        Raises:
            InvalidInput: when a field of any is not what is accepted.
        """
        totps = [Totp(id=str(uuid.uuid4()), user_id=user_id, **_check(fields)) for fields in all_fields]
        self._totps.add(*totps)
        return totps

    def update(self, user_id: str, id: str, fields: Mapping[str, Any]) -> Totp | None:
        """Return a user's credential with some fields changed; None when the user has none of that id.

        Raises:
            InvalidInput: when a field is not what is accepted.
        """
        changes = _check(fields)
        while (old := self._get(user_id, id)) is not None:
            new = replace(old, **changes)
            if self._totps.replace(old, new):
                return new
        return None

    def remove(self, user_id: str, id: str) -> Totp | None:
        """Forget a user's credential and return it; None when the user has none of that id."""
        return self._totps.remove(id) if self._get(user_id, id) else None

    def _get(self, user_id: str, id: str) -> Totp | None:
        totp = self._totps.get(id) if _ID.fullmatch(id) else None
        return totp if totp is not None and totp.user_id == user_id else None


def seed(store: Store, clock: Clock) -> None:
    """Put the demo account, its token and its credential into a store.

    Done again, it sets name, password, credential and the token's expiry (3,650 days ahead) anew. The account is known
    by its address and the credential by its secret, so that nothing is doubled, also when it is done twice at once.
    """
    password_hash = PasswordHasher().hash("pass123")
    account = put(
        store.repository(VaultAccount),
        DEMO_EMAIL,
        lambda old: VaultAccount(
            DEMO_EMAIL, old.user_id if old else str(uuid.uuid4()), "Admin", DEMO_EMAIL, password_hash
        ),
    )
    expires_at = clock.time_ns() // 1_000_000 + MAX_DAYS * DAY_MILLISECONDS
    access = Access(_hash("c8eeaabf3ef14ffc811cab37ba16753f"), account.user_id, expires_at)
    put(store.repository(Access), access.id, lambda _: access)
    totps, base32 = store.repository(Totp), "JBSWY3DPEHPK3PXP"
    same = totps.find(user_id=account.user_id, secret=base32)
    # A new one's id follows from the user's, so that of two seeds at once one finds the other's.
    totp_id = same[0].id if same else str(uuid.uuid5(uuid.UUID(account.user_id), base32))
    put(totps, totp_id, lambda _: Totp(totp_id, account.user_id, "Demo TOTP", base32))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _check(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a credential as they are kept."""
    return {name: _CHECKS[name](value) for name, value in fields.items()}


def _secret(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"secret is {shape(value)}; accepted is a base32 string")
    if len(value) > MAX_SECRET:
        raise InvalidInput(f"secret has {len(value)} characters; accepted are {MAX_SECRET} at most")
    return otp.decode_secret(value)[0]


def _metadata(value: object) -> dict[str, Any]:
    if isinstance(value, dict) and _is_flat(value):
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except ValueError:  # infinity, which is what 1e999 is read as
            text = ""
        if 0 < len(text) <= MAX_METADATA:
            return value
    raise InvalidInput(
        f"metadata is not what is accepted: a JSON object of at most {MAX_METADATA} characters, "
        f"{MAX_DEPTH} levels deep, without numbers that are too large"
    )


def _is_flat(value: object, levels: int = MAX_DEPTH) -> bool:
    """Return whether a JSON value has at most so many levels of objects and arrays."""
    if not isinstance(value, (dict, list)):
        return True
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_flat(item, levels - 1) for item in items)


def _sort(value: object) -> int:
    if not is_whole(value, -(2**31), 2**31 - 1):
        raise InvalidInput(f"sort is {shown(value)}; accepted are whole numbers of 32 bits")
    return value


_CHECKS: Final[dict[str, Callable[[Any], Any]]] = {
    "label": lambda value: as_text("label", value),
    "secret": _secret,
    "digits": otp.as_digits,
    "period": as_period,
    "algorithm": otp.as_algorithm,
    "icon": lambda value: None if value is None else as_text("icon", value, most=2000),
    "metadata": _metadata,
    "sort": _sort,
}
TOTP_FIELDS: Final = tuple(_CHECKS)
