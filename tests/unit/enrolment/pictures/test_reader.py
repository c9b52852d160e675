"""Pictures: QR codes are found wherever they are, and what is no picture is refused at once."""

import base64
import io
import sys
import zlib
from typing import Any
from urllib.parse import quote

import pytest
import segno
from PIL import Image, ImageDraw

from pytest_totphog import InvalidInput, MissingExtra
from pytest_totphog.enrolment.pictures.reader import read_data_url, read_picture

HTML = (
    "this is markup that begins with TAG, such as a page's HTML; accepted is what the page shows: its QR code as "
    "<svg …>…</svg> or the src of its <img>, its otpauth:// link, or its secret"
)

URI = "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30"
OTHER = "otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Example"


def code(
    text: str = URI, scale: int = 4, border: int = 4, dark: str = "black", light: str | None = "white"
) -> Image.Image:
    """Return a picture of a QR code."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=scale, border=border, dark=dark, light=light)
    return Image.open(out)


def encoded(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    """Return the bytes of a picture file."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def on_page(angle: float, ground: str, **colours: Any) -> Image.Image:
    """Return a screenshot of a page with a turned code somewhere."""
    page = Image.new("RGB", (1280, 1600), ground)
    turned = code(**colours).convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    page.paste(turned, (700, 900), turned)
    return page


# Reading


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_kinds_of_files(kind: str) -> None:
    """Those that browsers and cameras make."""
    assert read_picture(encoded(code().convert("RGB"), kind, quality=60)) == [URI]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_kinds_of_pixels(mode: str) -> None:
    """Whatever the file keeps for a pixel."""
    picture = code().convert("I").point(lambda value: value * 257) if mode == "I;16" else code()
    assert read_picture(encoded(picture.convert(mode))) == [URI]


@pytest.mark.parametrize("border", [0, 1, 4])
@pytest.mark.parametrize("scale", [1, 2, 3, 10])
@pytest.mark.parametrize("light_on_dark", [False, True])
def test_sizes_and_margins(scale: int, border: int, light_on_dark: bool) -> None:
    """From a pixel a module, and without the quiet zone that ISO/IEC 18004 asks for, as canvases are."""
    colours = {"dark": "white", "light": "black"} if light_on_dark else {}
    assert read_picture(encoded(code(scale=scale, border=border, **colours))) == [URI]


@pytest.mark.parametrize("border", [0, 4])
@pytest.mark.parametrize("dark", ["black", "white"])
def test_transparent_ground(dark: str, border: int) -> None:
    """A dark code is for a light page, and a light one for a dark page."""
    assert read_picture(encoded(code(dark=dark, light=None, border=border))) == [URI]


@pytest.mark.parametrize("ground", ["white", "#0b1020", "#888"])
@pytest.mark.parametrize("angle", [0, 10, 45, 90, 200])
def test_turned_somewhere_on_a_page(angle: float, ground: str) -> None:
    """Anywhere, at any angle, on a page of any colour."""
    assert read_picture(encoded(on_page(angle, ground))) == [URI]


def screenshot(ground: str, scale: int, hairline: str | None, **colours: str) -> Image.Image:
    """Return a page with a code without a margin on it, below a line of text, with hairlines between its modules."""
    picture = code(scale=scale, border=0, **colours).convert("RGB")
    lines = ImageDraw.Draw(picture)
    for place in range(0, picture.width, scale) if hairline else ():
        lines.line([(place, 0), (place, picture.height)], hairline)
        lines.line([(0, place), (picture.width, place)], hairline)
    page = Image.new("RGB", (640, picture.height + 160), ground)
    page.paste(picture, (117, 123))
    ImageDraw.Draw(page).text((20, 40), "Scan this code with an authenticator app, then type what it shows.", "#888")
    return page


@pytest.mark.parametrize("scale", [3, 6, 10])
@pytest.mark.parametrize("hairline", [None, "white", "#808080"])
@pytest.mark.parametrize("ground", ["black", "#111", "#0b1020", "#333", "#777", "#ccc", "white"])
def test_no_margin_on_a_dark_page(ground: str, hairline: str | None, scale: int) -> None:
    """Where the page has the colour of the code's edge, or nearly, and with what browsers draw between modules."""
    assert read_picture(encoded(screenshot(ground, scale, hairline))) == [URI]


