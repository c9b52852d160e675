"""A set-up page, in Chromium: the same from Selenium and from both APIs of Playwright."""

import base64
import re
import sys
from itertools import product
from typing import Any

import pytest
import segno

from pytest_totphog import BrowserError, MissingExtra, TotpServer, TotpToken
from tests.support.browser import Browser

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
URI = "otpauth://totp/Shop:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Shop"
LINK = URI.replace("&", "&amp;")
PNG = segno.make(URI).png_data_uri(scale=4)
OTHER = segno.make("https://example.com/app").png_data_uri(scale=4)
SVG = segno.make(URI).svg_inline(scale=4)

CANVAS = f"""<canvas id=qr width=10 height=10></canvas><script>
  const picture = new Image();
  picture.onload = () => {{
    const canvas = document.querySelector("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
  }};
  picture.src = "{PNG}";
</script>"""
BLOB = f"""<img id=qr><script>
  const show = blob => document.querySelector("img").src = URL.createObjectURL(blob);
  fetch("{PNG}").then(answer => answer.blob()).then(show);
</script>"""

# What a page is asked does not depend on who asks it.
IN_ONE_LIBRARY = pytest.mark.parametrize("browser", ["playwright"], indirect=True)


def table() -> str:
    """A QR code of table cells."""
    rows = (
        "<tr>" + "".join(f"<td{' class=dark' if cell else ''}>" for cell in row)
        for row in segno.make(URI).matrix_iter(border=4)
    )
    style = "table { border-spacing: 0 } td { width: 4px; height: 4px; padding: 0 } .dark { background: black }"
    return f"<style>{style}</style><table id=qr>{''.join(rows)}</table>"


def shadows() -> str:
    """A QR code of the shadows of one small box."""
    cells = list(segno.make(URI).matrix_iter(border=4))
    size = len(cells) * 4
    painted = ",".join(f"{x * 4}px {y * 4}px" for y, x in product(range(len(cells)), repeat=2) if cells[y][x])
    return (
        f"<div id=qr style='width: {size}px; height: {size}px; background: white'>"
        f"<i style='display: block; width: 4px; height: 4px; box-shadow: {painted}'></i></div>"
    )


def enroll(browser: Browser, server: TotpServer, locator: Any = None, **options: Any) -> TotpToken:
    """Return the token of what the page shows."""
    token: TotpToken = browser.run(server.enroll_from(browser.page, locator, **options))
    assert server.tokens == [token]
    return token


@pytest.mark.parametrize(
    "html",
    [
        f"<img id=qr src='{PNG}'>",
        f"<img id=qr src='{PNG}' style='width: 40px; filter: blur(9px)'>",
        f"<img id=qr src='{segno.make(URI).svg_data_uri()}'>",
        f"<p id=qr>Scan this with your app: <img src='{PNG}'></p>",
        BLOB,
        CANVAS,
        f"<figure id=qr>{SVG}</figure>",
        SVG.replace("<svg ", "<svg id=qr "),
        "<style>path { stroke: #333 }</style>" + SVG.replace("<svg ", "<svg id=qr ").replace(' stroke="#000"', ""),
        f"<div id=qr style='width: 260px; height: 260px; background: no-repeat url({PNG})'></div>",
        table(),
        shadows(),
    ],
    ids=[
        "data URL",
        "small and blurred",
        "SVG data URL",
        "in a paragraph",
        "blob URL",
        "canvas",
        "in a figure",
        "inline SVG",
        "SVG with a style",
        "background",
        "table",
        "shadows",
    ],
)
def test_picture(browser: Browser, totp_server: TotpServer, html: str) -> None:
    """What the element is drawn from, or else what is seen of it."""
    browser.show(html)
    token = enroll(browser, totp_server, "#qr")
    assert (token.name, token.issuer, token.secret) == ("alice", "Shop", SECRET)


@pytest.mark.parametrize(
    "html",
    [
        f"<a id=here href='{LINK}'>Open your app</a>",
        f"<p id=here>Your link: {LINK} (open it on your phone)",
        f"<input id=here value='{LINK}' readonly>",
        f"<details id=here><summary>More<a href='{LINK}'></a></details>",
    ],
    ids=["link", "text", "field", "link in something closed"],
)
@IN_ONE_LIBRARY
def test_uri(browser: Browser, totp_server: TotpServer, html: str) -> None:
    """A key URI, wherever it stands."""
    browser.show(html)
    assert enroll(browser, totp_server, "#here").issuer == "Shop"


@pytest.mark.parametrize(
    "html",
    [
        "<code id=here>JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP</code>",
        "<code id=here> jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp </code>",
        "<code id=here>JBSWY3-DPEHPK-3PXPJB-SWY3DP-EHPK3P-XP</code>",
        "<p id=here><b>JBSWY3DP</b>&nbsp; <b>EHPK3PXP</b>&nbsp; <b>JBSWY3DP</b>&nbsp; <b>EHPK3PXP</b>",
        "<p id=here><input value='JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'><button>Copy</button>",
        "<textarea id=here>JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP======</textarea>",
    ],
)
@IN_ONE_LIBRARY
def test_secret(browser: Browser, totp_server: TotpServer, html: str) -> None:
    """As pages print it, or have it in a field to copy."""
    browser.show(html)
    token = enroll(browser, totp_server, "#here", name="bob")
    assert (token.name, token.secret) == ("bob", SECRET)


