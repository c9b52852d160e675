"""A failure in HTML, for the battery's page and for pytest-html."""

from __future__ import annotations

from html import escape
from typing import Any

from pytest_totphog.failures.failure import Failure
from pytest_totphog.failures.section import section

__all__ = ["block"]


def block(failure: Failure) -> dict[str, Any]:
    """Return what pytest-html shows above the log of a test: one of its "extras"."""
    return {"name": None, "format_type": "html", "content": f"<pre>{escape(section(failure))}</pre>"}
