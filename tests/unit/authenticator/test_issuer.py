"""The issuer: codes that are awaited, and what is left of a wait that was given up."""

import asyncio
import threading

import pytest

from pytest_totphog import Authenticator, Clock, CodeUnavailable, FrozenClock, InvalidInput
from pytest_totphog.authenticator.totp_token import TotpToken, issuer_of

STEP = 56_843_820


@pytest.fixture
def token() -> TotpToken:
    """A token on a clock of its own, which stands at the start of a step."""
    return Authenticator(FrozenClock(STEP * 30, patch=None)).make(name="alice")


def test_awaited_codes_come_from_the_same_ledger(token: TotpToken) -> None:
    """As `one_time_code()` gives them: each once."""

    async def take() -> list[str]:
        return [await token.aone_time_code(), token.one_time_code(), await token.aone_time_code()]

    assert asyncio.run(take()) == [issuer_of(token).token.code_at_step(STEP + number) for number in range(3)]


def test_awaited_codes_in_trio(token: TotpToken) -> None:
    """The loop of the running framework waits, whichever it is."""
    trio = pytest.importorskip("trio", reason="trio comes with selenium")

    assert trio.run(token.aone_time_code) == issuer_of(token).token.code_at_step(STEP)


def test_awaited_code_is_checked_like_any_other(token: TotpToken) -> None:
    """What is wrong with an argument is an error at once."""
    with pytest.raises(InvalidInput, match=r"^min_remaining is 31; accepted are 0 to 30 seconds"):
        asyncio.run(token.aone_time_code(31))


def test_loop_goes_on_while_a_code_is_awaited() -> None:
    """And a task that is cancelled ends at once: nobody has the code, so its step is free again."""
    token = Authenticator().make(name="alice", period=86_400)
    spent = issuer_of(token).claim(min_remaining=0).step
    ledger = issuer_of(token).keeper.ledger
    claimed = threading.Event()

    async def cancel() -> None:
        waiting = asyncio.create_task(token.aone_time_code(timeout=86_400))
        while (last := ledger.last(issuer_of(token).token.fingerprint)) is None or last.step == spent:  # noqa: ASYNC110 # a ledger has no event
            await asyncio.sleep(0)  # the loop is free for it
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        claimed.set()

    asyncio.run(cancel())

    assert claimed.is_set()
    assert ledger.last(issuer_of(token).token.fingerprint).step == spent


def test_wait_that_is_given_up_gives_its_step_back() -> None:
    """Whoever gives up says so by a function, which is asked whenever the waiter wakes."""
    authenticator = Authenticator(Clock())
    token = authenticator.make(name="alice", period=86_400)
    spent = issuer_of(token).claim(min_remaining=0).step

    with pytest.raises(CodeUnavailable):
        issuer_of(token).claim(timeout=86_400, given_up=lambda: True)

    assert authenticator.ledger.last(issuer_of(token).token.fingerprint).step == spent
