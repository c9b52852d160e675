"""DemoAccounts with a mistake in them: each overrides as little of the right way as it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_totphog.backends.flaws import between_check_and_set
from pytest_totphog.backends.login_demo.model import DemoAccount, DemoAccounts, Enrolment, Login
from pytest_totphog.backends.verifier import Verifier
from pytest_totphog.credentials.otp import random_secret
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.errors import HttpError

__all__ = [
    "AnyUsersCode",
    "EagerEnrolment",
    "EmptyCode",
    "FreeDisable",
    "LeakyResponses",
    "LongPeriod",
    "OldRecovery",
    "PasswordResetsThrottle",
    "RecoveryRace",
    "RecoveryReuse",
    "SharedRecovery",
    "SharedSecret",
    "ShortSecret",
    "SurfaceReplay",
    "UnconfirmedEnrolment",
    "UnspentEnrolment",
    "UriMismatch",
]


# Secrets and what is shown of them


class ShortSecret(DemoAccounts):
    """A secret has 80 bits."""

    def _new_secret(self) -> str:
        return random_secret(10)


class SharedSecret(DemoAccounts):
    """All accounts have one secret."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._secret = random_secret()

    def _new_secret(self) -> str:
        return self._secret


class LongPeriod(DemoAccounts):
    """A time step takes three minutes."""

    def _token(self, account: DemoAccount, secret: str) -> Token:
        return replace(super()._token(account, secret), period=180)


class UriMismatch(DemoAccounts):
    """The key URI demands SHA-256, and the login computes SHA-1."""

    def set_up(self, account: DemoAccount) -> Enrolment:
        """Show another token than the one that will be judged by."""
        enrolment = super().set_up(account)
        return replace(enrolment, token=replace(enrolment.token, algorithm="sha256"))


# Enrolment


class OtherVerifier(DemoAccounts):
    """A second verifier that remembers for itself, as when two teams write two doors."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._other = Verifier(MemoryStore(), self._clock, self._verifier.policy)

    def _other_accepts(self, account: DemoAccount, secret: str, code: str) -> bool:
        return self._other.verify(account.id, self._token(account, secret), code).accepted


class UnconfirmedEnrolment(DemoAccounts):
    """Any code puts a new secret in force."""

    def verify(self, account: DemoAccount, code: str) -> bool:
        """Accept whatever is sent for a new secret."""
        pending = self.second_factor(account).pending_secret
        return super().verify(account, code) or (pending is not None and self._put_in_force(account, pending))


class UnspentEnrolment(OtherVerifier):
    """The code that put a secret in force opens the login, too."""

    def verify(self, account: DemoAccount, code: str) -> bool:
        """Accept a code for a new secret, and leave it unspent."""
        pending = self.second_factor(account).pending_secret
        if pending is None:
            return super().verify(account, code)
        return self._other_accepts(account, pending, code) and self._put_in_force(account, pending)


class EagerEnrolment(DemoAccounts):
    """A new secret is in force as soon as it is shown, and the one before is not."""

    def set_up(self, account: DemoAccount) -> Enrolment:
        """Put the new secret in force before anybody has confirmed it."""
        enrolment = super().set_up(account)
        self._change(account, secret=enrolment.token.secret)
        return enrolment


# One account and another, one door and another


class AnyUsersCode(DemoAccounts):
    """A code that is not the account's own is looked for among those of the users who enrolled before and after it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tokens: dict[str, Token] = {}

    def _token(self, account: DemoAccount, secret: str) -> Token:
        token = self._tokens[account.id] = super()._token(account, secret)
        return token

    def _accepts(self, account: DemoAccount, code: str) -> bool:
        if super()._accepts(account, code):
            return True
        now, users = self._clock.time_ns(), list(self._tokens)
        # Of all the users there are one has any code by chance, sooner or later, and other rules would find that too.
        place = users.index(account.id)
        for other in users[max(0, place - 2) : place + 3]:
            token = self._tokens[other]
            step = token.step_at(now)
            if other != account.id and code in {token.code_at_step(step), token.code_at_step(step - 1)}:
                self._verifier.forgive(account.id)
                return True
        return False


