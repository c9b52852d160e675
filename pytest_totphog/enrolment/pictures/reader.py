"""What the QR codes in a picture say (zxing-cpp reads them, Pillow opens the picture)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pytest_totphog.enrolment.pictures.data_url import decode_data_url
from pytest_totphog.enrolment.pictures.regions import blur, with_margins
from pytest_totphog.enrolment.pictures.svg import draw_svg
from pytest_totphog.errors import InvalidInput, MissingExtra, hidden_in_reports, shown

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["read_data_url", "read_picture"]

__tracebackhide__ = hidden_in_reports

MAX_BYTES: Final = 20 * 1024 * 1024
# A page of 1,440 by 2,700 points on a screen with two pixels a point, or a telephone's photograph.
MAX_PIXELS: Final = 16_000_000
# Of a side, for zxing-cpp.
MAX_SIDE: Final = 65_535

ACCEPTED: Final = "a PNG, JPEG, WebP or SVG picture"
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
# What people hand in by mistake, by its first bytes.
_OTHERS: Final = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"%PDF": "a PDF",
    b"II*\0": "a TIFF",
    b"PK": "a ZIP archive",
    b"MM\0*": "a TIFF",
}


def read_data_url(url: str) -> list[str]:
    """Return what the QR codes in a `data:` URL say, as `read_picture` does.

    Args:
        url: `data:image/…`, in base64 or percent-encoded.

    Raises:
        InvalidInput: when it is no such URL, and as `read_picture` does.
        MissingExtra: without zxing-cpp or Pillow.
    """
    if len(url) > 2 * MAX_BYTES:
        raise _too_large(len(url))
    media_type, data = decode_data_url(url)
    if not media_type.startswith("image/"):
        raise InvalidInput(f"the data: URL holds {shown(media_type)}; accepted is {ACCEPTED}")
    return read_picture(data)


def read_picture(data: bytes | str) -> list[str]:
    """Return what the QR codes in a picture say, each text once, from top to bottom.

    Read are codes anywhere in it, turned, dark on light or light on dark, on a transparent ground, without a margin.

    Args:
        data: a PNG, JPEG or WebP picture, or an SVG document as bytes or text.

    Raises:
        InvalidInput: when it is no such picture, is broken or too large, or has no QR code in it.
        MissingExtra: without zxing-cpp or Pillow.
    """
    _require()
    if len(data) > MAX_BYTES:
        raise _too_large(len(data))
    if isinstance(data, str) or data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        picture = draw_svg(data.strip())
    else:
        picture = _open(data)
    import zxingcpp

    only_qr = zxingcpp.barcode_formats_from_str("QRCode")
    # Looked for until something is found: the first picture has it but for strange ones.
    for prepared in _prepare(picture):
        codes = zxingcpp.read_barcodes(prepared, formats=only_qr, text_mode=zxingcpp.TextMode.Plain)
        codes.sort(key=lambda code: (code.position.top_left.y, code.position.top_left.x))
        if texts := list(dict.fromkeys(code.text for code in codes if code.text)):
            return texts
    raise InvalidInput(
        f"there is no QR code in the picture of {picture.width} x {picture.height} pixels, or none that can be read; "
        "show it whole, and larger"
    )


def _open(data: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        # Nothing is decoded yet.
        if max(picture.size) <= MAX_SIDE and picture.width * picture.height <= MAX_PIXELS:
            picture.load()
            return picture
        size = f"{picture.width} x {picture.height}"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        size = "far too many"
    except UnidentifiedImageError:
        other = next((name for start, name in _OTHERS.items() if data.startswith(start)), "not a picture that is known")
        raise InvalidInput(f"this is {other if data else 'empty'}; accepted is {ACCEPTED}") from None
    except Exception as error:  # noqa: BLE001 -- a broken picture makes Pillow raise a dozen kinds of errors
        raise InvalidInput(f"the picture is broken: {type(error).__name__}; accepted is {ACCEPTED}") from None
    raise InvalidInput(
        f"the picture has {size} pixels; accepted are {MAX_PIXELS} in all, {MAX_SIDE} a side; show the QR code alone"
    )


def _prepare(picture: Image) -> Iterator[Image]:
    """Yield the picture in grey, as readers like it best, then in other ways."""
    from PIL import Image, ImageOps

    # What is transparent shows the page: a light one, or a dark one.
    transparent = picture.mode in {"LA", "PA", "La", "RGBA", "RGBa"} or "transparency" in picture.info
    for ground in ("white", "black") if transparent else ("",):
        flat = picture
        if ground:
            layer = picture.convert("RGBA")
            flat = Image.new("RGB", layer.size, ground)
            flat.paste(layer, mask=layer.getchannel("A"))
        grey = ImageOps.autocontrast(flat.convert("L"))
        yield grey
        # Small ones larger, and with a margin; of the ground's colour on this side and that.
        if max(grey.size) <= 1000:
            larger = grey.resize((grey.width * 3, grey.height * 3), Image.Resampling.NEAREST)
            yield from (ImageOps.expand(larger, border=40, fill=margin) for margin in (255, 0))
        yield from blur(grey)
        yield from with_margins(grey)


def _require() -> None:
    try:
        import PIL  # noqa: F401 -- whether it is there, is the question
    except ImportError:
        raise MissingExtra("reading a QR code", "Pillow", "qr") from None
    try:
        import zxingcpp  # noqa: F401 -- likewise
    except ImportError:
        raise MissingExtra("reading a QR code", "zxing-cpp", "qr") from None


def _too_large(size: int) -> InvalidInput:
    return InvalidInput(f"the picture has {size} bytes or more; accepted are {MAX_BYTES}")
