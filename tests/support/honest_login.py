"""A small login that does everything right, with a driver; tests spoil one thing of it at a time."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from dataclasses import dataclass, field

from pytest_totphog.conformance import LoginDriver, Outcome
from pytest_totphog.credentials.otp import Generator, decode_secret

PERIOD = 30


@dataclass
class User:
    """An account: its factor, and what the login remembers of it."""

    secret: str = ""
    pending: str = ""
    last_step: int = -1
    failures: int = 0
    locked_until: float = 0
    recovery: list[str] = field(default_factory=list)
    # Spoiled logins count more.
    successes: int = 0
    first: str = ""


@dataclass
class Session:
    """What a browser holds a cookie of."""

    user: User
    address: int = 1
    inside: bool = False
    # Spoiled logins count here, too.
    failures: int = 0
    began: int = 0
    over: bool = False


class HonestLogin:
    """The login: in this process, and safe to be used from several threads.

    Attributes:
        window: how many steps before and after the current one are accepted.
        period: length of a time step in seconds.
        bits: length of a secret.
        limit: after how many failures in a row an account is locked, for a quarter of an hour.
    """

    window = 1
    limit: int | None = 5
    period = PERIOD
    bits = 160

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users: list[User] = []

    def now(self) -> float:
        """Seconds since the epoch, of this process's clock."""
        return time.time()

    def register(self) -> User:
        """Make an account."""
        user = User()
        self.users.append(user)
        return user

    def log_in(self, user: User) -> Session:
        """Give the right password."""
        return Session(user, inside=not user.secret)

    def new_secret(self) -> str:
        """Return a new secret."""
        return base64.b32encode(secrets.token_bytes(self.bits // 8)).decode().rstrip("=")

    def uri(self, secret: str) -> str:
        """Return what the enrolment shows."""
        return f"otpauth://totp/Honest:alice?secret={secret}&issuer=Honest&period={self.period}"

    def begin_enrolment(self, user: User) -> str:
        """Show a secret."""
        user.pending = self.new_secret()
        return self.uri(user.pending)

    def confirm_enrolment(self, user: User, code: object) -> bool:
        """Make the secret that was shown the user's, given a code of it."""
        step = self.step_of(user.pending, code)
        if step is None:
            return False
        user.secret, user.pending, user.last_step = user.pending, "", step
        return True

    def is_code(self, code: object) -> bool:
        """Tell whether this could be a code at all."""
        return isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 6

    def step_of(self, secret: str, code: object) -> int | None:
        """Return the accepted time step that a code belongs to."""
        if not secret or not self.is_code(code):
            return None
        current = int(self.now()) // self.period
        totp = Generator(decode_secret(secret)[1])
        for step in range(current - self.window, current + self.window + 1):
            if totp.generate_otp(step) == code:
                return step
        return None

    def throttled(self, session: Session) -> bool:
        """Tell whether this account's codes are not looked at now."""
        return self.now() < session.user.locked_until

    def count(self, session: Session) -> None:
        """Count a failure."""
        user = session.user
        user.failures += 1
        if self.limit is not None and user.failures >= self.limit:
            user.failures, user.locked_until = 0, self.now() + 900

    def succeed(self, session: Session) -> None:
        """Let the user in, and forget failures."""
        session.user.failures = 0
        session.inside = True

    def spend(self, user: User, step: int) -> bool:
        """Use a time step up; False when it, or a later one, was."""
        if step <= user.last_step:
            return False
        user.last_step = step
        return True

    def submit(self, session: Session, code: object) -> str:
        """Give a code: "in", "wrong" or "locked"."""
        with self.lock:
            if self.throttled(session):
                return "locked"
            step = self.step_of(session.user.secret, code)
            if step is None or not self.spend(session.user, step):
                self.count(session)
                return "wrong"
            self.succeed(session)
            return "in"

    def make_recovery_codes(self, user: User) -> list[str]:
        """Make recovery codes, and forget the old."""
        user.recovery = [secrets.token_hex(5) for _ in range(8)]
        return list(user.recovery)

    def recover(self, session: Session, code: str) -> str:
        """Give a recovery code."""
        with self.lock:
            if self.throttled(session):
                return "locked"
            if code not in session.user.recovery:
                self.count(session)
                return "wrong"
            session.user.recovery.remove(code)
            self.succeed(session)
            return "in"

    def disable(self, session: Session, code: object) -> str:
        """Take the factor away, given a code."""
        if not session.inside:
            return "wrong"
        answer = self.submit(session, code)
        if answer == "in":
            session.user.secret = ""
        return answer


OUTCOMES = {"in": Outcome.ACCEPTED, "wrong": Outcome.REFUSED, "locked": Outcome.THROTTLED}


class BareDriver(LoginDriver):
    """The three methods that every driver has."""

    login_class = HonestLogin

    def __init__(self) -> None:
        self.login = self.login_class()

    def enroll(self, account: User | None = None) -> str:
        self.only = self.login.register() if account is None else account
        source = self.login.begin_enrolment(self.only)
        assert self.login.confirm_enrolment(self.only, self.one_time_code(source))
        return source

    def begin(self, account: User | None) -> Session:
        return self.login.log_in(self.only if account is None else account)

    def submit(self, attempt: Session, code: object) -> Outcome:
        return OUTCOMES[self.login.submit(attempt, code)]


class AccountsDriver(BareDriver):
    """A driver that can make accounts."""

    def new_account(self) -> User:
        return self.login.register()


class HonestDriver(AccountsDriver):
    """A driver with everything that there is, but what needs a network."""

    address = 1

    def begin_enrolment(self, account: User) -> str:
        return self.login.begin_enrolment(account)

    def confirm_enrolment(self, account: User, code: str) -> Outcome:
        return Outcome.ACCEPTED if self.login.confirm_enrolment(account, code) else Outcome.REFUSED

    def recovery_codes(self, account: User) -> list[str]:
        return self.login.make_recovery_codes(account)

    def submit_recovery_code(self, attempt: Session, code: str) -> Outcome:
        return OUTCOMES[self.login.recover(attempt, code)]

    def disable(self, attempt: Session, code: str | None = None) -> Outcome:
        return OUTCOMES[self.login.disable(attempt, code)]

    def protected_page(self, attempt: Session) -> bool:
        return attempt.inside

    def reset_password(self, account: User) -> Session:
        return self.login.log_in(account)
