"""The time in web pages, in Chromium: the same from Selenium and from both APIs of Playwright."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_totphog import FrozenClock, InvalidInput, TotpServer, fill_code
from pytest_totphog.clocks.frozen_clock import companions_of
from tests.support.browser import Browser

# 2024-01-15T10:30:00Z, where the clock stands, as JavaScript has it.
THEN = 1_705_314_600_000
NOW = "Date.now()"
SECRET = "JBSWY3DPEHPK3PXP"

# What a page is asked does not depend on who asks it.
IN_ONE_LIBRARY = pytest.mark.parametrize("browser", ["playwright"], indirect=True)


@pytest.fixture
def frozen_clock() -> Iterator[FrozenClock]:
    """The frozen clock, which leaves the tests' own time alone."""
    with FrozenClock("2024-01-15T10:30:00Z", patch=None) as clock:
        yield clock


@pytest.fixture
def applied(browser: Browser, frozen_clock: FrozenClock) -> Iterator[Browser]:
    """A browser whose page follows it."""
    browser.show("<p>")
    browser.do(frozen_clock.apply_to, browser.page)
    yield browser
    browser.do(companions_of(frozen_clock).release_pages)


def is_real(browser: Browser) -> bool:
    """Tell whether a page has the real time."""
    before = int(time.time() * 1000)
    return before <= browser.js(NOW) <= time.time() * 1000


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (NOW, THEN),
        ("new Date().getTime()", THEN),
        ("+new Date", THEN),
        ("new Date().toISOString()", "2024-01-15T10:30:00.000Z"),
        ("Date() === new Date().toString()", True),
        ("new Date(5).getTime()", 5),
        ("new Date(2001, 8, 9, 1, 46, 40) - new Date('2001-09-09T01:46:40')", 0),
        ("isNaN(new Date(undefined))", True),
        ("new Date() instanceof Date", True),
        ("new Date().constructor === Date", True),
        ("Object.prototype.toString.call(new Date())", "[object Date]"),
        ("Date.UTC(1970, 0, 1, 0, 0, 1)", 1000),
        ("Date.parse('1970-01-01T00:00:01Z')", 1000),
        ("[Date.length, Date.name, typeof Date]", [7, "Date", "function"]),
        ("new (class Day extends Date { next() { return this.getTime() + 1 } })().next()", THEN + 1),
        ("new (class Day extends Date {})(7) instanceof Date", True),
        ("Reflect.construct(Date, []).getTime()", THEN),
        ("structuredClone(new Date()).getTime()", THEN),
        ("JSON.stringify(new Date())", '"2024-01-15T10:30:00.000Z"'),
    ],
)
@IN_ONE_LIBRARY
def test_date(applied: Browser, expression: str, value: object) -> None:
    """The constructor, with and without arguments, as a function and as a base class, and what belongs to it."""
    assert applied.js(f"({expression})") == value


def test_moves(applied: Browser, frozen_clock: FrozenClock) -> None:
    """Whatever moves the clock moves the page, before the next action reaches it."""
    applied.do(frozen_clock.tick, 1.5)
    assert applied.js(NOW) == THEN + 1500
    applied.do(frozen_clock.next_step)
    assert applied.js(NOW) == THEN + 30_000
    applied.do(frozen_clock.move_to, "1970-01-01T00:00:00Z")
    assert applied.js(NOW) == 0
    applied.do(frozen_clock.freeze, "2038-01-19T03:14:08Z")
    assert applied.js(NOW) == 2**31 * 1000


def test_move_by_a_one_time_code(applied: Browser, frozen_clock: FrozenClock) -> None:
    """The second one is of the next time step."""
    with TotpServer(clock=frozen_clock) as server:
        token = server.add_token()
        token.one_time_code()
        applied.do(token.one_time_code)
    assert applied.js(NOW) == THEN + 30_000


@pytest.mark.parametrize("browser", ["async playwright"], indirect=True)
def test_actions_come_after_moves(applied: Browser, frozen_clock: FrozenClock, site: Any) -> None:
    """In one coroutine, whatever is awaited next finds the page at the new time, be it a click or another page."""
    site.documents["/"] = "<button onclick='clicked = Date.now()'>Click</button><script>loaded = Date.now()</script>"
    page = applied.page

    async def acts() -> list[int]:
        await page.goto(site.url)
        seen = []
        for action in [page.reload, lambda: page.goto(f"{site.url}/"), lambda: page.click("button")] * 5:
            frozen_clock.tick()
            await action()
            seen.append(await page.evaluate("Math.max(loaded, window.clicked ?? 0)"))
        return seen

    assert applied.run(acts()) == [THEN + 1000 * (number + 1) for number in range(15)]


