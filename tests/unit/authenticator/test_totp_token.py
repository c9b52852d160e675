"""The token as tests use it: codes that follow a clock and are never handed out twice."""

import logging
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import freezegun
import pytest
import time_machine

from pytest_totphog import Authenticator, Clock, CodeUnavailable, InvalidCall, InvalidInput, TotpToken
from pytest_totphog.authenticator.codes import OneTimeCode, TakenCode
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.credentials import qr
from pytest_totphog.errors import StoreError
from pytest_totphog.stores.ledger import Claim, MemoryLedger
from tests.support.threads import in_threads
from tests.support.vectors import RFC_6238, RFC_SECRETS

SECRET = "JBSWY3DPEHPK3PXP"
HALF_PAST_TEN = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
SECONDS = 1_705_314_600
STEP = 56_843_820


@pytest.fixture
def authenticator() -> Authenticator:
    """An authenticator whose clock stands at 2024-01-15T10:30:00Z, the start of a step."""
    clock = Clock()
    clock.freeze(HALF_PAST_TEN)
    return Authenticator(clock, holder=lambda: "test_login")


@pytest.fixture
def token(authenticator: Authenticator) -> TotpToken:
    """Alice's token."""
    return authenticator.add(authenticator.make(name="alice", secret=SECRET))


@pytest.fixture
def live() -> Authenticator:
    """An authenticator whose clock follows the system's time."""
    return Authenticator(holder=lambda: "test_login")


# Codes as in pyotp


@pytest.mark.parametrize(("seconds", "algorithm", "code"), RFC_6238)
def test_rfc_6238_appendix_b(authenticator: Authenticator, seconds: int, algorithm: str, code: str) -> None:
    """The values of TOTP: each algorithm has a key of its own length."""
    token = authenticator.make(name="a", secret=RFC_SECRETS[algorithm], digits=8, algorithm=algorithm)
    assert token.at(seconds) == code


def test_current_code_follows_the_clock(authenticator: Authenticator, token: TotpToken) -> None:
    """It changes with the step, and asking for it spends nothing."""
    assert [token.now(), token.now()] == ["648307", "648307"]

    authenticator.clock.tick(29.999_999)
    assert token.now() == "648307"

    authenticator.clock.next_step()
    assert token.now() == "764426"


@pytest.mark.parametrize(
    "when", [SECONDS, "1705314629.9", "2024-01-15T10:30:29Z", HALF_PAST_TEN, HALF_PAST_TEN + timedelta(seconds=29)]
)
def test_code_of_another_time(authenticator: Authenticator, token: TotpToken, when: Any) -> None:
    """Whatever is a point in time, wherever the clock stands."""
    authenticator.clock.move_to("2030-01-01T00:00:00Z")

    assert token.at(when) == "648307"


@pytest.mark.parametrize("when", ["2024-01-15T10:30:00", HALF_PAST_TEN.replace(tzinfo=None)])
def test_code_of_a_time_without_a_zone_is_refused(token: TotpToken, when: Any) -> None:
    """The error says what to write instead."""
    with pytest.raises(InvalidInput, match=r"has no time zone.*; (append 'Z'|give it one)"):
        token.at(when)


@pytest.mark.parametrize(("seconds", "remaining"), [(0, 30), (0.5, 30), (1, 29), (29, 1), (29.9, 1), (30, 30)])
def test_remaining_seconds(authenticator: Authenticator, token: TotpToken, seconds: float, remaining: int) -> None:
    """From 1 to the period: a begun second counts whole."""
    authenticator.clock.tick(seconds)

    assert token.remaining_seconds == remaining


# Verifying


@pytest.mark.parametrize(
    ("code", "window", "accepted"),
    [
        ("648307", 0, True),
        ("286522", 0, False),
        ("764426", 0, False),
        ("286522", 1, True),
        ("764426", 1, True),
        ("812434", 1, False),
        ("812434", 2, True),
        ("000000", 10, False),
        ("", 0, False),
        ("64830", 0, False),
        ("6483070", 0, False),
        ("0648307", 0, False),
        ("648307 ", 0, False),
        ("648 307", 0, False),
        ("648307\n", 0, False),
        ("６４８３０７", 0, False),  # noqa: RUF001 - full-width on purpose
        ("٦٤٨٣٠٧", 0, False),
        ("\ud800", 0, False),
    ],
)
def test_verifying(token: TotpToken, code: str, window: int, accepted: bool) -> None:
    """As a strict verifier would: ASCII digits of the exact length, of a step within the window."""
    assert token.verify(code, window) is accepted


def test_verifying_spends_nothing(token: TotpToken) -> None:
    """The code can be verified again, and handed out after."""
    assert token.verify("648307")
    assert token.verify("648307")
    assert token.one_time_code() == "648307"


def test_verifying_at_the_first_step_of_the_epoch(authenticator: Authenticator, token: TotpToken) -> None:
    """There are no steps before it."""
    authenticator.clock.move_to(0)

    assert token.verify(issuer_of(token).token.code_at_step(0), window=1000)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (648307, "code is of type int; accepted is a string of digits"),
        (b"648307", "code is of type bytes; accepted is a string of digits"),
        (None, "code is missing; accepted is a string of digits"),
    ],
)
def test_code_that_is_no_string_is_refused(token: TotpToken, code: Any, message: str) -> None:
    """A number has lost its leading zeros: that is a mistake of the test, not of the one who typed."""
    for check in (token.verify, token.explain):
        with pytest.raises(InvalidInput) as caught:
            check(code)
        assert str(caught.value) == message


