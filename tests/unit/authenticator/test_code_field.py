"""The field for a code, in Chromium: the same from Selenium and from both APIs of Playwright."""

import asyncio
import inspect
import re
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_totphog import BrowserError, InvalidInput, fill_code
from pytest_totphog.authenticator.totp_token import TotpToken
from tests.support.browser import Browser

BOXES = "<fieldset>" + "<span><input maxlength=1></span>" * 6 + "</fieldset>"
VALUE = "document.querySelector('input').value"
VALUES = "[...document.querySelectorAll('input')].map(each => each.value).join('')"

ADVANCE = """<script>
  const boxes = [...document.querySelectorAll("input")];
  boxes.forEach((box, place) => box.addEventListener("input", () => boxes[place + 1]?.focus()));
</script>"""
# A framework that starts late takes over the field when the third key comes, and loses what was typed.
LOSES_ONCE = """<input><script>
  let keys = 0;
  document.querySelector("input").addEventListener("input", event => { if (++keys === 3) event.target.value = ""; });
</script>"""
LOSES_ALWAYS = """<input><script>
  const field = document.querySelector("input");
  field.addEventListener("input", () => { field.value = field.value.slice(0, 5); });
</script>"""
MASK = """<input><script>
  const field = document.querySelector("input");
  field.addEventListener("input", () => {
    const digits = field.value.replace(/\\D/g, "");
    field.value = digits.length > 3 ? `${digits.slice(0, 3)}SEPARATOR${digits.slice(3)}` : digits;
  });
</script>"""
# What happens when the last digit is in.
WHEN_COMPLETE = """<script>
  const fields = [...document.querySelectorAll("input")];
  const code = () => fields.map(each => each.value).join("");
  addEventListener("input", () => { if (code().length === 6) { window.sent = code(); ACTION } });
</script>"""
LATE = """<script>setTimeout(() => { ACTION }, 100)</script>"""

# What a page is asked does not depend on who asks it.
IN_ONE_LIBRARY = pytest.mark.parametrize("browser", ["playwright"], indirect=True)


def fill(browser: Browser, locator: Any, token: Any, **options: Any) -> str:
    """Type a code and return it."""
    return browser.run(fill_code(browser.page, locator, token, **options))


def test_one_field(browser: Browser, token: TotpToken) -> None:
    """The code is in the field, and is what is returned; nobody else gets it."""
    browser.show("<input id=code>")
    assert fill(browser, "#code", token) == "648307"
    assert browser.js(VALUE) == "648307"
    assert "handed out" in token.explain("648307")


def test_keys_are_real(browser: Browser, token: TotpToken) -> None:
    """The page hears what it hears of a keyboard, and nothing of scripts."""
    browser.show("<input><script>heard = []; onkeydown = e => heard.push(e.key + e.isTrusted)</script>")
    fill(browser, "input", token)
    assert browser.js("heard") == [f"{digit}true" for digit in "648307"]


@pytest.mark.parametrize(
    ("locator", "advance"),
    [("fieldset", ""), ("fieldset", ADVANCE), ("input", ADVANCE), ("span:first-child input", "")],
    ids=["container", "container, advancing", "all, advancing", "first"],
)
def test_six_boxes(browser: Browser, token: TotpToken, locator: str, advance: str) -> None:
    """Named by what they are in, each, or by the first; whether the page moves on from one to the next or not."""
    browser.show(BOXES + advance)
    assert fill(browser, locator, token) == browser.js(VALUES) == "648307"


def test_boxes_that_wait_for_each_other(browser: Browser, token: TotpToken) -> None:
    """A box may be disabled until the one before it has its digit."""
    enable = ADVANCE.replace("boxes[place + 1]?.focus()", "boxes[place + 1]?.removeAttribute('disabled')")
    disabled = BOXES.replace("<input", "<input disabled").replace(" disabled", "", 1)
    browser.show(disabled + enable)
    assert fill(browser, "fieldset", token) == browser.js(VALUES) == "648307"


def test_container_with_other_fields(browser: Browser, token: TotpToken) -> None:
    """In a form the field is the one for one-time codes."""
    browser.show(
        "<form><input type=hidden name=csrf><input name=device>"
        "<input autocomplete=one-time-code id=code><input type=checkbox></form>"
    )
    fill(browser, "form", token)
    assert browser.js("document.querySelector('#code').value") == "648307"


