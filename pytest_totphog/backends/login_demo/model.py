"""The rules of login-demo: accounts, their second factor, and what opens them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.verifier import Verifier
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials.otp import random_secret
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.records import put

__all__ = ["DemoAccount", "DemoAccounts", "Enrolment", "Login", "PasswordReset", "SecondFactor"]

ISSUER: Final = "2FA Demo"
RESET_SECONDS: Final = 3600

BACKUP_CODES: Final = 8
BACKUP_CODE_LENGTH: Final = 8
# Without the digits and letters that are taken for one another: 0 and O, 1 and I.
BACKUP_CODE_CHARACTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class DemoAccount:
    """Who may log in.

    Attributes:
        id: a UUID made from the e-mail address in one case, so that the store's unique key keeps an address to one
            account.
        email: the address as it was registered.
        password_hash: the bcrypt hash.
    """

    collection: ClassVar[str] = "backends_login_demo_model_account"

    id: str
    email: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class SecondFactor:
    """An account's authenticator app: the one that counts, and the one that is being set up.

    Attributes:
        id: the account's id.
        secret: the verified secret; None until there is one.
        backup_codes: hashes of the backup codes that are left.
        pending_secret: a secret that awaits its first code; None when there is none.
        pending_backup_codes: hashes of the backup codes that come into force with it.
    """

    collection: ClassVar[str] = "backends_login_demo_model_secondfactor"

    id: str
    secret: str | None = field(default=None, repr=False)
    backup_codes: list[str] = field(default_factory=list, repr=False)
    pending_secret: str | None = field(default=None, repr=False)
    pending_backup_codes: list[str] = field(default_factory=list, repr=False)

    @property
    def enabled(self) -> bool:
        """Whether a login demands a code: a secret that has been verified is in force at once."""
        return self.secret is not None


@dataclass(frozen=True)
class PasswordReset:
    """The latest permission to set a new password, by the account's id; only a hash of its token is kept."""

    collection: ClassVar[str] = "backends_login_demo_model_passwordreset"

    id: str
    token_hash: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True)
class Enrolment:
    """What a user is shown once to set up an authenticator app; the backup codes are kept as hashes only."""

    token: Token
    backup_codes: list[str] = field(repr=False)


@dataclass(frozen=True)
class Login:
    """What came of a login: the account that is logged in, or a demand for a code, or neither for a refusal."""

    account: DemoAccount | None = None
    code_required: bool = False


