"""The token as tests use it: its codes follow a clock and are never handed out twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Never, Protocol

from pytest_totphog.authenticator.codes import OneTimeCode, TakenCode
from pytest_totphog.authenticator.explanation import Explanation, explain
from pytest_totphog.authenticator.journal import Journal
from pytest_totphog.authenticator.replay_scope import ADVICE
from pytest_totphog.clocks.clock import MAX_PERIOD, NANOSECONDS, Clock, Instant, as_nanoseconds
from pytest_totphog.clocks.wording import duration, instant
from pytest_totphog.credentials import otp, qr
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import CodeUnavailable, InvalidCall, InvalidInput, StoreError, hidden_in_reports, shown
from pytest_totphog.inputs import is_number, is_whole
from pytest_totphog.stores.ledger import MAX_HOLDER, MAX_STEP, Ledger

__all__ = ["Keeper", "TotpToken"]

__tracebackhide__ = hidden_in_reports

# Where a wait of more than a second says that it begins.
LOG: Final = logging.getLogger("pytest_totphog")

DEFAULT_MIN_REMAINING: Final = 10
DEFAULT_TIMEOUT: Final = 90
MAX_STEPS: Final = 1000
# Of a long queue, how many are named in an error.
NAMED_CLAIMS: Final = 5


class Keeper(Protocol):
    """What a token asks of the authenticator that keeps it."""

    clock: Clock
    ledger: Ledger
    journal: Journal
    closed: bool
    min_remaining: float | None
    timeout: float
    on_code: Callable[[TakenCode], None] | None

    def holder(self) -> str:
        """Say who takes a one-time code."""
        ...

    @property
    def api_url(self) -> str:
        """The base URL of the API that serves the token."""
        ...

    @property
    def tokens(self) -> list[TotpToken]:
        """All tokens that a code might belong to."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class TotpToken(Token):
    """A token in an authenticator: its codes follow the authenticator's clock."""

    authenticator: Keeper = field(kw_only=True)

    @property
    def code_url(self) -> str:
        """Where the server answers with the current code."""
        return f"{self.authenticator.api_url}/tokens/{self.id}/code"

    @property
    def remaining_seconds(self) -> int:
        """How long the current code lives, whole seconds from 1 to the period."""
        return self.remaining_at(self.authenticator.clock.time_ns())

    def now(self) -> str:
        """Return the current code, as pyotp's `now`; it may be about to expire and may have been handed out."""
        return self.take("now()", self.authenticator.clock.time_ns())

    def at(self, when: Instant) -> str:
        """Return the code of another time, as pyotp's `at`.

        Args:
            when: seconds since the epoch, ISO 8601 text with an offset, or an aware datetime.

        Raises:
            InvalidInput: when it is no point in time or has no time zone.
        """
        return self.take("at()", as_nanoseconds(when))

    def take(self, by: str, when: int) -> str:
        """Return the code of an instant.

        Args:
            by: what gives it, for the report of a test that fails.
            when: nanoseconds since the epoch.
        """
        step = self.step_at(when)
        return self._taken(by, step, self.code_at_step(step))

    def verify(self, code: str, window: int = 0, **others: Never) -> bool:
        """Return whether a verifier with this window would accept the code now; spends nothing.

        Args:
            code: ASCII digits of the exact length; anything else is refused.
            window: how many steps before and after the current one are accepted.
            others: none; an error that says what pyotp's names are here.

        Raises:
            InvalidCall: for another argument, such as pyotp's `valid_window`.
            InvalidInput: when `code` is no string or `window` is not a whole number from 0 to 1,000.
        """
        if others:
            raise InvalidCall(
                f"verify() does not take {', '.join(others)}; pyotp's valid_window is window here, as in "
                "verify(code, window=1), and instead of for_time it is the clock that is moved"
            )
        return self.verify_code(code, window)

    def verify_code(self, code: str, window: int = 0, holder: str | None = None) -> bool:
        """Return what `verify` returns.

        Args:
            code: see `verify`.
            window: see `verify`.
            holder: who asks, for the journal; the running test unless given.

        Raises:
            InvalidInput: see `verify`.
        """
        code, window = _code(code), _steps("window", window)
        keeper = self.authenticator
        moment = keeper.clock.time_ns()
        current = self.step_at(moment)
        # No early return: every step is compared (constant time, RFC 6238 section 5.2).
        matches = [
            otp.same_code(self.code_at_step(step), code)
            for step in range(max(0, current - window), current + window + 1)
        ]
        accepted = any(matches)
        holder = keeper.holder() if holder is None else holder
        keeper.journal.verified(self, at=moment / NANOSECONDS, step=current, holder=holder, accepted=accepted)
        return accepted

    def one_time_code(
        self, min_remaining: float | None = None, lookahead: int = 0, timeout: float | None = None
    ) -> str:
        """Return a code that is not about to expire and that nobody has been given before.

        On a live clock it waits for the next time step where it must; a frozen clock it moves on, past the
        last step spent for this secret, and never sleeps.

        Args:
            min_remaining: seconds the code must have to live, at most the period; unless given 10, or half of
                a period below 20.
            lookahead: how many steps ahead of the current one may be used at once, for verifiers that accept them.
            timeout: how long to wait at the most, in real seconds; unless given 90.

        Raises:
            CodeUnavailable: when there is none in time; it says who holds the steps. At once when it would have to
                wait, and somebody else has stopped the time.
            InvalidInput: when an argument is not what is accepted.
        """
        return self.claim_code(min_remaining, lookahead, timeout).code

    def claim_code(
        self,
        min_remaining: float | None = None,
        lookahead: int = 0,
        timeout: float | None = None,
        holder: str | None = None,
        by: str = "one_time_code()",
    ) -> OneTimeCode:
        """Return what `one_time_code` returns, with its time step.

        Args:
            min_remaining: see `one_time_code`.
            lookahead: see `one_time_code`.
            timeout: see `one_time_code`.
            holder: who takes the code, for the ledger; the running test unless given.
            by: what gives it, for the report of a test that fails.

        Raises:
            CodeUnavailable: see `one_time_code`.
            InvalidInput: see `one_time_code`.
        """
        keeper = self.authenticator
        required = self._required(self._min_remaining if min_remaining is None else min_remaining)
        lookahead = _steps("lookahead", lookahead)
        timeout = keeper.timeout if timeout is None else _seconds("timeout", timeout)
        named, holder = holder, keeper.holder() if holder is None else _holder(holder)
        clock, ledger, period = keeper.clock, keeper.ledger, self.period * NANOSECONDS
        # The ledger may be far away: what it takes counts against the time-out, and may cost a code its life.
        moment, started, left, waited = clock.time_ns(), clock.monotonic(), timeout, 0.0
        moved_from: int | None = None
        while True:
            current = moment // period
            earliest = current if (current + 1) * period - moment >= required else current + 1
            latest = self._latest_step(moment, left) + lookahead
            claim = ledger.claim(self.fingerprint, earliest, latest, holder=holder, claimed_at=moment / NANOSECONDS)
            if claim is None:
                raise self._unavailable(moment, earliest, lookahead, left)
            step, moment = claim.step, clock.time_ns()
            # The clock may have been frozen during the wait, and stand anywhere: it is moved on to the step then.
            try:
                while step > moment // period + lookahead:
                    if step > earliest and clock.mode == "frozen":
                        moved_from = moment
                    waited += self._wait_until((step - lookahead) * period, timeout - (clock.monotonic() - started))
                    moment = clock.time_ns()
            except BaseException:  # Ctrl-C and pytest-timeout above all: nobody was given the code
                with suppress(StoreError):
                    ledger.give_back(claim)
                raise
            # Whoever comes too late to use the step takes another: this one stays spent.
            if (step + 1) * period - moment >= required:
                code = OneTimeCode(
                    code=self.code_at_step(step),
                    step=step,
                    period=self.period,
                    remaining_seconds=(step + 1) * self.period - moment // NANOSECONDS,
                    waited_seconds=waited,
                )
                keeper.journal.handed_out(self, at=moment / NANOSECONDS, step=step, holder=holder)
                if keeper.on_code is not None:
                    keeper.on_code(TakenCode(self, by, step, code.code, moment, named, waited, moved_from))
                return code
            left = timeout - (clock.monotonic() - started)
            if left < 0 and clock.mode == "live":
                raise self._unavailable(moment, step + 1, lookahead, left)

    def wait_for_remaining(self, min_remaining: float, timeout: float = DEFAULT_TIMEOUT) -> int:
        """Wait until the current code has some time to live, and return that instant.

        A frozen clock is moved on to the next step instead.

        Args:
            min_remaining: seconds, at most the period.
            timeout: how long to wait at the most, in real seconds.

        Returns:
            Nanoseconds since the epoch.

        Raises:
            CodeUnavailable: when it takes longer than `timeout`.
            InvalidInput: when an argument is not what is accepted.
        """
        required, clock, period = self._required(min_remaining), self.authenticator.clock, self.period * NANOSECONDS
        waited = 0.0
        while True:
            moment = clock.time_ns()
            end = (moment // period + 1) * period
            if end - moment >= required:
                return moment
            waited += self._wait_until(end, timeout - waited)

    def wrong_code(self, window: int = 10) -> str:
        """Return a code that no verifier accepts now: of the right length, and unlike the current one in every digit.

        Args:
            window: how many steps before and after the current one it is wrong in as well.
        """
        return self._taken("wrong_code()", None, self.code_unlike(self._current_step(), _steps("window", window)))

    def expired_code(self, steps: int = 2) -> str:
        """Return the code of an earlier time step.

        Args:
            steps: how many steps ago, 1 or more; one more where the code is by chance a current one.
        """
        return self._taken("expired_code()", *self._distant_code(-_steps("steps", steps, least=1)))

    def future_code(self, steps: int = 2) -> str:
        """Return the code of a later time step.

        Args:
            steps: how many steps ahead, 1 or more; one more where the code is by chance a current one.
        """
        return self._taken("future_code()", *self._distant_code(_steps("steps", steps, least=1)))

    def explain(self, code: object) -> Explanation:
        """Say what a string is: the current code, an old one, handed out to whom, another token's, or none."""
        authenticator = self.authenticator
        return explain(_code(code), self, authenticator.tokens, authenticator.ledger, authenticator.clock.time_ns())

    def qr_png(self, scale: int = 5) -> bytes:
        """Return the key URI as a QR code, a PNG picture of `scale` pixels a module."""
        return qr.png(self.uri, scale)

    def qr_svg(self, scale: int = 5) -> str:
        """Return the key URI as a QR code, an SVG document of `scale` units a module."""
        return qr.svg(self.uri, scale)

    def qr_data_uri(self, scale: int = 5) -> str:
        """Return the key URI as a QR code, a `data:image/png` URL as pages embed it."""
        return qr.data_uri(self.uri, scale)

    def _current_step(self) -> int:
        return self.step_at(self.authenticator.clock.time_ns())

    def _taken(self, by: str, step: int | None, code: str) -> str:
        """Tell whoever records it that a code is handed out, and return it."""
        if (on_code := self.authenticator.on_code) is not None:
            on_code(TakenCode(self, by, step, code, self.authenticator.clock.time_ns()))
        return code

    def _distant_code(self, steps: int) -> tuple[int, str]:
        """Return the time step some steps away, and its code."""
        current = self._current_step()
        direction = 1 if steps > 0 else -1
        # One code in a million repeats within a few steps, and a negative test must not fail by chance.
        accepted = {
            self.code_at_step(step) for step in range(max(0, current - 1), current + 2) if step != current + steps
        }
        while current + steps >= 0:
            if (code := self.code_at_step(current + steps)) not in accepted:
                return current + steps, code
            steps += direction
        raise InvalidInput(f"there is no time step {-steps} steps ago; the clock is at step {current}")

    @property
    def _min_remaining(self) -> float:
        """How long a one-time code must live where its taker does not say, in seconds."""
        default = self.authenticator.min_remaining
        return min(DEFAULT_MIN_REMAINING, self.period / 2) if default is None else min(default, self.period)

    def _required(self, min_remaining: float) -> float:
        """Return the lifetime to wait for, in nanoseconds."""
        if (seconds := _seconds("min_remaining", min_remaining)) > self.period:
            raise InvalidInput(
                f"min_remaining is {shown(min_remaining)}; accepted are 0 to {self.period} seconds, the token's period"
            )
        # A whole period is left only at a step's very first instant, which a live clock never meets;
        # with half a second less `remaining_seconds`, which counts begun seconds, still says the whole period.
        return min(seconds, self.period - 0.5) * NANOSECONDS

    def _latest_step(self, moment: int, timeout: float) -> int:
        """Return the last step that begins in time; a frozen clock is moved, so there every step does."""
        clock = self.authenticator.clock
        if clock.mode == "frozen":
            return MAX_STEP
        if clock.stopped_by():
            return self.step_at(moment)
        return (moment + round(timeout * NANOSECONDS)) // (self.period * NANOSECONDS)

    def _wait_until(self, when: int, timeout: float) -> float:
        """Wait, or move a frozen clock on, and return how long was waited in real seconds."""
        authenticator, clock = self.authenticator, self.authenticator.clock
        ahead = (when - clock.time_ns()) / NANOSECONDS
        frozen, started = clock.mode == "frozen", clock.monotonic()
        if not frozen and 1 < ahead <= timeout:
            LOG.info("waiting %.0f s for the next step of %s", ahead, self.name)
        try:
            # A wait that was begun in time ends with the step, however much later this thread wakes.
            if (frozen or ahead <= timeout) and clock.wait_until(when, max(ahead, 0) + 1, lambda: authenticator.closed):
                return 0.0 if frozen else clock.monotonic() - started
        except BaseException as error:
            error.add_note(f"was waiting {clock.monotonic() - started:.0f} s for the next step of {self.name}")
            raise
        if authenticator.closed:
            raise CodeUnavailable(
                f"no unspent code of {self.name!r}: its server was stopped before the next one began", retry_after=ahead
            )
        raise self._too_late(ahead, timeout)

    def _unavailable(self, moment: int, earliest: int, lookahead: int, timeout: float) -> CodeUnavailable:
        """Return the error that no step is free in time; it says who holds them."""
        ledger, current = self.authenticator.ledger, self.step_at(moment)
        self.authenticator.clock.require_moving()
        last = ledger.last(self.fingerprint)
        free = earliest if last is None else max(earliest, last.step + 1)
        claims = [ledger.find(self.fingerprint, step) for step in range(max(current, free - NAMED_CLAIMS), free)]
        now = moment / NANOSECONDS
        if last is not None and last.claimed_at - now > self.period:
            return CodeUnavailable(
                f"no unspent code of {self.name!r}: {last.holder} took the code of step {last.step} on a clock frozen "
                f"{duration(last.claimed_at - now)} ahead, at {instant(last.claimed_at)}, and an app that remembers it "
                f"accepts later ones only. {ADVICE}. Else take another account, or freeze the clock here too",
                retry_after=(free - lookahead) * self.period - now,
            )
        holders = "".join(f"; {claim.describe(now)}" for claim in claims if claim is not None)
        return self._too_late((free - lookahead) * self.period - now, timeout, holders)

    def _too_late(self, ahead: float, timeout: float, holders: str = "") -> CodeUnavailable:
        ahead, timeout = max(ahead, 0.0), max(timeout, 0.0)
        return CodeUnavailable(
            f"no unspent code of {self.name!r} in time: the next one begins in {duration(ahead, 1)}, and the "
            f"time-out is in {duration(timeout, 1)}{holders}. Allow a longer timeout, take another account, or freeze "
            "the clock",
            retry_after=ahead,
        )


def _code(code: object) -> str:
    if not isinstance(code, str):
        kind = "missing" if code is None else f"of type {type(code).__name__}"
        raise InvalidInput(f"code is {kind}; accepted is a string of digits")
    return code


def _steps(field: str, value: object, least: int = 0) -> int:
    if not is_whole(value, least, MAX_STEPS):
        raise InvalidInput(f"{field} is {shown(value)}; accepted are {least} to {MAX_STEPS} steps")
    return value


def _seconds(field: str, value: object) -> float:
    if not is_number(value, 0, MAX_PERIOD):
        raise InvalidInput(f"{field} is {shown(value)}; accepted are 0 to {MAX_PERIOD} seconds")
    return value


def _holder(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= MAX_HOLDER:
        raise InvalidInput(f"holder is not accepted; accepted is a printable string of 1 to {MAX_HOLDER} characters")
    return value
