"""A one-time code as it is handed out."""

from pytest_totphog.authenticator.codes import OneTimeCode

STEP = 56_843_820


def test_claimed_code_as_the_api_tells_it() -> None:
    """Instants are texts, waiting is told to the millisecond."""
    assert OneTimeCode("648307", STEP, 30, 18, 0.123_456).as_dict() == {
        "code": "648307",
        "step": 56_843_820,
        "valid_from": "2024-01-15T10:30:00+00:00",
        "expires_at": "2024-01-15T10:30:30+00:00",
        "remaining_seconds": 18,
        "period": 30,
        "waited_seconds": 0.123,
    }
