"""A canvas that polygons are filled on, line by line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pytest_totphog.enrolment.pictures.outlines import Point
from pytest_totphog.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Canvas"]

# Edges, and rows that they cross: half a second's worth. The largest QR codes have a third of them.
MAX_CROSSINGS: Final = 300_000


class Canvas:
    """A picture in grey, transparent where nothing was filled.

    Args:
        width: pixels of a row.
        height: how many rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._grey = bytearray(width * height)
        self._alpha = bytearray(width * height)
        self._crossings = 0

    def fill(self, outlines: Sequence[Sequence[Point]], grey: int, *, even_odd: bool) -> None:
        """Fill what outlines enclose.

        Args:
            outlines: closed lines, in pixels.
            grey: 0 for black to 255 for white.
            even_odd: whether an outline within another makes a hole, whichever way it turns.

        Raises:
            InvalidInput: when more is filled than any QR code has.
        """
        for row, crossings in self._crossed(outlines).items():
            crossings.sort()
            winding = 0
            for (begin, direction), (end, _) in pairwise(crossings):
                winding = winding ^ 1 if even_odd else winding + direction
                if winding:
                    self._fill_row(row, begin, end, grey)

    def _fill_row(self, row: int, begin: float, end: float, grey: int) -> None:
        width = self._size[0]
        # A pixel is filled when its middle is inside.
        first, last = max(0, math.ceil(begin - 0.5)), min(width, math.ceil(end - 0.5))
        if first < last:
            here = slice(row * width + first, row * width + last)
            self._grey[here] = bytes((grey,)) * (last - first)
            self._alpha[here] = b"\xff" * (last - first)

    def _crossed(self, outlines: Sequence[Sequence[Point]]) -> dict[int, list[tuple[float, int]]]:
        """Return where edges cross the middle of each row, and whether downwards or upwards."""
        found: dict[int, list[tuple[float, int]]] = {}
        for outline in outlines:
            for (x, y), (u, v) in zip(outline, [*outline[1:], *outline[:1]], strict=True):
                self._count(1)
                direction = 1 if y < v else -1
                if direction < 0:
                    x, y, u, v = u, v, x, y  # noqa: PLW2901 -- an edge is looked at downwards
                first, last = max(0, math.ceil(y - 0.5)), min(self._size[1], math.ceil(v - 0.5))
                if first >= last:
                    continue
                self._count(last - first)
                slope = (u - x) / (v - y)
                for row in range(first, last):
                    found.setdefault(row, []).append((x + (row + 0.5 - y) * slope, direction))
        return found

    def _count(self, crossings: int) -> None:
        self._crossings += crossings
        if self._crossings > MAX_CROSSINGS:
            raise InvalidInput("the SVG draws more than any QR code has; take a screenshot of it instead")

    def picture(self) -> Image:
        """Return what was filled, as a picture in grey with transparency."""
        from PIL import Image

        layers = [Image.frombytes("L", self._size, bytes(layer)) for layer in (self._grey, self._alpha)]
        return Image.merge("LA", layers)
