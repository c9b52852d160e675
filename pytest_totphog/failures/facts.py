"""The facts of a test that has just failed, looked up where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.authenticator.accounts import TotpAccount
from pytest_totphog.authenticator.totp_token import TotpToken, issuer_of
from pytest_totphog.clocks.clock import real_time_ns
from pytest_totphog.clocks.frozen_clock import companions_of, overruled_by
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.clocks.leftovers import fake_type_in, suspects
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import StoreError, TotphogError
from pytest_totphog.failures.app_clock import TOLERANCE, ask, compare, shown_urls
from pytest_totphog.failures.failure import AppClock, ClockState, Failure, UsedCode, UsedToken
from pytest_totphog.failures.usage import Usage

if TYPE_CHECKING:
    from pytest_totphog.authenticator.codes import TakenCode
    from pytest_totphog.clocks.frozen_clock import FrozenClock
    from pytest_totphog.stores.ledger import Ledger

__all__ = ["FailedTest", "Surroundings", "failure_of"]

SHOWN_CODES: Final = 10


@dataclass(frozen=True)
class Surroundings:
    """What stands around a test.

    Attributes:
        clock: the one that all codes of this process follow.
        ledger: gives the ledger of what was handed out.
        app_url: where the app under test is; empty where the test's fixtures show one; None where none is asked.
        server: the URL of the shared server; empty without one.
        earlier: the latest codes of the tests before, each with the test that took it.
    """

    clock: FrozenClock
    ledger: Callable[[], Ledger]
    app_url: str | None
    server: str
    earlier: Iterable[tuple[TakenCode, str]]


@dataclass(frozen=True)
class FailedTest:
    """A test that has just failed.

    Attributes:
        name: its name.
        when: which part of it failed: setup, call or teardown.
        error: what was raised.
        fixtures: what it had at hand, by name.
        released: whether a clock that it had frozen has been released since.
    """

    name: str
    when: str
    error: BaseException | None
    fixtures: Mapping[str, object]
    released: bool = False


def failure_of(test: FailedTest, usage: Usage, around: Surroundings) -> Failure | None:
    """Return the facts of a failed test; None when there is nothing to tell.

    Args:
        test: the test.
        usage: what it took.
        around: knows the rest.
    """
    error, fixtures = test.error, test.fixtures
    # Where the clock is live again, what counts is where it stood.
    frozen = around.clock.mode == "frozen" or (test.released and bool(usage.instants))
    given = _tokens(fixtures.values())
    fake_type = "" if error is None else fake_type_in(error)
    leftovers = [] if error is None else suspects(companions_of(around.clock).leftovers, error, fake_type)
    if not (usage.code_count or given or frozen or leftovers):
        return None
    instants = list(usage.instants) if frozen else []
    clock_time, real_time = around.clock.time_ns(), real_time_ns()
    # Somebody else may have stopped the time, and the codes with it.
    if not frozen and abs(clock_time - real_time) > TOLERANCE * NANOSECONDS:
        instants = [clock_time]
    clock = ClockState(clock_time / NANOSECONDS)
    if frozen:
        clock = ClockState(
            instants[-1] / NANOSECONDS, True, usage.patch, usage.moves, usage.move_count, usage.moved_back
        )
    clock = replace(clock, overruled_by=usage.overruled_by or overruled_by(around.clock))
    explained = isinstance(error, TotphogError)
    latest = list(usage.codes)[-SHOWN_CODES:]
    tokens = _distinct([*(code.token for code in latest), *given])
    return Failure(
        test=test.name,
        when=test.when,
        clock=clock,
        tokens=tuple(map(_used_token, tokens)),
        code_count=usage.code_count,
        codes=tuple(_used_codes(usage, around, tokens)),
        # An app that a fixture runs may be gone after its tear-down, or have another time.
        apps=() if explained or test.when == "teardown" else _apps(fixtures, around.app_url, instants),
        server=around.server,
        leftovers=tuple(leftovers),
        fake_type=fake_type,
        explained=explained,
    )


def _tokens(values: Iterable[object]) -> list[Token]:
    """Return the tokens among the values of fixtures, and those of accounts."""
    tokens: list[Token] = []
    for value in values:
        # Not isinstance(), which asks lazy objects for what they stand for.
        token = value.token if type(value) is TotpAccount else value
        if type(token) is TotpToken:
            tokens.append(issuer_of(token).token)
    return tokens


def _distinct(tokens: Iterable[Token]) -> list[Token]:
    return list({_key(token): token for token in tokens}.values())


def _key(token: Token) -> tuple[str, int, str, str]:
    return (token.fingerprint, token.digits, token.name, token.issuer)


def _used_token(token: Token) -> UsedToken:
    bits = len(token.secret) * 5 // 8 * 8
    return UsedToken(token.name, token.issuer, token.fingerprint[:8], token.digits, token.period, token.algorithm, bits)


def _used_codes(usage: Usage, around: Surroundings, tokens: list[Token]) -> Iterator[UsedCode]:
    """Yield the latest codes."""
    places = {_key(token): place for place, token in enumerate(tokens)}
    first: dict[tuple[str, int], int] = {}
    codes = list(usage.codes)
    for number, code in enumerate(codes, usage.code_count - len(codes) + 1):
        if code.step is not None:
            first.setdefault((code.token.fingerprint, code.step), number)
        if number <= usage.code_count - SHOWN_CODES:
            continue
        used = UsedCode(number, places[_key(code.token)], code.by, code.step, code.code, code.moment / NANOSECONDS)
        yield used if code.step is None else _of_step(used, code, code.step, first, around)


def _of_step(
    used: UsedCode, code: TakenCode, step: int, first: Mapping[tuple[str, int], int], around: Surroundings
) -> UsedCode:
    """Return a code with what its time step tells."""
    begins_at = step * code.token.period
    ends_at = begins_at + code.token.period
    number = first[code.token.fingerprint, step]
    repeated = number != used.number
    return replace(
        used,
        begins_at=begins_at,
        ends_at=ends_at,
        # A log is read by many: a code is shown when no app accepts it any more, whatever time it is in the test.
        code=code.code if (ends_at + code.token.period) * NANOSECONDS <= real_time_ns() else None,
        holder=code.holder,
        same_as=number if repeated else None,
        given_before="" if repeated or not used.by.for_login else _given_before(code, step, around),
        **({} if (code.token.fingerprint, step - 1) in first else _moved_past(code, step, around)),
    )


def _moved_past(code: TakenCode, step: int, around: Surroundings) -> dict[str, Any]:
    """Return where the clock was moved from for a code, past a step that another test had taken; empty unless so."""
    if code.moved_from is None:
        return {}
    claim = None
    with suppress(StoreError):
        claim = around.ledger().find(code.token.fingerprint, step - 1)
    return {"moved_from": code.moved_from / NANOSECONDS, "spent_by": "another test" if claim is None else claim.holder}


def _given_before(code: TakenCode, step: int, around: Surroundings) -> str:
    """Say who had been given a step's code before this test; empty where nobody is known."""
    for other, test in reversed(list(around.earlier)):
        if other.step == step and other.token.fingerprint == code.token.fingerprint:
            return f"to {test} by {other.by}"
    if code.waited_seconds is None:  # the ledger gives no step twice
        with suppress(StoreError):
            claim = around.ledger().find(code.token.fingerprint, step)
            if claim is not None and claim.claimed_at < code.moment / NANOSECONDS:
                return f"to {claim.holder}"
    return ""


def _apps(fixtures: Mapping[str, object], app_url: str | None, instants: Iterable[int]) -> tuple[AppClock, ...]:
    if app_url is None:
        return ()
    urls, browsers = shown_urls({"app_url": app_url} if app_url else fixtures)
    stood = [instant / NANOSECONDS for instant in instants]
    return tuple(compare(reading, stood) for reading in ask(urls, browsers, public=bool(app_url)))
