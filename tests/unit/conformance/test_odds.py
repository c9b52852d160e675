"""The odds of a guesser, computed by hand."""

from dataclasses import replace

import pytest

from pytest_totphog.conformance.finding import Measured
from pytest_totphog.conformance.odds import Odds, accepted_codes, chance, guesses, percent, sentence

MEASURED = Measured(earliest=-1, latest=1, period=30, digits=6, failures_before_throttle=5, throttled=True)


@pytest.mark.parametrize(
    ("tried", "codes", "digits", "expected"),
    [
        (1, 1, 1, 0.1),  # one of ten
        (2, 1, 1, 0.19),  # 1 - 0.9 * 0.9
        (1, 3, 1, 0.271),  # 1 - 0.9 ** 3: three codes of which two may be the same
        (3, 2, 2, 0.058519850599),  # 1 - 0.99 ** 6
        (0, 3, 6, 0.0),
        (1, 1, 6, 0.000001),
        (36_000, 5, 6, 0.16472986376),  # 1 - 0.999999 ** 180,000
        (14_395, 3, 6, 0.04226582783),  # 1 - 0.999999 ** 43,185
        (36_000, 1, 8, 0.00035993521),  # 1 - 0.99999999 ** 36,000
    ],
)
def test_chance(tried: int, codes: int, digits: int, expected: float) -> None:
    """One minus the chance that every guess misses every accepted code; they are independent of each other."""
    assert chance(tried, codes, digits) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("seconds", "rate", "expected"), [(3600, 10, 36_000), (86_400, 10, 864_000), (3600, 0.5, 1800), (1.9, 1, 1)]
)
def test_guesses_without_throttle(seconds: float, rate: float, expected: int) -> None:
    """As many as can be sent."""
    assert guesses(seconds, rate) == expected


@pytest.mark.parametrize(
    ("seconds", "rate", "allowed", "lockout_seconds", "expected"),
    [
        (3600, 10, 5, 900, 20),  # three times 5 guesses and 900 seconds are 2,701.5 seconds; then 5 more
        (86_400, 10, 5, 900, 480),  # 95 times, and 5 more
        (2_592_000, 10, 5, 900, 14_395),  # 2,878 times, and 5 more
        (3600, 0.01, 5, 900, 15),  # twice 500 seconds of guesses and 900 of lockout, and 5 more
        (0.25, 10, 5, 900, 2),  # the first lockout has not begun
        (901, 10, 5, 900, 10),  # the second five in the half second after the first lockout
        (3600, 10, 5, 0, 36_000),  # a throttle that lasts for no time is none
    ],
)
def test_guesses_with_throttle(
    seconds: float, rate: float, allowed: int, lockout_seconds: float, expected: int
) -> None:
    """So many, a lockout, so many, a lockout."""
    assert guesses(seconds, rate, allowed, lockout_seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.16472986376, "16 %"),
        (0.0422658, "4.2 %"),
        (0.00005999823, "0.006 %"),
        (0.99, "99 %"),
        (0.9911, "over 99 %"),
        (1.0, "over 99 %"),
        (0.00000099, "under 0.0001 %"),
        (0.000001, "0.0001 %"),
        (0.0, "0 %"),
    ],
)
def test_percent(value: float, expected: str) -> None:
    """Two digits; neither a certainty that is none, nor an exponent."""
    assert percent(value) == expected


def test_accepted_codes() -> None:
    """The steps of the window, both ends included; unknown when an end is."""
    assert accepted_codes(Measured(earliest=-2, latest=2)) == 5
    assert accepted_codes(Measured(earliest=0, latest=0)) == 1
    assert accepted_codes(Measured(earliest=-1)) is None


def test_odds_of_a_login_without_throttle() -> None:
    """After an hour, a day and 30 days."""
    odds = Odds.of(Measured(earliest=-2, latest=2, digits=6, failures_before_throttle=100, throttled=False))
    assert [(each.seconds, each.guesses) for each in odds] == [
        (3600, 36_000),
        (86_400, 864_000),
        (2_592_000, 25_920_000),
    ]
    assert odds[0].chance == pytest.approx(0.16472986376, rel=1e-9)


def test_odds_of_a_login_with_two_limits() -> None:
    """A guesser meets the account's: ten codes in a quarter of an hour, however many an attempt takes."""
    measured = replace(MEASURED, failures_before_throttle=10, failures_per_attempt=5, lockout_seconds=900)
    assert [each.guesses for each in Odds.of(measured)] == [40, 960, 28770]


def test_odds_of_a_login_that_only_ends_attempts() -> None:
    """The next attempt is begun at once, so nothing is throttled."""
    measured = replace(MEASURED, failures_before_throttle=None, failures_per_attempt=5)
    assert [each.guesses for each in Odds.of(measured)] == [36_000, 864_000, 25_920_000]


@pytest.mark.parametrize("measured", [MEASURED, Measured(digits=6, throttled=False)])
def test_no_odds(measured: Measured) -> None:
    """Where the window was not measured, or nobody knows how long the throttle lasts, there is nothing to compute."""
    assert Odds.of(measured) == ()


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (
            Measured(earliest=-2, latest=2, digits=6, failures_before_throttle=100, throttled=False),
            "At 10 requests a second a guesser has 16 % after an hour, 99 % after a day and over 99 % after 30 days.",
        ),
        (
            Measured(-1, 1, 30, 6, failures_before_throttle=5, lockout_seconds=900, throttled=True),
            "At 10 requests a second a guesser has 0.006 % after an hour, 0.14 % after a day and 4.2 % after 30 days.",
        ),
        (
            Measured(-1, 1, 30, 6, failures_before_throttle=1, lockout_seconds=4, lockout_grows=True, throttled=True),
            (
                "At 10 requests a second a guesser has at most 0.26 % after an hour, 6.1 % after a day "
                "and 85 % after 30 days."
            ),
        ),
        (
            Measured(earliest=0, latest=0, digits=8),
            (
                "At 10 requests a second, were nothing throttled (not measured), a guesser has 0.036 % after an hour, "
                "0.86 % after a day and 23 % after 30 days."
            ),
        ),
        (
            MEASURED,
            "A guesser has 0.0015 % before the throttle, and how long that lasts is not known.",
        ),
        (Measured(throttled=True, failures_before_throttle=5), "The accepted window was not measured."),
    ],
    ids=[
        "no throttle",
        "throttle",
        "growing throttle",
        "throttle not measured",
        "end of throttle not measured",
        "window not measured",
    ],
)
def test_sentence(measured: Measured, expected: str) -> None:
    """What was measured decides what can be said."""
    assert sentence(measured) == expected
