"""Followers of a clock: called after each change, without the clock's lock, until they are removed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_totphog.clocks.clock import Clock
from tests.support.threads import in_threads


class Following:
    """A follower that keeps what it has read, and may do something each time."""

    def __init__(self, clock: Clock, act: Callable[[], object] = lambda: None) -> None:
        self.clock, self.act = clock, act
        self.read: list[int | None] = []
        self.lock = threading.Lock()

    def follow(self) -> object:
        """Read the clock."""
        with self.lock:
            self.read.append(self.clock.frozen_at)
        return self.act()


@pytest.fixture
def clock() -> Clock:
    """A clock at seven seconds past the epoch."""
    clock = Clock()
    clock.freeze(7)
    return clock


@pytest.fixture
def follower(clock: Clock) -> Following:
    """What follows it."""
    follower = Following(clock)
    clock.followers.add(follower)
    return follower


def test_every_change(clock: Clock, follower: Following) -> None:
    """From where the clock stood at first; in nanoseconds since the epoch, and None while it is live."""
    clock.tick(1.5)
    clock.wait_until(9_000_000_000, timeout=0)
    clock.unfreeze()
    clock.freeze(7)

    assert follower.read == [7_000_000_000, 8_500_000_000, 9_000_000_000, None, 7_000_000_000]


def test_what_the_first_call_returns(clock: Clock) -> None:
    """It may be something to await."""
    assert clock.followers.add(Following(clock, lambda: "shown")) == "shown"


def test_removed(clock: Clock, follower: Following) -> None:
    """It is called no more; a second time does nothing."""
    clock.followers.remove(follower)
    clock.followers.remove(follower)
    clock.tick()

    assert follower.read == [7_000_000_000]
    assert follower not in clock.followers


def test_added_twice(clock: Clock, follower: Following) -> None:
    """It follows once."""
    clock.followers.add(follower)
    clock.tick()

    assert follower.read == [7_000_000_000, 7_000_000_000, 8_000_000_000]


def fail() -> None:
    """Fail, as a server that is gone."""
    raise OSError("gone")


def test_first_call_that_fails(clock: Clock) -> None:
    """It does not follow, and the next change is not its concern."""
    failing = Following(clock, fail)
    with pytest.raises(OSError, match="gone"):
        clock.followers.add(failing)

    assert clock.tick() == 8
    assert failing not in clock.followers


def test_call_that_fails(clock: Clock) -> None:
    """The mover has the error; the clock has moved, and so have those before and after it."""
    first, failing, last = Following(clock), Following(clock), Following(clock)
    for each in (first, failing, last):
        clock.followers.add(each)
    failing.act = fail

    with pytest.raises(OSError, match="gone"):
        clock.tick()

    assert clock.time() == 8
    assert first.read == failing.read == last.read == [7_000_000_000, 8_000_000_000]


def test_refused_change(clock: Clock, follower: Following) -> None:
    """Nothing has changed, and a follower sees so."""
    with pytest.raises(ValueError, match="past the year 9999"):
        clock.tick(1e15)

    assert clock.changes == 1
    assert set(follower.read) == {7_000_000_000}


def test_everybody_goes_on_while_a_follower_is_slow(clock: Clock, follower: Following) -> None:
    """Other threads read the clock and move it, and the slow one's thread is not needed for that."""
    called, proceed = threading.Event(), threading.Event()

    def act() -> None:
        if not called.is_set():
            called.set()
            assert proceed.wait(30)

    follower.act = act
    with ThreadPoolExecutor(2) as pool:
        mover = pool.submit(clock.tick)
        try:
            assert called.wait(30)
            assert pool.submit(clock.time).result(30) == 8
            assert pool.submit(clock.tick).result(30) == 9
            assert not mover.done()
        finally:
            proceed.set()
        assert mover.result(30) == 8


def test_follower_that_moves_the_clock(clock: Clock, follower: Following) -> None:
    """As a page does that is loaded anew; it is called again, and ends at the latest time."""
    follower.act = lambda: clock.tick() if clock.time() < 10 else None
    clock.tick()

    assert follower.read == [seconds * 1_000_000_000 for seconds in (7, 8, 9, 10)]


def test_many_movers(clock: Clock, follower: Following) -> None:
    """The last thing that a follower reads is where the clock ends."""
    in_threads(8, lambda _: [clock.tick() for _ in range(100)])

    assert clock.time() == 807
    assert follower.read[-1] == 807_000_000_000
    assert follower.read == sorted(each for each in follower.read if each is not None)
