"""The field for a code, or its boxes for a digit each, typed into as a person does."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol, overload

from pytest_totphog.browsers.library import PLACE, Library, library_of, perform, poll
from pytest_totphog.browsers.pages import AsyncPage, SyncPage, WebDriver
from pytest_totphog.browsers.steps import Steps
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import BrowserError, hidden_in_reports, shown

__all__ = ["CodeSource", "fill_code"]

__tracebackhide__ = hidden_in_reports

# Real seconds for a page to show what was typed, before it is typed once more.
SETTLING: Final = 1.0

# Of what a locator matches: the fields in it, and the boxes beside the first of several.
FIELDS: Final = """elements => {
  const other = ["hidden", "checkbox", "radio", "submit", "button", "reset", "image", "file", "range", "color"];
  const fillable = `:is(input, textarea):not(${other.map(type => `[type=${type}]`)})`;
  const box = "input[maxlength='1']:not([type=hidden])";
  let fields = elements.flatMap(each => each.matches(fillable) ? [each] : [...each.querySelectorAll(fillable)]);
  const seen = fields.filter(each => each.getClientRects().length);
  if (seen.length) fields = seen;
  if (fields.length === 1 && fields[0].matches(box)) {
    const [first] = fields;
    for (let around = first.parentElement; around && fields.length === 1; around = around.parentElement) {
      const boxes = [...around.querySelectorAll(box)];
      fields = boxes.slice(boxes.indexOf(first));
    }
  }
  for (const kind of [box, "[autocomplete=one-time-code]"]) {
    const those = fields.filter(each => each.matches(kind));
    if (those.length > (kind === box ? 1 : 0) && fields.length > 1) fields = those;
  }
  return fields;
}"""
# Why one cannot be typed into; null where all can.
OBSTACLE: Final = """fields => {
  for (const field of fields) {
    if (!field.getClientRects().length || getComputedStyle(field).visibility !== "visible") return "not visible";
    if (field.matches(":disabled")) return "disabled";
    if (field.readOnly) field.focus(); // some are until then, to keep a browser from filling them in
    if (field.readOnly) return "read-only";
  }
  return null;
}"""
SELECT: Final = "([field]) => { field.focus(); field.select(); return field.value !== ''; }"
# Notes the most digits that they hold at a time: a page that sends the code itself may empty them at once.
WATCH: Final = """fields => {
  const key = Symbol.for("pytest-totphog: most digits");
  fields[0][key]?.watch.abort();
  const seen = fields[0][key] = { digits: "", watch: new AbortController() };
  const look = () => {
    const digits = fields.map(each => each.value.replace(/\\D/g, "")).join("");
    if (digits.length >= seen.digits.length) seen.digits = digits;
  };
  fields[0].ownerDocument.defaultView.addEventListener("input", look, { capture: true, signal: seen.watch.signal });
}"""
# Null where they are gone, or wait for an answer.
HELD: Final = """fields => {
  if (fields.some(each => !each.getClientRects().length || each.matches(":disabled"))) return null;
  return [fields.map(each => each.value).join(""), fields[0][Symbol.for("pytest-totphog: most digits")].digits];
}"""


class CodeSource(Protocol):
    """What `fill_code` needs of a token."""

    @property
    def digits(self) -> int:
        """How many digits its codes have."""
        ...

    def one_time_code(
        self, min_remaining: float | None = None, lookahead: int = 0, timeout: float | None = None
    ) -> str:
        """Return a code that was never handed out before."""
        ...

    def explain(self, code: str) -> Any:
        """Return what has, as `steps`, how far ahead of the current step a code's step is."""
        ...


@overload
def fill_code(
    page: AsyncPage,
    locator: Any,
    token: CodeSource,
    *,
    field_timeout: float = 10,
    min_remaining: float | None = None,
    lookahead: int = 0,
    timeout: float | None = None,
) -> Awaitable[str]: ...


@overload
def fill_code(
    page: SyncPage | WebDriver,
    locator: Any,
    token: CodeSource,
    *,
    field_timeout: float = 10,
    min_remaining: float | None = None,
    lookahead: int = 0,
    timeout: float | None = None,
) -> str: ...