def test_new_documents(applied: Browser, frozen_clock: FrozenClock, site: Any) -> None:
    """From their first script on, and at the time of the day."""
    site.documents["/"] = "<script>first = Date.now()</script>"
    applied.open(site.url)
    assert applied.js("first") == THEN
    applied.do(frozen_clock.tick)
    applied.open(f"{site.url}/?again")
    assert applied.js("first") == THEN + 1000


def test_frames(applied: Browser, frozen_clock: FrozenClock) -> None:
    """Those of the same site, opened before and after."""
    applied.js("document.body.innerHTML = '<iframe></iframe>'")
    applied.do(frozen_clock.tick)
    assert applied.js("frames[0].Date.now()") == THEN + 1000
    assert applied.js("frames[0].eval('new Date() instanceof Date')") is True


@pytest.mark.parametrize("browser", ["playwright", "async playwright"], indirect=True)
def test_frame_of_another_site(applied: Browser, frozen_clock: FrozenClock, site: Any) -> None:
    """With Playwright, which reaches it."""
    site.documents["/frame"] = "<p>frame"
    site.documents["/"] = f"<iframe src='{site.url.replace('127.0.0.1', 'localhost')}/frame'></iframe>"
    applied.open(site.url)
    frame = applied.page.frames[1]
    assert applied.run(frame.evaluate(NOW)) == THEN
    applied.do(frozen_clock.tick)
    assert applied.run(frame.evaluate(NOW)) == THEN + 1000


def test_everything_else_runs(applied: Browser) -> None:
    """Timers, animations and the page's monotonic clock."""
    passed = """new Promise(done => {
      const began = performance.now();
      setTimeout(() => requestAnimationFrame(() => done(performance.now() > began)), 2);
    })"""
    assert applied.js(passed) is True


def test_unfrozen(applied: Browser, frozen_clock: FrozenClock, site: Any) -> None:
    """The page has the real time again, new documents too, until time is frozen again."""
    site.documents["/"] = "<p>"
    applied.do(frozen_clock.unfreeze)
    assert is_real(applied)
    applied.open(site.url)
    assert is_real(applied)
    applied.do(frozen_clock.freeze, "2024-01-15T10:30:00Z")
    assert applied.js(NOW) == THEN


def test_applied_while_live(browser: Browser) -> None:
    """It follows once time is frozen."""
    browser.show("<p>")
    with FrozenClock(patch=None) as clock:
        browser.do(clock.apply_to, browser.page)
        assert is_real(browser)
        browser.do(clock.freeze, "2024-01-15T10:30:00Z")
        assert browser.js(NOW) == THEN
        browser.do(companions_of(clock).release_pages)
    assert is_real(browser)


def test_one_clock_after_the_other(applied: Browser, frozen_clock: FrozenClock) -> None:
    """What was told last holds."""
    applied.do(companions_of(frozen_clock).release_pages)
    with FrozenClock("2001-09-09T01:46:40Z", patch=None) as other:
        applied.do(other.apply_to, applied.page)
        applied.do(frozen_clock.tick)
        assert applied.js(NOW) == 1_000_000_000_000
        applied.do(companions_of(other).release_pages)


def test_applied_twice(applied: Browser, frozen_clock: FrozenClock) -> None:
    """It is one page."""
    applied.do(frozen_clock.apply_to, applied.page)
    assert len(companions_of(frozen_clock).pages) == 1


def test_released_and_applied_again(applied: Browser, frozen_clock: FrozenClock) -> None:
    """It has the real time in between."""
    applied.do(companions_of(frozen_clock).release_pages)
    assert is_real(applied)
    applied.do(frozen_clock.apply_to, applied.page)
    assert applied.js(NOW) == THEN


@pytest.mark.parametrize(
    "act",
    [
        lambda server, _: server.tokens[0].one_time_code(),
        lambda server, page: fill_code(page, "input", server.tokens[0]),
        lambda server, page: server.enroll_from(page),
        lambda server, _: server.clock.tick(0),
    ],
    ids=["one_time_code", "fill_code", "enroll_from", "move"],
)
def test_moved_by_another_thread(applied: Browser, frozen_clock: FrozenClock, act: Callable[..., object]) -> None:
    """The page follows when its own thread next moves the clock or takes a code; in an event loop by itself."""
    applied.js(f"document.body.innerHTML = '<input><a href=otpauth://totp/a?secret={SECRET}>'")
    mover = threading.Thread(target=frozen_clock.tick)
    mover.start()
    mover.join()
    assert frozen_clock.time() * 1000 == THEN + 1000
    with TotpServer(clock=frozen_clock) as server:
        server.add_token(secret=SECRET)
        applied.do(act, server, applied.page)
        assert applied.js(NOW) == THEN + 1000