@pytest.mark.parametrize("window", [-1, 1001, 1.0, True, "1", None])
def test_window_that_is_no_number_of_steps_is_refused(token: TotpToken, window: Any) -> None:
    """The message says what is accepted."""
    for check in (lambda: token.verify("648307", window), lambda: token.wrong_code(window)):
        with pytest.raises(InvalidInput, match=r"^window is .+; accepted are 0 to 1000 steps$"):
            check()


@pytest.mark.parametrize("argument", ["valid_window", "for_time"])
def test_pyotps_names_are_answered_with_advice(token: TotpToken, argument: str) -> None:
    """The error says what they are here."""
    with pytest.raises(InvalidCall, match=f"^verify.. does not take {argument}; pyotp's valid_window is window here"):
        token.verify("648307", **{argument: 1})  # type: ignore[arg-type]  # which is what the error is about


# One-time codes under a frozen clock


def test_first_code_is_the_current_one(authenticator: Authenticator, token: TotpToken) -> None:
    """It is there at once, and the clock need not move."""
    assert token.one_time_code() == "648307"
    assert authenticator.clock.now() == HALF_PAST_TEN


def test_second_code_is_the_next_steps(authenticator: Authenticator, token: TotpToken) -> None:
    """The clock moves on to where it is the current one, so the app under test accepts it."""
    token.one_time_code()

    assert token.one_time_code() == "764426"
    assert authenticator.clock.now() == HALF_PAST_TEN + timedelta(seconds=30)
    assert token.now() == "764426"


def test_every_code_is_of_a_later_step(token: TotpToken) -> None:
    """A verifier remembers the last step and accepts only later ones."""
    steps = [issuer_of(token).claim().step for _ in range(10)]

    assert steps == list(range(STEP, STEP + 10))


def test_two_tokens_with_one_secret_share_their_steps(authenticator: Authenticator, token: TotpToken) -> None:
    """They are one account, however its secret was written."""
    twin = authenticator.make(name="alice again", secret="jbsw y3dp ehpk 3pxp", algorithm="SHA-1")

    assert [token.one_time_code(), twin.one_time_code(), token.one_time_code()] == ["648307", "764426", "812434"]


@pytest.mark.parametrize("digits", [7, 8])
def test_tokens_that_differ_in_digits_share_their_steps(
    authenticator: Authenticator, token: TotpToken, digits: int
) -> None:
    """The code of six digits is the end of the longer one: whoever has seen the one can type the other."""
    longer = authenticator.make(name="alice", secret=SECRET, digits=digits)

    assert [issuer_of(token).claim().step, issuer_of(longer).claim().step, issuer_of(token).claim().step] == [
        STEP,
        STEP + 1,
        STEP + 2,
    ]
    assert issuer_of(longer).token.code_at_step(STEP).endswith(issuer_of(token).token.code_at_step(STEP))


def test_tokens_with_other_secrets_or_shapes_share_nothing(authenticator: Authenticator, token: TotpToken) -> None:
    """Each has the current step of its own, and the clock stands still."""
    others = [authenticator.make(name="alice", secret=SECRET, algorithm="sha256"), authenticator.make(name="bob")]

    assert token.one_time_code() == "648307"
    assert [issuer_of(other).claim().step for other in others] == [STEP, STEP]
    assert authenticator.clock.now() == HALF_PAST_TEN


def test_code_after_the_clock_went_back(authenticator: Authenticator, token: TotpToken) -> None:
    """The clock moves past the last step spent: an app that saw it locks the account for an earlier one."""
    authenticator.clock.move_to("2024-01-15T12:00:00Z")
    spent = issuer_of(token).claim().step
    authenticator.clock.move_to(HALF_PAST_TEN)

    assert issuer_of(token).claim().step == spent + 1
    assert authenticator.clock.now() == datetime(2024, 1, 15, 12, 0, 30, tzinfo=UTC)


def test_code_after_the_clock_went_forward(authenticator: Authenticator, token: TotpToken) -> None:
    """The steps between are nobody's: the current one is free."""
    token.one_time_code()
    authenticator.clock.move_to("2024-01-15T12:00:10Z")

    assert issuer_of(token).claim().step == STEP + 180
    assert authenticator.clock.now() == datetime(2024, 1, 15, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("elapsed", "min_remaining", "step", "moved_to"),
    [
        # Ten seconds unless said; exactly as many are enough.
        (20, None, STEP, 20),
        (20.000_001, None, STEP + 1, 30),
        (29, 0, STEP, 29),
        (29.999_999, 0, STEP, 29.999_999),
        (5, 25, STEP, 5),
        (5.5, 25, STEP + 1, 30),
        (5.5, 24.5, STEP, 5.5),
        # A whole period is left within a step's first half second, where `remaining_seconds` says so.
        (0, 30, STEP, 0),
        (0.5, 30, STEP, 0.5),
        (1, 30, STEP + 1, 30),
    ],
)
def test_code_has_time_to_live(
    authenticator: Authenticator,
    token: TotpToken,
    elapsed: float,
    min_remaining: float | None,
    step: int,
    moved_to: float,
) -> None:
    """A code that is about to expire is left alone, and the clock moves to the next one's start."""
    authenticator.clock.tick(elapsed)

    claimed = issuer_of(token).claim(min_remaining)

    assert claimed.step == step
    assert authenticator.clock.time() == SECONDS + moved_to
    assert claimed.remaining_seconds >= (10 if min_remaining is None else min_remaining)


