"""A line for every request: method, path and status; no query, because tokens may stand in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["AccessLog"]


class AccessLog:
    """Tells of every request before it is answered, so that whoever has the answer finds the line.

    Args:
        app: what is wrapped.
        write: called with the line.
    """

    def __init__(self, app: WSGIApplication, write: Callable[[str], None]) -> None:
        self._app = app
        self._write = write

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")

        def start_and_tell(status: str, *rest: Any) -> Any:
            self._write(f"{environ['REQUEST_METHOD']} {path!a} {status[:3]}")
            return start_response(status, *rest)

        return self._app(environ, start_and_tell)
