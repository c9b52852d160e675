"""Enrolment from the set-up pages of real packages, in a real browser, however they are shown."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from pytest_totphog import InvalidInput, TotpServer
from tests.support.system import CHROMIUM_FLAGS, require

# As the packages served them; README.md there says how they were made.
PAGES = Path(__file__).parents[1] / "support" / "setup_pages"

# The page, the picture in it, and the account that its package made.
SHOWN = [
    pytest.param(
        "django_allauth.html",
        "img[src^='data:image/svg+xml']",
        ("alice@example.com", "Harbour", "4AB63EXHPWCLKPPAJ5LIDZ6MGETUQXX2"),
        id="django-allauth",
    ),
    pytest.param(
        "django_two_factor_auth.html",
        "img[alt='QR Code']",
        ("alice", "example.com", "OLANGVMOUISPR3AGLVMNR5LS4COWAE3W"),
        id="django-two-factor-auth",
    ),
    pytest.param(
        "flask_security.html",
        "#qrcode",
        ("alice@example.com", "Harbour", "YT4H6D6BPDHRSA7A3QN6GPEHSDJDUB5A"),
        id="Flask-Security-Too",
    ),
]

# What a page's style may do to the picture.
STYLES = {
    "as it is": "",
    "dark": "html { background: #10131a; color: #ddd } img { background: white; padding: 8px }",
    "light on dark": "html { filter: invert(1); background: white }",
    "turned": "img { transform: rotate(17deg); margin: 90px; background: white }",
    "small": "img { width: 110px !important; height: 110px !important }",
    "coloured": "img { filter: invert(0.15) sepia(1); background: beige }",
    "large margin": "body { margin: 300px 0 0 500px }",
}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Headless Chromium, and nothing of the machine's user in it."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for flag in [*CHROMIUM_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", "--window-size=1280,1000"]:
        options.add_argument(flag)
    browser = webdriver.Chrome(options, webdriver.ChromeService(require("chromedriver")))
    yield browser
    browser.quit()


def show(chromium: webdriver.Chrome, folder: Path, page: str, style: str = "") -> None:
    """Show a page with a style of the site around it, from files, and with nothing from the network."""
    html = re.sub(r"<(?:link|script)\b[^>]*//cdnjs[^>]*>(?:</script>)?", "", (PAGES / page).read_text("utf-8"))
    html = html.replace("/account/two_factor/qrcode/", (PAGES / "django_two_factor_auth.svg").as_uri())
    shown = folder / "page.html"
    shown.write_text(html.replace("</head>", f"<style>{style}</style></head>"), "utf-8")
    chromium.get(shown.as_uri())


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("page", "account"), [pytest.param(page.values[0], page.values[2], id=page.id) for page in SHOWN]
)
def test_screenshot_of_the_page(
    chromium: webdriver.Chrome,
    totp_server: TotpServer,
    tmp_path: Path,
    page: str,
    account: tuple[str, str, str],
    style: str,
) -> None:
    """The whole page, with the code somewhere in it."""
    show(chromium, tmp_path, page, STYLES[style])

    # Chromium's own way to a picture of more than the window.
    whole = chromium.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    token = totp_server.enroll(base64.b64decode(whole["data"]))

    assert (token.name, token.issuer, token.secret) == account


@pytest.mark.parametrize(("page", "picture", "account"), SHOWN)
def test_picture_of_the_element(
    chromium: webdriver.Chrome,
    totp_server: TotpServer,
    tmp_path: Path,
    page: str,
    picture: str,
    account: tuple[str, str, str],
) -> None:
    """As Selenium takes it, as bytes, as a file, and as `data:` URL; and drawn on a canvas."""
    show(chromium, tmp_path, page)
    element = chromium.find_element(By.CSS_SELECTOR, picture)
    file = tmp_path / "element.png"
    element.screenshot(str(file))

    for source in (element.screenshot_as_png, file, f"data:image/png;base64,{element.screenshot_as_base64}"):
        assert totp_server.enroll(source).secret == account[2]


@pytest.mark.parametrize("whole", [False, True], ids=["element", "page"])
@pytest.mark.parametrize(("page", "picture", "account"), SHOWN)
def test_from_the_browser(
    chromium: webdriver.Chrome,
    totp_server: TotpServer,
    tmp_path: Path,
    page: str,
    picture: str,
    account: tuple[str, str, str],
    *,
    whole: bool,
) -> None:
    """`enroll_from` looks itself, at the picture or for it."""
    show(chromium, tmp_path, page)

    token = totp_server.enroll_from(chromium, None if whole else picture)

    assert (token.name, token.issuer, token.secret) == account


@pytest.mark.parametrize(("page", "picture", "account"), [SHOWN[0], SHOWN[2]])
def test_source_of_the_picture(
    chromium: webdriver.Chrome,
    totp_server: TotpServer,
    tmp_path: Path,
    page: str,
    picture: str,
    account: tuple[str, str, str],
) -> None:
    """A `data:` URL needs no screenshot; drawn on a canvas, its ground is transparent."""
    show(chromium, tmp_path, page)
    element = chromium.find_element(By.CSS_SELECTOR, picture)
    drawn = chromium.execute_script(
        "const canvas = document.createElement('canvas');"
        "[canvas.width, canvas.height] = [arguments[0].width, arguments[0].height];"
        "canvas.getContext('2d').drawImage(arguments[0], 0, 0, canvas.width, canvas.height);"
        "return canvas.toDataURL(arguments[1])",
        element,
        "image/webp",
    )
    assert drawn.startswith("data:image/webp;")

    for source in (str(element.get_attribute("src")), drawn):
        assert totp_server.enroll(source).secret == account[2]


def test_svg_from_its_own_url(totp_server: TotpServer) -> None:
    """django-two-factor-auth serves it apart from the page; a client fetches it with the session's cookie."""
    svg = (PAGES / "django_two_factor_auth.svg").read_bytes()

    assert totp_server.enroll(svg).secret == "OLANGVMOUISPR3AGLVMNR5LS4COWAE3W"
    assert totp_server.enroll(svg.decode()).secret == "OLANGVMOUISPR3AGLVMNR5LS4COWAE3W"


def test_inline_svg(chromium: webdriver.Chrome, totp_server: TotpServer, tmp_path: Path) -> None:
    """An element of the page, as the browser writes it down."""
    page = tmp_path / "page.html"
    drawn = (PAGES / "django_two_factor_auth.svg").read_text().partition("?>")[2]
    page.write_text(f"<!DOCTYPE html><title>Set up</title><p>Scan:&nbsp;</p>{drawn}", "utf-8")
    chromium.get(page.as_uri())

    source = str(chromium.find_element(By.TAG_NAME, "svg").get_attribute("outerHTML"))

    assert totp_server.enroll(source).secret == "OLANGVMOUISPR3AGLVMNR5LS4COWAE3W"


def test_page_without_a_code(chromium: webdriver.Chrome, totp_server: TotpServer, tmp_path: Path) -> None:
    """A screenshot taken too early says so."""
    show(chromium, tmp_path, "django_allauth.html", "img { display: none }")

    with pytest.raises(InvalidInput, match=r"^there is no QR code in the picture of \d+ x \d+ pixels"):
        totp_server.enroll(chromium.get_screenshot_as_png())