@pytest.mark.parametrize(("elapsed", "step"), [(3, STEP * 5), (3.001, STEP * 5 + 1)])
def test_short_periods_ask_for_half_of_them(authenticator: Authenticator, elapsed: float, step: int) -> None:
    """Ten seconds cannot be had of a step of six; half of it can."""
    token = authenticator.make(name="alice", period=6)
    authenticator.clock.tick(elapsed)

    assert issuer_of(token).claim().step == step


@pytest.mark.parametrize(
    ("default", "given", "period", "elapsed", "step"),
    [
        # Given to the authenticator, it is asked for of every code ...
        (20, None, 30, 10, STEP),
        (20, None, 30, 10.001, STEP + 1),
        (0, None, 30, 29.9, STEP),
        # ... unless its taker says otherwise ...
        (20, 5, 30, 25, STEP),
        (0, 20, 30, 10.001, STEP + 1),
        # ... and of a shorter period all of it.
        (20, None, 6, 0.5, STEP * 5),
        (20, None, 6, 0.6, STEP * 5 + 1),
    ],
)
def test_lifetime_unless_said(default: float, given: float | None, period: int, elapsed: float, step: int) -> None:
    """A project whose app is slow asks for more in one place."""
    clock = Clock()
    clock.freeze(HALF_PAST_TEN + timedelta(seconds=elapsed))
    token = Authenticator(clock, min_remaining=default).make(name="alice", secret=SECRET, period=period)

    assert issuer_of(token).claim(given).step == step


def test_every_code_that_is_given_is_told(authenticator: Authenticator, token: TotpToken) -> None:
    """To whoever records them: by what, and of which step; not those that were not to be had."""
    told: list[TakenCode] = []
    authenticator.on_code = told.append

    codes = [token.one_time_code(), token.now(), token.at(0), token.expired_code(), token.future_code()]
    codes += [token.wrong_code(), issuer_of(token).claim(lookahead=1, holder="bob").code]
    with pytest.raises(InvalidInput):
        issuer_of(token).claim(min_remaining=31)

    assert [code.code for code in told] == codes
    assert [(code.by, code.step, code.holder) for code in told] == [
        ("one_time_code()", STEP, None),
        ("now()", STEP, None),
        ("at()", 0, None),
        ("expired_code()", STEP - 2, None),
        ("future_code()", STEP + 2, None),
        ("wrong_code()", None, None),
        ("one_time_code()", STEP + 1, "bob"),
    ]
    assert {code.moment for code in told} == {SECONDS * 1_000_000_000}
    assert [code.waited_seconds for code in told] == [0.0, None, None, None, None, None, 0.0]


def test_lookahead_offers_the_next_step_at_once(authenticator: Authenticator, token: TotpToken) -> None:
    """For verifiers that accept it: two codes without moving the clock, the third moves it by one step."""
    first, second = (issuer_of(token).claim(lookahead=1).step for _ in range(2))
    assert (first, second) == (STEP, STEP + 1)
    assert authenticator.clock.now() == HALF_PAST_TEN

    assert issuer_of(token).claim(lookahead=1).step == STEP + 2
    assert authenticator.clock.now() == HALF_PAST_TEN + timedelta(seconds=30)


def test_lookahead_passes_over_a_code_that_is_about_to_expire(authenticator: Authenticator, token: TotpToken) -> None:
    """The next one is good now and for longer."""
    authenticator.clock.tick(25)

    assert token.one_time_code(lookahead=1) == "764426"
    assert authenticator.clock.now() == HALF_PAST_TEN + timedelta(seconds=25)


def test_frozen_clock_has_no_timeout(token: TotpToken) -> None:
    """Nothing is waited for, so there is always time."""
    assert [token.one_time_code(timeout=0) for _ in range(3)] == ["648307", "764426", "812434"]


def test_threads_never_get_the_same_code(token: TotpToken) -> None:
    """Eight threads take five codes each: forty steps, none of them twice."""
    steps = in_threads(8, lambda _: [issuer_of(token).claim().step for _ in range(5)])

    assert sorted(step for each in steps for step in each) == list(range(STEP, STEP + 40))


def test_claimed_code_has_its_facts(authenticator: Authenticator, token: TotpToken) -> None:
    """All from one reading of the clock; the ledger says who has it."""
    authenticator.clock.tick(12.5)

    claimed = issuer_of(token).claim(holder="job 7")

    assert claimed == OneTimeCode("648307", STEP, 30, 18, claimed.waited_seconds)
    assert claimed.waited_seconds >= 0
    last = authenticator.ledger.last(issuer_of(token).token.fingerprint)
    assert last is not None
    assert (last.step, last.holder, last.claimed_at) == (STEP, "job 7", SECONDS + 12.5)