@pytest.mark.parametrize("scale", [3, 6, 10])
@pytest.mark.parametrize("hairline", [None, "black", "#808080"])
def test_light_code_without_a_margin_on_a_light_page(hairline: str | None, scale: int) -> None:
    """The same with the colours changed over."""
    assert read_picture(encoded(screenshot("white", scale, hairline, dark="white", light="black"))) == [URI]


def test_no_margin_on_a_dark_card_on_a_light_page() -> None:
    """A region within a region; also as a photograph's format has it, and on a screen with 1.5 pixels a point."""
    page = Image.new("RGB", (1280, 1400), "white")
    page.paste(screenshot("#111", 6, None), (300, 500))
    larger = page.resize((1920, 2100), Image.Resampling.BILINEAR)

    assert read_picture(encoded(page, "JPEG", quality=70)) == [URI]
    assert read_picture(encoded(larger)) == [URI]


def test_little_contrast() -> None:
    """Grey on grey."""
    assert read_picture(encoded(on_page(0, "#808080", dark="#707070", light="#8a8a8a"))) == [URI]


def test_page_as_large_as_accepted() -> None:
    """Sixteen million pixels."""
    page = Image.new("L", (2000, 8000), "white")
    page.paste(code(), (1000, 7500))

    assert read_picture(encoded(page)) == [URI]


def test_svg_as_text_and_bytes() -> None:
    """With a byte order mark, and in a page's indentation, too."""
    document = segno.make(URI).svg_inline()

    assert read_picture(document) == [URI]
    assert read_picture(b"\xef\xbb\xbf\n  " + document.encode()) == [URI]


def test_codes_from_top_to_bottom_each_once() -> None:
    """The same code shown twice is one."""
    page = Image.new("L", (800, 1200), "white")
    for row, text in enumerate([OTHER, URI, OTHER]):
        page.paste(code(text, scale=3), (100 * row, 400 * row))

    assert read_picture(encoded(page)) == [OTHER, URI]


# URLs


PNG = encoded(code(scale=2))
SVG = segno.make(URI).svg_inline()


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
        f"DATA:Image/PNG;Base64,{base64.b64encode(PNG).decode()}",
        f"  data:image/png;base64,{base64.encodebytes(PNG).decode()}\n",
        f"data:image/png;base64,{base64.b64encode(PNG).decode().rstrip('=')}",
        f"data:image/png;base64,{quote(base64.b64encode(PNG).decode(), safe='')}",
        f"data:image/png;base64,{base64.b64encode(PNG).decode().replace('+', ' ')}",
        f"data:image/png,{quote(PNG)}",
        f"data:image/webp;base64,{base64.b64encode(encoded(code(), 'WEBP')).decode()}",
        f"data:image/jpeg;name=a.jpg;base64,{base64.b64encode(encoded(code().convert('L'), 'JPEG')).decode()}",
        f"data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}",
        f"data:image/svg+xml;charset=utf-8,{quote(SVG)}",
        f"data:image/svg+xml;utf8,{SVG.replace('#', '%23')}",
        segno.make(URI).svg_data_uri(),
        segno.make(URI).png_data_uri(scale=3),
    ],
    ids=[
        "base64", "capitals", "lines", "no padding", "escaped", "form-decoded", "percent", "webp", "jpeg", "svg base64",
        "svg percent", "svg as it is", "segno svg", "segno png",
    ],
)  # fmt: skip
def test_data_url(url: str) -> None:
    """In all the ways that pages write them."""
    assert read_data_url(url) == [URI]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data:image/png;base64", "this is not a data: URL; accepted is data:image/png;base64,…"),
        ("https://example.com/a.png", "this is not a data: URL; accepted is data:image/png;base64,…"),
        ("data:,hello", "the data: URL holds 'text/plain'; accepted is a PNG, JPEG, WebP or SVG picture"),
        ("data:text/html,<svg/>", "the data: URL holds 'text/html'; accepted is a PNG, JPEG, WebP or SVG picture"),
        ("data:image/png,\ud800", "the data: URL has half a surrogate pair, which is no character"),
        ("data:image/png;base64,!!!!", "the data: URL is not base64, though it says so"),
        ("data:image/png;base64,a", "the data: URL is not base64, though it says so"),
        ("data:image/png;base64,", "this is empty; accepted is a PNG, JPEG, WebP or SVG picture"),
    ],
)
def test_refused_data_url(url: str, message: str) -> None:
    """The sentence says what it holds instead."""
    with pytest.raises(InvalidInput) as caught:
        read_data_url(url)

    assert str(caught.value) == message


