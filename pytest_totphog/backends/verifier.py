"""The verifier: the relying party's side of TOTP, done right once for all practice backends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials import otp
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown
from pytest_totphog.inputs import is_number, is_whole
from pytest_totphog.stores import Repository, Store

__all__ = ["Attempts", "LastStep", "Verification", "Verifier", "VerifierPolicy"]

__tracebackhide__ = hidden_in_reports

MAX_WINDOW: Final = 100


@dataclass(frozen=True)
class VerifierPolicy:
    """What a verifier accepts, and how often one may be wrong; strict unless it says otherwise.

    Attributes:
        window: how many time steps before and after the current one are accepted (RFC 6238 section 5.2
            recommends one at most).
        one_time: whether each step is accepted once and only forwards (RFC 6238 section 5.2).
        max_failures: after how many failures in a row an account is locked (RFC 4226 section 7.3); None for never.
        lockout_seconds: how long a lockout lasts on the verifier's clock.
        reregister: whether registering a name again replaces its secret; only simple, whose document has it so, does.

    Raises:
        InvalidInput: when any of them is not what is accepted.
    """

    window: int = 1
    one_time: bool = True
    max_failures: int | None = 5
    lockout_seconds: float = 900
    reregister: bool = False

    def __post_init__(self) -> None:
        if not is_whole(self.window, 0, MAX_WINDOW):
            raise InvalidInput(f"window is {shown(self.window)}; accepted are 0 to {MAX_WINDOW} steps")
        for switch in "one_time", "reregister":
            if not isinstance(value := getattr(self, switch), bool):
                raise InvalidInput(f"{switch} is {shown(value)}; accepted are True and False")
        if self.max_failures is not None and not is_whole(self.max_failures, 1):
            raise InvalidInput(f"max_failures is {shown(self.max_failures)}; accepted are 1 and more, or None")
        if not is_number(self.lockout_seconds, 0) or not self.lockout_seconds:
            raise InvalidInput(f"lockout_seconds is {shown(self.lockout_seconds)}; accepted are seconds above 0")


@dataclass(frozen=True)
class Verification:
    """What came of a code.

    Attributes:
        reason: `"accepted"`, `"invalid"` (no code of the window), `"replayed"` (a step spent, or before one that
            is) or `"locked"`. Tell a client no more than accepted or not, lest it learns which.
        retry_after: seconds until a lockout ends; 0 for any other reason.
    """

    reason: Literal["accepted", "invalid", "replayed", "locked"]
    retry_after: float = 0

    @property
    def accepted(self) -> bool:
        """Whether the code is good."""
        return self.reason == "accepted"


@dataclass(frozen=True)
class LastStep:
    """The latest time step that an account's credential has been accepted at."""

    collection: ClassVar[str] = "verifier_laststep"

    id: str
    step: int


@dataclass(frozen=True)
class Attempts:
    """How often in a row an account has been wrong, and until when it is locked (seconds since the epoch)."""

    collection: ClassVar[str] = "verifier_attempts"

    id: str
    failures: int = 0
    locked_until: float = 0


class Verifier:
    """Accepts or refuses codes.

    Steps and failures live in the store, per account and not per session, so that neither a new session nor a
    second process forgets them; changes are made by compare-and-set, so that of many requests with one code
    exactly one is accepted.

    Args:
        store: where steps and failures live.
        clock: what time it is.
        policy: what is accepted.
    """

    def __init__(self, store: Store, clock: Clock, policy: VerifierPolicy) -> None:
        self.policy = policy
        self._clock = clock
        self._steps: Repository[LastStep] = store.repository(LastStep)
        self._attempts: Repository[Attempts] = store.repository(Attempts)

    def verify(self, account: str, token: Token, code: object) -> Verification:
        """Accept a code at most once, or refuse it and count that.

        Args:
            account: whose failures are counted.
            token: the account's credential.
            code: what was sent; anything but ASCII digits of the exact length is invalid, never normalised
                (CVE-2025-6014).
        """
        moment = self._clock.time_ns()
        # Counted before it is looked at and forgiven when it is good, so that guesses sent all at once are no more
        # than guesses sent one by one.
        if (locked := self._count(account)) is not None:
            return locked
        step = self._matching_step(token, code, token.step_at(moment))
        if step is None:
            return Verification("invalid")
        if self.policy.one_time and not self._spend(account, token, step):
            return Verification("replayed")
        self.forgive(account)
        return Verification("accepted")

    def locked(self, account: str) -> Verification | None:
        """Return the verdict on a locked account, whatever the code; None when it is not locked."""
        return self._locked(self._attempts.get(account))

    def fail(self, account: str) -> Verification | None:
        """Count a failure that was not a code of this verifier, such as a wrong recovery code.

        To be counted before it is looked at, and forgiven when it is good. Returns the verdict on a locked account,
        which nothing more is counted for; else None.
        """
        return self._count(account)

    def failures(self, account: str) -> int:
        """Return how often in a row an account has been wrong."""
        attempts = self._attempts.get(account)
        return 0 if attempts is None else attempts.failures

    def forgive(self, account: str) -> None:
        """Forget an account's failures."""
        self._attempts.remove(account)

    def _matching_step(self, token: Token, code: object, current: int) -> int | None:
        """Return the earliest step of the window that `code` belongs to."""
        if not (isinstance(code, str) and len(code) == token.digits and code.isascii() and code.isdigit()):
            return None
        matching = None
        # Latest first and to the end: how long it takes does not tell which step it was.
        for step in range(current + self.policy.window, max(0, current - self.policy.window) - 1, -1):
            if otp.same_code(token.code_at_step(step), code):
                matching = step
        return matching

    def _spend(self, account: str, token: Token, step: int) -> bool:
        """Record a step as the last; False when it, or a later one, is spent."""
        key = f"{token.fingerprint}/{account}"
        while True:
            last = self._steps.get(key)
            if last is None:
                if self._steps.add(LastStep(key, step)):
                    return True
            elif last.step >= step:
                return False
            elif self._steps.replace(last, replace(last, step=step)):
                return True

    def _count(self, account: str) -> Verification | None:
        """Count a failure, unless the account is locked; then return the verdict on it."""
        limit = self.policy.max_failures
        while True:
            now = self._clock.time()
            old = self._attempts.get(account)
            if (locked := self._locked(old)) is not None:
                return locked
            # A lockout that is over starts a new count.
            failures = 1 if old is None or old.locked_until else old.failures + 1
            locks = limit is not None and failures >= limit
            new = Attempts(account, failures, now + self.policy.lockout_seconds if locks else 0)
            if self._attempts.add(new) if old is None else self._attempts.replace(old, new):
                return None

    def _locked(self, attempts: Attempts | None) -> Verification | None:
        left = 0.0 if attempts is None else attempts.locked_until - self._clock.time()
        return Verification("locked", left) if left > 0 else None
