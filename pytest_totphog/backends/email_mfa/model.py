"""The rules of email-mfa: who may register, log in and set a new password, and which mailed code proves what."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar, Final, Literal

from pytest_totphog.backends.access_tokens import AccessTokens
from pytest_totphog.backends.email_mfa.mail import Postman
from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.verifier import Verifier
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.credentials import otp
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput
from pytest_totphog.inputs import as_email, as_password, as_text, is_whole
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.records import put

__all__ = ["EmailMfa", "MailAccount", "Refused"]

CODE_SECONDS: Final = 300
RESET_SECONDS: Final = 3600

Reason = Literal["exists", "no account", "no code", "wrong code", "wrong password", "wrong link"]


class Refused(Exception):
    """A request that the rules refuse."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class MailAccount:
    """A registered user; the id is the mail address in lower case."""

    collection: ClassVar[str] = "backends_email_mfa_model_account"

    id: str
    email: str
    first_name: str
    last_name: str
    phone_number: str
    role_id: int
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Registration(MailAccount):
    """A user who has not proved the mail address yet."""

    collection: ClassVar[str] = "backends_email_mfa_model_registration"


@dataclass(frozen=True)
class MailedCode:
    """The secret behind the latest code mailed for one purpose; each mail has a secret of its own.

    The id is purpose and account, so a code of one purpose proves nothing for another, and a new one voids the old.
    """

    collection: ClassVar[str] = "backends_email_mfa_model_mailedcode"

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class ResetLink:
    """The latest reset link of an account, which is the id; only a hash of its token is kept."""

    collection: ClassVar[str] = "backends_email_mfa_model_resetlink"

    id: str
    token_hash: str = field(repr=False)
    expires_at: float


class EmailMfa:
    """Registration, login and password reset.

    Args:
        store: where accounts and codes live.
        clock: what codes, links and access tokens expire on.
        verifier: accepts or refuses the codes.
        passwords: hashes passwords.
        access_tokens: issues the token of a login.
        postman: sends the mails.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        verifier: Verifier,
        passwords: PasswordHasher,
        access_tokens: AccessTokens,
        postman: Postman,
    ) -> None:
        self._clock = clock
        self._verifier = verifier
        self._passwords = passwords
        self._access_tokens = access_tokens
        self._postman = postman
        self._accounts: Repository[MailAccount] = store.repository(MailAccount)
        self._registrations: Repository[Registration] = store.repository(Registration)
        self._codes: Repository[MailedCode] = store.repository(MailedCode)
        self._links: Repository[ResetLink] = store.repository(ResetLink)

    def register(
        self, *, email: object, password: object, first_name: object, last_name: object, phone: object, role_id: object
    ) -> None:
        """Mail a code that proves the address; nothing is kept when it cannot be mailed.

        Raises:
            InvalidInput: when a field is not what is accepted.
            Refused: when the account exists.
            MailNotSent: when the mail cannot be sent.
        """
        address = as_email(email)
        registration = Registration(
            id=address.lower(),
            email=address,
            first_name=as_text("firstName", first_name),
            last_name=as_text("lastName", last_name),
            phone_number=as_text("phoneNumber", phone, least=0),
            role_id=_integer("roleId", role_id),
            password_hash=self._passwords.hash(as_password(password)),
        )
        if self._accounts.get(registration.id) is not None:
            raise Refused("exists")
        self._mail_code("register", registration.id, address)
        put(self._registrations, registration.id, lambda _: registration)

    def complete_registration(self, *, email: str, code: object) -> None:
        """Make the account of a registration whose code is good.

        Raises:
            Refused: when nothing is pending, the code is wrong, or the account exists.
        """
        account_id = email.lower()
        self._check_code("register", account_id, code)
        registration = self._registrations.remove(account_id)
        if registration is None:
            raise Refused("no code")
        if not self._accounts.add(MailAccount(**asdict(registration))):
            raise Refused("exists")

    def log_in(self, *, email: str, password: object) -> None:
        """Mail a code to an account whose password is right.

        Raises:
            Refused: when there is no such account or the password is wrong.
            MailNotSent: when the mail cannot be sent.
        """
        account = self._authenticate(email, password)
        self._mail_code("login", account.id, account.email)

    def complete_login(self, *, email: str, password: object, code: object) -> str:
        """Return an access token when password and code are good.

        Raises:
            Refused: when there is no such account, no code was asked for, or either is wrong.
        """
        if self._accounts.get(email.lower()) is not None and self._codes.get(f"login/{email.lower()}") is None:
            raise Refused("no code")
        account = self._authenticate(email, password)
        self._check_code("login", account.id, code)
        return self._access_tokens.issue(account.id)

    def forgot_password(self, *, email: str, link: str) -> None:
        """Mail a reset link, which voids any older one.

        Args:
            email: the account's address.
            link: the link up to the token.

        Raises:
            Refused: when there is no such account.
            MailNotSent: when the mail cannot be sent.
        """
        account = self._accounts.get(email.lower())
        if account is None:
            raise Refused("no account")
        token = secrets.token_urlsafe(32)
        self._postman.send_reset_link(account.email, link + token, RESET_SECONDS // 60)
        reset = ResetLink(account.id, _hash(token), self._clock.time() + RESET_SECONDS)
        put(self._links, reset.id, lambda _: reset)

    def reset_password(self, *, token: str, password: object) -> None:
        """Set a new password, once for each link; codes mailed for a login before are void.

        Raises:
            InvalidInput: when the password is not what is accepted; the link stays good.
            Refused: when the link is unknown, used, void or expired.
        """
        password_hash = self._passwords.hash(as_password(password))
        links = self._links.find(token_hash=_hash(token))
        if not links or self._links.remove(links[0].id) != links[0] or links[0].expires_at <= self._clock.time():
            raise Refused("wrong link")
        self._codes.remove(f"login/{links[0].id}")
        while (account := self._accounts.get(links[0].id)) is not None:
            if self._accounts.replace(account, replace(account, password_hash=password_hash)):
                return
        raise Refused("wrong link")

    def _authenticate(self, email: str, password: object) -> MailAccount:
        account = self._accounts.get(email.lower())
        right = self._passwords.verify(
            password if isinstance(password, str) else "", None if account is None else account.password_hash
        )
        if account is None:
            raise Refused("no account")
        if not right or not isinstance(password, str):
            raise Refused("wrong password")
        return account

    def _mail_code(self, purpose: str, id: str, address: str) -> None:
        code = MailedCode(f"{purpose}/{id}", otp.random_secret())
        token = self._token(code)
        # Sent before it is kept: when it cannot be sent, nothing has changed.
        self._postman.send_code(
            address, token.code_at_step(token.step_at(self._clock.time_ns())), minutes=CODE_SECONDS // 60
        )
        put(self._codes, code.id, lambda _: code)

    def _check_code(self, purpose: str, id: str, code: object) -> None:
        mailed = self._codes.get(f"{purpose}/{id}")
        if mailed is None:
            raise Refused("no code")
        if not self._verifier.verify(id, self._token(mailed), code).accepted:
            raise Refused("wrong code")
        if self._codes.remove(mailed.id) != mailed:
            raise Refused("wrong code")

    def _token(self, code: MailedCode) -> Token:
        return Token.create(name=code.id, secret=code.secret, period=CODE_SECONDS, created_at=as_datetime(0))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _integer(field: str, value: object) -> int:
    if not is_whole(value, 0, 2**31 - 1):
        raise InvalidInput(f"{field} is not a whole number from 0 to {2**31 - 1}")
    return value