def test_last_code_of_the_year_9999(authenticator: Authenticator, token: TotpToken) -> None:
    """Its step ends after the last datetime there is; the code can be had and told all the same."""
    authenticator.clock.move_to("9999-12-31T23:59:45Z")

    assert issuer_of(token).claim().as_dict()["expires_at"] == "9999-12-31T23:59:59.999999+00:00"
    with pytest.raises(InvalidInput, match="the clock cannot move past the year 9999"):
        token.one_time_code()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_remaining": 30.1}, "min_remaining is 30.1; accepted are 0 to 30 seconds, the token's period"),
        ({"min_remaining": 90_000}, "min_remaining is 90000; accepted are 0 to 86400 seconds"),
        ({"min_remaining": -1}, "min_remaining is -1; accepted are 0 to 86400 seconds"),
        ({"min_remaining": float("nan")}, "min_remaining is nan; accepted are 0 to 86400 seconds"),
        ({"min_remaining": True}, "min_remaining is True; accepted are 0 to 86400 seconds"),
        ({"min_remaining": "10"}, "min_remaining is '10'; accepted are 0 to 86400 seconds"),
        ({"lookahead": -1}, "lookahead is -1; accepted are 0 to 1000 steps"),
        ({"lookahead": 1001}, "lookahead is 1001; accepted are 0 to 1000 steps"),
        ({"lookahead": 1.0}, "lookahead is 1.0; accepted are 0 to 1000 steps"),
        ({"lookahead": True}, "lookahead is True; accepted are 0 to 1000 steps"),
        ({"timeout": -1}, "timeout is -1; accepted are 0 to 86400 seconds"),
        ({"timeout": float("inf")}, "timeout is inf; accepted are 0 to 86400 seconds"),
        ({"timeout": "90"}, "timeout is '90'; accepted are 0 to 86400 seconds"),
        ({"holder": ""}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"holder": "a\nb"}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"holder": "a" * 501}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"holder": 7}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
    ],
)
def test_refused_argument_spends_nothing(
    authenticator: Authenticator, token: TotpToken, arguments: dict[str, Any], message: str
) -> None:
    """The message says what is accepted, and the step is still there."""
    with pytest.raises(InvalidInput) as caught:
        issuer_of(token).claim(**arguments)

    assert str(caught.value) == message
    assert authenticator.ledger.last(issuer_of(token).token.fingerprint) is None


# One-time codes on a live clock. `time_machine` stops the system's time where a sentence is to be literal.


@time_machine.travel("2024-01-15T10:30:12+00:00")
def test_no_code_in_time_names_the_holder(live: Authenticator) -> None:
    """Who waits in vain learns who has the step, and how long the next one takes."""
    token = live.make(name="alice", secret=SECRET)
    issuer_of(token).claim(holder="gw1 test_login")

    with pytest.raises(CodeUnavailable) as caught:
        token.one_time_code(timeout=0)

    assert str(caught.value) == (
        "no unspent code of 'alice' in time: the next one begins in 18.0 s, and the time-out is in 0.0 s; "
        "step 56843820 was handed to gw1 test_login just now. "
        "Allow a longer timeout, take another account, or freeze the clock"
    )
    assert caught.value.retry_after == pytest.approx(18.0, abs=1)


@time_machine.travel("2024-01-15T10:30:25+00:00")
def test_no_code_in_time_because_the_step_ends(live: Authenticator) -> None:
    """Nobody holds the step then, so nobody is named, and the step is not spent."""
    token = live.make(name="alice", secret=SECRET)
    live.ledger.claim(issuer_of(token).token.fingerprint, STEP - 1, STEP - 1, holder="test_before", claimed_at=SECONDS)

    with pytest.raises(CodeUnavailable) as caught:
        token.one_time_code(timeout=4.5)

    assert str(caught.value) == (
        "no unspent code of 'alice' in time: the next one begins in 5.0 s, and the time-out is in 4.5 s. "
        "Allow a longer timeout, take another account, or freeze the clock"
    )
    assert caught.value.retry_after == pytest.approx(5.0, abs=1)
    assert token.one_time_code(min_remaining=4, timeout=0) == "648307"


@time_machine.travel("2026-06-01T12:30:00+00:00")
def test_no_code_because_of_a_clock_that_was_frozen_ahead(live: Authenticator) -> None:
    """It says at once who froze the clock how far ahead, and what to do."""
    token = live.make(name="alice", secret=SECRET)
    live.clock.freeze("2030-01-01T00:00:00Z")
    issuer_of(token).claim(holder="gw1 test_login")
    live.clock.unfreeze()

    with pytest.raises(CodeUnavailable) as caught:
        token.one_time_code(timeout=0)

    assert str(caught.value) == (
        "no unspent code of 'alice': gw1 test_login took the code of step 63115200 on a clock frozen 3.6 years ahead, "
        "at 2030-01-01T00:00:00Z, and an app that remembers it accepts later ones only. "
        "If the app forgets used codes between tests, as with a fresh database for each, say so: "
        'ini totphog_replay_scope = function, @pytest.mark.totp_replay_scope("function"), or totp_replay_scope = '
        '"function" in a TotpTestCase. '
        "Else take another account, or freeze the clock here too"
    )


def _as_freezegun() -> AbstractContextManager[object]:
    return freezegun.freeze_time("2024-01-15T10:30:12Z")


def _as_time_machine() -> AbstractContextManager[object]:
    return time_machine.travel("2024-01-15T10:30:12+00:00", tick=False)


def _as_a_mock() -> AbstractContextManager[object]:
    return mock.patch("time.time_ns", return_value=1_705_314_612_000_000_000)


@pytest.mark.parametrize(
    ("stopped", "by"),
    [(_as_freezegun, "freezegun"), (_as_time_machine, "time-machine"), (_as_a_mock, "something else")],
)
def test_time_that_somebody_else_stopped(
    live: Authenticator, stopped: Callable[[], AbstractContextManager[object]], by: str
) -> None:
    """A code without a wait is given, and whatever would need one fails at once, spends nothing, and says why."""
    day = 86_400  # a wait would be one of hours
    token = live.make(name="alice", secret=SECRET, period=day)
    with stopped():
        step = issuer_of(token).claim(timeout=day).step

        for wait in (
            lambda: token.one_time_code(timeout=day),
            lambda: token.one_time_code(min_remaining=day, timeout=day),
            lambda: issuer_of(token).wait_for_remaining(day, timeout=day),
        ):
            with pytest.raises(CodeUnavailable, match=rf"^time is stopped by {by}, not by frozen_clock; a wait for"):
                wait()

        assert live.ledger.find(issuer_of(token).token.fingerprint, step + 1) is None


