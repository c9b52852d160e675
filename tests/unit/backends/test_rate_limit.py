"""The rate limit: so many requests an address and a minute."""

import threading
from typing import Any

import pytest

from pytest_totphog.backends.rate_limit import RateLimit
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the first second of a minute."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    return clock


def passes(limit: RateLimit, address: str = "127.0.0.1", **environ: str) -> bool:
    """Send a request and return whether it passes; it may only be refused as one too many."""
    try:
        limit.check({"HTTP_HOST": "localhost", "REMOTE_ADDR": address, **environ})
    except HttpError as error:
        if error.status != 429:
            raise
        return False
    return True


def test_one_too_many_is_refused(clock: Clock) -> None:
    """The error says how many are accepted, and when the next are, as `Retry-After` too."""
    limit = RateLimit(Gate(), clock, 3)
    clock.tick(12.5)
    assert [passes(limit) for _ in range(4)] == [True, True, True, False]
    with pytest.raises(HttpError) as error:
        limit.check({"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"})
    assert error.value.status == 429
    assert error.value.message == "Too many requests; accepted are 3 a minute, and again in 48 s"
    assert error.value.headers == {"Retry-After": "48"}


def test_next_minute_of_the_clock_starts_anew(clock: Clock) -> None:
    """At its first second."""
    limit = RateLimit(Gate(), clock, 1)
    assert [passes(limit), passes(limit)] == [True, False]
    clock.tick(59.999)
    assert passes(limit) is False
    clock.tick(0.001)
    assert [passes(limit), passes(limit)] == [True, False]


def test_clock_that_goes_back_starts_anew(clock: Clock) -> None:
    """Nobody waits for a minute that is long over."""
    limit = RateLimit(Gate(), clock, 1)
    assert passes(limit) is True
    clock.move_to("2020-01-01T00:00:00Z")
    assert [passes(limit), passes(limit)] == [True, False]


def test_every_address_has_a_count_of_its_own(clock: Clock) -> None:
    """What a client says about its address does not count."""
    limit = RateLimit(Gate(), clock, 1)
    assert [passes(limit, "127.0.0.1"), passes(limit, "127.0.0.2"), passes(limit, "::1")] == [True, True, True]
    assert passes(limit, "127.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.1") is False


def test_what_the_gate_refuses_is_not_counted(clock: Clock) -> None:
    """It never reached the app."""
    limit = RateLimit(Gate(), clock, 1)
    for _ in range(3):
        with pytest.raises(HttpError) as error:
            limit.check({"HTTP_HOST": "rebind.example", "REMOTE_ADDR": "127.0.0.1"})
        assert error.value.status == 400
    assert passes(limit) is True


def test_requests_at_once_are_all_counted(clock: Clock) -> None:
    """Of sixteen threads as many pass as may."""
    limit = RateLimit(Gate(), clock, 5)
    barrier = threading.Barrier(16)
    passed = []

    def send() -> None:
        barrier.wait(10)
        passed.append(passes(limit))

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(passed) == [False] * 11 + [True] * 5


@pytest.mark.parametrize("requests", [0, -1, 1.5, "120", True, None])
def test_refused_limits(clock: Clock, requests: Any) -> None:
    """A whole number of at least one; the app takes None for no limit and then uses none of these."""
    with pytest.raises(
        InvalidInput, match=r"^the rate limit is .+; accepted are 1 and more requests a minute, or None$"
    ):
        RateLimit(Gate(), clock, requests)