@pytest.mark.parametrize("fields", ["<input name=code>", BOXES.replace("<input", "<input name=code")])
def test_page_that_sends_itself(browser: Browser, site: Any, token: TotpToken, fields: str) -> None:
    """With the last digit the browser is on its way to another page; the code is not typed there once more."""
    submit = WHEN_COMPLETE.replace("ACTION", "document.forms[0].submit()")
    site.documents["/code"] = f"<form action=/next>{fields}</form>{submit}"
    site.documents["/next"] = f"<form>{fields}</form>"
    browser.open(f"{site.url}/code")
    assert fill(browser, "form", token) == "648307"
    assert site.requests.get(timeout=5) == "/code?"
    sent = site.requests.get(timeout=5)
    assert "".join(re.findall(r"\d", sent)) == "648307"
    assert "764426" not in token.explain("764426")


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ("<input>", "document.body.innerHTML = '<p>Welcome'"),
        (BOXES, "fields.forEach(each => each.value = '')"),
        (BOXES, "fields.forEach(each => each.disabled = true)"),
        ("<input>", "document.querySelector('main').hidden = true"),
    ],
    ids=["removed", "emptied", "disabled", "hidden"],
)
def test_script_that_takes_the_code(browser: Browser, token: TotpToken, fields: str, action: str) -> None:
    """A page that is never left sends the code when it is complete, and does something to the field."""
    browser.show(f"<main>{fields}</main>{WHEN_COMPLETE.replace('ACTION', action)}")
    assert fill(browser, "main", token) == browser.js("window.sent") == "648307"


def test_lost_key(browser: Browser, token: TotpToken) -> None:
    """The field is emptied, and the same code typed once more."""
    browser.show(LOSES_ONCE)
    assert fill(browser, "input", token) == browser.js(VALUE) == "648307"
    assert token.one_time_code() == "764426"


def test_key_that_is_always_lost(browser: Browser, token: TotpToken) -> None:
    """The error says what the field holds, and not whose code it is."""
    browser.show(LOSES_ALWAYS)
    with pytest.raises(
        BrowserError,
        match=r"^'input' does not take a code: 6 digits were typed, twice, and it holds '64830'; accepted is",
    ) as failure:
        fill(browser, "input", token)
    assert token.secret not in str(failure.value)


@pytest.mark.parametrize("separator", [" ", "-"])
def test_masked_field(browser: Browser, token: TotpToken, separator: str) -> None:
    """What the page puts between the digits is not looked at."""
    browser.show(MASK.replace("SEPARATOR", separator))
    assert fill(browser, "input", token) == "648307"
    assert browser.js(VALUE) == f"648{separator}307"


@pytest.mark.parametrize("fields", ["<input value=123>", BOXES.replace("<input", "<input value=9")])
def test_text_that_is_there_already(browser: Browser, token: TotpToken, fields: str) -> None:
    """It is taken out first."""
    browser.show(f"<main>{fields}</main>")
    assert fill(browser, "main", token) == browser.js(VALUES) == "648307"


@pytest.mark.parametrize(
    ("field", "action"),
    [
        ("<input disabled>", "document.querySelector('input').disabled = false"),
        ("<input readonly>", "document.querySelector('input').readOnly = false"),
        ("<input readonly onfocus='this.readOnly = false'>", ""),
        ("<input hidden>", "document.querySelector('input').hidden = false"),
        ("<main></main>", "document.querySelector('main').innerHTML = '<input>'"),
    ],
)
def test_field_that_is_not_ready_yet(browser: Browser, token: TotpToken, field: str, action: str) -> None:
    """It is waited for."""
    browser.show(field + LATE.replace("ACTION", action))
    assert fill(browser, "input", token) == browser.js(VALUE) == "648307"


@pytest.mark.parametrize(
    ("html", "locator", "reason"),
    [
        ("<p>", "#code", "'#code' on about:blank is not there, after 0.1 s"),
        ("<input disabled>", "input", "'input' on about:blank is disabled, after"),
        ("<input style='visibility: hidden'>", "input", "'input' on about:blank is not visible, after"),
        ("<input readonly>", "input", "is read-only, after"),
        ("<input><input>", "input", "is 2 fields; accepted are one, and 6 boxes for a digit each, after"),
        ("<p>", "p", "is 0 fields; accepted are one"),
    ],
)
@IN_ONE_LIBRARY
def test_no_field_in_time(browser: Browser, token: TotpToken, html: str, locator: str, reason: str) -> None:
    """The error says what is in the way; no code is taken for it."""
    browser.show(html)
    with pytest.raises(BrowserError, match=re.escape(reason)):
        fill(browser, locator, token, field_timeout=0.1)
    assert token.one_time_code() == "648307"