def test_picture_that_is_another_one_at_each_request(browser: Browser, site: Any, totp_server: TotpServer) -> None:
    """It is not asked for again: the one that is seen counts."""
    site.documents["/qr"] = base64.b64decode(PNG.partition(",")[2])
    site.documents["/setup"] = "<img src=/qr>"
    browser.open(f"{site.url}/setup")
    assert enroll(browser, totp_server, "img").secret == SECRET
    assert [site.requests.get(timeout=5) for _ in range(site.requests.qsize())] == ["/setup?", "/qr?"]


def test_picture_from_another_site(browser: Browser, site: Any, totp_server: TotpServer) -> None:
    """A page may not read it; a screenshot may."""
    site.documents["/qr"] = base64.b64decode(PNG.partition(",")[2])
    site.documents["/setup"] = f"<img src='{site.url.replace('127.0.0.1', 'localhost')}/qr'>"
    browser.open(f"{site.url}/setup")
    assert enroll(browser, totp_server, "img").secret == SECRET


def test_picture_that_comes_late(browser: Browser, totp_server: TotpServer) -> None:
    """A spinner is there first, then the wrong code, then the right one."""
    browser.show(
        f"""<div id=qr><p>Loading</div><script>
          const show = html => document.querySelector("#qr").innerHTML = html;
          setTimeout(show, 150, "<img src='{OTHER}'>");
          setTimeout(show, 300, "<img src='{PNG}'>");
        </script>"""
    )
    assert enroll(browser, totp_server, "#qr").secret == SECRET


def test_anywhere_on_the_page(browser: Browser, totp_server: TotpServer) -> None:
    """A QR code beside others, and further down than is seen."""
    browser.show(f"<img src='{OTHER}'><p style='margin: 1500px 0 0 300px'><img src='{PNG}'>")
    assert enroll(browser, totp_server).secret == SECRET


def test_link_anywhere_on_the_page(browser: Browser, totp_server: TotpServer) -> None:
    """Where there is no QR code."""
    browser.show(f"<a href='/help'>Help</a> <a href='{LINK}'>Open your app</a>")
    assert enroll(browser, totp_server).issuer == "Shop"


def test_locators(browser: Browser, totp_server: TotpServer) -> None:
    """Whatever the library finds elements by, and what it has found."""
    browser.show(f"<img id=qr src='{PNG}'>")
    page = browser.page
    if hasattr(page, "find_element"):
        locators = [("id", "qr"), page.find_element("id", "qr")]
    else:
        locators = [page.locator("img"), browser.run(page.query_selector("img"))]
    for locator in locators:
        assert enroll(browser, totp_server, locator).secret == SECRET
        totp_server.clear()


@pytest.mark.parametrize(
    ("html", "locator", "reason"),
    [
        (
            "",
            "#qr",
            "'#qr' on about:blank shows nothing to enrol with, after 0.1 s: it is not seen. Accepted are",
        ),
        ("<p id=qr hidden>", "#qr", "after 0.1 s: it is not seen"),
        (
            f"<img id=qr src='{OTHER}'>",
            "#qr",
            "its img: the picture has no QR code to enrol with, but one with a link to",
        ),
        (
            "<p id=qr>Scan this code",
            "#qr",
            "its text is neither an otpauth:// URI nor a secret; its screenshot: there is no",
        ),
        ("<p id=qr>JBSWY3DP JBSWY3DP JBSWY3DP0", "#qr", "its text is neither"),
        ("<p id=qr>otpauth://hotp/a?secret=JBSWY3DPEHPK3PXP", "#qr", "its text: the type of the key URI is 'hotp'"),
        (
            "<p>Scan",
            None,
            "about:blank shows nothing to enrol with, after 0.1 s: its screenshot: there is no QR code",
        ),
        ("<a href='otpauth://hotp/a?secret=JBSWY3DPEHPK3PXP'>", None, "its link: the type of the key URI is 'hotp'"),
    ],
)
@IN_ONE_LIBRARY
def test_nothing_to_enrol_with(
    browser: Browser, totp_server: TotpServer, html: str, locator: str | None, reason: str
) -> None:
    """The error says what was looked at, and no secret."""
    browser.show(html)
    with pytest.raises(BrowserError, match=re.escape(reason)) as failure:
        enroll(browser, totp_server, locator, timeout=0.1)
    assert "JBSWY3DP" not in str(failure.value)
    assert totp_server.tokens == []


def test_without_the_extra(browser: Browser, totp_server: TotpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said at once, and not after the time-out."""
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    browser.show(f"<img src='{PNG}'>")
    with pytest.raises(MissingExtra, match="reading a QR code needs zxing-cpp"):
        enroll(browser, totp_server, "img", timeout=60)
