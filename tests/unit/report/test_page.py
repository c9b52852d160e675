"""The report as an HTML page."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_totphog import __version__
from pytest_totphog.conformance.finding import Finding, Measured, Verdict
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report.page import render
from tests.unit.failures.failing import code, failure

VOID = {"meta"}


class Page(HTMLParser):
    """A page's elements, with their attributes, and its text by the element that it stands in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element of SVG that has no content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Be strict about what is closed."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements with a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        """Return the texts that stand in elements with a name."""
        return [text for name, text in self.texts if name == tag]


@pytest.fixture
def page(shop: Subject, admin: Subject, created_at: datetime) -> Page:
    """The page of two logins."""
    return Page(render([shop, admin], created_at))


def test_nothing_from_elsewhere(page: Page) -> None:
    """One file: nothing is loaded, nothing runs, and links lead to sources, advisories and within the page."""
    tags = {tag for tag, _ in page.elements}
    assert tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video"} == set()
    attributes = [(name, value) for _, each in page.elements for name, value in each.items()]
    assert [name for name, _ in attributes if name.startswith("on") or name in {"src", "style", "srcset"}] == []
    links = [value for name, value in attributes if name == "href"]
    assert [
        link for link in links if not re.match(r"https://(www\.|pages\.|owasp\.org/)|#login-\d+$", link or "")
    ] == []
    (style,) = page.text("style")
    assert re.findall(r"url\(|@import|https?:", style) == []


def test_content_security_policy(shop: Subject, created_at: datetime) -> None:
    """The page forbids everything but its own style sheet."""
    text = render([shop], created_at)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policies = [each["content"] for each in Page(text).all("meta") if "http-equiv" in each]
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]


def test_closed_and_unambiguous(page: Page) -> None:
    """Every element is closed, and no two have the same id."""
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert ids == ["login-1", "login-2"]


def test_accessible(page: Page) -> None:
    """Language, one main heading, header cells with their scope, pictures with a text."""
    assert page.all("html") == [{"lang": "en"}]
    assert page.text("h1") == ["TOTP battery"]
    assert {each["scope"] for each in page.all("th")} == {"row", "col"}
    (shop, admin) = page.all("svg")
    assert (shop["role"], shop["aria-label"]) == ("img", "Time steps -10 to 10; accepted are -1 to 1")
    assert admin["aria-label"] == "Time steps -10 to 10; accepted are -2 to 2"
    assert {each["aria-labelledby"] for each in page.all("section")} == {"login-1", "login-2"}


def test_overview(page: Page, shop: Subject, created_at: datetime) -> None:
    """How it went stands in the title and at the top, with version, time and a list of the logins, if several."""
    headline = "8 rules on 2 logins: 2 failed, 1 not run, 1 waived, 1 skipped, 3 passed"
    assert page.text("title") == [f"TOTP battery: {headline}"]
    assert headline in page.text("p")
    assert f"pytest-totphog {__version__}, 21 November 2026, 13:20 UTC" in page.text("p")
    assert [each["href"] for each in page.all("a")][:2] == ["#login-1", "#login-2"]
    assert "nav" not in {tag for tag, _ in Page(render([shop], created_at)).elements}


def test_order(page: Page) -> None:
    """What failed stands first, what passed last; rules by their numbers."""
    assert page.text("h3") == [
        *("Accepted window", "Throttle", "Odds of a guesser", "Failed", "Not run", "Waived", "Skipped", "Passed"),
        *("Accepted window", "Throttle", "Odds of a guesser", "Failed", "Passed"),
    ]
    rules = [text for text in page.text("th") if re.fullmatch(r"V\d+", text)]
    assert rules == ["V1", "V28", "V10", "V2", "V6", "V11", "V6", "V28"]


def test_finding(page: Page) -> None:
    """Title, reason, level, source, advisories, evidence and explanation; the details of a failure are open."""
    assert {"A code is accepted once", "The same code was accepted twice in its time step."} <= set(page.text("p"))
    assert {"failed", "MUST"} <= set(page.text("span"))
    assert "step 56843820 again, in a new session: accepted" in page.text("li")
    assert "Who read it over a shoulder is in with it." in page.text("p")
    links = {each["href"] for each in page.all("a")}
    assert "https://www.rfc-editor.org/rfc/rfc6238#section-5.2" in links
    assert "https://www.cve.org/CVERecord?id=CVE-2025-69197" in links
    assert [("open" in each) for each in page.all("details")] == [True, False, False, False, False, False, True, False]