class SharedRecovery(DemoAccounts):
    """A backup code is looked up without asking whose it is (CVE-2025-64175)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._owners: dict[str, str] = {}

    def set_up(self, account: DemoAccount) -> Enrolment:
        """Remember the new codes beside everybody else's."""
        enrolment = super().set_up(account)
        self._owners |= dict.fromkeys(enrolment.backup_codes, account.id)
        return enrolment

    def _accepts_backup_code(self, account: DemoAccount, code: str) -> bool:
        owner = self.get(self._owners.get(code, account.id)) or account
        return super()._accepts_backup_code(owner, code)


class SurfaceReplay(OtherVerifier):
    """Switching the second factor off has a memory of its own, and takes the code that the login took."""

    def may_disable(self, account: DemoAccount, code: str | None) -> bool:
        """Ask the other verifier."""
        secret = self.second_factor(account).secret
        return secret is None or (code is not None and self._other_accepts(account, secret, code))


class FreeDisable(DemoAccounts):
    """Switching the second factor off takes no code, or a wrong one."""

    def may_disable(self, account: DemoAccount, code: str | None) -> bool:
        """Let everybody do it who is logged in."""
        return True


# Backup codes


class RecoveryReuse(DemoAccounts):
    """A backup code is accepted again and again (CVE-2025-67507)."""

    def _accepts_backup_code(self, account: DemoAccount, code: str) -> bool:
        codes = self.second_factor(account).backup_codes
        accepted = super()._accepts_backup_code(account, code)
        self._change(account, backup_codes=codes)
        return accepted


class RecoveryRace(DemoAccounts):
    """It is looked up whether a backup code is left, and crossed out afterwards (CVE-2025-67507)."""

    def _accepts_backup_code(self, account: DemoAccount, code: str) -> bool:
        if self._verifier.fail(account.id) is not None:
            return False
        hashes = self.second_factor(account).backup_codes
        used = next((hashed for hashed in hashes if self._backup_codes.verify(code, hashed)), None)
        if used is None:
            return False
        between_check_and_set()
        self._change(account, backup_codes=[hashed for hashed in hashes if hashed != used])
        self._verifier.forgive(account.id)
        return True


class OldRecovery(DemoAccounts):
    """Backup codes stay good when there are new ones."""

    def set_up(self, account: DemoAccount) -> Enrolment:
        """Keep the old ones among the new ones."""
        enrolment = super().set_up(account)
        factor = self.second_factor(account)
        self._change(account, pending_backup_codes=[*factor.backup_codes, *factor.pending_backup_codes])
        return enrolment


# The login


class EmptyCode(DemoAccounts):
    """A code is looked at when there is one, and the login goes on when there is none."""

    def log_in(self, email: str, password: str, code: str | None) -> Login:
        """Take an empty code for a right one."""
        login = super().log_in(email, password, code)
        return Login(self.find(email)) if login.code_required and code == "" else login


class LeakyResponses(DemoAccounts):
    """The answer to a wrong code tells the right one."""

    def _accepts(self, account: DemoAccount, code: str) -> bool:
        if super()._accepts(account, code):
            return True
        token = self._token(account, self.second_factor(account).secret or "")
        expected = token.code_at_step(token.step_at(self._clock.time_ns()))
        raise HttpError(401, f"Invalid credentials or TOTP code: expected {expected}")


class PasswordResetsThrottle(DemoAccounts):
    """A right password forgives the wrong codes before it."""

    def log_in(self, email: str, password: str, code: str | None) -> Login:
        """Forgive when a code is asked for."""
        login = super().log_in(email, password, code)
        account = self.find(email)
        if login.code_required and account is not None:
            self._verifier.forgive(account.id)
        return login
