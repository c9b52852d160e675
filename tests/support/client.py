"""Werkzeug's test client, whose answers have a `json` that one may look into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug import test

__all__ = ["Answer", "Client"]


class Answer(test.TestResponse):
    """A test response whose `json` is Any: a test that looks into it fails anyway where there is none."""

    if TYPE_CHECKING:
        json: Any


class Client(test.Client):
    """Werkzeug's client with such answers."""

    def __init__(self, application: Any) -> None:
        super().__init__(application, Answer)

    if TYPE_CHECKING:

        def open(self, *arguments: Any, **options: Any) -> Answer: ...
        def get(self, *arguments: Any, **options: Any) -> Answer: ...
        def post(self, *arguments: Any, **options: Any) -> Answer: ...
        def put(self, *arguments: Any, **options: Any) -> Answer: ...
        def patch(self, *arguments: Any, **options: Any) -> Answer: ...
        def delete(self, *arguments: Any, **options: Any) -> Answer: ...
        def options(self, *arguments: Any, **options: Any) -> Answer: ...
        def head(self, *arguments: Any, **options: Any) -> Answer: ...
