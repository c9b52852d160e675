"""Cross-origin requests (the Fetch standard's CORS), around an app."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Cors"]


class Cors:
    """Adds the headers that let pages of other origins read the answers, and answers preflight requests.

    Args:
        app: what is wrapped.
        origins: the origins that may read; `("*",)` for any, none for nobody.
        methods: the methods that a preflight allows.
    """

    def __init__(
        self,
        app: WSGIApplication,
        origins: tuple[str, ...],
        methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE"),
    ) -> None:
        self._app = app
        self._origins = origins
        self._methods = ", ".join(methods)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        headers = self._headers(environ.get("HTTP_ORIGIN"))

        def start_with_headers(status: str, given: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, given + headers, *rest)

        preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if preflight and headers:
            allowed = [
                ("Access-Control-Allow-Methods", self._methods),
                ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
                ("Access-Control-Max-Age", "600"),
            ]
            return Response(status=204, headers=allowed)(environ, start_with_headers)
        return self._app(environ, start_with_headers)

    def _headers(self, origin: str | None) -> list[tuple[str, str]]:
        if "*" in self._origins:
            return [("Access-Control-Allow-Origin", "*")]
        vary = [("Vary", "Origin")] if self._origins else []
        if origin is not None and origin in self._origins:
            return [("Access-Control-Allow-Origin", origin), *vary]
        return vary
