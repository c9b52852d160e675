"""Instants and durations in the words of a report."""

import pytest

from pytest_totphog.clocks.wording import duration, instant, time_of_day


def test_instant() -> None:
    """In UTC, to the second."""
    assert instant(1_705_314_600.9) == "2024-01-15T10:30:00Z"
    assert time_of_day(1_705_314_600.9) == "10:30:00Z"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (41.4, "41 s"),
        (3600, "3600 s"),
        (9000, "2.5 hours"),
        (172_800, "2 days"),
        (63_000_000, "729 days"),
        (97_371_335.9, "3.1 years"),
        (31_557_600 * 7975.4, "7975 years"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    """In seconds as long as steps are counted in them, then in what a reader can compare."""
    assert duration(seconds) == words


def test_duration_to_a_tenth() -> None:
    """A wait is shown more exactly, as long as it is one of seconds."""
    assert duration(12.34, 1) == "12.3 s"
    assert duration(97_371_335.9, 1) == "3.1 years"
