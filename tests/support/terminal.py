"""What a terminal shows, as a picture: an SVG document of text, which needs no fonts of its own."""

import re
from html import escape

__all__ = ["svg"]

# The colours that pytest uses, on a dark ground: readable on pages of either colour.
COLOURS = {"1": "#ffffff", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff", "90": "#8b949e"}
COLOURS |= {"92": "#7ee787", "94": "#79c0ff"}
PLAIN = "#c9d1d9"
LINE_HEIGHT, LETTER_WIDTH, MARGIN = 19, 8.43, 18
SEQUENCE = re.compile(r"\x1b\[([\d;]*)m")


def svg(text: str, title: str) -> str:
    """Return a picture of a text with escape sequences for colours.

    Args:
        text: what was written.
        title: what it is, for those who do not see it.
    """
    lines = [_line(line) for line in text.rstrip("\n").split("\n")]
    width = MARGIN * 2 + round(max(len(SEQUENCE.sub("", line)) for line in text.split("\n")) * LETTER_WIDTH)
    height = MARGIN * 2 + len(lines) * LINE_HEIGHT
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + 14 + number * LINE_HEIGHT}" xml:space="preserve">{line}</text>'
        for number, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n'
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n'
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="{PLAIN}">\n'
        f"{rows}\n</g>\n</svg>\n"
    )


def _line(line: str) -> str:
    """Return the spans of a line."""
    spans, colour = [], PLAIN
    for place, part in enumerate(SEQUENCE.split(line)):
        if place % 2:
            codes = part.split(";")
            colour = next((COLOURS[code] for code in reversed(codes) if code in COLOURS), PLAIN)
        elif part:
            spans.append(escape(part) if colour == PLAIN else f'<tspan fill="{colour}">{escape(part)}</tspan>')
    return "".join(spans)
