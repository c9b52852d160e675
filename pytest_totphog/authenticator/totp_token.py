"""The token as tests use it: its codes follow a clock and are never handed out twice."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Never, TypeVar

from pytest_totphog.authenticator.codes import CodeOrigin, OneTimeCode
from pytest_totphog.authenticator.explanation import Explanation, explain
from pytest_totphog.authenticator.issuer import Issuer, Keeper, as_code, as_steps
from pytest_totphog.clocks.clock import Instant, as_nanoseconds
from pytest_totphog.credentials import qr
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidCall, InvalidInput, hidden_in_reports

__all__ = ["TotpToken"]

__tracebackhide__ = hidden_in_reports

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class TotpToken(Token):
    """A token in an authenticator: its codes follow the authenticator's clock."""

    authenticator: Keeper = field(kw_only=True)

    @classmethod
    def of(cls, token: Token, authenticator: Keeper) -> TotpToken:
        """Return a token as one of an authenticator; it was checked when it was made, and is not checked again."""
        own = object.__new__(cls)
        vars(own).update(vars(token), authenticator=authenticator)
        return own

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
        return self._issuer.code_at(CodeOrigin.NOW, self.authenticator.clock.time_ns())

    def at(self, when: Instant) -> str:
        """Return the code of another time, as pyotp's `at`.

        Args:
            when: seconds since the epoch, ISO 8601 text with an offset, or an aware datetime.

        Raises:
            InvalidInput: when it is no point in time or has no time zone.
        """
        return self._issuer.code_at(CodeOrigin.AT, as_nanoseconds(when))

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
        return self._issuer.verify(code, window)

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

    async def aone_time_code(
        self,
        min_remaining: float | None = None,
        lookahead: int = 0,
        timeout: float | None = None,  # noqa: ASYNC109 # as in one_time_code(); the wait is the issuer's
    ) -> str:
        """Return what `one_time_code` returns, and let the event loop go on while it waits (asyncio and trio).

        Where the waiting task is cancelled, nobody has the code, and its step is given back.

        Args:
            min_remaining: see `one_time_code`.
            lookahead: see `one_time_code`.
            timeout: see `one_time_code`.

        Raises:
            CodeUnavailable: see `one_time_code`.
            InvalidInput: see `one_time_code`.
        """
        cancelled = threading.Event()
        claim = partial(self._issuer.claim, min_remaining, lookahead, timeout, given_up=cancelled.is_set)
        try:
            return (await _in_thread(claim)).code
        except BaseException:
            cancelled.set()
            self.authenticator.clock.wake()
            raise

    def claim_code(
        self,
        min_remaining: float | None = None,
        lookahead: int = 0,
        timeout: float | None = None,
        holder: str | None = None,
    ) -> OneTimeCode:
        """Return what `one_time_code` returns, with its time step.

        Args:
            min_remaining: see `one_time_code`.
            lookahead: see `one_time_code`.
            timeout: see `one_time_code`.
            holder: who takes the code, for the ledger; the running test unless given.

        Raises:
            CodeUnavailable: see `one_time_code`.
            InvalidInput: see `one_time_code`.
        """
        return self._issuer.claim(min_remaining, lookahead, timeout, holder)

    def wrong_code(self, window: int = 10) -> str:
        """Return a code that no verifier accepts now: of the right length, and unlike the current one in every digit.

        Args:
            window: how many steps before and after the current one it is wrong in as well.
        """
        return self._issuer.recorded(
            CodeOrigin.WRONG_CODE, None, self.code_unlike(self._current_step(), as_steps("window", window))
        )

    def expired_code(self, steps: int = 2) -> str:
        """Return the code of an earlier time step.

        Args:
            steps: how many steps ago, 1 or more; one more where the code is by chance a current one.
        """
        return self._issuer.recorded(CodeOrigin.EXPIRED_CODE, *self._distant_code(-as_steps("steps", steps, least=1)))

    def future_code(self, steps: int = 2) -> str:
        """Return the code of a later time step.

        Args:
            steps: how many steps ahead, 1 or more; one more where the code is by chance a current one.
        """
        return self._issuer.recorded(CodeOrigin.FUTURE_CODE, *self._distant_code(as_steps("steps", steps, least=1)))

    def explain(self, code: object) -> Explanation:
        """Say what a string is: the current code, an old one, handed out to whom, another token's, or none."""
        authenticator = self.authenticator
        return explain(as_code(code), self, authenticator.tokens, authenticator.ledger, authenticator.clock.time_ns())

    def qr_png(self, scale: int = 5) -> bytes:
        """Return the key URI as a QR code, a PNG picture of `scale` pixels a module."""
        return qr.png(self.uri, scale)

    def qr_svg(self, scale: int = 5) -> str:
        """Return the key URI as a QR code, an SVG document of `scale` units a module."""
        return qr.svg(self.uri, scale)

    def qr_data_uri(self, scale: int = 5) -> str:
        """Return the key URI as a QR code, a `data:image/png` URL as pages embed it."""
        return qr.data_uri(self.uri, scale)

    @property
    def _issuer(self) -> Issuer:
        return Issuer(self, self.authenticator)

    def _current_step(self) -> int:
        return self.step_at(self.authenticator.clock.time_ns())

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


async def _in_thread(function: Callable[[], T]) -> T:
    """Call a function that may wait, in a thread; the event loop goes on, and a task that is cancelled ends at once."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        result: T = await trio.to_thread.run_sync(function, abandon_on_cancel=True)
        return result
    return await asyncio.to_thread(function)