def test_measured(page: Page) -> None:
    """The window as a picture, the throttle, and the odds at several rates."""
    assert "Steps -1 to +1: 3 codes of 6 digits accepted at a time, each for 90 seconds." in page.text("p")
    assert "After 5 wrong codes, for 15 minutes." in page.text("p")
    assert [each["class"] for each in page.all("rect")][:21] == ["out"] * 9 + ["in"] * 3 + ["out"] * 9
    assert {"1 a second", "10 a second", "100 a second"} <= set(page.text("th"))
    assert page.text("td")[:9] == [
        *("1.1\xa0%", "23\xa0%", "over 99\xa0%"),
        *("10\xa0%", "93\xa0%", "over 99\xa0%"),
        *("66\xa0%", "over 99\xa0%", "over 99\xa0%"),
    ]


def test_nothing_measured(shop: Subject, created_at: datetime) -> None:
    """No picture and no odds."""
    page = Page(render([replace(shop, measured=Measured())], created_at))
    assert page.all("svg") == []
    assert "The accepted window was not measured." in page.text("p")


def test_wide_window(shop: Subject, created_at: datetime) -> None:
    """The picture has room for a window that is wider than what is looked at elsewhere."""
    page = Page(render([replace(shop, measured=Measured(earliest=-20, latest=0))], created_at))
    assert [each["class"] for each in page.all("rect")] == ["in"] * 21 + ["out"] * 10


def test_html_is_text(shop: Subject, created_at: datetime) -> None:
    """What looks like HTML is shown as it is: in names, titles, reasons, evidence, explanations and sources."""
    markup = "<img src=x onerror=alert(1)>&lt;\"'"
    changes: dict[str, Any] = dict.fromkeys(("id", "title", "source", "section", "explanation"), markup)
    rule = replace(
        shop.findings[0].rule,
        **changes,
        cves=('"><script>',),
    )
    finding = Finding(rule, Verdict.FAILED, markup, (markup,), profile=markup)
    page = Page(render([Subject(f"{markup}.py::{markup}", 1, (finding,), (rule,))], created_at))
    assert {tag for tag, _ in page.elements} & {"img", "script"} == set()
    for element in ("h2", "code", "p", "li", "th"):
        assert any(markup in text for text in page.text(element)), element


def test_throttle_with_a_way_around(avoided: Subject, created_at: datetime) -> None:
    """The odds are those without the throttle."""
    page = Page(render([avoided], created_at))
    assert "After 5 wrong codes, for 15 minutes; V29 shows a way around it." in page.text("p")
    assert any(
        text.startswith("At 10 requests a second a guesser has 16\xa0% after an hour") for text in page.text("p")
    )


def test_problem(shop: Subject, created_at: datetime) -> None:
    """Where no rule was judged it says why, and no more."""
    page = Page(
        render([Subject("a.py::TestA", 1, (), shop.not_run, problem="<the driver accepts wrong codes>")], created_at)
    )
    assert "No rule was judged: <the driver accepts wrong codes>" in page.text("p")
    assert page.all("table") == []
    assert page.text("span") == ["1 not run"]


def test_no_steering(shop: Subject, created_at: datetime) -> None:
    """What a login answered cannot turn the direction of the page's text."""
    finding = replace(shop.findings[0], summary="refused \u202edetpecca")
    page = Page(render([replace(shop, findings=(finding,))], created_at))
    assert r"Refused \u202edetpecca." in page.text("p")


def test_no_login(created_at: datetime) -> None:
    """A run without the battery says so."""
    assert "No rule was judged" in Page(render([], created_at)).text("p")


def test_failed_tests(created_at: datetime) -> None:
    """A run without the battery has a page about the tests that failed, without the words about rules."""
    page = Page(render([], created_at, [failure(code(1), code(2, same_as=1))]))

    assert page.text("h1") == ["TOTP in failed tests"]
    assert page.text("title") == ["TOTP in failed tests: 1 failed test"]
    assert "test_login.py::test_login" in page.text("code")
    assert any(text.startswith("now() gave the same code twice") for text in page.text("p"))
    assert any(text.startswith("token  'alice' of 'Shop'") for text in page.text("pre"))
    assert page.all("footer") == [{"hidden": None}]


def test_failed_tests_beside_the_battery(shop: Subject, created_at: datetime) -> None:
    """They stand below the logins."""
    page = Page(render([shop], created_at, [failure(test="<b>.py::test_login")]))

    assert page.text("h1") == ["TOTP battery"]
    assert page.text("h2")[-2:] == ["Failed tests", "How to read this page"]
    assert "<b>.py::test_login" in page.text("code")
    assert page.all("footer") == [{}]
