"""The pictures of the page that the documentation shows; `make pictures` takes them anew."""

import base64
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pytest_totphog import FrozenClock, TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of
from tests.integration.page import Page, browser

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAGE_FILES = sorted((ROOT / "pytest_totphog" / "api" / "page").glob("*.[chjs]*"))
# What they were taken of. Pixels depend on a machine's fonts, so it is the page's files that are compared.
TAKEN_OF = PICTURES / "taken-of.json"

SHOTS = {"page": "html", "cards": "#cards", "clock": "#clock", "timeline": "section:has(#timeline)"}
SCALE = 1.5


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """The page of a server with a story: accounts whose codes were handed out, and one that was sent twice."""
    clock = FrozenClock("2024-01-15T10:30:04Z", None)
    with TotpServer(clock=clock) as server, browser() as page:
        alice = server.add_token(name="alice@example.com", issuer="Shop", secret="JBSWY3DPEHPK3PXP")
        server.add_token(name="bob@example.com", issuer="Shop", secret="KRSXG5CTMVRXEZLU")
        admin = server.add_token(name="admin", issuer="Bank", secret="GEZDGNBVGY3TQOJQ", digits=8)
        server.add_token(name="nightly", issuer="Bank", secret="MFRGGZDFMZTWQ2LK", period=60, algorithm="sha256")
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
            monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_shop.py::test_login (call)")
            alice.verify(issuer_of(alice).claim().code)
            clock.tick(5)
            monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_bank.py::test_audit_log (call)")
            issuer_of(admin).claim()
            clock.tick(4)
            admin.verify("00000000")
        page.resize(1280, 800)
        page.open(f"{server.url}/")
        yield page


def test_pictures_are_of_this_page() -> None:
    """Where the page's files have changed since, `make pictures` takes new ones."""
    assert json.loads(TAKEN_OF.read_text("utf-8")) == digests(), "the page has changed; run: make pictures"


def test_every_picture_is_there() -> None:
    """Each that the documentation shows, in both colours, and no other."""
    pages = "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    shown = set(re.findall(r'"pictures/([\w.-]+)"', pages))
    assert shown == {path.name for path in PICTURES.glob("*.png")} == set(names())


@pytest.mark.slow
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_picture_is_taken(page: Page, tmp_path: Path, colours: str) -> None:
    """All of the page, and its parts: in the folder of the documentation where TOTPHOG_PICTURES asks for it."""
    asked = bool(os.environ.get("TOTPHOG_PICTURES"))
    folder = PICTURES if asked else tmp_path
    page.emulate(prefers_color_scheme=colours, prefers_reduced_motion="reduce")
    for name, selector in SHOTS.items():
        picture = take(page, selector)
        # One colour alone would be an empty page.
        assert len(picture.getcolors(maxcolors=1 << 24) or ()) > 50
        picture.quantize(128).save(folder / f"{name}-{colours}.png", optimize=True)
    assert is_dark(folder / f"page-{colours}.png") == (colours == "dark")
    if asked:
        TAKEN_OF.write_text(json.dumps(digests(), indent=2) + "\n", "utf-8")


def names() -> list[str]:
    """Return the pictures' names."""
    return [f"{name}-{colours}.png" for name in SHOTS for colours in ("light", "dark")]


def digests() -> dict[str, str]:
    """Return what the page's files are."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in PAGE_FILES}


def take(page: Page, selector: str) -> Image.Image:
    """Return a picture of an element."""
    box = page.script("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector)
    # With a margin, but for all of the page.
    left, top = max(box["x"] - 8, 0), max(box["y"] - 8, 0)
    clip = {"x": left, "y": top, "width": box["right"] + 8 - left, "height": box["bottom"] + 8 - top, "scale": SCALE}
    answer = page.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    return Image.open(io.BytesIO(base64.b64decode(answer["data"]))).convert("RGB")


def is_dark(path: Path) -> bool:
    """Tell whether a picture's corner is."""
    red, green, blue = Image.open(path).convert("RGB").crop((2, 2, 3, 3)).tobytes()
    return red + green + blue < 3 * 128
