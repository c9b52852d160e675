"""Steps in a browser: written once, and gone through directly or, where a page is awaited, in a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from inspect import isawaitable
from types import coroutine
from typing import Any, TypeAlias, TypeVar

from pytest_totphog.errors import hidden_in_reports

__all__ = ["Steps", "begin", "run", "run_async", "silent"]

__tracebackhide__ = hidden_in_reports

T = TypeVar("T")

# A generator that yields whatever the browser's library returns, and is sent what comes of it.
Steps: TypeAlias = Generator[Any, Any, T]


def run(steps: Steps[T]) -> T:
    """Go through steps that are answered directly, and return what they return."""
    answer = None
    while True:
        try:
            answer = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result


async def run_async(steps: Steps[T]) -> T:
    """Go through steps whose answers are awaited, and return what they return."""
    try:
        asked = next(steps)
        while True:
            try:
                answer = await asked if isawaitable(asked) else asked
            except Exception as error:  # noqa: BLE001 -- what to make of it, the steps know
                asked = steps.throw(error)
            else:
                asked = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


def begin(call: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Return a call to the running loop that has taken its first step already, ahead of whatever is awaited next.

    A task would take it when the loop comes to it. What fails and is not awaited, fails silently.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    try:
        waits_for = call.send(None)
    except StopIteration as end:
        future.set_result(end.value)
    except Exception as error:  # noqa: BLE001 -- whoever awaits it gets it
        future.set_exception(error)
    else:
        future = loop.create_task(_rest(call, waits_for))
    return silent(future)


def silent(future: asyncio.Future[T]) -> asyncio.Future[T]:
    """Return a future whose failure need not be looked at."""
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return future


async def _rest(call: Coroutine[Any, Any, T], waits_for: Any) -> T:
    return await _continue(call, waits_for)


@coroutine
def _continue(call: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    try:
        while True:
            try:
                answer = yield waits_for
            except BaseException as error:  # noqa: BLE001 -- a task that is cancelled throws that in
                waits_for = call.throw(error)
            else:
                waits_for = call.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
