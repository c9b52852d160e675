"""What a test took of the plugin."""

from datetime import UTC, datetime

from pytest_totphog.authenticator.codes import CodeOrigin, TakenCode
from pytest_totphog.credentials.token import Token
from pytest_totphog.failures.usage import Usage

TOKEN = Token.create(name="alice", secret="JBSWY3DPEHPK3PXP", created_at=datetime.now(UTC))


def taken(step: int, waited_seconds: float | None = None) -> TakenCode:
    """Return a code of a step."""
    return TakenCode(TOKEN, CodeOrigin.NOW, step, "648307", 0, None, waited_seconds)


def test_codes_are_kept_in_their_order() -> None:
    """And counted; of one-time codes also what was waited for them."""
    usage = Usage()
    for code in (taken(1), taken(2, 0.0), taken(3, 18.0)):
        usage.add(code)

    assert [code.step for code in usage.codes] == [1, 2, 3]
    assert usage.code_count == 3
    assert (usage.waited.codes, usage.waited.waited_for, usage.waited.seconds) == (2, 1, 18.0)


def test_latest_codes_are_kept() -> None:
    """A test may take millions."""
    usage = Usage()
    for step in range(250):
        usage.add(taken(step))

    assert [code.step for code in usage.codes] == list(range(150, 250))
    assert usage.code_count == 250


def test_moves_of_a_frozen_clock() -> None:
    """On and back, by how much; a clock that is told where it stands already has not moved."""
    usage = Usage()
    for seconds in (1000, 1030, 1030, 970):
        usage.show(seconds * 1_000_000_000)

    assert usage.moves == (30.0, -60.0)
    assert (usage.move_count, usage.moved_back) == (2, True)


def test_clock_that_is_frozen_anew() -> None:
    """What was before it ran is no move."""
    usage = Usage()
    for nanoseconds in (2_000_000_000, 1_000_000_000, None, 500_000_000):
        usage.show(nanoseconds)

    assert list(usage.instants) == [500_000_000]
    assert (usage.moves, usage.move_count, usage.moved_back) == ((), 0, False)


def test_latest_moves_are_kept() -> None:
    """All are counted."""
    usage = Usage()
    for seconds in range(100):
        usage.show(seconds * 1_000_000_000)

    assert usage.moves == (1.0,) * 19
    assert usage.move_count == 99


def test_copy_stays_as_it_is() -> None:
    """Other threads go on taking codes while a report is made."""
    usage = Usage()
    copy = usage.copy()
    usage.add(taken(1))
    usage.show(0)

    assert (list(copy.codes), copy.code_count, list(copy.instants)) == ([], 0, [])
