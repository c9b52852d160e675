"""What a browser has to do for the page with 500 tokens that nobody touches, beside a page that writes every second."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 12
TOKENS = 500
# The same texts, as a page without much thought would show them.
NAIVE = f"""data:text/html,<ul></ul><script>
const list = document.querySelector("ul");
setInterval(() => {{
  list.innerHTML = [...Array({TOKENS}).keys()]
    .map((n) => `<li><b>user${{n}}</b> <code>${{Math.random()}}</code> ${{Date.now()}} ${{Math.random()}}`).join("");
}}, 1000);
</script>"""
WATCH = f"""
const done = arguments[0], long = [];
new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({{type: "longtask"}});
setTimeout(() => done(long), {SECONDS * 1000});
"""


def idle_page() -> None:
    """The busy time of both pages, and their tasks of over 50 ms; each token's step ends every 4 seconds."""
    from pytest_totphog import TotpServer

    print(f"The page with {TOKENS} tokens, left alone for {SECONDS} s")
    if shutil.which("chromedriver") is None:
        print("  not measured: there is no chromedriver")
        return
    with TotpServer() as server, chromium() as driver:
        for number in range(TOKENS):
            server.add_token(name=f"user{number}", period=4)
        busy = {}
        for name, url in (("this page", f"{server.url}/"), ("a page that writes every second", NAIVE)):
            driver.get(url)
            driver.execute_async_script("setTimeout(arguments[0], 3000)")  # while it is built up
            before = busy_seconds(driver)
            long = driver.execute_async_script(WATCH)
            busy[name] = busy_seconds(driver) - before
            tasks = f"{len(long)} tasks of over 50 ms, the longest {max(long, default=0):.0f} ms"
            ratio = busy[name] / busy["this page"]
            print(f"  {name:32} busy {busy[name] / SECONDS:6.1%} {ratio:6.2f}    {tasks}")


def busy_seconds(driver: Any) -> float:
    """Return how long the page's main thread has worked so far."""
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as driver:
        driver.execute_cdp_cmd("Performance.enable", {})
        driver.set_script_timeout(2 * SECONDS)
        yield driver
