"""The token as tests use it: its codes follow a clock and are never handed out twice."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Never, Self, TypeVar

from pytest_totphog.authenticator.codes import CodeOrigin
from pytest_totphog.authenticator.explanation import Explanation, explain
from pytest_totphog.authenticator.issuer import Issuer, as_code, as_steps
from pytest_totphog.clocks.instants import Instant, as_nanoseconds
from pytest_totphog.credentials import qr
from pytest_totphog.errors import InvalidCall, InvalidInput, hidden_in_reports

__all__ = ["TotpToken", "issuer_of"]

__tracebackhide__ = hidden_in_reports

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class TotpToken:
    """A token in an authenticator: its codes follow the authenticator's clock.

    Attributes:
        id: a UUID.
        name: the account's name.
        issuer: the service's name; may be empty.
        secret: base32 in canonical form.
        digits: length of a code: 6, 7 or 8.
        period: length of a time step in seconds, 1 to 86,400.
        algorithm: `"sha1"`, `"sha256"` or `"sha512"`.
        created_at: when the token was made, an aware datetime.
        uri: the key URI `otpauth://totp/ISSUER:NAME?secret=…`.
    """

    _issuer: Issuer
    id: str = field(init=False)
    name: str = field(init=False)
    issuer: str = field(init=False)
    secret: str = field(init=False)
    digits: int = field(init=False)
    period: int = field(init=False)
    algorithm: str = field(init=False)
    created_at: datetime = field(init=False)
    uri: str = field(init=False)

    def __post_init__(self) -> None:
        for each in fields(self)[1:]:
            object.__setattr__(self, each.name, getattr(self._issuer.token, each.name))

    def __repr__(self) -> str:
        return f"<TotpToken {self._issuer.token.summary}>"

    # Not dataclass's: pytest's assertion diff would go through the fields and show the secret.
    def __eq__(self, other: object) -> bool:
        return self._issuer.token == other._issuer.token if isinstance(other, TotpToken) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    # It never changes, and Django copies what setUpTestData keeps, for every test.
    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    @property
    def code_url(self) -> str:
        """Where the server answers with the current code."""
        return f"{self._issuer.keeper.api_url}/tokens/{self.id}/code"

    @property
    def remaining_seconds(self) -> int:
        """How long the current code lives, whole seconds from 1 to the period."""
        return self._issuer.token.remaining_at(self._issuer.keeper.clock.time_ns())

    def now(self) -> str:
        """Return the current code, as pyotp's `now`; it may be about to expire and may have been handed out."""
        return self._issuer.now()

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
        """Return a code that is not about to expire and was never handed out before.

        On a live clock it waits for the next time step where it must; a frozen clock it moves on, past the
        last step spent for this secret, and never sleeps.

        Args:
            min_remaining: seconds the code must have to live, at most the period; unless given 10, or half of
                a period below 20.
            lookahead: how many steps ahead of the current one may be used at once, for verifiers that accept them.
            timeout: how long to wait at the most, in real seconds; unless given 90.

        Raises:
            CodeUnavailable: when there is none in time; it names the holders of the steps. At once when it would have
                to wait, and something else has stopped the time.
            InvalidInput: when an argument is not what is accepted.
        """
        return self._issuer.claim(min_remaining, lookahead, timeout).code

    async def aone_time_code(
        self,
        min_remaining: float | None = None,
        lookahead: int = 0,
        timeout: float | None = None,  # noqa: ASYNC109 # as in one_time_code(); the wait is the issuer's
    ) -> str:
        """Return what `one_time_code` returns, and let the event loop go on while it waits (asyncio and trio).

        Where the waiting task is cancelled, the code is not handed out, and its step is given back.

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
            self._issuer.keeper.clock.wake()
            raise

    def wrong_code(self, window: int = 10) -> str:
        """Return a code that no verifier accepts now: of the right length, and unlike the current one in every digit.

        Args:
            window: how many steps before and after the current one it is wrong in as well.
        """
        issuer = self._issuer
        code = issuer.token.code_unlike(issuer.current_step, as_steps("window", window))
        return issuer.give(CodeOrigin.WRONG_CODE, None, code)

    def expired_code(self, steps: int = 2) -> str:
        """Return the code of an earlier time step.

        Args:
            steps: how many steps ago, 1 or more; one more where the code is by chance a current one.
        """
        return self._issuer.give(CodeOrigin.EXPIRED_CODE, *self._distant_code(-as_steps("steps", steps, least=1)))

    def future_code(self, steps: int = 2) -> str:
        """Return the code of a later time step.

        Args:
            steps: how many steps ahead, 1 or more; one more where the code is by chance a current one.
        """
        return self._issuer.give(CodeOrigin.FUTURE_CODE, *self._distant_code(as_steps("steps", steps, least=1)))

    def explain(self, code: object) -> Explanation:
        """Say what a string is: the current code, an old one, handed out to whom, another token's, or none."""
        token, keeper = self._issuer.token, self._issuer.keeper
        return explain(as_code(code), token, keeper.credentials, keeper.ledger, keeper.clock.time_ns())

    def qr_png(self, scale: int = 5) -> bytes:
        """Return the key URI as a QR code, a PNG picture of `scale` pixels a module."""
        return qr.png(self.uri, scale)

    def qr_svg(self, scale: int = 5) -> str:
        """Return the key URI as a QR code, an SVG document of `scale` units a module."""
        return qr.svg(self.uri, scale)

    def qr_data_uri(self, scale: int = 5) -> str:
        """Return the key URI as a QR code, a `data:image/png` URL as pages embed it."""
        return qr.data_uri(self.uri, scale)

    def _distant_code(self, steps: int) -> tuple[int, str]:
        """Return the time step some steps away, and its code."""
        current, code_at_step = self._issuer.current_step, self._issuer.token.code_at_step
        direction = 1 if steps > 0 else -1
        # One code in a million repeats within a few steps, and a negative test must not fail by chance.
        accepted = {code_at_step(step) for step in range(max(0, current - 1), current + 2) if step != current + steps}
        while current + steps >= 0:
            if (code := code_at_step(current + steps)) not in accepted:
                return current + steps, code
            steps += direction
        raise InvalidInput(f"there is no time step {-steps} steps ago; the clock is at step {current}")


def issuer_of(token: TotpToken) -> Issuer:
    """Return what hands out the codes of a token: for the plugin, the API and the battery."""
    return token._issuer  # noqa: SLF001 # of this module


async def _in_thread(function: Callable[[], T]) -> T:
    """Call a function that may wait, in a thread; the event loop goes on, and a task that is cancelled ends at once."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        result: T = await trio.to_thread.run_sync(function, abandon_on_cancel=True)
        return result
    return await asyncio.to_thread(function)
