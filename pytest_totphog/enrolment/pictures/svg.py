"""SVG pictures, drawn by resvg: checked and written anew before, so that nothing is loaded and nothing grows.

Source: https://www.w3.org/TR/SVG2/
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from pytest_totphog.enrolment.pictures.data_url import decode_data_url
from pytest_totphog.errors import InvalidInput, MissingExtra, ServerError, hidden_in_reports

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["draw_svg"]

__tracebackhide__ = hidden_in_reports

MAX_BYTES: Final = 1024 * 1024
# Pixels of the longer side: four for each module of the largest QR code.
SIDE: Final = 800
# What drawing may take; the largest QR codes take a tenth of it.
CPU_SECONDS: Final = 2
SECONDS: Final = 10
MEMORY: Final = 512 * 1024 * 1024

_PIXELS: Final = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF")


def draw_svg(document: str | bytes) -> Image:
    """Return a picture of an SVG document, with transparency.

    Args:
        document: the document, or an `<svg>` element of a page.

    Raises:
        InvalidInput: when it is no SVG, declares entities, takes a part from elsewhere, or is larger or more work
            than any QR code.
        MissingExtra: without resvg-py.
        ServerError: when no process can be started to draw it in.
    """
    start = document[:20].decode("latin-1") if isinstance(document, bytes) else document[:20]
    if start.lower().startswith("<!doctype html"):
        raise _is_html("<!doctype html>")
    if len(document) > MAX_BYTES:
        raise InvalidInput(f"the SVG has {len(document)} bytes; accepted are {MAX_BYTES}, more than any QR code needs")
    spec = find_spec("resvg_py")
    if spec is None or spec.origin is None:
        raise MissingExtra("reading a QR code from SVG", "resvg-py", "qr")
    folder, painter = Path(spec.origin).parents[1], Path(__file__).with_name("painter.py")
    limits = [str(limit) for limit in (SIDE, CPU_SECONDS, MEMORY)]
    try:
        drawn = subprocess.run(  # noqa: S603 -- our own program, and the document on its stdin
            [sys.executable, "-IS", painter, folder, *limits],
            input=_rewritten(document).encode("utf-8"),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except OSError as error:
        raise ServerError(f"cannot start a process to draw the SVG in: {error}") from None
    except subprocess.SubprocessError:
        raise InvalidInput(
            "the SVG cannot be drawn, or draws more than any QR code has; take a screenshot of it instead"
        ) from None
    from PIL import Image

    return Image.open(io.BytesIO(drawn.stdout))


def _rewritten(document: str | bytes, *, within: bool = False) -> str:
    """Return a document that draws the same, in one namespace, and with references to nothing but itself.

    Args:
        document: the document.
        within: whether it is a picture within another, which may have none itself.
    """
    copy = _Copy(within=within)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _check_doctype
    parser.StartElementHandler = copy.start
    parser.EndElementHandler = copy.end
    parser.CharacterDataHandler = copy.text
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise InvalidInput(f"the SVG is not well-formed: {error}") from None
    except InvalidInput:
        raise
    except (LookupError, ValueError):  # an encoding that Python does not know; half a surrogate pair
        raise InvalidInput("the SVG has a character or an encoding that cannot be read") from None
    return "".join(copy.parts)


def _check_doctype(_: str, system: str | None, public: str | None, declarations: bool) -> None:
    # Entities grow without end, or read files. The W3C's own types, which old programs write, are passed over.
    if declarations or (system and not (public or "").startswith("-//W3C//DTD ")):
        raise InvalidInput("the SVG declares an entity or a document type of its own, and no QR code needs one")


def _is_html(start: str) -> InvalidInput:
    return InvalidInput(
        f"this is markup that begins with {start}, such as a page's HTML; accepted is what the page shows: its QR code "
        "as <svg …>…</svg> or the src of its <img>, its otpauth:// link, or its secret"
    )


class _Copy:
    """Writes each element that the parser reports."""

    def __init__(self, *, within: bool) -> None:
        self.parts: list[str] = []
        self._within = within
        self._style: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Write an element's start, without prefixes, whose declarations pages leave out."""
        name = tag.rpartition(":")[2]
        if not self.parts and name.lower() != "svg":
            raise _is_html(f"<{name[:20]}>")
        self.parts.append(f"<{name}" if self.parts else '<svg xmlns="http://www.w3.org/2000/svg"')
        for key, value in attributes.items():
            if key.rpartition(":")[2] == "href":
                self._write("href", self._reference(name, value.strip()))
            elif ":" not in key and key != "xmlns":
                _check_style(value)
                self._write(key, value)
        self.parts.append(">")
        self._style = [] if name == "style" else None

    def end(self, tag: str) -> None:
        """Write an element's end."""
        style, self._style = "".join(self._style or ()), None
        _check_style(style)
        self.parts.append(f"{escape(style)}</{tag.rpartition(':')[2]}>")

    def text(self, text: str) -> None:
        """Keep a piece of a style sheet; no other text is drawn."""
        if self._style is not None:
            self._style.append(text)

    def _write(self, key: str, value: str) -> None:
        self.parts.append(f" {key}={quoteattr(value)}")

    def _reference(self, element: str, url: str) -> str:
        """Return where an element's content is; empty where nothing is drawn by it."""
        if url.startswith("#"):
            return url
        if element == "a":
            return ""
        if url[:5].lower() != "data:":
            raise _elsewhere(f"has its <{element[:20]}>")
        try:
            _, data = decode_data_url(url)
        except InvalidInput:
            return ""
        if data.startswith(_PIXELS):
            return url
        if self._within:
            return ""
        inner = _rewritten(data, within=True).encode("utf-8")
        return f"data:image/svg+xml;base64,{base64.b64encode(inner).decode('ascii')}"


def _check_style(text: str) -> None:
    # No regular expression: blanks without end cost one its time.
    text = text.lower()
    if "@import" in text or not all(
        url.lstrip(" \t\r\n\f\"'").startswith(("#", "data:")) for url in text.split("url(")[1:]
    ):
        raise _elsewhere("has a part of its style")


def _elsewhere(what: str) -> InvalidInput:
    return InvalidInput(
        f"the SVG {what} at another address, and nothing is loaded; accepted are data: URLs and its own parts (#id), "
        "or take a screenshot of it"
    )
