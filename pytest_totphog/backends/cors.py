"""Cross-origin requests (the Fetch standard's CORS), around an app."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from pytest_totphog.errors import InvalidInput, shown
from pytest_totphog.wsgi.gate import PRIVATE_HEADERS, WELCOME

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Cors"]

# As browsers send it: lower case, no path, no slash at the end.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s,A-Z]+")


class Cors:
    """Adds the headers that let pages of other origins read the answers, and answers preflight requests.

    Args:
        app: what is wrapped.
        origins: the origins that may read; `("*",)` for any, none for nobody.
        methods: the methods that a preflight allows.
        exposed: the response headers that pages may read besides those that all may.
        private: the paths that no page of another origin may read.

    Raises:
        InvalidInput: for an origin that no browser would send.
    """

    def __init__(
        self,
        app: WSGIApplication,
        origins: tuple[str, ...],
        methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE"),
        exposed: tuple[str, ...] = (),
        private: tuple[str, ...] = (),
    ) -> None:
        for origin in origins:
            if origin != "*" and _ORIGIN.fullmatch(origin) is None:
                raise InvalidInput(
                    f"the allowed origin {shown(origin)} is none that a browser sends; "
                    "accepted are '*' and origins such as 'https://app.example:8443', without a path"
                )
        self.app = app
        self._origins = origins
        self._methods = ", ".join(methods)
        self._exposed = ", ".join(exposed)
        self._private = private

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ["PATH_INFO"] in self._private:
            return self.app(environ, start_response)
        origin = self._allowed(environ.get("HTTP_ORIGIN"))
        headers = [] if origin is None else [("Access-Control-Allow-Origin", origin)]
        if self._origins and "*" not in self._origins:
            headers.append(("Vary", "Origin"))

        def start_with_headers(status: str, given: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, given + headers, *rest)

        if self._origins and _is_preflight(environ):
            if origin is not None:
                headers += [
                    ("Access-Control-Allow-Methods", self._methods),
                    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
                    ("Access-Control-Max-Age", "600"),
                ]
            return Response(status=204, headers=PRIVATE_HEADERS)(environ, start_with_headers)
        if origin is not None and self._exposed:
            headers.append(("Access-Control-Expose-Headers", self._exposed))
        return self.app(environ if origin is None else {**environ, WELCOME: True}, start_with_headers)

    def _allowed(self, origin: str | None) -> str | None:
        """Return what `Access-Control-Allow-Origin` says; None when the origin may not read."""
        if "*" in self._origins:
            return "*"
        return origin if origin in self._origins else None


def _is_preflight(environ: WSGIEnvironment) -> bool:
    # One with a body is no browser's and goes on to the app's gate, which sees that no body is left unread.
    return (
        environ["REQUEST_METHOD"] == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        and "HTTP_TRANSFER_ENCODING" not in environ
        and environ.get("CONTENT_LENGTH", "") in ("", "0")
    )
