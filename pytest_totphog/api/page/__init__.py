"""The web page: tokens, codes, the clock and what was handed out, for people; all it shows comes from the API."""

from __future__ import annotations

from typing import Final

from pytest_totphog.wsgi.pages import file_route
from pytest_totphog.wsgi.routes import Route

__all__ = ["page_routes"]

_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/ui/app.css": ("app.css", "text/css"),
    "/ui/app.js": ("app.js", "text/javascript"),
    "/ui/icon.svg": ("icon.svg", "image/svg+xml"),
}


def page_routes() -> list[Route]:
    """Return the routes of the page and of the files that it needs; its URLs are relative, so it works anywhere."""
    return [file_route(path, __name__, name, mimetype) for path, (name, mimetype) in _FILES.items()]
