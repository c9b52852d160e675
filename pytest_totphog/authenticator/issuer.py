"""The issuer: hands out the codes of one token, with time to live, and none of them twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pytest_totphog.authenticator.codes import CodeOrigin, OneTimeCode, TakenCode
from pytest_totphog.authenticator.keeper import Keeper
from pytest_totphog.authenticator.replay_scope import ADVICE
from pytest_totphog.clocks.clock import require_moving
from pytest_totphog.clocks.instants import MAX_PERIOD, NANOSECONDS
from pytest_totphog.clocks.stopped_time import stopped_by
from pytest_totphog.clocks.wording import duration, instant
from pytest_totphog.credentials import otp
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import CodeUnavailable, InvalidInput, StoreError, hidden_in_reports, shown
from pytest_totphog.inputs import is_number, is_whole
from pytest_totphog.stores.ledger import MAX_HOLDER, MAX_STEP

__all__ = ["DEFAULT_TIMEOUT", "Issuer", "as_code", "as_steps"]

__tracebackhide__ = hidden_in_reports

# Where a wait of more than a second says that it begins.
LOG: Final = logging.getLogger("pytest_totphog")

DEFAULT_MIN_REMAINING: Final = 10
DEFAULT_TIMEOUT: Final = 90
MAX_STEPS: Final = 1000
# Of a long queue, how many are named in an error.
NAMED_CLAIMS: Final = 5


class Issuer:
    """Hands out the codes of a token.

    Args:
        token: whose codes.
        keeper: has the clock, the ledger and the journal.
    """

    def __init__(self, token: Token, keeper: Keeper) -> None:
        self.token = token
        self.keeper = keeper

    @property
    def current_step(self) -> int:
        """The time step that the clock is in."""
        return self.token.step_at(self.keeper.clock.time_ns())

    def now(self) -> str:
        """Return the current code."""
        return self.code_at(CodeOrigin.NOW, self.keeper.clock.time_ns())

    def code_at(self, by: CodeOrigin, when: int) -> str:
        """Return the code of an instant.

        Args:
            by: what gives it, for the report of a test that fails.
            when: nanoseconds since the epoch.
        """
        step = self.token.step_at(when)
        return self.give(by, step, self.token.code_at_step(step))

    def give(self, by: CodeOrigin, step: int | None, code: str) -> str:
        """Return a code, after passing it to whatever records the codes that tests take."""
        if (on_code := self.keeper.on_code) is not None:
            on_code(TakenCode(self.token, by, step, code, self.keeper.clock.time_ns()))
        return code

    def verify(self, code: str, window: int = 0, holder: str | None = None) -> bool:
        """Return whether a verifier with this window would accept the code now; see `TotpToken.verify`.

        Args:
            code: see `TotpToken.verify`.
            window: see `TotpToken.verify`.
            holder: what verifies, for the journal; the running test unless given.

        Raises:
            InvalidInput: see `TotpToken.verify`.
        """
        code, window = as_code(code), as_steps("window", window)
        keeper, token = self.keeper, self.token
        moment = keeper.clock.time_ns()
        current = token.step_at(moment)
        # No early return: every step is compared (constant time, RFC 6238 section 5.2).
        matches = [
            otp.same_code(token.code_at_step(step), code)
            for step in range(max(0, current - window), current + window + 1)
        ]
        accepted = any(matches)
        holder = keeper.holder() if holder is None else holder
        keeper.journal.record_verification(
            token, at=moment / NANOSECONDS, step=current, holder=holder, accepted=accepted
        )
        return accepted

    def claim(
        self,
        min_remaining: float | None = None,
        lookahead: int = 0,
        timeout: float | None = None,
        holder: str | None = None,
        by: CodeOrigin = CodeOrigin.ONE_TIME_CODE,
        given_up: Callable[[], bool] = lambda: False,
    ) -> OneTimeCode:
        """Return a code that is not about to expire and was never handed out; see `TotpToken.one_time_code`.

        Args:
            min_remaining: see `TotpToken.one_time_code`.
            lookahead: see `TotpToken.one_time_code`.
            timeout: see `TotpToken.one_time_code`.
            holder: what takes the code, for the ledger; the running test unless given.
            by: what gives it, for the report of a test that fails.
            given_up: returns whether the taker waits no more; the step is given back then.
        """
        keeper, token = self.keeper, self.token
        required = self._required(self._min_remaining if min_remaining is None else min_remaining)
        lookahead = as_steps("lookahead", lookahead)
        timeout = keeper.timeout if timeout is None else _seconds("timeout", timeout)
        named, holder = holder, keeper.holder() if holder is None else _holder(holder)
        clock, ledger, period = keeper.clock, keeper.ledger, self.token.period * NANOSECONDS
        clock.followers.call()  # what another thread has moved, pages of this one show only from here
        # The ledger may be far away: what it takes counts against the time-out, and may cost a code its life.
        moment, started, left, waited = clock.time_ns(), clock.monotonic(), timeout, 0.0
        moved_from: int | None = None
        while True:
            current = moment // period
            earliest = current if (current + 1) * period - moment >= required else current + 1
            latest = self._latest_step(moment, left) + lookahead
            claim = ledger.claim(
                self.token.fingerprint, earliest, latest, holder=holder, claimed_at=moment / NANOSECONDS
            )
            if claim is None:
                raise self._unavailable(moment, earliest, lookahead, left)
            step, moment = claim.step, clock.time_ns()
            # The clock may have been frozen during the wait, and stand anywhere: it is moved on to the step then.
            try:
                while step > moment // period + lookahead:
                    if step > earliest and clock.mode == "frozen":
                        moved_from = moment
                    waited += self._wait_until(
                        (step - lookahead) * period, timeout - (clock.monotonic() - started), given_up
                    )
                    moment = clock.time_ns()
            except BaseException:  # Ctrl-C and pytest-timeout above all: the code was not handed out
                with suppress(StoreError):
                    ledger.give_back(claim)
                raise
            # Whoever comes too late to use the step takes another: this one stays spent.
            if (step + 1) * period - moment >= required:
                code = OneTimeCode(
                    code=self.token.code_at_step(step),
                    step=step,
                    period=self.token.period,
                    remaining_seconds=(step + 1) * self.token.period - moment // NANOSECONDS,
                    waited_seconds=waited,
                )
                keeper.journal.record_code(token, at=moment / NANOSECONDS, step=step, holder=holder)
                if keeper.on_code is not None:
                    keeper.on_code(TakenCode(token, by, step, code.code, moment, named, waited, moved_from))
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
        required, clock, period = self._required(min_remaining), self.keeper.clock, self.token.period * NANOSECONDS
        waited = 0.0
        while True:
            moment = clock.time_ns()
            end = (moment // period + 1) * period
            if end - moment >= required:
                return moment
            waited += self._wait_until(end, timeout - waited)

    @property
    def _min_remaining(self) -> float:
        """How long a one-time code must live where its taker does not say, in seconds."""
        default = self.keeper.min_remaining
        return min(DEFAULT_MIN_REMAINING, self.token.period / 2) if default is None else min(default, self.token.period)

    def _required(self, min_remaining: float) -> float:
        """Return the lifetime to wait for, in nanoseconds."""
        if (seconds := _seconds("min_remaining", min_remaining)) > self.token.period:
            raise InvalidInput(
                f"min_remaining is {shown(min_remaining)}; accepted are 0 to {self.token.period} seconds, the token's "
                "period"
            )
        # A whole period is left only at a step's very first instant, which a live clock never meets;
        # with half a second less `remaining_seconds`, which counts begun seconds, still says the whole period.
        return min(seconds, self.token.period - 0.5) * NANOSECONDS

    def _latest_step(self, moment: int, timeout: float) -> int:
        """Return the last step that begins in time; a frozen clock is moved, so there every step does."""
        clock = self.keeper.clock
        if clock.mode == "frozen":
            return MAX_STEP
        if stopped_by(clock.monotonic):
            return self.token.step_at(moment)
        return (moment + round(timeout * NANOSECONDS)) // (self.token.period * NANOSECONDS)

    def _wait_until(self, when: int, timeout: float, given_up: Callable[[], bool] = lambda: False) -> float:
        """Wait, or move a frozen clock on, and return how long was waited in real seconds."""
        keeper, clock = self.keeper, self.keeper.clock
        ahead = (when - clock.time_ns()) / NANOSECONDS
        frozen, started = clock.mode == "frozen", clock.monotonic()
        if not frozen and 1 < ahead <= timeout:
            LOG.info("waiting %.0f s for the next step of %s", ahead, self.token.name)
        try:
            # A wait that was begun in time ends with the step, however much later this thread wakes.
            if (frozen or ahead <= timeout) and clock.wait_until(
                when, max(ahead, 0) + 1, lambda: keeper.closed or given_up()
            ):
                return 0.0 if frozen else clock.monotonic() - started
        except BaseException as error:
            error.add_note(f"was waiting {clock.monotonic() - started:.0f} s for the next step of {self.token.name}")
            raise
        if keeper.closed:
            raise CodeUnavailable(
                f"no unspent code of {self.token.name!r}: its server was stopped before the next one began",
                retry_after=ahead,
            )
        raise self._too_late(ahead, timeout)

    def _unavailable(self, moment: int, earliest: int, lookahead: int, timeout: float) -> CodeUnavailable:
        """Return the error that no step is free in time; it names their holders."""
        ledger, current = self.keeper.ledger, self.token.step_at(moment)
        if self.keeper.clock.mode == "live":
            require_moving()
        last = ledger.last(self.token.fingerprint)
        free = earliest if last is None else max(earliest, last.step + 1)
        claims = [ledger.find(self.token.fingerprint, step) for step in range(max(current, free - NAMED_CLAIMS), free)]
        now = moment / NANOSECONDS
        if last is not None and last.claimed_at - now > self.token.period:
            return CodeUnavailable(
                f"no unspent code of {self.token.name!r}: {last.holder} took the code of step {last.step} on a clock "
                f"frozen {duration(last.claimed_at - now)} ahead, at {instant(last.claimed_at)}, and an app that "
                f"remembers it accepts later ones only. {ADVICE}. Else take another account, or freeze the clock here "
                "too",
                retry_after=(free - lookahead) * self.token.period - now,
            )
        holders = "".join(f"; {claim.describe(now)}" for claim in claims if claim is not None)
        return self._too_late((free - lookahead) * self.token.period - now, timeout, holders)

    def _too_late(self, ahead: float, timeout: float, holders: str = "") -> CodeUnavailable:
        ahead, timeout = max(ahead, 0.0), max(timeout, 0.0)
        return CodeUnavailable(
            f"no unspent code of {self.token.name!r} in time: the next one begins in {duration(ahead, 1)}, and the "
            f"time-out is in {duration(timeout, 1)}{holders}. Allow a longer timeout, take another account, or freeze "
            "the clock",
            retry_after=ahead,
        )


def as_code(code: object) -> str:
    """Return what was typed as a code.

    Raises:
        InvalidInput: unless it is a string.
    """
    if not isinstance(code, str):
        kind = "missing" if code is None else f"of type {type(code).__name__}"
        raise InvalidInput(f"code is {kind}; accepted is a string of digits")
    return code


def as_steps(field: str, value: object, least: int = 0) -> int:
    """Return a number of time steps.

    Raises:
        InvalidInput: unless it is a whole number from `least` to 1,000.
    """
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
