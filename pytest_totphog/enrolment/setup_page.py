"""A set-up page in a browser: what a person would scan or type there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from pytest_totphog.browsers.library import PLACE, Library, library_of, perform, poll
from pytest_totphog.browsers.steps import Steps
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.enrolment.printed import printed_secret
from pytest_totphog.enrolment.sources import URI, Source
from pytest_totphog.errors import BrowserError, InvalidInput, hidden_in_reports, shown

__all__ = ["enroll_from_page"]

__tracebackhide__ = hidden_in_reports

T = TypeVar("T")

# What an element and those in it show, as pairs of what it is and its source: pictures first, as they are drawn. A
# second request for a picture might be answered with another secret.
SHOWN: Final = """elements => {
  const found = [];
  const drawn = element => {
    const { naturalWidth: width, naturalHeight: height } = element;
    const [canvas, times] = [document.createElement("canvas"), Math.ceil(400 / width)];
    [canvas.width, canvas.height] = [width * times, height * times];
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(element, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL();
  };
  const picture = {
    img: element => element.naturalWidth && element.complete && drawn(element),
    canvas: element => element.width && element.toDataURL(),
    svg: element => !element.parentElement?.closest("svg") && element.outerHTML,
  };
  const text = {
    a: element => element.href.toLowerCase().startsWith("otpauth") && element.href,
    input: element => element.value,
    textarea: element => element.value,
  };
  const place = Math.max(0, elements.findIndex(element => element.getClientRects().length));
  const all = [elements[place], ...elements[place].querySelectorAll("*")];
  for (const sources of [picture, text]) {
    for (const element of all) {
      try {
        const source = sources[element.localName]?.(element);
        if (source) found.push([sources === picture ? "picture" : "text", element.localName, source]);
      } catch {} // a picture from another site may not be read
    }
  }
  if (all[0].innerText?.trim()) found.push(["text", "text", all[0].innerText]);
  return [place, all[0].getClientRects().length > 0, found];
}"""
LINKS: Final = """() => [...document.querySelectorAll("a[href^='otpauth' i]")].map(link => link.href)"""


def enroll_from_page(page: Any, locator: Any, enroll: Callable[[Source], T], timeout: float) -> Any:
    """Return what `enroll` makes of what a page shows, as soon as it shows it; with an async page, to be awaited.

    Args:
        page: a WebDriver of Selenium's, or a page or frame of Playwright's.
        locator: the element that shows it; None for a QR code or a link anywhere on the page.
        enroll: called with what may be it; raises `InvalidInput` when it is not.
        timeout: real seconds.

    Raises:
        BrowserError: when the page shows nothing of the kind in time.
        InvalidInput: when page or locator are not what is accepted.
        MissingExtra: for a picture, without the extra `qr`.
    """
    library = library_of(page)
    return perform(library, _enroll(library, locator, enroll, timeout))


def _enroll(library: Library, locator: Any, enroll: Callable[[Source], T], timeout: float) -> Steps[T]:
    look = partial(_look, library, locator, enroll)
    enrolled, obstacle = yield from poll(library, look, timeout, Clock.monotonic)
    if enrolled is not None:
        return enrolled
    where = yield library.evaluate(PLACE)
    what = where if locator is None else f"{shown(locator)} on {where}"
    raise BrowserError(
        f"{what} shows nothing to enrol with, after {timeout:g} s: {obstacle}. "
        "Accepted are a QR code, an otpauth:// link or text, and a secret in base32"
    )


def _look(library: Library, locator: Any, enroll: Callable[[Source], T]) -> Steps[tuple[T | None, str | None]]:
    seen: list[str] = []
    tried = partial(_try_shown, library, enroll, seen)
    enrolled = yield from _on_page(library, tried) if locator is None else _in_element(library, tried, locator)
    return enrolled, None if enrolled is not None else "; ".join(seen) or "it is not seen"


def _on_page(library: Library, tried: Callable[..., Steps[T | None]]) -> Steps[T | None]:
    picture = yield library.screenshot()
    enrolled = yield from tried("screenshot", picture)
    for link in [] if enrolled else (yield library.evaluate(LINKS)):
        enrolled = enrolled or (yield from tried("link", link))
    return enrolled


def _in_element(library: Library, tried: Callable[..., Steps[T | None]], locator: Any) -> Steps[T | None]:
    enrolled: T | None = None
    elements = yield from library.find(locator)
    if elements:
        place, visible, sources = yield library.evaluate(SHOWN, elements)
        for kind, name, source in sources:
            enrolled = enrolled or (yield from tried(name, source if kind == "picture" else _printed(source)))
        if visible and not enrolled:
            # Whatever it is painted with.
            picture = yield library.picture(elements[place])
            enrolled = yield from tried("screenshot", picture)
    return enrolled


def _try_shown(
    library: Library, enroll: Callable[[Source], T], seen: list[str], name: str, source: Source | None
) -> Steps[T | None]:
    """Return what is enrolled from a source; None when it is nothing of the kind, and note why."""
    if source is None:
        seen.append(f"its {name} is neither an otpauth:// URI nor a secret")
        return None
    try:
        enrolled: T = yield library.apart(partial(enroll, source))
    except InvalidInput as error:
        seen.append(f"its {name}: {error}")
        return None
    return enrolled


def _printed(text: str) -> str | None:
    """Return the URI or the secret that a text shows."""
    uri = URI.search(text)
    return uri[0] if uri else printed_secret(text)
