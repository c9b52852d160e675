"""Steps that are gone through directly, or awaited."""

import asyncio
from typing import Any

import pytest

from pytest_totphog.browsers.steps import Steps, begin, run, run_async


def doubled(answer: Any) -> Steps[int]:
    """Ask twice, and make 0 of what fails."""
    try:
        first = yield answer()
        second = yield answer()
    except LookupError:
        return 0
    return first + second


def fails() -> int:
    """Fail, as a library's call does."""
    raise LookupError


async def later(function: Any) -> Any:
    """Answer after others have run."""
    await asyncio.sleep(0)
    return function()


def test_directly() -> None:
    """What a step yields is its answer already."""
    assert run(doubled(lambda: 4)) == 8
    assert run(doubled(fails)) == 0


def test_awaited() -> None:
    """What a step yields is awaited, and its failure is raised in the step."""
    assert asyncio.run(run_async(doubled(lambda: later(lambda: 4)))) == 8
    assert asyncio.run(run_async(doubled(lambda: later(fails)))) == 0


def test_awaited_what_needs_not_be() -> None:
    """Some calls of an async library answer directly."""
    assert asyncio.run(run_async(doubled(lambda: 4))) == 8


def test_failure_that_the_steps_do_not_expect() -> None:
    """It is the caller's."""
    with pytest.raises(ZeroDivisionError):
        run(doubled(lambda: 1 // 0))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run_async(doubled(lambda: later(lambda: 1 // 0))))


def test_begun_at_once() -> None:
    """The first step is taken before whatever comes next, the others when the loop comes to them."""
    heard: list[str] = []

    async def call() -> int:
        heard.append("first step")
        await asyncio.sleep(0)
        with pytest.raises(LookupError):
            await later(fails)
        heard.append("last step")
        return 4

    async def caller() -> int:
        future = begin(call())
        heard.append("caller")
        return await future

    assert asyncio.run(caller()) == 4
    assert heard == ["first step", "caller", "last step"]


async def without_waiting() -> int:
    """Answer in the first step."""
    return 4


async def failing_at_once() -> int:
    """Fail in the first step."""
    return fails()


@pytest.mark.parametrize("call", [without_waiting, lambda: later(lambda: 4)])
def test_begun_and_awaited(call: Any) -> None:
    """It returns what the call does."""

    async def caller() -> int:
        return await begin(call())

    assert asyncio.run(caller()) == 4


@pytest.mark.parametrize("call", [failing_at_once, lambda: later(fails)])
def test_begun_and_failed(call: Any) -> None:
    """Whoever awaits it gets the failure; where nobody does, the loop has no complaint."""
    complaints: list[Any] = []

    async def caller(*, looks: bool) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        future = begin(call())
        if looks:
            with pytest.raises(LookupError):
                await future
        await asyncio.sleep(0)

    asyncio.run(caller(looks=True))
    asyncio.run(caller(looks=False))
    assert complaints == []


def test_begun_and_cancelled() -> None:
    """The call hears of it."""
    heard: list[str] = []

    async def call() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    async def caller() -> None:
        future = begin(call())
        await asyncio.sleep(0)
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future

    asyncio.run(caller())
    assert heard == ["cancelled"]