def test_live_clock_is_waited_for(live: Authenticator) -> None:
    """Three codes of a token with steps of a second: each is handed out when its step has begun, none twice."""
    token = live.make(name="alice", period=1)

    steps = []
    for _ in range(3):
        claimed = issuer_of(token).claim(timeout=30)
        assert live.clock.time() >= claimed.step
        steps.append(claimed.step)

    assert steps == sorted(set(steps))


class PatientClock(Clock):
    """A live clock by which no real time passes: it shows an instant, and waiting moves it there."""

    def __init__(self, at: datetime) -> None:
        """Stand at an instant."""
        super().__init__()
        self._moment = round(at.timestamp() * 1_000_000_000)

    def time_ns(self) -> int:
        """Return the instant."""
        return self._moment

    def monotonic(self) -> float:
        """Return it in seconds, as if the process had begun with the epoch."""
        return self._moment / 1_000_000_000

    def wait_until(self, when: int, timeout: float, unless: Callable[[], bool] = lambda: False) -> bool:
        """Move to the instant, or as far as the time-out reaches."""
        self._moment = min(when, self._moment + round(timeout * 1_000_000_000))
        return self._moment == when


def test_waiting_is_told() -> None:
    """A code that had to be waited for says how long; the next one is counted anew."""
    token = Authenticator(PatientClock(HALF_PAST_TEN + timedelta(seconds=12))).make(name="alice", secret=SECRET)

    claims = [issuer_of(token).claim(timeout=30) for _ in range(3)]

    assert [claim.step for claim in claims] == [STEP, STEP + 1, STEP + 2]
    assert [claim.waited_seconds for claim in claims] == [0, 18, 30]
    assert [claim.remaining_seconds for claim in claims] == [18, 30, 30]


def test_longest_wait_for_a_code_is_the_default_timeout() -> None:
    """A step that is more than ninety seconds away is not waited for, and refused at once."""
    clock = PatientClock(HALF_PAST_TEN)
    token = Authenticator(clock).make(name="alice", secret=SECRET)
    for _ in range(4):
        issuer_of(token).claim(lookahead=3)

    with pytest.raises(CodeUnavailable, match=r"the next one begins in 120\.0 s, and the time-out is in 90\.0 s"):
        token.one_time_code()

    assert clock.now() == HALF_PAST_TEN


def test_timeout_unless_said() -> None:
    """A project that would rather fail than wait says so in one place, and a test may be more patient."""
    token = Authenticator(PatientClock(HALF_PAST_TEN), timeout=29).make(name="alice", secret=SECRET)
    token.one_time_code()

    with pytest.raises(CodeUnavailable, match=r"the next one begins in 30\.0 s, and the time-out is in 29\.0 s"):
        token.one_time_code()

    assert issuer_of(token).claim(timeout=30).step == STEP + 1


def test_wait_is_logged_at_its_start(caplog: pytest.LogCaptureFixture) -> None:
    """One line for each wait of more than a second, so that nobody thinks that pytest hangs; none on a frozen clock."""
    authenticator = Authenticator(PatientClock(HALF_PAST_TEN + timedelta(seconds=12)), holder=lambda: "test_login")
    token = authenticator.make(name="alice", secret=SECRET)
    with caplog.at_level(logging.INFO, "pytest_totphog"):
        for _ in range(3):
            token.one_time_code()
        authenticator.clock.freeze(HALF_PAST_TEN)
        token.one_time_code()

    assert caplog.messages == ["waiting 18 s for the next step of alice", "waiting 30 s for the next step of alice"]


