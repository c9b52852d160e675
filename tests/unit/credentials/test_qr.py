"""QR codes: scanners read what was drawn."""

import base64
import io
import re
import subprocess
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image

from pytest_totphog.credentials import qr
from pytest_totphog.credentials.token import Token
from tests.support.system import require

URI = "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30"


def uri_of(name: str, issuer: str) -> str:
    """Return the key URI of a token with these names."""
    return Token.create(created_at=datetime.now(UTC), name=name, issuer=issuer, secret="JBSWY3DPEHPK3PXP").uri


TOKENS = [
    pytest.param(URI, id="ascii"),
    pytest.param(uri_of("Zoë", "Café"), id="accents"),
    pytest.param(uri_of("山田太郎", "日本"), id="kanji"),
    pytest.param(uri_of("علي", "مثال"), id="arabic"),
    pytest.param(uri_of("🐗 & co", "localhost:8000"), id="emoji"),
    pytest.param(uri_of("a" * 1000, "Example"), id="long"),
]


@pytest.mark.parametrize("uri", TOKENS)
def test_zbar_reads_the_png(uri: str) -> None:
    """What it reads is the URI, byte by byte."""
    zbarimg = require("zbarimg")

    read = subprocess.run(
        [zbarimg, "--quiet", "--raw", "--oneshot", "-"], input=qr.png(uri), capture_output=True, check=True, timeout=30
    )

    assert read.stdout.removesuffix(b"\n") == uri.encode("ascii")


@pytest.mark.parametrize("uri", TOKENS)
@pytest.mark.parametrize("scale", [2, 5, 10])
def test_zxing_reads_the_png(uri: str, scale: int) -> None:
    """A second scanner, the one that phones have, reads it in every size."""
    picture = Image.open(io.BytesIO(qr.png(uri, scale)))

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [uri]


def test_scale_is_pixels_a_module() -> None:
    """Twice the scale is twice the size, quiet zone of four modules included."""
    # 101 characters make a code of version 5: 37 modules a side, and 8 for the quiet zone.
    sizes = [Image.open(io.BytesIO(qr.png(URI, scale))).size for scale in (1, 2, 5)]

    assert sizes == [(45, 45), (90, 90), (225, 225)]


def test_svg_is_a_document_of_its_own() -> None:
    """It is well-formed XML in SVG's namespace, which `<img>` needs, and as large as the PNG."""
    root = ET.fromstring(qr.svg(URI))

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == ("225", "225")
    assert [child.tag for child in root] == ["{http://www.w3.org/2000/svg}path"]


def test_svg_can_stand_in_a_page() -> None:
    """Without an XML declaration, which HTML does not allow inside."""
    assert qr.svg(URI).startswith("<svg ")
    assert qr.svg(URI, scale=2).endswith("</svg>")
    assert 'width="90" height="90"' in qr.svg(URI, scale=2)


def test_svg_draws_the_modules_of_the_png() -> None:
    """Both pictures show one code: the path's horizontal strokes are the dark pixels."""
    picture = Image.open(io.BytesIO(qr.png(URI, scale=1))).convert("L")
    path = ET.fromstring(qr.svg(URI, scale=1))[0].get("d")

    assert path is not None
    assert strokes(path) == {
        (x, y) for x in range(picture.width) for y in range(picture.height) if picture.getpixel((x, y)) == 0
    }


def strokes(path: str) -> set[tuple[int, int]]:
    """Return the modules that a path of moves (`M` absolute, `m` relative) and horizontal lines (`h`) covers."""
    covered = set()
    x, y = 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if command == "h":
            covered |= {(int(x) + step, int(y)) for step in range(int(first))}
            x += float(first)
        elif command == "M":
            x, y = float(first), float(second)
        else:
            x, y = x + float(first), y + float(second)
    return covered


def test_data_uri_is_the_png() -> None:
    """As pages embed it."""
    header, _, data = qr.data_uri(URI).partition(",")

    assert header == "data:image/png;base64"
    assert base64.b64decode(data) == qr.png(URI)
