"""The journal: what was handed out, to whom, and what `verify` returned; for the page."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pytest_totphog.clocks.clock import Clock

if TYPE_CHECKING:
    from pytest_totphog.credentials.token import Token

__all__ = ["KEPT_EVENTS", "Event", "Journal"]

KEPT_EVENTS: Final = 500


@dataclass(frozen=True)
class Event:
    """One thing that happened to a token; neither its secret nor a code.

    Attributes:
        id: grows from event to event, also over a restart.
        at: when, in seconds since the epoch on the clock that the codes follow.
        kind: `"one-time-code"`, or `"verify"`.
        token_id: the token, which may be gone.
        name: what it was called.
        issuer: its service.
        step: the time step that was handed out, or that the clock was in.
        holder: who has the code, or what verified.
        verdict: `"accepted"` or `"refused"`; None for a code that was handed out.
    """

    id: int
    at: float
    kind: Literal["one-time-code", "verify"]
    token_id: str
    name: str
    issuer: str
    step: int
    holder: str
    verdict: Literal["accepted", "refused"] | None = None


class Journal:
    """The latest events, in the memory of this process; may be used from any thread.

    Args:
        clock: real time, from which the events' numbers start.
        capacity: how many events are kept.
    """

    def __init__(self, clock: Clock | None = None, capacity: int = KEPT_EVENTS) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=capacity)
        # Microseconds since the epoch: a client that has the last event of a server that has been restarted since gets
        # all events of the new one.
        self._last = (Clock() if clock is None else clock).time_ns() // 1000

    def record_code(self, token: Token, *, at: float, step: int, holder: str) -> None:
        """Record that a one-time code was handed out."""
        self._record(token, at, "one-time-code", step, holder, None)

    def record_verification(self, token: Token, *, at: float, step: int, holder: str, accepted: bool) -> None:
        """Record what `verify` returned."""
        self._record(token, at, "verify", step, holder, "accepted" if accepted else "refused")

    def after(self, id: int = 0) -> list[Event]:
        """Return what came after an event, oldest first."""
        with self._lock:
            return [event for event in self._events if event.id > id]

    def _record(
        self,
        token: Token,
        at: float,
        kind: Literal["one-time-code", "verify"],
        step: int,
        holder: str,
        verdict: Literal["accepted", "refused"] | None,
    ) -> None:
        with self._lock:
            self._last += 1
            self._events.append(Event(self._last, at, kind, token.id, token.name, token.issuer, step, holder, verdict))
