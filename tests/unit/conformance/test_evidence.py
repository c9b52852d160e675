"""The evidence of a rule."""

from pytest_totphog.conformance.evidence import Evidence
from tests.support.threads import in_threads


def test_lines() -> None:
    """What was seen, a line each, those that repeat counted; then what was counted."""
    evidence = Evidence()
    evidence.count("logins begun")
    for outcome in ("accepted", "refused", "refused", "accepted"):
        evidence.count("codes sent")
        evidence.note(f"a code: {outcome}")
    assert evidence.lines() == (
        "a code: accepted",
        "a code: refused (2 times)",
        "a code: accepted",
        "logins begun: 1, codes sent: 4",
    )


def test_nothing() -> None:
    """There is no evidence of what was not done."""
    assert Evidence().lines() == ()


def test_several_threads() -> None:
    """None of their notes is lost."""
    evidence = Evidence()
    in_threads(8, lambda _: [evidence.note("a code: refused") for _ in range(500)])  # type: ignore[func-returns-value]  # called for what it does
    assert evidence.lines() == ("a code: refused (4000 times)",)