def fill_code(
    page: Any,
    locator: Any,
    token: CodeSource,
    *,
    field_timeout: float = 10,
    min_remaining: float | None = None,
    lookahead: int = 0,
    timeout: float | None = None,
) -> Any:
    """Type a one-time code into a login's field, key by key, and return the code.

    It waits for the field, takes the code only then, and looks whether the field holds it; if a key was lost, it
    empties the field and types once more. A field that is gone after the last digit was sent by the page.

    Args:
        page: a WebDriver of Selenium's, or a page or frame of Playwright's; for an async one, await the result.
        locator: the field; or its boxes, the first of them, or what they are in. For Selenium a CSS selector, a
            `(By.…, "value")` tuple, a WebElement or a list of them; for Playwright a selector, a Locator or an
            ElementHandle.
        token: whose code.
        field_timeout: how long to wait for the field, in real seconds.
        min_remaining: see `one_time_code`.
        lookahead: see `one_time_code`.
        timeout: see `one_time_code`.

    Raises:
        BrowserError: when there is no such field in time, or it does not keep what is typed.
        CodeUnavailable: when there is no code in time.
        InvalidInput: when an argument is not what is accepted; the field is as it was.
    """
    library = library_of(page)
    take = partial(token.one_time_code, min_remaining=min_remaining, lookahead=lookahead, timeout=timeout)
    return perform(library, _fill(library, locator, token, take, field_timeout))


def _fill(library: Library, locator: Any, token: CodeSource, take: Callable[[], str], timeout: float) -> Steps[str]:
    yield from _fields(library, locator, token.digits, timeout)
    code: str = yield library.apart(take)
    held = yield from _enter(library, locator, token, code, timeout)
    if held is None:
        return code
    explanation = yield library.apart(partial(token.explain, code))
    if explanation.steps is None or explanation.steps < 0:
        code = yield library.apart(take)
    held = yield from _enter(library, locator, token, code, timeout)
    if held is not None:
        raise BrowserError(
            f"{shown(locator)} does not take a code: {token.digits} digits were typed, twice, and it holds "
            f"{shown(held)}; accepted is a field, or as many boxes, that keep every digit"
        )
    return code


def _enter(library: Library, locator: Any, token: CodeSource, code: str, timeout: float) -> Steps[str | None]:
    """Put a code in place of what the fields hold, and return what `_type` does."""
    # Found anew: while the code was waited for, or after lost keys, the page may have replaced them.
    fields = yield from _fields(library, locator, token.digits, timeout)
    yield from _empty(library, fields)
    held = yield from _type(library, fields, code)
    return held


def _fields(library: Library, locator: Any, digits: int, timeout: float) -> Steps[list[Any]]:
    """Wait for the fields, and return them."""
    look = partial(_find, library, locator, digits)
    fields, obstacle = yield from poll(library, look, timeout, Clock.monotonic)
    if obstacle is None:
        return fields
    where = yield library.evaluate(PLACE)
    raise BrowserError(
        f"{shown(locator)} on {where} is {obstacle}, after {timeout:g} s; a code is typed where a person can type one"
    )


def _find(library: Library, locator: Any, digits: int) -> Steps[tuple[list[Any], str | None]]:
    elements = yield from library.find(locator)
    if not elements:
        return [], "not there"
    fields = yield from library.choose(FIELDS, elements)
    if len(fields) not in {1, digits}:
        return [], f"{len(fields)} fields; accepted are one, and {digits} boxes for a digit each"
    # Of boxes the later ones may wait for the first.
    return fields, (yield library.evaluate(OBSTACLE, fields[:1]))


def _empty(library: Library, fields: list[Any]) -> Steps[None]:
    for field in reversed(fields):
        if (yield library.evaluate(SELECT, [field])):
            yield library.press(field, library.backspace)


def _type(library: Library, fields: list[Any], code: str) -> Steps[str | None]:
    """Type a code and return what the fields hold instead of it; None where they hold it or the page has taken it."""
    typed = 0
    try:
        yield library.evaluate(WATCH, fields)
        for typed, digit in enumerate(code, start=1):
            field = fields[typed - 1 if len(fields) > 1 else 0]
            if len(fields) > 1 and typed > 1:
                yield from poll(library, partial(_obstacle, library, field), SETTLING, Clock.monotonic)
            yield library.press(field, digit)
    except Exception:
        # With the last digit the page may have gone on, and in the middle it may have made the field anew.
        if typed == 0:
            raise
    look = partial(_read, library, fields, code, typed)
    held, _ = yield from poll(library, look, SETTLING, Clock.monotonic)
    return held


def _read(library: Library, fields: list[Any], code: str, typed: int) -> Steps[tuple[str | None, str | None]]:
    try:
        held = yield library.evaluate(HELD, fields)
    except Exception:  # noqa: BLE001 -- the library's own, of a page or field that is gone
        held = None
    if held is None:
        return (None if typed == len(code) else ""), None
    text, most = held
    return (None, None) if code in {_digits(text), most if not text else ""} else (text, "other than typed")


def _obstacle(library: Library, field: Any) -> Steps[tuple[None, str | None]]:
    try:
        return None, (yield library.evaluate(OBSTACLE, [field]))
    except Exception:  # noqa: BLE001 -- the field is gone: the key that is pressed next says so
        return None, None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
