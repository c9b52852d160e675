"""The check: a rule, and the function that judges a login by it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_totphog.conformance.finding import Level, Rule

if TYPE_CHECKING:
    from pytest_totphog.conformance.context import Context

__all__ = ["Check", "rule"]


@dataclass(frozen=True)
class Check:
    """A rule and its function.

    Attributes:
        rule: the rule.
        judge: returns a sentence on how the rule is kept, or raises `Broken` or `NotJudged`.
        accounts: how many fresh accounts it uses on a live clock.
        waits: how many time steps it waits for on a live clock.
        work: how many accounts it enrols, logins it begins and codes it sends where a login keeps the rule.
    """

    rule: Rule
    judge: Callable[[Context], str]
    accounts: int
    waits: int
    work: tuple[int, int, int]

    @property
    def name(self) -> str:
        """The name of the test, such as `test_V1_single_use`."""
        return f"test_{self.rule.id}_{self.judge.__name__}"


def rule(
    id: str,
    title: str,
    level: Level,
    source: str,
    section: str,
    *,
    cves: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    throttle: bool = False,
    accounts: int = 1,
    waits: int = 0,
    work: tuple[int, int, int] = (0, 0, 0),
) -> Callable[[Callable[[Context], str]], Check]:
    """Make a check of a function, whose docstring is the rule's explanation.

    Args:
        id: see `Rule`, as all up to `throttle`.
        title: see `Rule`.
        level: see `Rule`.
        source: see `Rule`.
        section: see `Rule`.
        cves: see `Rule`.
        needs: see `Rule`.
        throttle: see `Rule`.
        accounts: see `Check`.
        waits: see `Check`.
        work: see `Check`.
    """

    def checked(judge: Callable[[Context], str]) -> Check:
        explanation = inspect.cleandoc(judge.__doc__ or "")
        stated = Rule(id, title, level, source, section, explanation, cves, needs, throttle)
        return Check(stated, judge, accounts, waits, work)

    return checked
