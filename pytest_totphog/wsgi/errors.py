"""What goes wrong between a client and an app, as HTTP tells it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from errno import EMFILE, ENFILE
from typing import Final

from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed

from pytest_totphog.errors import (
    ClockHeld,
    ClockNotFrozen,
    CodeUnavailable,
    InvalidInput,
    MissingExtra,
    StoreError,
    TokenNotFound,
)

__all__ = ["HttpError", "as_http_error"]

# Errors whose own sentence is the answer's.
_STATUSES: Final = {InvalidInput: 400, TokenNotFound: 404, ClockHeld: 409, MissingExtra: 501}


class HttpError(Exception):
    """An answer other than success.

    Args:
        status: the HTTP status code, 400 or more.
        message: a sentence for the client; no secret in it.
        headers: further response headers.
        detail: what else is known, for the people who run the server.
    """

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, *, detail: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.detail = detail


def as_http_error(error: Exception) -> HttpError | None:
    """Return how HTTP tells an expected error; None for one that is nobody's input but our mistake."""
    if isinstance(error, HttpError):
        return error
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return HttpError(status, str(error))
    if isinstance(error, ClockNotFrozen):
        return HttpError(400, "The clock is live; freeze it first")
    if (unavailable := _as_unavailable(error)) is not None:
        return unavailable
    if isinstance(error, StoreError):
        return HttpError(500, "Database error", detail=str(error))
    if isinstance(error, WerkzeugMethodNotAllowed):
        methods = sorted(error.valid_methods or ())
        return HttpError(405, f"Method not allowed; accepted: {', '.join(methods)}", {"Allow": ", ".join(methods)})
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return HttpError(error.code, "Not found" if error.code == 404 else error.name)
    return None


def _as_unavailable(error: Exception) -> HttpError | None:
    """Return how HTTP tells an error that may be over after a while."""
    detail = ""
    if isinstance(error, CodeUnavailable):
        message, seconds = str(error), error.retry_after
    elif isinstance(error, StoreError) and error.retry_after is not None:
        message, seconds, detail = "Database error", error.retry_after, str(error)
    elif isinstance(error, OSError) and error.errno in {EMFILE, ENFILE}:
        message, seconds = "The server has too many open files", 1
    else:
        return None
    return HttpError(503, message, {"Retry-After": str(max(1, math.ceil(seconds)))}, detail=detail)
