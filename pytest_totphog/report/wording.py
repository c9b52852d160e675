"""What terminal and page say in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_totphog.conformance.finding import Measured
from pytest_totphog.conformance.odds import accepted_codes
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.errors import plural

__all__ = ["as_sentence", "counts", "duration", "headline", "printable", "step", "throttle", "window"]


def window(measured: Measured) -> str:
    """Say which time steps' codes are accepted."""
    codes = accepted_codes(measured)
    if codes is None:
        return "not measured"
    ends = sorted({measured.earliest or 0, measured.latest or 0})
    steps = f"step{'' if codes == 1 else 's'} {' to '.join(step(end) for end in ends)}"
    digits = "" if measured.digits is None else f" of {measured.digits} digits"
    life = "" if measured.period is None else f", each for {duration(codes * measured.period)}"
    return f"{steps}: {plural(codes, 'code')}{digits} accepted at a time{life}"


def step(number: int) -> str:
    """Return a time step, relative to the current one, with its sign."""
    return f"{number:+d}" if number else "0"


def throttle(subject: Subject) -> str:
    """Say after how many wrong codes guessing is throttled, for how long, and which rules show a way around it."""
    measured = subject.measured
    if measured.throttled is None:
        return "not measured"
    if not measured.throttled:
        return f"none within {measured.failures_before_throttle or 100} wrong codes"
    account, attempt = measured.failures_before_throttle, measured.failures_per_attempt
    if account is None:
        after = (
            "yes" if attempt is None else f"none of the account; an attempt ends after {plural(attempt, 'wrong code')}"
        )
    else:
        after = f"after {plural(account, 'wrong code')}{'' if attempt is None else f', {attempt} in one attempt'}"
    if measured.lockout_seconds is not None:
        after += f", for {duration(measured.lockout_seconds)}{' and growing' if measured.lockout_grows else ''}"
    if subject.avoided:
        after += f"; {' and '.join(subject.avoided)} show{'s' if len(subject.avoided) == 1 else ''} a way around it"
    return after


def duration(seconds: float) -> str:
    """Return a time in the largest unit that it is a whole number of."""
    for length, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length and seconds % length == 0:
            return plural(int(seconds // length), unit)
    return plural(seconds, "second")


def counts(subjects: Sequence[Subject]) -> str:
    """Say how many rules failed, passed and so on: `"2 failed, 1 waived, 22 passed"`."""
    numbers = Counter[str]()
    for subject in subjects:
        numbers.update(subject.counts())
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number)


def headline(subjects: Sequence[Subject]) -> str:
    """Say in one line how it went: `"25 rules on 1 login: 2 failed, 1 waived, 22 passed"`."""
    if not subjects:
        return "No rule was judged"
    rules = sum(sum(subject.counts().values()) for subject in subjects)
    return f"{plural(rules, 'rule')} on {plural(len(subjects), 'login')}: {counts(subjects)}"


def as_sentence(text: str) -> str:
    """Return a text that begins with a capital and ends with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def printable(text: str) -> str:
    """Return a text with everything escaped that would steer a terminal or turn the direction of a page."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
