"""Errors, as HTTP tells them."""

import errno

import pytest
from werkzeug.exceptions import BadGateway, BadRequest, MethodNotAllowed, NotFound, UnsupportedMediaType

from pytest_totphog.errors import (
    ClockHeld,
    ClockNotFrozen,
    CodeUnavailable,
    InvalidInput,
    ServerError,
    StoreError,
    TokenNotFound,
)
from pytest_totphog.wsgi.errors import HttpError, as_http_error


@pytest.mark.parametrize(
    ("error", "status", "message", "headers"),
    [
        (InvalidInput("digits is 5"), 400, "digits is 5", {}),
        (ClockNotFrozen("tick() moves a frozen clock"), 400, "The clock is live; freeze it first", {}),
        (ClockHeld("end that one first"), 409, "end that one first", {}),
        (StoreError("the database db failed"), 500, "Database error", {}),
        (TokenNotFound("Token not found"), 404, "Token not found", {}),
        (CodeUnavailable("none", retry_after=30), 503, "none", {"Retry-After": "30"}),
        (CodeUnavailable("none", retry_after=1.2), 503, "none", {"Retry-After": "2"}),
        (CodeUnavailable("none", retry_after=0), 503, "none", {"Retry-After": "1"}),
        (NotFound("there is no such rule"), 404, "Not found", {}),
        (MethodNotAllowed(["PUT", "GET"]), 405, "Method not allowed; accepted: GET, PUT", {"Allow": "GET, PUT"}),
        (BadRequest("details"), 400, "Bad Request", {}),
        (UnsupportedMediaType("details"), 415, "Unsupported Media Type", {}),
    ],
)
def test_an_expected_error_has_a_status(error: Exception, status: int, message: str, headers: dict[str, str]) -> None:
    """And a sentence for the client, and headers where HTTP demands them."""
    told = as_http_error(error)
    assert told is not None
    assert (told.status, told.message, told.headers) == (status, message, headers)


def test_an_http_error_is_told_as_it_is() -> None:
    """It is one already."""
    error = HttpError(418, "no coffee here", {"Retry-After": "5"})
    assert as_http_error(error) is error


@pytest.mark.parametrize("error", [ValueError("a"), KeyError("a"), ServerError("a"), BadGateway(), RuntimeError("a")])
def test_a_mistake_of_ours_is_none(error: Exception) -> None:
    """What the client could not have known is not its fault."""
    assert as_http_error(error) is None


@pytest.mark.parametrize(
    ("error", "status", "message", "retry_after"),
    [
        (StoreError("the database store.db failed: it is locked", retry_after=1), 503, "Database error", "1"),
        (StoreError("the database store.db failed: disk is full"), 500, "Database error", None),
        (OSError(errno.EMFILE, "Too many open files"), 503, "The server has too many open files", "1"),
    ],
)
def test_what_may_be_over_after_a_while(error: Exception, status: int, message: str, retry_after: str | None) -> None:
    """A client may try again; for what only somebody can mend it need not."""
    told = as_http_error(error)
    assert told is not None
    assert (told.status, told.message, told.headers.get("Retry-After")) == (status, message, retry_after)
