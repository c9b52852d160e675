"""A login in a browser: what the Selenium and the Playwright driver have in common."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any, Final

from pytest_totphog.browsers.library import PLACE, Library, perform, poll
from pytest_totphog.browsers.steps import Steps
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.conformance.driver import LoginDriver, Outcome
from pytest_totphog.conformance.drivers.form import has_any
from pytest_totphog.errors import TotphogError

__all__ = ["BrowserLogin", "Window"]

WINDOWS: Final = 5

# The text of what is seen first; null where nothing is.
SEEN: Final = """selector => {
  const seen = [...document.querySelectorAll(selector)].find(element => element.getClientRects().length > 0);
  return seen ? seen.innerText.trim() : null;
}"""
# As a user who types, also for frameworks that watch the property; returns whether the field is content with the text.
FILL: Final = """([selector, text]) => {
  const field = document.querySelector(selector);
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, text);
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  return field.value === text && field.checkValidity();
}"""
# As the Enter key.
SEND: Final = """selector => {
  const form = document.querySelector(selector).form;
  form.requestSubmit([...form.elements].find(element => element.type === "submit"));
}"""
ERASE: Final = "selector => document.querySelectorAll(selector).forEach(element => element.textContent = '')"


class Window:
    """A window with cookies of its own; it is closed some time after the battery has forgotten it.

    Args:
        handle: what the browser's library calls it.
    """

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.cookies: list[Any] | None = None


class BrowserLogin(LoginDriver):
    """A login in a browser; subclass the one for your library and say by CSS selectors what is where.

    Attributes:
        login_url: address of the page with the password form.
        username_selector: the field for the username.
        password_selector: the field for the password, in the form that is sent first.
        code_selector: the field for the code, in the form that is sent next.
        accepted_selector: something that is seen only by those who are logged in.
        refused_selector: what tells that a code is refused; seen as soon as it has text.
        throttled_text: a text in it that tells of too many failures, or several.
        protected_url: address of a page that only logged-in users see, with `accepted_selector` on it.
        timeout: seconds to wait for a page.
    """

    concurrent = False

    login_url = ""
    username_selector = "[name=username]"
    password_selector = "[name=password]"  # noqa: S105 # a field's selector
    code_selector = "[name=code]"
    accepted_selector = ""
    refused_selector = "[role=alert]"
    throttled_text: str | Sequence[str] | None = None
    protected_url: str | None = None
    timeout = 30.0

    def __init__(self) -> None:
        self._opened: list[tuple[weakref.ref[Window], Any]] = []

    # What the browser's library does.

    def open(self) -> Any:
        """Open a window that has no cookies, and return the library's handle of it."""
        raise NotImplementedError

    def close(self, handle: Any) -> None:
        """Close a window."""
        raise NotImplementedError

    def visit(self, window: Window, url: str) -> None:
        """Go to a page."""
        raise NotImplementedError

    def library(self, window: Window) -> Library:
        """Return the library, with a window in front."""
        raise NotImplementedError

    # The login.

    def begin(self, account: Any) -> Window:
        """Log in with the right password, in a new window."""
        if len(self._opened) > WINDOWS:
            # An exception that was caught keeps what it has seen until the garbage is collected.
            gc.collect()
        forgotten = [each for each in self._opened if each[0]() is None]
        window = Window(self.open())
        self._opened.append((weakref.ref(window), window.handle))
        self.visit(window, self.login_url)
        for each in forgotten:
            self._opened.remove(each)
            self.close(each[1])
        self.give_password(window, account)
        self.wait(window, self.code_selector, self.accepted_selector)
        return window

    def give_password(self, window: Window, account: Any) -> None:
        """Fill in the password form and send it; override it for a login that asks in two steps."""
        self.wait(window, self.password_selector)
        self.fill(window, self.username_selector, account.username)
        self.fill(window, self.password_selector, account.password)
        self.send(window, self.password_selector)

    def submit(self, attempt: Window, code: Any) -> Outcome:
        """Fill in the code form, send it, and wait for what the page says."""
        if not isinstance(code, str):
            raise NotImplementedError(f"a form cannot send a code of type {type(code).__name__}")
        if not self.seen(attempt, self.code_selector):
            # An account that is locked does not get as far as that.
            return self.outcome(attempt)
        self.fill(attempt, self.code_selector, code)
        self.evaluate(attempt, ERASE, self.refused_selector)
        self.send(attempt, self.code_selector)
        self.wait(attempt, self.accepted_selector)
        return self.outcome(attempt)

    def outcome(self, window: Window) -> Outcome:
        """Return what the page says that a code led to."""
        if self.seen(window, self.accepted_selector):
            return Outcome.ACCEPTED
        refusal = self.evaluate(window, SEEN, self.refused_selector) or ""
        return Outcome.THROTTLED if has_any(refusal, self.throttled_text) else Outcome.REFUSED

    def protected_page(self, attempt: Window) -> bool:
        """Ask for the page at `protected_url`; to see the password or the code form instead is not to see it."""
        self.visit(attempt, str(self.protected_url))
        self.wait(attempt, self.accepted_selector, self.password_selector, self.code_selector)
        return self.seen(attempt, self.accepted_selector)

    # What happens on a page.

    def evaluate(self, window: Window, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function on the window's page and return its result."""
        return self.library(window).evaluate(function, argument)

    def seen(self, window: Window, selector: str) -> bool:
        """Return whether something is to be seen on the page."""
        return self.evaluate(window, SEEN, selector) is not None

    def wait(self, window: Window, *selectors: str) -> None:
        """Wait until one of these is seen, or the text of a refusal.

        Raises:
            TotphogError: when none is in time.
        """

        def look() -> Steps[tuple[None, str | None]]:
            seen = any(self.seen(window, each) for each in selectors)
            text = yield seen or self.evaluate(window, SEEN, self.refused_selector)
            return None, None if text else "not seen"

        library = self.library(window)
        if perform(library, poll(library, look, self.timeout, Clock.monotonic))[1]:
            raise TotphogError(
                f"{type(self).__name__} has waited {self.timeout:g} s and sees none of {', '.join(selectors)} "
                f"and no text in {self.refused_selector} on {self.evaluate(window, PLACE)}"
            )

    def fill(self, window: Window, selector: str, text: str) -> None:
        """Fill in a field.

        Raises:
            NotImplementedError: when the browser does not send such a text, because the field is `required`, or for
                numbers, or has a `pattern`: what the login would make of it cannot be seen in a browser.
        """
        if not self.evaluate(window, FILL, [selector, text]):
            raise NotImplementedError(f"the field {selector} does not take this text")

    def send(self, window: Window, selector: str) -> None:
        """Send the form that has a field; override it where the page has no form."""
        self.evaluate(window, SEND, selector)

    def can(self, method: str) -> bool:
        """Return whether a method is there to be used; `protected_page` is when its address is given."""
        if method == "protected_page" and type(self).protected_page is BrowserLogin.protected_page:
            return self.protected_url is not None
        return super().can(method)