def test_short_wait_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody notices it."""
    authenticator = Authenticator(PatientClock(HALF_PAST_TEN + timedelta(seconds=29)), holder=lambda: "test_login")
    token = authenticator.make(name="alice", secret=SECRET)
    with caplog.at_level(logging.INFO, "pytest_totphog"):
        token.one_time_code()

    assert caplog.messages == []


class InterruptedClock(PatientClock):
    """A clock by which the first wait is interrupted, as signals do it."""

    def __init__(self, at: datetime, error: BaseException) -> None:
        """Raise an error in the first wait."""
        super().__init__(at)
        self._errors = [error]

    def wait_until(self, when: int, timeout: float, unless: Callable[[], bool] = lambda: False) -> bool:
        """Be interrupted, once."""
        if self._errors:
            raise self._errors.pop()
        return super().wait_until(when, timeout, unless)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), pytest.fail.Exception("Timeout >1.0s"), TimeoutError(), SystemExit(1)]
)
def test_interrupted_wait_gives_its_step_back(error: BaseException) -> None:
    """Nobody was given the code: the next one who asks gets it, and the error says what was going on."""
    authenticator = Authenticator(InterruptedClock(HALF_PAST_TEN, error), holder=lambda: "test_login")
    token = authenticator.make(name="alice", secret=SECRET)
    assert issuer_of(token).claim().step == STEP

    with pytest.raises(type(error)) as caught:
        token.one_time_code()

    assert caught.value is error
    assert error.__notes__ == ["was waiting 0 s for the next step of alice"]
    last = authenticator.ledger.last(issuer_of(token).token.fingerprint)
    assert last is not None
    assert last.step == STEP
    assert issuer_of(token).claim().step == STEP + 1


def test_interrupted_wait_with_others_behind_it() -> None:
    """They keep what they have, and steps go on only forwards."""
    authenticator = Authenticator(InterruptedClock(HALF_PAST_TEN, KeyboardInterrupt()), holder=lambda: "test_login")
    token = authenticator.make(name="alice", secret=SECRET)
    token.one_time_code()

    class Behind(MemoryLedger):
        def give_back(self, claim: Claim) -> None:
            self.claim(claim.fingerprint, 0, STEP + 2, holder="test_admin", claimed_at=SECONDS)
            super().give_back(claim)

    authenticator.ledger = Behind()
    authenticator.ledger.claim(issuer_of(token).token.fingerprint, STEP, STEP, holder="test_login", claimed_at=SECONDS)
    with pytest.raises(KeyboardInterrupt):
        token.one_time_code()

    assert issuer_of(token).claim().step == STEP + 3


def test_ledger_that_fails_does_not_hide_what_interrupted() -> None:
    """A step that cannot be given back is lost, which costs its time, and no more."""

    class Gone(MemoryLedger):
        def give_back(self, claim: Claim) -> None:
            raise StoreError(f"the ledger of {claim.fingerprint} failed")

    authenticator = Authenticator(InterruptedClock(HALF_PAST_TEN, KeyboardInterrupt()), ledger=Gone())
    token = authenticator.make(name="alice", secret=SECRET)
    token.one_time_code()

    with pytest.raises(KeyboardInterrupt):
        token.one_time_code()


def test_waiting_in_line() -> None:
    """Whoever comes while others wait gets the step after theirs, and waits for that one only."""
    clock = PatientClock(HALF_PAST_TEN)
    token = Authenticator(clock).make(name="alice", secret=SECRET)
    for holder in ("gw0 test_login", "gw1 test_login", "gw2 test_login"):
        issuer_of(token).keeper.ledger.claim(
            issuer_of(token).token.fingerprint, STEP, STEP + 3, holder=holder, claimed_at=SECONDS
        )

    claimed = issuer_of(token).claim(timeout=90)

    assert (claimed.step, claimed.code, claimed.waited_seconds) == (STEP + 3, "807191", 90)


def test_line_too_long_for_the_timeout_names_who_stands_in_it() -> None:
    """Nobody waits for a step that comes too late: the error comes at once, names the holders, and spends nothing."""
    clock = PatientClock(HALF_PAST_TEN)
    token = Authenticator(clock).make(name="alice", secret=SECRET)
    for number in range(3):
        issuer_of(token).keeper.ledger.claim(
            issuer_of(token).token.fingerprint, STEP, STEP + 3, holder=f"gw{number}", claimed_at=SECONDS
        )

    with pytest.raises(CodeUnavailable) as caught:
        token.one_time_code(timeout=89)

    assert str(caught.value) == (
        "no unspent code of 'alice' in time: the next one begins in 90.0 s, and the time-out is in 89.0 s; "
        "step 56843820 was handed to gw0 just now; step 56843821 was handed to gw1 just now; "
        "step 56843822 was handed to gw2 just now. "
        "Allow a longer timeout, take another account, or freeze the clock"
    )
    assert clock.now() == HALF_PAST_TEN
    assert issuer_of(token).claim(timeout=90).step == STEP + 3


def test_long_line_is_not_named_whole() -> None:
    """Of a hundred holders the five that come last are named: they tell how long the line is."""
    token = Authenticator(PatientClock(HALF_PAST_TEN)).make(name="alice", secret=SECRET)
    for number in range(100):
        issuer_of(token).keeper.ledger.claim(
            issuer_of(token).token.fingerprint, STEP, STEP + 99, holder=f"gw{number}", claimed_at=SECONDS
        )

    with pytest.raises(CodeUnavailable) as caught:
        token.one_time_code()

    assert re.findall(r"gw\d+", str(caught.value)) == ["gw95", "gw96", "gw97", "gw98", "gw99"]


class LateClock(PatientClock):
    """A clock by which every wait ends some seconds after the time waited for."""

    def __init__(self, at: datetime, delays: list[float]) -> None:
        """Be late by so much, the first time, the second, ..., and then no more."""
        super().__init__(at)
        self._delays = delays

    def wait_until(self, when: int, timeout: float, unless: Callable[[], bool] = lambda: False) -> bool:
        """Move to the instant, and further."""
        arrived = super().wait_until(when, timeout, unless)
        self._moment += round(self._delays.pop(0) * 1_000_000_000) if self._delays else 0
        return arrived


def test_waking_too_late_for_the_claimed_step() -> None:
    """A machine that stood still for a minute: the code would have expired, so the next one is waited for."""
    token = Authenticator(LateClock(HALF_PAST_TEN + timedelta(seconds=25), [65])).make(name="alice", secret=SECRET)

    claimed = issuer_of(token).claim(timeout=150)

    assert (claimed.step, claimed.remaining_seconds, claimed.waited_seconds) == (STEP + 3, 25, 70)


class FarLedger(MemoryLedger):
    """A ledger whose answers take some seconds."""

    def __init__(self, clock: PatientClock, seconds: float) -> None:
        """Take so long by that clock."""
        super().__init__()
        self._users, self._seconds = clock, seconds

    def claim(self, *arguments: Any, **named: Any) -> Claim | None:
        """Claim at once, and answer later."""
        claim = super().claim(*arguments, **named)
        self._users.wait_until(self._users.time_ns() + round(self._seconds * 1_000_000_000), self._seconds)
        return claim


def test_code_lives_long_enough_when_a_slow_ledger_answers() -> None:
    """Of 18 seconds the ledger takes ten: eight are too few, so the next step is taken."""
    clock = PatientClock(HALF_PAST_TEN + timedelta(seconds=12))
    token = Authenticator(clock, ledger=FarLedger(clock, 10)).make(name="alice", secret=SECRET)

    claimed = issuer_of(token).claim()

    assert (claimed.step, claimed.remaining_seconds, claimed.waited_seconds) == (STEP + 1, 28, 0)


def test_ledger_too_slow_for_the_period() -> None:
    """No step is still alive when its claim is answered: nobody tries for longer than the time-out and one answer."""
    clock = PatientClock(HALF_PAST_TEN)
    token = Authenticator(clock, ledger=FarLedger(clock, 2)).make(name="alice", period=1)

    with pytest.raises(CodeUnavailable, match=r"the next one begins in 0\.0 s, and the time-out is in 0\.0 s"):
        token.one_time_code(timeout=5)

    assert clock.now() == HALF_PAST_TEN + timedelta(seconds=6)


def test_threads_on_a_live_clock_never_get_the_same_code(live: Authenticator) -> None:
    """Eight threads ask at the same time: seven steps are offered at once, and the eighth thread waits for its own."""
    token = live.make(name="alice", period=1)

    steps = in_threads(8, lambda _: issuer_of(token).claim(lookahead=6, timeout=30).step)

    assert len(set(steps)) == 8


class Watched(Authenticator):
    """An authenticator that tells when a token waits: then, with the clock's lock held, it asks whether to go on."""

    def __init__(self) -> None:
        """Start open."""
        self.asked = threading.Event()
        super().__init__()

    @property
    def closed(self) -> bool:
        """Whether waiting is given up."""
        self.asked.set()
        return self._closed

    @closed.setter
    def closed(self, closed: bool) -> None:
        self._closed = closed


