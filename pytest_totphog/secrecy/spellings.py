"""Spellings: where a text shows a secret, or eight characters of it in a row, however it is written."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable
from itertools import chain, compress
from typing import Final

__all__ = ["LEAST_CHARACTERS", "Span", "Spelling", "base32", "base64", "hexadecimal"]

# Start, end, and what was added under.
Span = tuple[int, int, int]

# Eight characters of base32 are 40 bits: no other text has them by chance, and fewer are of no use to anybody.
LEAST_CHARACTERS: Final = 8
# So many characters, as one number, are looked up in an index, and what stands around them is compared.
SAMPLE: Final = 4

# What pages, URLs, JSON and terminals put between groups. A tag with another attribute may hold the secret itself.
_BETWEEN: Final = re.compile(
    rb"%20|%2D|%3D|%0A|&NBSP;|&#160;|\\[NRT]|\\XA0|\\U00A0|\x1b\[[0-9;]*M"
    rb"|</?[A-Z]+(?: CLASS=\\?[\"'][^\"'<>]*[\"'])? ?/?>"
    rb'|"\](?:,"\s*")?,\["[A-Z]+",(?:\{(?:"CLASS":"[^"]*")?\},)?"'  # an element after another in Playwright's traces
)
_HEX_PREFIX: Final = re.compile(rb"0X|\\X|%(?=[0-9A-F]{2})")
_ESCAPED_BASE64: Final = re.compile(rb"%2[BbFf]|%3[Dd]|%0[AaDd]|\\[nr]")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class Spelling:
    """A way to write keys as text, and the keys that are looked for in it.

    Args:
        prepare: makes a text of the same length in which every character counts, or is one of `between`.
        between: the characters that do not count.
        least: how many characters in a row are told.
        stride: of how many places in the text one is looked at, 2 or 4. So that every part of the least length has a
            sample in the index that begins at such a place, the index has each `every`-th sample of a key, an odd
            number up to (least - SAMPLE + 1) / stride.
    """

    def __init__(self, prepare: Callable[[bytes], bytes], between: bytes, least: int, stride: int) -> None:
        self._prepare = prepare
        self._between = between
        self._least = least
        self._stride = stride
        # What each sample is of: the key, its number, and where in the key. The second holds what has the same sample.
        self._samples: dict[int, tuple[bytes, int, int]] = {}
        self._others: dict[int, list[tuple[bytes, int, int]]] = {}

    def add(self, written: bytes, number: int) -> None:
        """Look for a key as it is written without anything between its characters; told under a number."""
        if len(written) < LEAST_CHARACTERS:
            return
        every = (min(self._least, len(written)) - SAMPLE + 1) // self._stride
        for offset in range(0, len(written) - SAMPLE + 1, every - 1 + every % 2):
            sample = _number(written[offset : offset + SAMPLE])
            part = (written, number, offset)
            if self._samples.setdefault(sample, part) is not part:
                self._others.setdefault(sample, []).append(part)

    def spans(self, text: bytes) -> list[Span]:
        """Return where a text shows one of the keys, or enough of it."""
        prepared = self._prepare(text)
        bare = prepared.translate(None, self._between)
        samples, found, reached = self._samples, [], 0
        for position in sorted(
            chain.from_iterable(
                compress(range(start, len(bare), SAMPLE), map(samples.__contains__, _numbers(bare, start)))
                for start in range(0, SAMPLE, self._stride)
            )
        ):
            if position < reached:
                continue
            sample = _number(bare[position : position + SAMPLE])
            start, end, number, written = max(
                (
                    (*_extended(bare, position, written, offset), number, written)
                    for written, number, offset in [samples[sample], *self._others.get(sample, ())]
                ),
                key=lambda span: span[1] - span[0],
            )
            if end - start >= min(self._least, len(written)):
                found.append((start, end, number))
                reached = end
        if not found:
            return []
        counts = prepared.translate(bytes(character not in self._between for character in range(256)))
        places = array("Q", compress(range(len(prepared)), counts))
        return [(places[start], places[end - 1] + 1, number) for start, end, number in found]


def base32() -> Spelling:
    """The secret as pages print it, in any case and in groups, and as it stands in URLs."""
    return Spelling(lambda text: _BETWEEN.sub(_blank, text.upper()), b" \t\r\n-=+?\"'`", LEAST_CHARACTERS, 4)


def hexadecimal() -> Spelling:
    """The key in hexadecimal digits."""
    return Spelling(lambda text: _HEX_PREFIX.sub(_blank, text.upper()), b" \t\r\n-:", 2 * LEAST_CHARACTERS, 4)


def base64() -> Spelling:
    """The key inside other bytes, as in an otpauth-migration:// URI."""
    return Spelling(lambda text: _ESCAPED_BASE64.sub(_unescaped, text).translate(_URL_SAFE), b" \t\r\n=", 12, 2)


def _extended(bare: bytes, position: int, written: bytes, offset: int) -> tuple[int, int]:
    """Return from where to where a text around a position is what is written around an offset."""
    start, end = position, position + SAMPLE
    while start and start > position - offset and bare[start - 1] == written[start - 1 - position + offset]:
        start -= 1
    while end < len(bare) and end - position + offset < len(written) and bare[end] == written[end - position + offset]:
        end += 1
    return start, end


def _number(sample: bytes) -> int:
    return int.from_bytes(sample, sys.byteorder)


def _numbers(text: bytes, start: int) -> memoryview:
    """Return a text from some place on as numbers, of as many characters each as a sample has."""
    return memoryview(text)[start : start + (len(text) - start) // SAMPLE * SAMPLE].cast("I")


def _blank(match: re.Match[bytes]) -> bytes:
    return b" " * len(match[0])


def _unescaped(match: re.Match[bytes]) -> bytes:
    character = {b"%2B": b"+", b"%2F": b"/"}.get(match[0].upper(), b" ")
    return character.ljust(len(match[0]))
