"""An app: a gate, routes behind it, and one shape for every error."""

from __future__ import annotations

import string
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pytest_totphog.wsgi.errors import HttpError, as_http_error
from pytest_totphog.wsgi.gate import PRIVATE_HEADERS, Guard

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["App", "Route"]


@dataclass(frozen=True)
class Route:
    """One method of one path.

    Attributes:
        method: `"GET"` (which serves HEAD too), `"POST"`, …
        path: a Werkzeug rule such as `"/tokens/<id>"`.
        handler: called with the request and the path's arguments.
    """

    method: str
    path: str
    handler: Callable[..., Response]


class App:
    """A WSGI application made of routes.

    Args:
        routes: what it serves.
        error_body: makes the body of an error from its status and sentence.
        gate: what is refused beforehand.
    """

    def __init__(self, routes: Iterable[Route], error_body: Callable[[HttpError], Response], gate: Guard) -> None:
        self.routes = tuple(routes)
        self._error_body = error_body
        self._gate = gate
        # No redirects: a path is served or it is not, and what is refused stores nothing.
        rules = Map(merge_slashes=False, redirect_defaults=False)
        for route in self.routes:
            rules.add(Rule(route.path, methods=[route.method], endpoint=route.handler))
        # Bound once and not to a request: an `Upgrade: websocket` header would change what matches.
        self._adapter = rules.bind("localhost")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        response = self._respond(environ)
        response.headers.extend(PRIVATE_HEADERS)
        return response(environ, start_response)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        try:
            self._gate.check(environ)
            query = environ.get("QUERY_STRING", "")
            if not query.isascii():  # some clients escape nothing, and Werkzeug reads nothing else
                environ["QUERY_STRING"] = quote(query.encode("latin-1", "replace"), safe=string.printable)
            request = Request(environ, populate_request=False)
            handler, arguments = self._match(request)
            return handler(request, **arguments)
        except Exception as error:  # noqa: BLE001 -- the last door: a client gets an answer, whatever happened
            return self.refuse(error, environ)

    def refuse(self, error: Exception, environ: WSGIEnvironment) -> Response:
        """Return the answer to a request that ends with an error."""
        known = as_http_error(error)
        if known is None:
            traceback.print_exception(error, file=environ["wsgi.errors"])
            known = HttpError(500, "Internal server error")
        response = self._error_body(known)
        response.status_code = known.status
        response.headers.extend(known.headers)
        return response

    def _match(self, request: Request) -> tuple[Callable[..., Response], dict[str, Any]]:
        if request.environ["PATH_INFO"].startswith("//"):  # Werkzeug would read it as one
            raise HttpError(404, "Not found")
        endpoint, arguments = self._adapter.match(request.path, request.method)
        return endpoint, dict(arguments)