class Waiter(threading.Thread):
    """A thread that calls, and keeps what came back or was raised."""

    def __init__(self, authenticator: Watched, call: Callable[[], Any]) -> None:
        """Start, and return once the call waits."""
        super().__init__(daemon=True)
        self._call = call
        self.result: Any = None
        self.start()
        assert authenticator.asked.wait(10)

    def run(self) -> None:
        """Call."""
        try:
            self.result = self._call()
        except CodeUnavailable as error:
            self.result = error


def test_closing_ends_the_wait() -> None:
    """Who waits for a code of a stopped server is told at once, however long the time-out."""
    authenticator = Watched()
    token = authenticator.make(name="alice", period=86_400)
    token.one_time_code(min_remaining=0)
    waiter = Waiter(authenticator, lambda: token.one_time_code(min_remaining=0, timeout=86_400))

    authenticator.close()
    waiter.join(10)

    assert isinstance(waiter.result, CodeUnavailable)
    assert str(waiter.result) == "no unspent code of 'alice': its server was stopped before the next one began"
    assert 0 < waiter.result.retry_after <= 86_400


@time_machine.travel("2026-06-01T12:30:00+00:00")
def test_freezing_ends_the_wait_for_lifetime() -> None:
    """The waiter goes on where the clock was frozen: it moves by a step at most, not back to the time it waited for."""
    authenticator = Watched()
    token = authenticator.make(name="alice", period=3600)
    waiter = Waiter(authenticator, lambda: issuer_of(token).wait_for_remaining(3600, timeout=86_400))

    # The current step began half an hour ago, and another one begins in half an hour.
    assert waiter.is_alive()
    authenticator.clock.freeze(HALF_PAST_TEN)
    waiter.join(10)

    assert waiter.result == 1_705_316_400_000_000_000
    assert authenticator.clock.now() == datetime(2024, 1, 15, 11, tzinfo=UTC)


# A code that lives long enough, handed out or not


@pytest.mark.parametrize(("elapsed", "shown"), [(0, 0), (20, 20), (20.5, 30)])
def test_waiting_for_lifetime_moves_a_frozen_clock(
    authenticator: Authenticator, token: TotpToken, elapsed: float, shown: float
) -> None:
    """Only where the current code lives too short; nothing is spent."""
    authenticator.clock.tick(elapsed)

    assert issuer_of(token).wait_for_remaining(10) == (SECONDS + shown) * 1_000_000_000
    assert authenticator.clock.time() == SECONDS + shown
    assert authenticator.ledger.last(issuer_of(token).token.fingerprint) is None


def test_lifetime_beyond_the_period_is_refused(token: TotpToken) -> None:
    """No code of it ever lives that long."""
    with pytest.raises(InvalidInput, match="min_remaining is 31; accepted are 0 to 30 seconds, the token's period"):
        issuer_of(token).wait_for_remaining(31)


@time_machine.travel("2024-01-15T10:30:25+00:00", tick=False)
def test_lifetime_that_does_not_come_in_time(live: Authenticator) -> None:
    """The caller learns when to ask again."""
    token = live.make(name="alice")

    with pytest.raises(CodeUnavailable) as caught:
        issuer_of(token).wait_for_remaining(10, timeout=1)

    assert caught.value.retry_after == pytest.approx(5.0, abs=1)


# Wrong, expired and future codes


@pytest.mark.parametrize("digits", [6, 7, 8])
def test_wrong_code_differs_in_every_digit(authenticator: Authenticator, digits: int) -> None:
    """Half of it typed is as wrong as all of it, and no verifier with a window of ten steps accepts it."""
    token = authenticator.make(name="alice", digits=digits)

    wrong = token.wrong_code()

    assert len(wrong) == digits
    assert wrong.isascii()
    assert wrong.isdigit()
    assert not [position for position, digit in enumerate(token.now()) if wrong[position] == digit]
    assert token.verify(wrong, window=10) is False