@pytest.mark.parametrize("browser", ["selenium", "playwright"], indirect=True)
def test_reading_the_clock_leaves_the_browser_alone(applied: Browser, frozen_clock: FrozenClock) -> None:
    """A page that waits for whoever reads it is not asked for anything."""
    mover = threading.Thread(target=frozen_clock.tick)
    mover.start()
    mover.join()
    assert (frozen_clock.time() * 1000, frozen_clock.mode) == (THEN + 1000, "frozen")
    assert applied.js(NOW) == THEN


def test_moved_by_the_page_itself(applied: Browser, frozen_clock: FrozenClock) -> None:
    """It may wait for the answer, and block everything that is asked of it meanwhile."""
    with TotpServer(clock=frozen_clock) as server:
        applied.open(server.url)
        tick = """(() => {
          const request = new XMLHttpRequest();
          request.open("POST", "/api/v1/clock/tick", false);
          request.setRequestHeader("Content-Type", "application/json");
          request.send('{"seconds": 10}');
          return request.status;
        })()"""
        assert applied.js(tick) == 200
        assert frozen_clock.time() * 1000 == THEN + 10_000
        applied.do(server.add_token().one_time_code)
        assert applied.js(NOW) == THEN + 10_000


def test_page_that_was_closed(browser: Browser, frozen_clock: FrozenClock) -> None:
    """It is forgotten."""
    page = browser.page
    if hasattr(page, "switch_to"):
        first = page.current_window_handle
        page.switch_to.new_window("tab")
        frozen_clock.apply_to(page)
        page.close()
        page.switch_to.window(first)
    else:
        closing = browser.run(page.context.new_page())
        browser.do(frozen_clock.apply_to, closing)
        browser.run(closing.close())
    browser.do(frozen_clock.tick)
    assert companions_of(frozen_clock).pages == ()


@pytest.mark.parametrize("browser", ["playwright", "async playwright"], indirect=True)
def test_frame_of_playwright(browser: Browser, frozen_clock: FrozenClock) -> None:
    """It has the time of its page."""
    browser.show("<iframe></iframe>")
    browser.do(frozen_clock.apply_to, browser.page.frames[1])
    assert browser.js("[Date.now(), frames[0].Date.now()]") == [THEN, THEN]
    browser.do(companions_of(frozen_clock).release_pages)


@pytest.mark.parametrize("browser", ["selenium"], indirect=True)
def test_tab_behind_another(applied: Browser, frozen_clock: FrozenClock) -> None:
    """The tab that it was applied to follows, while the driver stays where it is switched to."""
    driver = applied.page
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    frozen_clock.tick()
    assert driver.current_window_handle != first
    assert is_real(applied)
    driver.close()
    driver.switch_to.window(first)
    assert applied.js(NOW) == THEN + 1000


def test_end_of_the_block(browser: Browser) -> None:
    """The page has the real time afterwards; an async one as soon as its event loop runs."""
    browser.show("<p>")
    with FrozenClock("2024-01-15T10:30:00Z", patch=None) as clock:
        browser.do(clock.apply_to, browser.page)
        assert browser.js(NOW) == THEN
    assert is_real(browser)


@pytest.mark.parametrize("browser", ["async playwright"], indirect=True)
def test_async_page_outside_of_its_loop(browser: Browser, frozen_clock: FrozenClock) -> None:
    """The error says where to call it."""
    with pytest.raises(InvalidInput, match=r"in its event loop; call apply_to\(page\) in a coroutine"):
        frozen_clock.apply_to(browser.page)


@pytest.mark.parametrize("browser", ["async playwright"], indirect=True)
def test_nobody_awaits(browser: Browser, frozen_clock: FrozenClock) -> None:
    """What the page is told is told, and what fails because it closes leaves no warning behind."""

    async def closed_meanwhile() -> None:
        page = await browser.page.context.new_page()
        frozen_clock.apply_to(page)
        assert await page.evaluate(NOW) == THEN
        frozen_clock.tick()
        await page.close()

    browser.run(closed_meanwhile())
    assert [each for each in asyncio.all_tasks(browser.page._loop) if "_rest" in repr(each)] == []
