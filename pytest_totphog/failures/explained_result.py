"""A result of unittest's whose failures say what may explain them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_totphog.failures.failure import Failure

__all__ = ["ExplainedResult"]

Error = tuple[type[BaseException], BaseException, "TracebackType"]


class ExplainedResult:
    """Adds the facts of a failure to its exception, as a note, and passes everything on.

    Every runner prints notes, because they are part of the traceback: also one that carries it from another process.

    Args:
        result: the runner's.
        explain: returns the facts of the running test, which failed with an error.
    """

    def __init__(self, result: Any, explain: Callable[[BaseException], Failure | None]) -> None:
        self.result = result
        self._explain = explain

    def __getattr__(self, name: str) -> Any:
        return getattr(self.result, name)

    def addError(self, test: Any, error: Error) -> None:  # noqa: N802 # unittest's name
        """Pass on an error."""
        self._add_note(error[1])
        self.result.addError(test, error)

    def addFailure(self, test: Any, error: Error) -> None:  # noqa: N802 # unittest's name
        """Pass on a failure."""
        self._add_note(error[1])
        self.result.addFailure(test, error)

    def addSubTest(self, test: Any, subtest: Any, error: Error | None) -> None:  # noqa: N802 # unittest's name
        """Pass on how a subtest ended."""
        if error is not None:
            self._add_note(error[1])
        self.result.addSubTest(test, subtest, error)

    def _add_note(self, error: BaseException) -> None:
        from pytest_totphog.failures.section import TITLE, section

        try:
            failure = self._explain(error)
        except Exception as mistake:  # noqa: BLE001 # it would hide the failure that is to be explained
            error.add_note(f"{TITLE}: the facts are not known: {type(mistake).__name__}")
            return
        if failure is not None:
            error.add_note(f"\n{f' {TITLE} '.center(80, '-')}\n{section(failure)}")
