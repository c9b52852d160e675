"""SVG pictures of QR codes, drawn: the shapes that QR libraries make, and nothing that runs, loads or grows.

Source: https://www.w3.org/TR/SVG11/
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NoReturn
from xml.parsers import expat

from pytest_totphog.enrolment.pictures.canvas import Canvas
from pytest_totphog.enrolment.pictures.outlines import (
    NUMBER,
    Line,
    Matrix,
    apply,
    multiply,
    path_lines,
    stroke_outline,
    transform_matrix,
)
from pytest_totphog.errors import InvalidInput, hidden_in_reports

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["draw_svg"]

__tracebackhide__ = hidden_in_reports

# A QR code of 600 characters has 3,500 dark modules, and at worst an element of 70 bytes for each.
MAX_BYTES: Final = 256 * 1024
MAX_ELEMENTS: Final = 20_000
MAX_DEPTH: Final = 100
# Pixels of the longer side: four for each module of the largest QR code.
SIDE: Final = 800

_LENGTH = re.compile(rf"\s*({NUMBER})\s*(px|pt|pc|mm|cm|in|%|)\s*")
_UNITS: Final = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_ROUND: Final = [index * math.pi / 8 for index in range(16)]
_INHERITED: Final = ("fill", "stroke", "stroke-width", "fill-rule", "fill-opacity", "stroke-opacity", "visibility")
_NOT_DRAWN: Final = frozenset({"defs", "symbol", "clippath", "mask", "pattern", "marker", "foreignobject"})


def draw_svg(document: str | bytes) -> Image:
    """Return a picture of an SVG document, in grey with transparency.

    Drawn are paths, rectangles, circles and polygons, filled and stroked. Style sheets are not read, and nothing that
    another element or address holds.

    Args:
        document: the document, or an `<svg>` element of a page.

    Raises:
        InvalidInput: when it is no SVG, declares entities, or is larger than any QR code.
    """
    start = document[:20].decode("latin-1") if isinstance(document, bytes) else document[:20]
    if start.lower().startswith("<!doctype html"):
        raise _is_html("<!doctype html>")
    if len(document) > MAX_BYTES:
        raise InvalidInput(f"the SVG has {len(document)} bytes; accepted are {MAX_BYTES}, more than any QR code needs")
    drawing = _Drawing()
    parser = expat.ParserCreate()
    parser.StartElementHandler = drawing.start
    parser.EndElementHandler = drawing.end
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise InvalidInput(f"the SVG is not well-formed: {error}") from None
    except InvalidInput:
        raise
    except (OverflowError, ValueError):
        raise InvalidInput("the SVG has a number or a character that nobody can draw") from None
    return drawing.picture()


def _refuse_entity(*_: object) -> NoReturn:
    # Entities grow without end, or read files.
    raise InvalidInput("the SVG declares an entity, and no QR code needs one")


def _is_html(start: str) -> InvalidInput:
    return InvalidInput(
        f"this is markup that begins with {start}, such as a page's HTML; accepted is what the page shows: its QR code "
        "as <svg …>…</svg> or the src of its <img>, its otpauth:// link, or its secret"
    )


class _Drawing:
    """Draws each element that the parser tells."""

    def __init__(self) -> None:
        self._canvas: Canvas | None = None
        self._size = (0.0, 0.0)
        # For each open element: where it draws, its style, and whether it is drawn at all.
        self._open: list[tuple[Matrix, dict[str, str], bool]] = []
        self._elements = 0

    def picture(self) -> Image:
        """Return what was drawn."""
        assert self._canvas is not None, "a well-formed document has an element"
        return self._canvas.picture()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Draw an element."""
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._open) > MAX_DEPTH:
            raise InvalidInput(
                f"the SVG has more than {MAX_ELEMENTS} elements, or {MAX_DEPTH} within each other, and no QR code has"
            )
        name = tag.rpartition(":")[2].lower()
        declarations = (pair.partition(":") for pair in attributes.get("style", "").split(";"))
        attributes = {**attributes, **{key.strip(): value.strip() for key, _, value in declarations}}
        if self._canvas is None:
            self._canvas = self._begin(name, attributes)
            matrix = self._open[-1][0]
        else:
            matrix = multiply(self._open[-1][0], transform_matrix(attributes.get("transform", "")))
            if name == "svg":
                matrix = multiply(matrix, (1, 0, 0, 1, self._across(attributes, "x"), self._down(attributes, "y")))
        _, style, drawn = self._open[-1]
        style = {**style, **{key: attributes[key] for key in _INHERITED if key in attributes}}
        drawn = drawn and name not in _NOT_DRAWN and attributes.get("display") != "none" and _seen(attributes, "")
        self._open.append((matrix, style, drawn))
        if drawn and style.get("visibility") != "hidden":
            self._draw(self._canvas, self._lines(name, attributes), matrix, style)

    def end(self, _: str) -> None:
        """Leave an element."""
        self._open.pop()

    def _begin(self, name: str, attributes: Mapping[str, str]) -> Canvas:
        if name != "svg":
            raise _is_html(f"<{name[:20]}>")
        view_box = [float(number) for number in re.findall(NUMBER, attributes.get("viewBox", ""))]
        if len(view_box) != 4:
            view_box = [0, 0, _length(attributes, "width", 300, "300"), _length(attributes, "height", 150, "150")]
        left, top, width, height = view_box
        if not all(1e-6 < side < 1e6 for side in (width, height)) or max(abs(left), abs(top)) > 1e6:
            raise InvalidInput("the SVG has no size to draw it in; accepted is a viewBox, or width and height")
        self._size = (width, height)
        scale = SIDE / max(width, height)
        self._open.append(((scale, 0, 0, scale, -left * scale, -top * scale), {}, True))
        return Canvas(max(1, round(width * scale)), max(1, round(height * scale)))

    def _lines(self, name: str, attributes: Mapping[str, str]) -> list[Line]:
        if name == "path":
            return path_lines(attributes.get("d", ""))
        if name == "rect":
            x, y = self._across(attributes, "x"), self._down(attributes, "y")
            right, bottom = x + self._across(attributes, "width"), y + self._down(attributes, "height")
            return [([(x, y), (right, y), (right, bottom), (x, bottom)], True)]
        if name in {"circle", "ellipse"}:
            x, y = self._across(attributes, "cx"), self._down(attributes, "cy")
            across, down = (self._across(attributes, "r" if name == "circle" else key) for key in ("rx", "ry"))
            return [([(x + across * math.cos(turn), y + down * math.sin(turn)) for turn in _ROUND], True)]
        if name in {"polygon", "polyline", "line"}:
            ends = " ".join(attributes.get(key, "0") for key in ("x1", "y1", "x2", "y2"))
            numbers = [float(number) for number in re.findall(NUMBER, attributes.get("points", ends))]
            return [(list(zip(numbers[::2], numbers[1::2], strict=False)), name == "polygon")]
        return []

    def _draw(self, canvas: Canvas, lines: list[Line], matrix: Matrix, style: Mapping[str, str]) -> None:
        if (grey := _grey(style, "fill", "black")) is not None:
            outlines = [[apply(matrix, point) for point in points] for points, _ in lines]
            canvas.fill(outlines, grey, even_odd=style.get("fill-rule") == "evenodd")
        if (grey := _grey(style, "stroke", "none")) is not None:
            width = _length(style, "stroke-width", self._size[0], "1")
            for points, closed in lines:
                ends = points[1:] + points[:1] if closed else points[1:]
                for begin, end in zip(points, ends, strict=False):
                    outline = stroke_outline(begin, end, width)
                    canvas.fill([[apply(matrix, point) for point in outline]], grey, even_odd=False)

    def _across(self, attributes: Mapping[str, str], name: str) -> float:
        return _length(attributes, name, self._size[0])

    def _down(self, attributes: Mapping[str, str], name: str) -> float:
        return _length(attributes, name, self._size[1])


def _length(attributes: Mapping[str, str], name: str, whole: float, default: str = "0") -> float:
    """Return a length in user units; `whole` is what 100% are."""
    match = _LENGTH.fullmatch(attributes.get(name, default))
    if match is None:
        return float(default)
    return float(match[1]) * (whole / 100 if match[2] == "%" else _UNITS[match[2]])


def _grey(style: Mapping[str, str], name: str, default: str) -> int | None:
    """Return the brightness that a shape is painted with; None when it is not painted."""
    from PIL import ImageColor

    paint = style.get(name, default).strip()
    if paint in {"none", "transparent"} or not _seen(style, f"{name}-"):
        return None
    try:
        red, green, blue, *alpha = ImageColor.getrgb(paint)
    except ValueError:  # a gradient, a variable, currentColor: what a reader takes for dark
        return 0
    return None if alpha == [0] else (red * 299 + green * 587 + blue * 114) // 1000


def _seen(attributes: Mapping[str, str], prefix: str) -> bool:
    return _length(attributes, f"{prefix}opacity", 1, "1") > 0
