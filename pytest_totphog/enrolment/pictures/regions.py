"""Regions of a screenshot that may be a QR code without a quiet zone, each with a margin put around it.

A reader finds a code by the light around it. On a page of the other colour, its dark edge and the page are one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["blur", "with_margins"]

Box: TypeAlias = tuple[int, int, int, int]

# The smallest code has 21 modules; two pixels each are the least to read.
LEAST: Final = 42
# Cells along the longer side: what a picture without a code costs grows with their square.
MOST_CELLS: Final = 160
# How many regions of a picture are looked at, and how far within each other: a card on a page, a code on a card.
MOST_REGIONS: Final = 12
DEPTH: Final = 2
# And how many pictures are made of them.
MOST: Final = 60


def with_margins(grey: Image) -> Iterator[Image]:
    """Yield the nearly square regions of a picture in grey that differ from what is around them, enlarged."""
    yield from itertools.islice(_with_margins(grey, DEPTH), MOST)


def blur(grey: Image) -> Iterator[Image]:
    """Yield a picture, and what blurs away the hairlines that browsers draw between modules that miss their pixels."""
    from PIL import ImageFilter

    yield grey
    yield from (grey.filter(ImageFilter.GaussianBlur(radius)) for radius in (1, 2))


def _with_margins(grey: Image, depth: int) -> Iterator[Image]:
    from PIL import Image, ImageOps

    regions = _regions(grey)
    for region, margin in regions:
        width, height = region.size
        if 0.8 < width / height < 1.25:
            times = max(1, 400 // width)
            for soft in blur(region):
                larger = soft.resize((width * times, height * times), Image.Resampling.NEAREST)
                yield ImageOps.expand(larger, border=max(larger.size) // 5, fill=margin)
    for region, _ in regions if depth > 1 else ():
        yield from _with_margins(region, depth - 1)


def _regions(grey: Image) -> list[tuple[Image, int]]:
    """Return what is lighter than the ground, and what is darker, with the brightness of its margin; largest first."""
    histogram = grey.histogram()
    ground = histogram.index(max(histogram))
    found: set[tuple[Box, int]] = set()
    for margin, table in (
        (255, [255 * (value > (ground + 255) // 2) for value in range(256)]),
        (0, [255 * (value < ground // 2) for value in range(256)]),
    ):
        mask = grey.point(table)
        for left, top, right, bottom in _boxes(mask):
            # A cell is larger than a pixel; the margin begins where the code ends.
            exact = mask.crop((left, top, right, bottom)).getbbox()
            if exact and min(exact[2] - exact[0], exact[3] - exact[1]) >= LEAST:
                found.add(((left + exact[0], top + exact[1], left + exact[2], top + exact[3]), margin))
    found -= {((0, 0, *grey.size), margin) for margin in (255, 0)}
    largest = sorted(found, key=lambda region: (region[0][0] - region[0][2]) * (region[0][3] - region[0][1]))
    return [(grey.crop(box), margin) for box, margin in largest[:MOST_REGIONS]]


def _boxes(mask: Image) -> Iterator[Box]:
    """Yield the boxes around what hangs together in a mask, in cells of more and more pixels, which span wider gaps."""
    cells, size = mask, 1
    while max(cells.size) > 2:
        # Halved step by step: the mean of four pixels shows one of them.
        cells = cells.reduce(2).point([0, *[255] * 255])
        size *= 2
        if size >= 4 and max(cells.size) <= MOST_CELLS:
            for left, top, right, bottom in _hanging_together(cells):
                yield left * size, top * size, right * size, bottom * size


def _hanging_together(cells: Image) -> Iterator[Box]:
    """Yield the box around each group of cells that touch, if only at a corner."""
    width = cells.width
    left_over = {place for place, value in enumerate(cells.tobytes()) if value}
    while left_over:
        group = [left_over.pop()]
        for place in group:  # which grows meanwhile
            column = place % width
            across = range(-min(1, column), 1 + (column < width - 1))
            near = {place + row * width + step for row in (-1, 0, 1) for step in across} & left_over
            left_over -= near
            group += near
        columns, rows = [place % width for place in group], [place // width for place in group]
        yield min(columns), min(rows), max(columns) + 1, max(rows) + 1
