"""QR codes out: the key URI as a picture (segno draws it)."""

from __future__ import annotations

import io

import segno

__all__ = ["data_uri", "png", "svg", "terminal"]


def _draw(text: str) -> segno.QRCode:
    # The lowest level is raised by segno where the picture does not grow by it.
    return segno.make(text, error="l", micro=False)


def png(text: str, scale: int = 5) -> bytes:
    """Return a QR code of `text` as a PNG picture.

    Args:
        text: what a scanner will read.
        scale: pixels a module.
    """
    out = io.BytesIO()
    _draw(text).save(out, kind="png", scale=scale)
    return out.getvalue()


def svg(text: str, scale: int = 5) -> str:
    """Return a QR code of `text` as an SVG document.

    Args:
        text: what a scanner will read.
        scale: user units a module.
    """
    # With its namespace: a page may embed the document inline, or as a picture.
    out = io.BytesIO()
    _draw(text).save(out, kind="svg", scale=scale, xmldecl=False, nl=False)
    return out.getvalue().decode("utf-8")


def data_uri(text: str, scale: int = 5) -> str:
    """Return a QR code of `text` as a `data:image/png;base64,…` URL, as pages embed it.

    Args:
        text: what a scanner will read.
        scale: pixels a module.
    """
    return _draw(text).png_data_uri(scale=scale)


def terminal(text: str) -> str:
    """Return a QR code of `text` in half blocks for a terminal; two modules, one above the other, are a character.

    Args:
        text: what a scanner will read.
    """
    out = io.StringIO()
    _draw(text).terminal(out, compact=True)
    return out.getvalue()
