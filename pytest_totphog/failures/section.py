"""A failure in words, as its report shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from pytest_totphog.clocks.wording import duration, instant, time_of_day
from pytest_totphog.credentials.otp import USUAL_BITS
from pytest_totphog.failures.causes import causes
from pytest_totphog.failures.failure import AppClock, ClockState, Failure, UsedCode, UsedToken

__all__ = ["TITLE", "facts", "labelled", "section"]

TITLE: Final = "TOTP"
WIDTH: Final = 80
SHOWN_MOVES: Final = 5


def section(failure: Failure) -> str:
    """Return what the report of a failed test shows: the most likely causes first, then the facts."""
    paragraphs = [_wrap(f"{beginning}: {cause}") for beginning, cause in labelled(failure)]
    return "\n\n".join([*paragraphs, facts(failure)])


def labelled(failure: Failure) -> list[tuple[str, str]]:
    """Return the most likely causes, each with what it begins with."""
    return list(zip(("Most likely cause", "Or"), causes(failure), strict=False))


def facts(failure: Failure) -> str:
    """Return the facts, a line each: tokens, codes, clock, apps."""
    return "\n".join(_facts(failure))


def _facts(failure: Failure) -> Iterator[str]:
    for token in failure.tokens:
        yield _line("token", _token(token))
    if failure.tokens or failure.codes:
        yield _line("codes", _count(failure))
    for code in failure.codes:
        yield _line(f"{code.number:>5}", _code(failure, code))
    yield _line("clock", _clock(failure.clock))
    for app in failure.apps:
        yield _line("app", _app(app, failure.clock))
    if failure.server:
        yield _line("server", f"{failure.server}; what others took there, its page shows")


def _line(name: str, text: str) -> str:
    return _wrap(f"{name:<6} {text}", indent=" " * 7)


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _token(token: UsedToken) -> str:
    issuer = f" of {token.issuer!r}" if token.issuer else ""
    usual = (token.digits, token.period, token.algorithm) == (6, 30, "sha1")
    shape = "" if usual else f", {token.digits} digits, {token.period} s, {token.algorithm}"
    short = f", secret of {token.bits} bits" if token.bits < USUAL_BITS else ""
    return f"{token.name!r}{issuer}, fingerprint {token.fingerprint}{shape}{short}"


def _count(failure: Failure) -> str:
    if not failure.code_count:
        return "none taken by this test"
    latest = "" if len(failure.codes) == failure.code_count else f", the last {len(failure.codes)}"
    return f"{failure.code_count} taken by this test{latest}:"


def _code(failure: Failure, code: UsedCode) -> str:
    whose = f" of {failure.tokens[code.token].name!r}" if len(failure.tokens) > 1 else ""
    facts = [f"{code.by}{whose} at {time_of_day(code.taken_at)}"]
    if code.code is not None:
        facts.append(f"code {code.code}")
    if code.step is not None:
        facts.append(f"step {code.step}")
    if code.begins_at is not None and code.ends_at is not None and code.same_as is None:
        facts.append(_life(code.begins_at, code.ends_at, failure.clock.time))
    if code.holder is not None:
        facts.append(f"for {code.holder}")
    if code.same_as is not None:
        facts.append(f"the same as {code.same_as}")
    elif code.given_before:
        facts.append(f"given before {code.given_before}")
    return ", ".join(facts)


def _life(begins_at: float, ends_at: float, now: float) -> str:
    if now < begins_at:
        return f"begins in {duration(begins_at - now)}"
    if now < ends_at:
        return f"valid {duration(ends_at - now)} more"
    return f"expired {duration(now - ends_at)} ago"


def _clock(clock: ClockState) -> str:
    by = clock.overruled_by
    if not clock.frozen:
        return f"stopped by {by}, not by frozen_clock" if by else "live"
    moves = [f"{'on' if move > 0 else 'back'} by {duration(abs(move))}" for move in clock.moves[-SHOWN_MOVES:]]
    more = f"{clock.move_count} times, at last " if clock.move_count > len(moves) else ""
    patch = f"patch={clock.patch!r}" + (f", overruled by {by}" if by else "")
    return f"frozen at {instant(clock.time)}, {patch}" + (f"; moved {more}{', '.join(moves)}" if moves else "")


def _app(app: AppClock, clock: ClockState) -> str:
    if app.real:
        return f"{app.url} runs at real time"
    if not app.ahead:
        return f"{app.url} has the same time"
    than = "the frozen clock" if clock.frozen else "this machine"
    return f"{app.url} is {duration(abs(app.ahead))} {'ahead of' if app.ahead > 0 else 'behind'} {than}"
