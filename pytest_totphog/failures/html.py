"""A failure in HTML."""

from __future__ import annotations

from html import escape
from typing import Any

from pytest_totphog.failures.failure import Failure
from pytest_totphog.failures.section import facts, labelled

__all__ = ["extra", "markup"]


def markup(failure: Failure) -> str:
    """Return the most likely causes as paragraphs, and the facts below them."""
    paragraphs = "".join(
        f'<p class="problem"><strong>{label}:</strong> {escape(cause)}</p>' for label, cause in labelled(failure)
    )
    return f"{paragraphs}<pre>{escape(facts(failure))}</pre>"


def extra(failure: Failure) -> dict[str, Any]:
    """Return what pytest-html shows with the row of a test, as it wants it."""
    return {"name": None, "format_type": "html", "content": markup(failure), "mime_type": None, "extension": None}