class DemoAccounts:
    """All accounts of the app.

    Args:
        store: where they live.
        clock: what time it is.
        verifier: judges codes and counts failures, by the account's id.
        passwords: hashes passwords.
        backup_codes: hashes backup codes; they are random, and eight at a time, so less work will do.
        disable_takes_code: whether switching the second factor off takes a code of it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        verifier: Verifier,
        passwords: PasswordHasher,
        backup_codes: PasswordHasher,
        *,
        disable_takes_code: bool = False,
    ) -> None:
        self._clock = clock
        self._verifier = verifier
        self._passwords = passwords
        self._backup_codes = backup_codes
        self._accounts: Repository[DemoAccount] = store.repository(DemoAccount)
        self._second_factors: Repository[SecondFactor] = store.repository(SecondFactor)
        self._resets: Repository[PasswordReset] = store.repository(PasswordReset)
        self.disable_takes_code = disable_takes_code

    @property
    def all(self) -> list[DemoAccount]:
        """Every account, oldest first."""
        return self._accounts.find()

    @property
    def second_factors(self) -> list[SecondFactor]:
        """Every second factor that is in force or being set up, oldest first."""
        return self._second_factors.find()

    def get(self, account_id: str) -> DemoAccount | None:
        """Return the account with an id."""
        return self._accounts.get(account_id)

    def find(self, email: str) -> DemoAccount | None:
        """Return the account of an address, in any case."""
        return self._accounts.get(_account_id(email))

    def register(self, email: str, password: str) -> DemoAccount | None:
        """Return a new account; None when the address, in whichever case, has one."""
        account = DemoAccount(_account_id(email), email, self._passwords.hash(password))
        return account if self._accounts.add(account) else None

    def log_in(self, email: str, password: str, code: str | None) -> Login:
        """Judge a login.

        The password comes first: only who knows it learns that a code is wanted, and only then is a wrong code
        counted, so that strangers lock nobody out.

        Args:
            email: the address, in any case.
            password: the password.
            code: a code of the authenticator app or a backup code; None or empty when none was given.
        """
        account = self.find(email)
        right = self._passwords.verify(password, None if account is None else account.password_hash)
        if account is None or not right:
            return Login()
        if not self.second_factor(account).enabled:
            return Login(account)
        if not code:
            return Login(code_required=True)
        return Login(account) if self._accepts(account, code) else Login()

    def second_factor(self, account: DemoAccount) -> SecondFactor:
        """Return the second factor of an account; an empty one when nothing has been set up."""
        return self._second_factors.get(account.id) or SecondFactor(account.id)

    def failures(self, account_id: str) -> int:
        """Return how many wrong codes in a row an account has seen."""
        return self._verifier.failures(account_id)

    def set_up(self, account: DemoAccount) -> Enrolment:
        """Return a new secret with its backup codes, to be verified; what is in force stays in force until then."""
        secret = self._new_secret()
        codes = [_backup_code() for _ in range(BACKUP_CODES)]
        hashes = [self._backup_codes.hash(code) for code in codes]
        self._change(account, pending_secret=secret, pending_backup_codes=hashes)
        return Enrolment(self._token(account, secret), codes)

    def verify(self, account: DemoAccount, code: str) -> bool:
        """Judge a code of the authenticator app; the first right one of a new secret puts that in force."""
        factor = self.second_factor(account)
        secret = factor.pending_secret or factor.secret
        if secret is None or not self._verifier.verify(account.id, self._token(account, secret), code).accepted:
            return False
        return self._put_in_force(account, secret)

    def may_disable(self, account: DemoAccount, code: str | None) -> bool:
        """Return whether the second factor may be switched off, with a code of it where that is what it takes."""
        if not self.disable_takes_code or not self.second_factor(account).enabled:
            return True
        return code is not None and self._accepts(account, code)

    def disable(self, account: DemoAccount) -> None:
        """Forget the second factor, backup codes included, and one that is being set up."""
        self._second_factors.remove(account.id)

    def forgot_password(self, account: DemoAccount) -> str:
        """Return the token of a permission to set a new password, which voids any older one."""
        token = secrets.token_urlsafe(32)
        reset = PasswordReset(account.id, _hash(token), self._clock.time() + RESET_SECONDS)
        put(self._resets, reset.id, lambda _: reset)
        return token

    def reset_password(self, token: str, password: str) -> DemoAccount | None:
        """Set a new password, once for each token; return the account, or None when the token is not good."""
        password_hash = self._passwords.hash(password)
        resets = self._resets.find(token_hash=_hash(token))
        if not resets or self._resets.remove(resets[0].id) != resets[0] or resets[0].expires_at <= self._clock.time():
            return None
        while (account := self.get(resets[0].id)) is not None:
            if self._accounts.replace(account, new := replace(account, password_hash=password_hash)):
                return new
        return None

    def _new_secret(self) -> str:
        return random_secret()

    def _change(self, account: DemoAccount, **fields: Any) -> None:
        put(self._second_factors, account.id, lambda old: replace(old or SecondFactor(account.id), **fields))

    def _put_in_force(self, account: DemoAccount, secret: str) -> bool:
        while (factor := self.second_factor(account)).pending_secret == secret:
            if self._second_factors.replace(factor, SecondFactor(account.id, secret, factor.pending_backup_codes)):
                return True
        # Without a new secret there was nothing to put in force, or somebody else was faster; but if the second
        # factor has been disabled or set up anew meanwhile, this code is good for nothing.
        return factor.secret == secret

    def _accepts(self, account: DemoAccount, code: str) -> bool:
        if len(code) == BACKUP_CODE_LENGTH:
            return self._accepts_backup_code(account, code)
        secret = self.second_factor(account).secret
        return secret is not None and self._verifier.verify(account.id, self._token(account, secret), code).accepted

    def _accepts_backup_code(self, account: DemoAccount, code: str) -> bool:
        """Use up a backup code; a wrong one counts as a wrong code does, and a locked account takes none."""
        # Counted before it is looked at and forgiven when it is good, as the verifier does it with codes.
        if self._verifier.fail(account.id) is not None:
            return False
        hashes = self.second_factor(account).backup_codes
        used = next((hashed for hashed in hashes if self._backup_codes.verify(code, hashed)), None)
        while used in (factor := self.second_factor(account)).backup_codes:
            left = [hashed for hashed in factor.backup_codes if hashed != used]
            if self._second_factors.replace(factor, replace(factor, backup_codes=left)):
                self._verifier.forgive(account.id)
                return True
        return False

    def _token(self, account: DemoAccount, secret: str) -> Token:
        return Token.create(created_at=self._clock.now(), name=account.email, secret=secret, issuer=ISSUER)


def _account_id(email: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email.lower()}"))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _backup_code() -> str:
    return "".join(secrets.choice(BACKUP_CODE_CHARACTERS) for _ in range(BACKUP_CODE_LENGTH))
