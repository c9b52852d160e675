"""The context of a rule: the login as the driver reaches it, fresh accounts, right codes, time, and the evidence."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from pytest_totphog.authenticator.codes import OneTimeCode
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.conformance.driver import LoginDriver, Outcome
from pytest_totphog.conformance.evidence import Evidence
from pytest_totphog.conformance.finding import NotJudged
from pytest_totphog.conformance.profiles import Profile
from pytest_totphog.conformance.progress import LEAST_FAILURES, EnrolledAccount, Progress
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown
from pytest_totphog.failures.waiting import Waited

__all__ = ["Context", "Progress"]

__tracebackhide__ = hidden_in_reports

# How many steps around the current one a wrong code is no code of.
NEAR: Final = 10
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
        on_wait: is called with each wait on a live clock that is not a token's.
    """

    def __init__(
        self,
        driver: LoginDriver,
        profile: Profile,
        progress: Progress | None = None,
        on_wait: Callable[[Waited], object] = lambda _: None,
    ) -> None:
        self.driver = driver
        self.profile = profile
        self.progress = Progress() if progress is None else progress
        self.evidence = Evidence()
        self._on_wait = on_wait
        self._numbers = itertools.count(1)
        self._failures = Counter[str]()
        # The account that was refused last, and the attempt in which it was.
        self._refused: tuple[EnrolledAccount, Any] | None = None
        # The account that was guessed at until it was closed, a moment ago.
        self.closed: EnrolledAccount | None = None

    @property
    def clock(self) -> Clock:
        """The clock that codes follow."""
        return self.driver.clock

    @property
    def live(self) -> bool:
        """Whether time cannot be moved."""
        return self.clock.mode == "live"

    # Accounts.

    def account(self) -> EnrolledAccount:
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
        return account

    def sample(self) -> EnrolledAccount:
        """Return an account that has taken a right code, to look at what its enrolment showed; one for all rules."""
        if self.progress.sample is None:
            account = self.account()
            self.accept(account, self.code(account).code)
            self.progress.sample = account
        return self.progress.sample

    def enrol(self, handle: Any) -> EnrolledAccount:
        """Give an account TOTP."""
        with self._counted("accounts enrolled"):
            source = self.driver.enrolled(handle)
        issuer = issuer_of(self.driver.token(source))
        return EnrolledAccount(handle, source, issuer, self.step(issuer.token))

    def pending(self, handle: Any) -> EnrolledAccount | None:
        """Begin an enrolment and return the account as it will be; None where the login offers none."""
        self.evidence.count("enrolments begun")
        source = self.driver.begin_enrolment(handle)
        if source is None:
            return None
        issuer = issuer_of(self.driver.token(source))
        # Its first code is still good.
        return EnrolledAccount(handle, source, issuer, self.step(issuer.token) - 1)

    # Time.

    def step(self, token: Token) -> int:
        """Return the current time step."""
        return token.step_at(self.clock.time_ns())

    def wait_for_step(self, token: Token, step: int) -> None:
        """Move a frozen clock on to a time step, or wait for it."""
        self._wait_until(step * token.period * NANOSECONDS, token.period)

    def pause(self, seconds: float) -> None:
        """Let some time pass, on whichever clock."""
        self._wait_until(self.clock.time_ns() + round(seconds * NANOSECONDS), 60)

    def _wait_until(self, when: int, late: float) -> None:
        live, started = self.live, self.clock.monotonic()
        self.clock.wait_until(when, max(0.0, (when - self.clock.time_ns()) / NANOSECONDS) + late)
        if live:
            self._on_wait(Waited.of(self.clock.monotonic() - started, codes=0))

    def first_step(self, account: EnrolledAccount, gap: int = 0) -> int:
        """Return the first time step whose code was never sent, and has most of its time before it.

        Args:
            account: whose code.
            gap: how many steps before it are unspent as well.
        """
        token = account.token
        last = account.issuer.keeper.ledger.last(token.fingerprint)
        spent = account.enrolled_at if last is None else max(last.step, account.enrolled_at)
        moment = self.clock.time_ns() / NANOSECONDS
        return max(spent + 1 + gap, int((moment + token.period * MIN_REMAINING) // token.period))

    def code(self, account: EnrolledAccount, *, gap: int = 0, ahead: bool = False, zero: bool = False) -> OneTimeCode:
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
            code = account.issuer.claim(token.period * MIN_REMAINING, lookahead, timeout=4 * token.period)
            if zero or self.live or not code.code.startswith("0"):
                return code

    def wrong_code(self, account: EnrolledAccount) -> str:
        """Return a wrong code that this rule has not sent yet: some logins count different ones only."""
        token = account.token
        step, least = self.step(token), 10 ** (token.digits - 1)
        near = {token.code_at_step(step + offset) for offset in range(-NEAR, NEAR + 1)}
        # No zero at the front, since those are for V8; the stride has no factor in common with how many there are.
        codes = (str(least + 7919 * number % (9 * least)) for number in self._numbers)
        return next(code for code in codes if code not in near)

    def spend(self, account: EnrolledAccount, step: int) -> None:
        """Remember that the login has accepted a code of this step."""
        fingerprint, now = account.token.fingerprint, self.clock.time()
        account.issuer.keeper.ledger.claim(fingerprint, step, step, holder="the battery", claimed_at=now)

    # The login.

    def begin(self, account: EnrolledAccount) -> Any:
        """Log in with the right password, in a new session."""
        with self._counted("logins begun"):
            return self.driver.begin(account.handle)

    @contextmanager
    def _counted(self, event: str) -> Iterator[None]:
        """Count what is sent, and how long it takes."""
        self.evidence.count(event)
        started = self.clock.monotonic()
        yield
        number, seconds = self.progress.pace.get(event, (0, 0.0))
        self.progress.pace[event] = number + 1, seconds + self.clock.monotonic() - started

    def answer(self, what: str, send: Callable[..., Outcome], *arguments: Any) -> Outcome:
        """Send a code, and return what the login made of it.

        Args:
            what: what is sent, for the evidence; never the code itself.
            send: a method of the driver.
            arguments: its arguments.

        Raises:
            InvalidInput: when the driver answers with something else than an outcome.
        """
        with self._counted("codes sent"):
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
        self,
        account: EnrolledAccount,
        attempt: Any,
        code: Any,
        what: str,
        send: Callable[[Any, Any], Outcome] | None = None,
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
        self._refused = None
        if outcome is Outcome.REFUSED:
            self._refused = (account, attempt)
            self._let_forget(account)
        elif outcome is Outcome.ACCEPTED:
            self._failures[account.token.fingerprint] = 0
        return outcome, attempt

    def _let_forget(self, account: EnrolledAccount) -> None:
        """Let so much time pass after a failure, where that costs none, that no login makes the next code wait."""
        token = account.token
        self._failures[token.fingerprint] += 1
        delays = DELAYS[: self._failures[token.fingerprint]]
        if not self.live and sum(delays) < token.period * MIN_REMAINING:
            self.pause(delays[-1])

    def login(self, account: EnrolledAccount, code: Any, what: str) -> Outcome:
        """Log in with a code, in a new session."""
        return self.patient(account, self.begin(account), code, what)[0]

    def accept(
        self,
        account: EnrolledAccount,
        code: Any,
        what: str = "a right code",
        send: Callable[[Any, Any], Outcome] | None = None,
    ) -> Any:
        """Log in with a code that must be accepted for the rule to be judged, and return the attempt.

        An attempt in which this account was refused just now goes on, where the login lets it; else a new one is begun.

        Args:
            account: whose login it is.
            code: what is sent.
            what: see `answer`.
            send: see `patient`.

        Raises:
            NotJudged: when it is not.
        """
        refused, self._refused = self._refused, None
        if refused is not None and refused[0] is account and self.progress.attempts_go_on:
            with suppress(Exception):  # of a driver that knows no way on from a refusal
                if self.answer(what, send or self.driver.submit, refused[1], code) is Outcome.ACCEPTED:
                    return refused[1]
            self.progress.attempts_go_on = False
        outcome, attempt = self.patient(account, self.begin(account), code, what, send)
        if outcome is not Outcome.ACCEPTED:
            raise NotJudged(f"{what} was {outcome.value}, so nothing can be told from a refusal")
        return attempt

    def confirm(self, *accounts: EnrolledAccount) -> None:
        """See that each account still takes a right code, so that what it refused before was not refused by a lock.

        Raises:
            NotJudged: when one does not.
        """
        for account in accounts:
            self.accept(account, self.code(account, ahead=True).code, "a right code afterwards")

    def presuppose(self, id_: str, again: Callable[[], Outcome], otherwise: str) -> None:
        """See that another rule is kept, by what it found, or by an attempt that it refuses.

        Args:
            id_: the rule.
            again: makes the attempt.
            otherwise: what is so when the attempt is accepted.

        Raises:
            NotJudged: when the rule is broken.
        """
        kept = self.progress.kept
        if id_ not in kept:
            kept[id_] = again() is not Outcome.ACCEPTED
        if not kept[id_]:
            raise NotJudged(f"presupposes {id_}: {otherwise}")

    def bear_fewer(self, *, fresh: bool) -> None:
        """After failures that have added up to a lock, send fewer from now on, and each time to a new account.

        Args:
            fresh: whether the account was new.

        Raises:
            NotJudged: the one that is being handled, when these were no more than every login bears.
        """
        if fresh and self.progress.failures == LEAST_FAILURES:
            raise  # noqa: PLE0704 # called by handlers only
        self.progress.failures, self.progress.reuse = LEAST_FAILURES, False

    def unspent(self, account: EnrolledAccount | None = None) -> tuple[EnrolledAccount, str]:
        """Return an account, a new one unless given, with a right code that was never sent."""
        account = self.account() if account is None else account
        return account, self.code(account).code
