"""What runs on: whatever counts real seconds. Nothing waits for ever on a clock that stands still."""

import asyncio
import queue
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from time import monotonic as monotonic_bound_at_import
from typing import Any

import pytest
import requests

# Under each patch.
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(params=["freezegun", "time-machine"])
def clock(request: pytest.FixtureRequest) -> Any:
    """The frozen clock under each patch, at 2024-01-15T10:30:00Z."""
    request.applymarker(pytest.mark.frozen_clock(patch=request.param))
    return request.getfixturevalue("frozen_clock")


@pytest.fixture
def deaf_port() -> Iterator[Any]:
    """A port on which connections are accepted and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_monotonic_clocks_run() -> None:
    """time.monotonic and time.perf_counter advance across a real wait."""
    before = (time.monotonic(), time.monotonic_ns(), time.perf_counter(), time.perf_counter_ns())
    bound_before = monotonic_bound_at_import()
    threading.Event().wait(0.01)
    after = (time.monotonic(), time.monotonic_ns(), time.perf_counter(), time.perf_counter_ns())
    assert [later > earlier for earlier, later in zip(before, after, strict=True)] == [True] * 4
    assert monotonic_bound_at_import() > bound_before


def test_sleeping_thread_wakes_up() -> None:
    """time.sleep sleeps in real time."""
    sleeper = threading.Thread(target=time.sleep, args=(0.01,), daemon=True)
    sleeper.start()
    sleeper.join(timeout=30)
    assert not sleeper.is_alive()


def test_socket_timeout_fires(deaf_port: Any) -> None:
    """A read on a silent connection is given up."""
    with socket.create_connection(("127.0.0.1", deaf_port), timeout=0.01) as connection:
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert select.select([connection], [], [], 0.01) == ([], [], [])


def test_requests_timeout_fires(deaf_port: Any) -> None:
    """A server that does not answer is given up by requests."""
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"http://127.0.0.1:{deaf_port}/", timeout=0.05)


def test_queue_timeout_fires() -> None:
    """An empty queue is not waited for for ever, nor is a full one."""
    full: queue.Queue[str] = queue.Queue(maxsize=1)
    full.put("only", timeout=0.01)
    with pytest.raises(queue.Full):
        full.put("more", timeout=0.01)
    with pytest.raises(queue.Empty):
        queue.Queue().get(timeout=0.01)


def test_thread_timeouts_fire() -> None:
    """Events, conditions, locks, semaphores and futures that never come are given up."""
    condition, lock = threading.Condition(), threading.Lock()
    with condition, lock:
        assert threading.Event().wait(timeout=0.01) is False
        assert condition.wait_for(lambda: False, timeout=0.01) is False
        assert lock.acquire(timeout=0.01) is False
        assert threading.Semaphore(0).acquire(timeout=0.01) is False
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(timeout=0.01)


def test_future_timeout_fires() -> None:
    """The result of a worker that is not done is given up."""
    done = threading.Event()
    with futures.ThreadPoolExecutor(max_workers=1) as executor:
        future = executor.submit(done.wait)
        with pytest.raises(futures.TimeoutError):
            future.result(timeout=0.01)
        done.set()


def test_subprocess_timeout_fires() -> None:
    """A program that does not end is killed."""
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", "import threading; threading.Event().wait()"], timeout=0.05, check=False)


def test_asyncio_sleeps_and_times_out() -> None:
    """asyncio.sleep ends, asyncio.wait_for gives up, and the loop's own clock runs."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.sleep(0.01)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), timeout=0.01)
        return loop.time() - started

    assert asyncio.run(main()) > 0