def test_frame(browser: Browser, token: TotpToken) -> None:
    """Selenium types where it is switched to, and Playwright where its locator is."""
    browser.show("<iframe srcdoc='<input>'></iframe>")
    if hasattr(browser.page, "switch_to"):
        browser.page.switch_to.frame(0)
        locator: Any = "input"
    else:
        locator = browser.page.frame_locator("iframe").locator("input")
    assert fill(browser, locator, token) == "648307"
    if hasattr(browser.page, "switch_to"):
        browser.page.switch_to.default_content()
    assert browser.js("frames[0].document.querySelector('input').value") == "648307"


@pytest.mark.parametrize("browser", ["playwright", "async playwright"], indirect=True)
def test_frame_in_place_of_a_page(browser: Browser, token: TotpToken) -> None:
    """With Playwright selectors are looked for in it."""
    browser.show("<input value=not-here><iframe srcdoc='<input>'></iframe>")
    frame = browser.page.frames[1]
    assert browser.run(fill_code(frame, "input", token)) == "648307"
    assert browser.run(frame.evaluate(VALUE)) == "648307"


def test_locators(browser: Browser, token: TotpToken) -> None:
    """Whatever the library finds elements by, and what it has found."""
    browser.show("<input id=code>")
    page = browser.page
    if hasattr(page, "find_element"):
        locators = ["#code", ("id", "code"), page.find_element("id", "code"), page.find_elements("id", "code")]
    else:
        locators = ["#code", "xpath=//input", page.locator("input"), browser.run(page.query_selector("input"))]
    codes = [fill(browser, locator, token) for locator in locators]
    assert codes == ["648307", "764426", "812434", "807191"]


@pytest.mark.parametrize("locator", [None, 5, [], ("id",)])
def test_what_is_no_locator(browser: Browser, token: TotpToken, locator: Any) -> None:
    """The error says what is accepted."""
    with pytest.raises(InvalidInput, match=re.escape(f"the locator is {locator!r}; accepted are a")):
        fill(browser, locator, token)


def test_options_of_the_code(browser: Browser, token: TotpToken) -> None:
    """They are those of `one_time_code`."""
    browser.show("<input>")
    fill(browser, "input", token)
    assert fill(browser, "input", token, lookahead=1, min_remaining=5, timeout=1) == "764426"


@pytest.mark.parametrize("option", [{"min_remaining": 31}, {"min_remaning": 5}, {"lookahead": -1}, {"timeout": "1 s"}])
@IN_ONE_LIBRARY
def test_option_that_is_not_accepted(browser: Browser, token: TotpToken, option: dict[str, Any]) -> None:
    """Its error comes before the field is touched, and no code is spent."""
    browser.show("<input value=111111>")
    with pytest.raises((InvalidInput, TypeError), match=next(iter(option))):
        fill(browser, "input", token, **option)
    assert browser.js(VALUE) == "111111"
    assert token.one_time_code() == "648307"


def test_options_are_spelled_out() -> None:
    """So that an editor completes them, and a type checker finds one that is misspelt."""
    options = inspect.signature(TotpToken.one_time_code).parameters
    shown = inspect.signature(fill_code).parameters
    assert [shown[name].default for name in options if name != "self"] == [None, 0, None]


@IN_ONE_LIBRARY
def test_page_that_replaces_the_field_while_a_code_is_waited_for(browser: Browser) -> None:
    """The code goes into the field that is there then."""

    def one_time_code(**_: Any) -> str:
        browser.js("document.querySelector('main').innerHTML = '<input value=9>'")
        return "123456"

    browser.show("<main><input></main>")
    fill(browser, "input", SimpleNamespace(digits=6, one_time_code=one_time_code))
    assert browser.js(VALUE) == "123456"


def test_code_that_has_run_out_before_the_second_try(browser: Browser) -> None:
    """Another one is typed then."""
    codes = iter(["111111", "222222"])
    token = SimpleNamespace(
        digits=6, one_time_code=lambda **_: next(codes), explain=lambda _: SimpleNamespace(steps=-1)
    )
    browser.show(LOSES_ONCE)
    assert fill(browser, "input", token) == browser.js(VALUE) == "222222"


@pytest.mark.parametrize("browser", ["async playwright"], indirect=True)
def test_event_loop_goes_on(browser: Browser) -> None:
    """While an async page waits for a code, other coroutines run; this code comes only after one has."""
    heard = threading.Event()
    token = SimpleNamespace(digits=6, one_time_code=lambda **_: "123456" if heard.wait(5) else "000000")
    browser.show("<input>")

    async def both() -> str:
        async def other() -> None:
            heard.set()

        code, _ = await asyncio.gather(fill_code(browser.page, "input", token), other())
        return code

    assert browser.run(both()) == "123456"
