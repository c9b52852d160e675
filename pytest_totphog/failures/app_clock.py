"""What time the app under test has: the Date of an answer, asked for when a test has failed."""

from __future__ import annotations

import calendar
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from email.utils import parsedate
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_totphog.clocks.clock import Clock, real_time_ns
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.failures.failure import AppClock
from pytest_totphog.wsgi.client import Connection, addresses

if TYPE_CHECKING:
    import ssl

__all__ = ["TOLERANCE", "Reading", "ask", "compare", "shown_urls"]

# Real seconds for all apps together.
TIMEOUT: Final = 1.0
# How far apart clocks may be that agree: a Date says whole seconds, and some apps make it once a second.
TOLERANCE: Final = 2


@dataclass(frozen=True)
class Reading:
    """The Date of an app's answer.

    Attributes:
        url: scheme, host and port.
        date: seconds since the epoch.
        asked_at: when it was asked, in real seconds since the epoch.
        answered_at: when it had answered.
        local: whether the app runs on this machine.
    """

    url: str
    date: int
    asked_at: float
    answered_at: float
    local: bool

    @property
    def ahead(self) -> float:
        """How many seconds the app is ahead of real time; 0 where it may be right."""
        # The Date was made at some time between question and answer, and cut off.
        least, most = self.date - self.answered_at, self.date + 1 - self.asked_at
        return 0.0 if least <= TOLERANCE and most >= -TOLERANCE else (least + most) / 2


def compare(reading: Reading, instants: Iterable[float]) -> AppClock:
    """Return how an app's clock compares with the one that the codes follow.

    Args:
        reading: what the app has answered.
        instants: where that clock stood during the test, the latest last; none for a live clock. An earlier one
            does for agreement: some apps renew their Date once a second.
    """
    stood = list(instants)
    if not stood:
        return AppClock(reading.url, round(reading.ahead), local=reading.local)
    if any(abs(reading.date - each) <= TOLERANCE for each in stood):
        return AppClock(reading.url, 0, local=reading.local)
    return AppClock(reading.url, round(reading.date - stood[-1]), real=not reading.ahead, local=reading.local)


def shown_urls(fixtures: Mapping[str, object]) -> tuple[list[str], list[Any]]:
    """Return the URLs that fixtures show, and the browsers that know more.

    Args:
        fixtures: the values by name. Strings named `base_url` or `*_url` show one, and what has a `url`, such as
            pytest-django's live server and Playwright's page. This package's own servers do not.
    """
    urls: list[str] = []
    own: set[str] = set()
    browsers: list[Any] = []
    for name, value in fixtures.items():
        with suppress(Exception):  # somebody else's object, in any state
            kind = type(value)
            if issubclass(kind, str):
                urls += [_origin(str(value))] if name.endswith("_url") else []
            elif hasattr(kind, "current_url"):
                browsers.append(value)
            # Nothing is asked that does not say it has one: a mock, or a lazy object, has everything.
            elif hasattr(kind, "url") or "url" in vars(value):
                ours = kind.__module__.partition(".")[0] == "pytest_totphog"
                # A server that waits to be asked where it is stays at rest.
                if not (ours and getattr(value, "running", True) is False) and isinstance(url := value.url, str):  # type: ignore[attr-defined]
                    (own.add if ours else urls.append)(_origin(url))
    return [url for url in dict.fromkeys(urls) if url and url not in own], browsers


def ask(urls: Iterable[str], browsers: Iterable[Any] = (), *, public: bool = False) -> list[Reading]:
    """Ask apps what time it is; those that do not answer within a second are left out.

    Args:
        urls: where they are.
        browsers: whose `current_url` says where another is.
        public: whether hosts may be asked that are neither on loopback nor in a private network.
    """
    readings: dict[str, Reading] = {}
    calls = [partial(_ask, url, readings, public) for url in urls]
    calls += [partial(_ask_browser, browser, readings, public) for browser in browsers]
    threads = [threading.Thread(target=call, name="totphog-app-clock", daemon=True) for call in calls]
    deadline = Clock.monotonic() + TIMEOUT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - Clock.monotonic()))
    return [reading for _, reading in sorted(dict(readings).items())]


def _ask_browser(browser: Any, readings: dict[str, Reading], public: bool) -> None:
    with suppress(Exception):  # it may be gone, and a driver of any make tells that in its own way
        _ask(_origin(browser.current_url), readings, public)


def _ask(url: str, readings: dict[str, Reading], public: bool) -> None:
    # Whatever goes wrong, a broken network or a plugin that forbids it, the test's own failure is what counts.
    with suppress(Exception):
        if url and url not in readings:
            for reading in _readings(url, public):
                readings[url] = reading
                return


def _readings(url: str, public: bool) -> Iterator[Reading]:
    parts = urlsplit(url)
    for address in addresses(url):
        known = ip_address(address.host)
        if not (public or known.is_private or known.is_loopback):
            continue
        with (
            suppress(OSError),
            closing(Connection(address, parts.hostname or "", _encryption(parts.scheme), TIMEOUT)) as connection,
        ):
            asked_at = real_time_ns()
            # What browsers ask for anyway: no page of the app's has to be made.
            answer = connection.send("HEAD", f"{url}/favicon.ico", {"Connection": "close"})
            answered_at = real_time_ns()
            date = parsedate(answer.headers.get("date"))
            if date is not None and "age" not in answer.headers:  # not of an answer that somebody has kept
                seconds = calendar.timegm(date)
                yield Reading(url, seconds, asked_at / NANOSECONDS, answered_at / NANOSECONDS, known.is_loopback)


def _encryption(scheme: str) -> ssl.SSLContext | None:
    if scheme != "https":
        return None
    import ssl

    # A test environment's certificate is often its own, and nothing is sent that could be stolen.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _origin(url: str) -> str:
    """Return scheme, host and port; empty unless it is http or https."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{parts.scheme}://{host}" + ("" if parts.port is None else f":{parts.port}")
    return ""
