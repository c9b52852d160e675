"""Pages for people, in front of an app: without its key, because they hold no secret, and with a strict policy."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.routes import App, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Pages", "file_route", "page_response"]

# Scripts and styles from files of this server only. Pictures may be made by the page (a QR code fetched with the key).
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


class Pages:
    """The WSGI app that serves some pages, and an app for all other paths.

    Args:
        app: what answers at the other paths.
        routes: the pages; their paths have no arguments.
        gate: the app's; its demand for a key does not hold for the pages.
    """

    def __init__(self, app: WSGIApplication, routes: Iterable[Route], gate: Gate) -> None:
        self.app = app
        self._pages = App(routes, _error_body, gate.for_pages())
        self._paths = {route.path for route in self._pages.routes}

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the pages."""
        return self._pages.routes

    def __contains__(self, path: str) -> bool:
        """Return whether a page is at a path."""
        return path in self._paths

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        return (self._pages if environ["PATH_INFO"] in self else self.app)(environ, start_response)


def page_response(content: str | bytes, mimetype: str) -> Response:
    """Return a page, or a file that it needs, with the headers that keep everything else out."""
    return Response(content, mimetype=mimetype, headers=HEADERS)


def file_route(path: str, package: str, name: str, mimetype: str) -> Route:
    """Return the route that serves a file of a package.

    Args:
        path: where it is served.
        package: the package that has it.
        name: the file's name there.
        mimetype: what it is.
    """

    def serve(_: Request) -> Response:
        return page_response((files(package) / name).read_bytes(), mimetype)

    return Route("GET", path, serve)


def _error_body(error: HttpError) -> Response:
    return Response(f"{error.message}\n", mimetype="text/plain", headers=HEADERS)
