"""The journal: the latest events, without secrets and codes."""

import dataclasses
import threading

import pytest

from pytest_totphog import Authenticator, Clock, CodeUnavailable, TotpToken
from pytest_totphog.authenticator.journal import Journal
from pytest_totphog.authenticator.totp_token import issuer_of

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def authenticator() -> Authenticator:
    """An authenticator whose clock stands at 2024-01-15T10:30:00Z."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    return Authenticator(clock, holder=lambda: "test_login")


@pytest.fixture
def token(authenticator: Authenticator) -> TotpToken:
    """A token in it."""
    return authenticator.add(authenticator.make(name="alice", issuer="GitHub", secret=SECRET))


@pytest.fixture
def journal() -> Journal:
    """A journal that was begun a millisecond after the epoch, for three events."""
    clock = Clock()
    clock.freeze(0.001)
    return Journal(clock, capacity=3)


def record(journal: Journal, token: TotpToken, *steps: int) -> None:
    """Record a code handed out of each of these steps."""
    for step in steps:
        journal.record_code(issuer_of(token).token, at=float(step), step=step, holder="test_login")


def test_code_that_was_handed_out_is_recorded(authenticator: Authenticator, token: TotpToken) -> None:
    """With its step, its holder, and when it was on the token's clock."""
    authenticator.clock.tick(5)
    issuer_of(token).claim(holder="gw1 test_login")

    [event] = authenticator.journal.after()
    assert dataclasses.asdict(event) == {
        "id": event.id,
        "at": 1705314605.0,
        "kind": "one-time-code",
        "token_id": token.id,
        "name": "alice",
        "issuer": "GitHub",
        "step": 56843820,
        "holder": "gw1 test_login",
        "verdict": None,
    }


def test_code_that_was_not_handed_out_is_not_recorded(authenticator: Authenticator) -> None:
    """Nobody has it."""
    authenticator.clock.unfreeze()
    token = authenticator.make(name="alice", period=86_400)
    issuer_of(token).claim(min_remaining=0)
    with pytest.raises(CodeUnavailable):
        issuer_of(token).claim(min_remaining=0, timeout=0)

    assert len(authenticator.journal.after()) == 1


@pytest.mark.parametrize(("code", "verdict"), [("648307", "accepted"), ("000000", "refused")])
def test_what_verify_said_is_recorded(authenticator: Authenticator, token: TotpToken, code: str, verdict: str) -> None:
    """With who asked, and the step that the clock was in."""
    token.verify(code)

    [event] = authenticator.journal.after()
    assert (event.kind, event.verdict) == ("verify", verdict)
    assert (event.at, event.step, event.holder) == (1705314600.0, 56843820, "test_login")


def test_no_secret_and_no_code_is_recorded(authenticator: Authenticator, token: TotpToken) -> None:
    """Whoever reads the journal learns neither."""
    code = token.one_time_code()
    token.verify(code)

    told = repr([dataclasses.asdict(event) for event in authenticator.journal.after()])
    assert "alice" in told
    assert SECRET not in told
    assert code not in told


def test_events_are_numbered_from_when_the_journal_was_begun(journal: Journal, token: TotpToken) -> None:
    """In microseconds, so that the numbers of a server that is started anew go on from those it had."""
    record(journal, token, 1, 2)

    assert [event.id for event in journal.after()] == [1001, 1002]


def test_events_after_one(journal: Journal, token: TotpToken) -> None:
    """Whoever looks on gets each once."""
    record(journal, token, 1, 2, 3)

    assert [event.step for event in journal.after(1002)] == [3]
    assert journal.after(1003) == []


def test_oldest_events_are_forgotten(journal: Journal, token: TotpToken) -> None:
    """A journal never grows beyond its capacity."""
    record(journal, token, 1, 2, 3, 4, 5)

    assert [event.step for event in journal.after()] == [3, 4, 5]


def test_threads_record_every_event_once(token: TotpToken) -> None:
    """Eight at a time: as many events as were recorded, each with a number of its own, in their order."""
    journal = Journal(capacity=10_000)
    threads = [threading.Thread(target=record, args=(journal, token, *range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    numbers = [event.id for event in journal.after()]
    assert len(set(numbers)) == 4000
    assert numbers == sorted(numbers)