@pytest.mark.parametrize(("window", "code"), [(13, "925341"), (14, "925342")])
def test_wrong_code_is_wrong_in_the_whole_window(authenticator: Authenticator, window: int, code: str) -> None:
    """Found by search: the code of step 14 is a candidate for a wrong code at step 0."""
    authenticator.clock.move_to(0)
    token = authenticator.make(name="alice", secret="RUNQ")

    assert token.wrong_code(window) == code


def test_expired_code_is_an_old_one(token: TotpToken) -> None:
    """Two steps unless said: verifiers that forgive one refuse it."""
    assert token.expired_code(steps=1) == "286522"
    assert token.expired_code() == token.at("2024-01-15T10:29:00Z")
    assert token.verify(token.expired_code(), window=1) is False


def test_future_code_is_a_coming_one(token: TotpToken) -> None:
    """Two steps unless said: verifiers that forgive one refuse it."""
    assert token.future_code(steps=1) == "764426"
    assert token.future_code() == "812434"
    assert token.verify(token.future_code(), window=1) is False


@pytest.mark.parametrize(
    ("secret", "method", "repeated", "code"),
    [("ACXUE", "expired_code", "203200", "961491"), ("ADLX4", "future_code", "523021", "113058")],
)
def test_distant_code_that_is_current_by_chance_is_passed_over(
    authenticator: Authenticator, secret: str, method: str, repeated: str, code: str
) -> None:
    """Found by search: the code two steps away is the current one as well, so the one three steps away is given."""
    token = authenticator.make(name="alice", secret=secret)
    assert token.now() == repeated
    assert repeated in {issuer_of(token).token.code_at_step(STEP - 2), issuer_of(token).token.code_at_step(STEP + 2)}

    assert getattr(token, method)() == code


def test_expired_code_before_the_epoch_is_refused(authenticator: Authenticator, token: TotpToken) -> None:
    """A clock at the very beginning has no old codes."""
    authenticator.clock.move_to(59)

    assert token.expired_code(steps=1) == issuer_of(token).token.code_at_step(0)
    with pytest.raises(InvalidInput, match="there is no time step 2 steps ago; the clock is at step 1"):
        token.expired_code()


@pytest.mark.parametrize("steps", [0, -1, 1001, 1.0, True, None])
def test_distance_that_is_no_number_of_steps_is_refused(token: TotpToken, steps: Any) -> None:
    """The message says what is accepted."""
    for method in (token.expired_code, token.future_code):
        with pytest.raises(InvalidInput, match=r"^steps is .+; accepted are 1 to 1000 steps$"):
            method(steps)


# Explaining


def test_explaining_knows_ledger_and_other_tokens(authenticator: Authenticator, token: TotpToken) -> None:
    """A code that this token handed out, and one of another token of the authenticator."""
    bob = authenticator.add(authenticator.make(name="bob", secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))

    assert token.explain(token.one_time_code()) == (
        "current: the code of step 56843820, 30 s left; handed out just now to test_login"
    )
    assert token.explain(bob.now()) == f"another token's: the current code of 'bob' (id {bob.id})"


# Pictures


def test_pictures_are_of_the_key_uri(token: TotpToken) -> None:
    """In all three forms, and in the size that was asked for."""
    assert token.qr_png() == qr.png(token.uri)
    assert token.qr_png(scale=2) == qr.png(token.uri, 2)
    assert token.qr_svg(scale=3) == qr.svg(token.uri, 3)
    assert token.qr_data_uri(scale=4) == qr.data_uri(token.uri, 4)


# Secrets


def test_repr_shows_no_secret(token: TotpToken) -> None:
    """Nor does what is made of it."""
    assert repr(token) == (
        "<TotpToken 'alice' issuer='TOTPHog' digits=6 period=30 algorithm=sha1 fingerprint=1c4fa388>"
    )
    assert SECRET not in f"{[token]} {issuer_of(token).keeper} {issuer_of(token).claim()}"


@pytest.mark.parametrize("verbosity", ["-q", "-v", "-vvv"])
def test_failing_assertions_show_no_secret(pytester: pytest.Pytester, verbosity: str) -> None:
    """However a test compares tokens, secrets and URIs, and however much pytest is asked to tell."""
    pytester.makepyfile(
        """
        import os
        import pytest
        from pytest_totphog import Authenticator

        @pytest.fixture
        def token():
            return Authenticator().make(name="alice", secret="JBSWY3DP" "EHPK3PXP")

        def test_secret(token):
            assert token.secret == "other"

        def test_secret_on_the_right(token):
            assert "other" == token.secret

        def test_part_of_the_secret(token):
            assert "JBSWY3DP" not in token.secret

        def test_uri(token):
            assert token.uri == "otpauth://totp/alice"

        def test_containers(token):
            assert [token.secret, token.uri] == ["other", "other"]

        def test_dictionary(token):
            assert {"secret": token.secret} == {"secret": "other"}

        def test_token(token):
            assert token == Authenticator().make(name="alice")

        def test_tokens(token):
            assert [token] == []

        def test_as_dict(token):
            assert vars(token) == {}

        def test_length(token):
            assert len(token.secret) == 17

        def test_method(token):
            assert token.uri.startswith("http")
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:cacheprovider", verbosity)

    result.assert_outcomes(failed=11)
    assert "JBSWY3DPEHPK3PXP" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*a secret == another text (pytest-totphog does not show secrets)"])
