"""Calls at the same time, and waits for what other threads and processes do."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def in_threads(count: int, call: Callable[[int], Result]) -> list[Result]:
    """Call with 0 to `count` - 1, each in a thread, all at the same time, and return what came back, in that order."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Result:
        barrier.wait(10)
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def wait_for(condition: Callable[[], Any]) -> None:
    """Return once something is so; fail after a minute."""
    looking, deadline = threading.Event(), time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        looking.wait(0.02)
