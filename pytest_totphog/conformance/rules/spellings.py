"""Spellings: what is made of right codes and must not be accepted in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.finding import NotJudged
from pytest_totphog.conformance.progress import EnrolledAccount

__all__ = ["accepted_of"]


def accepted_of(
    context: Context,
    spellings: Iterable[tuple[str, Callable[[str], Any]]],
    *,
    spent: bool = False,
    pick: Callable[[EnrolledAccount | None], tuple[EnrolledAccount, str]] | None = None,
    account: EnrolledAccount | None = None,
) -> list[str]:
    """Send what is made of right codes, a few for each, and return the names of what was accepted.

    Each account must take a right code afterwards: else its refusals may have been those of a lock. Where time can
    be moved it is used again then, since the login forgets failures that a success follows.

    Args:
        context: the rule's context.
        spellings: names, and what makes the value to be sent of a right code.
        spent: whether the right code is used up first.
        pick: gives an account, or the one given, and its right code; `unspent` unless given.
        account: one that has taken a right code, to begin with; not with `spent`.

    Raises:
        NotJudged: when right codes are refused, or nothing of it can be sent.
    """
    pick, queue, sent, found = pick or context.unspent, list(spellings), 0, list[str]()
    doubtful: list[EnrolledAccount] = []
    code = ""
    while queue:
        fresh, batch = account is None, queue[: context.progress.failures]
        if account is None or not spent:
            account, code = pick(account)
        try:
            if spent and fresh:
                context.accept(account, code)
            tried, able, accepted = _tried(context, account, code, batch)
            if accepted:
                found.append(batch[tried - 1][0])
            elif not spent:
                context.accept(account, code, "the right code itself")
            elif context.live:
                doubtful.append(account)
            else:
                account, code = pick(account)
                context.accept(account, code, "a right code afterwards")
            queue, sent = queue[tried:], sent + able
        except NotJudged:
            context.bear_fewer(fresh=fresh)
            accepted = True
        if accepted or context.live or not context.progress.reuse:
            account = None
    if not sent:
        raise NotJudged("the driver's submit() can send none of these values")
    context.confirm(*doubtful)
    return found


def _tried(
    context: Context, account: EnrolledAccount, code: str, spellings: Sequence[tuple[str, Callable[[str], Any]]]
) -> tuple[int, int, bool]:
    """Send what is made of a code, up to the first that is accepted.

    Returns:
        How many were tried, how many of them could be sent, and whether the last was accepted.
    """
    attempt, able = context.begin(account), 0
    for tried, (name, spell) in enumerate(spellings, 1):
        try:
            outcome, attempt = context.patient(account, attempt, spell(code), name)
        except NotImplementedError:
            context.evidence.note(f"{name}: cannot be sent")
            continue
        able += 1
        if outcome is Outcome.ACCEPTED:
            return tried, able, True
    return len(spellings), able, False