# Refusals


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is empty; accepted is a PNG, JPEG, WebP or SVG picture"),
        (b"JBSWY3DP", "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG picture"),
        (encoded(code(), "GIF"), "this is a GIF; accepted is a PNG, JPEG, WebP or SVG picture"),
        (b"%PDF-1.7", "this is a PDF; accepted is a PNG, JPEG, WebP or SVG picture"),
        (PNG[:200], "the picture is broken: OSError; accepted is a PNG, JPEG, WebP or SVG picture"),
        (
            b"\n<!DOCTYPE html><p>Scan",
            HTML.replace("TAG", "<!doctype html>"),
        ),
        (
            encoded(Image.new("L", (300, 200), "white")),
            (
                "there is no QR code in the picture of 300 x 200 pixels, or none that can be read; "
                "show it whole, and larger"
            ),
        ),
    ],
    ids=["empty", "text", "gif", "pdf", "cut short", "html", "blank"],
)
def test_refused_picture(data: bytes, message: str) -> None:
    """The sentence says what it is, and what is accepted."""
    with pytest.raises(InvalidInput) as caught:
        read_picture(data)

    assert str(caught.value) == message


def bomb(side: int) -> bytes:
    """Return a small PNG file of a large black square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("side", "size"),
    [(4001, "4001 x 4001"), (9000, "9000 x 9000"), (10_000, "far too many"), (50_000, "far too many")],
)
def test_decompression_bomb(side: int, size: str) -> None:
    """It is refused by its header; the data are not there to be decoded, and nobody misses them."""
    with pytest.raises(InvalidInput) as caught:
        read_picture(bomb(side))

    assert str(caught.value) == (
        f"the picture has {size} pixels; accepted are 16000000 in all, 65535 a side; show the QR code alone"
    )


@pytest.mark.parametrize("size", [(65_536, 1), (1, 70_000)])
def test_a_side_too_long(size: tuple[int, int]) -> None:
    """Few pixels in all, and more in a row than a reader counts."""
    with pytest.raises(InvalidInput) as caught:
        read_picture(encoded(Image.new("1", size)))

    assert str(caught.value) == (
        f"the picture has {size[0]} x {size[1]} pixels; accepted are 16000000 in all, 65535 a side; "
        "show the QR code alone"
    )


def test_fifty_megabytes() -> None:
    """Of a longer text or URL nothing is decoded."""
    large = r"^the picture has \d+ bytes or more; accepted are 20971520$"

    for source in (bytes(50_000_000), "<svg>" + " " * 50_000_000):
        with pytest.raises(InvalidInput, match=large):
            read_picture(source)
    with pytest.raises(InvalidInput, match=large):
        read_data_url("data:image/png;base64," + "A" * 50_000_000)


@pytest.mark.parametrize(("module", "package"), [("PIL", "Pillow"), ("zxingcpp", "zxing-cpp")])
def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, module: str, package: str) -> None:
    """The error says what to install, whatever the picture is."""
    monkeypatch.setitem(sys.modules, module, None)

    for source in (PNG, SVG, b"no picture"):
        with pytest.raises(MissingExtra) as caught:
            read_picture(source)
        assert str(caught.value) == (
            f"reading a QR code needs {package}; install it with: pip install 'pytest-totphog[qr]'"
        )
