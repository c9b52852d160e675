"""The context of a rule: the login as the driver reaches it, fresh accounts, right codes, time, and the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from pytest_totphog.authenticator.codes import OneTimeCode
from pytest_totphog.authenticator.totp_token import TotpToken
from pytest_totphog.clocks.clock import NANOSECONDS, Clock
from pytest_totphog.conformance.driver import LoginDriver, Outcome
from pytest_totphog.conformance.evidence import Evidence
from pytest_totphog.conformance.finding import NotJudged
from pytest_totphog.conformance.profiles import Profile
from pytest_totphog.conformance.progress import Account, Progress
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = ["Context", "Progress"]

__tracebackhide__ = hidden_in_reports

# Logins in the field lock after 3 to 10 failures, and the right code that proves them open must still be looked at.
FAILURES_PER_ACCOUNT: Final = 2
# Of a time step, left when a code is taken: the delays below fit in.
MIN_REMAINING: Final = 0.6
# Seconds; some logins make one wait a little after each failure.
DELAYS: Final = (1, 2, 4, 8)


class Context:
    """What a rule is given.

    Args:
        driver: the login.
        profile: by which it is judged.
        progress: what is known of it by now.
    """

    def __init__(self, driver: LoginDriver, profile: Profile, progress: Progress | None = None) -> None:
        self.driver = driver
        self.profile = profile
        self.progress = Progress() if progress is None else progress
        self.evidence = Evidence()
        self.accounts: list[Account] = []

    @property
    def clock(self) -> Clock:
        """The clock that codes follow."""
        return self.driver.clock

    @property
    def live(self) -> bool:
        """Whether time cannot be moved."""
        return self.clock.mode == "live"

    # Accounts.

    def account(self) -> Account:
        """Return an account with TOTP that no rule has used, or the only one that the driver has."""
        if self.progress.accounts:
            account = self.progress.accounts.pop(0)
        elif self.driver.can("new_account"):
            account = self.enrol(self.driver.new_account())
        elif self.progress.only is None:
            account = self.progress.only = self.enrol(None)
        else:
            account = self.progress.only
            if self.driver.can("reset_throttle"):
                self.driver.reset_throttle(account.handle)
        self.accounts.append(account)
        return account

    def enrol(self, handle: Any) -> Account:
        """Give an account TOTP."""
        self.evidence.count("accounts enrolled")
        source = self.driver.enrolled(handle)
        token = self.driver.token(source)
        return Account(handle, source, token, self.step(token))

    def pending(self, handle: Any) -> Account | None:
        """Begin an enrolment and return the account as it will be; None where the login offers none."""
        self.evidence.count("enrolments begun")
        source = self.driver.begin_enrolment(handle)
        if source is None:
            return None
        token = self.driver.token(source)
        # Its first code is still good.
        return Account(handle, source, token, self.step(token) - 1)

    # Time.

    def step(self, token: TotpToken) -> int:
        """Return the current time step."""
        return token.step_at(self.clock.time_ns())

    def wait_for_step(self, token: TotpToken, step: int) -> None:
        """Move a frozen clock on to a time step, or wait for it."""
        start = step * token.period * NANOSECONDS
        ahead = max(0.0, (start - self.clock.time_ns()) / NANOSECONDS)
        self.clock.wait_until(start, timeout=ahead + token.period)

    def pause(self, seconds: float) -> None:
        """Let some time pass, on whichever clock."""
        self.clock.wait_until(self.clock.time_ns() + round(seconds * NANOSECONDS), timeout=seconds + 60)

    def first_step(self, account: Account, gap: int = 0) -> int:
        """Return the first time step whose code was never sent, and has most of its time before it.

        Args:
            account: whose code.
            gap: how many steps before it are unspent as well.
        """
        token = account.token
        last = token.authenticator.ledger.last(token.fingerprint)
        spent = account.enrolled_at if last is None else max(last.step, account.enrolled_at)
        moment = self.clock.time_ns() / NANOSECONDS
        return max(spent + 1 + gap, int((moment + token.period * MIN_REMAINING) // token.period))

    def code(self, account: Account, *, gap: int = 0, ahead: bool = False, zero: bool = False) -> OneTimeCode:
        """Return a right code that was never sent, and that has most of its time before it.

        On a frozen clock it begins with no zero, so that only V8 is about those.

        Args:
            account: whose code.
            gap: how many steps before it are unspent as well.
            ahead: whether the next step's code will do on a live clock, where the login is known to accept it.
            zero: whether it may begin with a zero.
        """
        token = account.token
        lookahead = 1 if ahead and self.live and (self.progress.measured.latest or 0) > 0 else 0
        while True:
            self.wait_for_step(token, self.first_step(account, gap) - lookahead)
            code = token.claim_code(token.period * MIN_REMAINING, lookahead, timeout=4 * token.period)
            if zero or self.live or not code.code.startswith("0"):
                return code

    def spend(self, account: Account, step: int) -> None:
        """Remember that the login has accepted a code of this step."""
        token = account.token
        ledger = token.authenticator.ledger
        ledger.claim(token.fingerprint, step, step, holder="the battery", claimed_at=self.clock.time())

    # The login.

    def begin(self, account: Account) -> Any:
        """Log in with the right password, in a new session."""
        self.evidence.count("logins begun")
        return self.driver.begin(account.handle)

    def answer(self, what: str, send: Callable[..., Outcome], *arguments: Any) -> Outcome:
        """Send a code, and return what the login made of it.

        Args:
            what: what is sent, for the evidence; never the code itself.
            send: a method of the driver.
            arguments: its arguments.

        Raises:
            InvalidInput: when the driver answers with something else than an outcome.
        """
        self.evidence.count("codes sent")
        outcome = send(*arguments)
        if not isinstance(outcome, Outcome):
            raise InvalidInput(
                f"a code was answered with {shown(outcome)}; accepted are Outcome.ACCEPTED, Outcome.REFUSED and "
                "Outcome.THROTTLED"
            )
        self.evidence.note(f"{what}: {outcome.value}")
        return outcome

    def submit(self, attempt: Any, code: Any, what: str) -> Outcome:
        """Send a code in an attempt."""
        return self.answer(what, self.driver.submit, attempt, code)

    def disable(self, attempt: Any, code: str | None, what: str) -> Outcome:
        """Switch TOTP off in an attempt."""
        return self.answer(what, self.driver.disable, attempt, code)

    def patient(
        self, account: Account, attempt: Any, code: Any, what: str, send: Callable[[Any, Any], Outcome] | None = None
    ) -> tuple[Outcome, Any]:
        """Send a code; where the login makes one wait after failures, wait some seconds and send it again.

        Args:
            account: whose login it is.
            attempt: in which it is sent first.
            code: what is sent.
            what: see `answer`.
            send: the driver's method; `submit` unless given.

        Returns:
            The outcome, and the attempt that is now in use.
        """
        send = self.driver.submit if send is None else send
        outcome = self.answer(what, send, attempt, code)
        for delay in DELAYS:
            if outcome is not Outcome.THROTTLED:
                break
            if self.driver.can("reset_throttle"):
                self.driver.reset_throttle(account.handle)
            else:
                self.pause(delay)
            attempt = self.begin(account)
            outcome = self.answer(what, send, attempt, code)
        return outcome, attempt

    def login(self, account: Account, code: Any, what: str) -> Outcome:
        """Log in with a code, in a new session."""
        return self.patient(account, self.begin(account), code, what)[0]

    def accept(self, account: Account, code: Any, what: str = "a right code") -> Any:
        """Log in with a code that must be accepted for the rule to be judged, and return the attempt.

        Raises:
            NotJudged: when it is not.
        """
        outcome, attempt = self.patient(account, self.begin(account), code, what)
        if outcome is not Outcome.ACCEPTED:
            raise NotJudged(f"{what} was {outcome.value}, so nothing can be told from a refusal")
        return attempt

    def confirm(self, *accounts: Account) -> None:
        """See that each account still takes a right code, so that what it refused before was not refused by a lock.

        Raises:
            NotJudged: when one does not.
        """
        for account in accounts:
            self.accept(account, self.code(account, ahead=True).code, "a right code afterwards")

    def unspent(self) -> tuple[Account, str]:
        """Return an account with a right code that was never sent."""
        account = self.account()
        return account, self.code(account).code

    def accepted_of(
        self,
        spellings: Iterable[tuple[str, Callable[[str], Any]]],
        *,
        spent: bool = False,
        pick: Callable[[], tuple[Account, str]] | None = None,
    ) -> list[str]:
        """Send what is made of right codes, a few for each account, and return the names of what was accepted.

        Each account must take a right code afterwards: else its refusals may have been those of a lock.

        Args:
            spellings: names, and what makes the value to be sent of a right code.
            spent: whether the right code is used up first.
            pick: gives an account and its right code; `unspent` unless given.

        Raises:
            NotJudged: when right codes are refused, or nothing of it can be sent.
        """
        queue, sent, found = list(spellings), 0, list[str]()
        doubtful: list[Account] = []
        while queue:
            batch, queue = queue[:FAILURES_PER_ACCOUNT], queue[FAILURES_PER_ACCOUNT:]
            account, code = self.unspent() if pick is None else pick()
            if spent:
                self.accept(account, code)
            attempt = self.begin(account)
            while batch:
                name, spell = batch.pop(0)
                try:
                    outcome, attempt = self.patient(account, attempt, spell(code), name)
                except NotImplementedError:
                    self.evidence.note(f"{name}: cannot be sent")
                    continue
                sent += 1
                if outcome is Outcome.ACCEPTED:
                    found.append(name)
                    queue = batch + queue
                    break
            else:
                if spent:
                    doubtful.append(account)
                else:
                    self.accept(account, code, "the right code itself")
        if not sent:
            raise NotJudged("the driver's submit() can send none of these values")
        self.confirm(*doubtful)
        return found
