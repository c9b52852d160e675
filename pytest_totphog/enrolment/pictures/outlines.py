"""Outlines: SVG's path data and transforms, as points joined by straight lines.

Source: https://www.w3.org/TR/SVG11/paths.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, TypeAlias

__all__ = ["NUMBER", "Line", "Matrix", "Point", "apply", "multiply", "path_lines", "stroke_outline", "transform_matrix"]

Point: TypeAlias = tuple[float, float]
# Points, and whether the last is joined to the first.
Line: TypeAlias = tuple[list[Point], bool]
# The numbers a to f of an affine transform: x' = ax + cy + e, y' = bx + dy + f.
Matrix: TypeAlias = tuple[float, float, float, float, float, float]

NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"

_TOKEN = re.compile(rf"[\s,]*(?:([MmZzLlHhVvCcSsQqTtAa])|({NUMBER}))")
_OPERAND = re.compile(rf"[\s,]*({NUMBER})")
_FLAG = re.compile(r"[\s,]*([01])")
_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate)\s*\(([^()]*)\)")
# Numbers after a command. After an arc's radii and rotation two flags may stand without a space: 'a1 1 0 01.5.5'.
_OPERANDS: Final = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
# Straight lines to a curve: a rounded module of a QR code is a few pixels wide.
_PIECES: Final = 4


def multiply(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the transform that does `inner` first and `outer` then."""
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f)


def apply(matrix: Matrix, point: Point) -> Point:
    """Return where a transform moves a point."""
    a, b, c, d, e, f = matrix
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def transform_matrix(text: str) -> Matrix:
    """Return what a `transform` attribute does; functions that are not known do nothing."""
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    for name, arguments in _TRANSFORM.findall(text):
        numbers = [float(number) for number in re.findall(NUMBER, arguments)]
        step: Matrix = (1, 0, 0, 1, 0, 0)
        if name == "matrix" and len(numbers) == 6:
            step = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        elif name == "translate" and numbers:
            step = (1, 0, 0, 1, numbers[0], numbers[1] if len(numbers) > 1 else 0)
        elif name == "scale" and numbers:
            step = (numbers[0], 0, 0, numbers[-1], 0, 0)
        elif name == "rotate" and numbers:
            sine, cosine = math.sin(math.radians(numbers[0])), math.cos(math.radians(numbers[0]))
            x, y = numbers[1:3] if len(numbers) == 3 else (0.0, 0.0)
            step = (cosine, sine, -sine, cosine, x - cosine * x + sine * y, y - sine * x - cosine * y)
        matrix = multiply(matrix, step)
    return matrix


def stroke_outline(begin: Point, end: Point, width: float) -> list[Point]:
    """Return the rectangle that a line of a width covers."""
    (x, y), (u, v) = begin, end
    length = math.hypot(u - x, v - y)
    if not length:
        return []
    across, down = (y - v) / length * width / 2, (u - x) / length * width / 2
    return [(x + across, y + down), (u + across, v + down), (u - across, v - down), (x - across, y - down)]


def path_lines(data: str) -> list[Line]:
    """Return the lines of a path; like browsers, it draws up to what it does not understand."""
    lines: list[Line] = []
    points: list[Point] = []
    x = y = 0.0
    control: Point | None = None
    for command, numbers in _segments(data):
        name = command.upper()
        if name == "Z":
            if points:
                lines.append((points, True))
                x, y = points[0]
                points = []
            continue
        left, top = (x, y) if command.islower() else (0.0, 0.0)
        if name == "M":
            lines.append((points, False))
            x, y = left + numbers[0], top + numbers[1]
            points = [(x, y)]
            continue
        points = points or [(x, y)]
        if name in "HV":
            x, y = (left + numbers[0], y) if name == "H" else (x, top + numbers[0])
            points.append((x, y))
        elif name == "A":
            end = (left + numbers[5], top + numbers[6])
            points += _arc((x, y), end, *numbers[:3], large=bool(numbers[3]), clockwise=bool(numbers[4]))
            x, y = end
        else:
            given = [(left + u, top + v) for u, v in zip(numbers[::2], numbers[1::2], strict=True)]
            if name in "ST":
                # The curve goes on as the one before it came in.
                given.insert(0, (2 * x - control[0], 2 * y - control[1]) if control else (x, y))
            points += _bezier([(x, y), *given]) if len(given) > 1 else given
            control = given[-2] if len(given) > 1 else None
            x, y = given[-1]
            continue
        control = None
    lines.append((points, False))
    return [line for line in lines if len(line[0]) > 1]


def _segments(data: str) -> Iterator[tuple[str, list[float]]]:
    """Yield each command with its numbers; a command that is left out is the one before it."""
    position, command = 0, ""
    while (match := _TOKEN.match(data, position)) is not None:
        if match[1]:
            command, position = match[1], match.end()
        elif command in "Zz":  # also before the first command
            return
        numbers: list[float] = []
        for index in range(_OPERANDS[command.upper()]):
            operand = (_FLAG if command in "Aa" and index in {3, 4} else _OPERAND).match(data, position)
            if operand is None:
                return
            numbers.append(float(operand[1]))
            position = operand.end()
        yield command, numbers
        command = {"M": "L", "m": "l"}.get(command, command)


def _bezier(points: list[Point]) -> list[Point]:
    """Return points of a Bézier curve of any degree (de Casteljau), without the first."""
    found = []
    for piece in range(1, _PIECES + 1):
        at, rest = piece / _PIECES, points
        while len(rest) > 1:
            rest = [(x + (u - x) * at, y + (v - y) * at) for (x, y), (u, v) in pairwise(rest)]
        found.append(rest[0])
    return found


def _arc(
    begin: Point, end: Point, across: float, down: float, rotation: float, *, large: bool, clockwise: bool
) -> list[Point]:
    """Return points of an elliptical arc, without the first (SVG 1.1 appendix F.6)."""
    across, down = abs(across), abs(down)
    if begin == end or not across or not down:
        return [end]
    turn = math.radians(rotation)
    cosine, sine = math.cos(turn), math.sin(turn)
    half_x, half_y = (begin[0] - end[0]) / 2, (begin[1] - end[1]) / 2
    # On a circle of radius 1 around the middle.
    x, y = (cosine * half_x + sine * half_y) / across, (cosine * half_y - sine * half_x) / down
    distance = x * x + y * y
    if distance > 1:
        across, down = across * math.sqrt(distance), down * math.sqrt(distance)
        x, y, distance = x / math.sqrt(distance), y / math.sqrt(distance), 1.0
    factor = math.sqrt(1 / distance - 1) * (-1 if large == clockwise else 1)
    middle_x, middle_y = factor * y, -factor * x
    first = math.atan2(y - middle_y, x - middle_x)
    sweep = math.atan2(-y - middle_y, -x - middle_x) - first
    if clockwise and sweep < 0:
        sweep += 2 * math.pi
    elif not clockwise and sweep > 0:
        sweep -= 2 * math.pi
    points = []
    for piece in range(1, _PIECES + 1):
        angle = first + sweep * piece / _PIECES
        u, v = across * (middle_x + math.cos(angle)), down * (middle_y + math.sin(angle))
        points.append(
            (cosine * u - sine * v + (begin[0] + end[0]) / 2, sine * u + cosine * v + (begin[1] + end[1]) / 2)
        )
    return points
