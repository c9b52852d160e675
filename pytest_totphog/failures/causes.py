"""The most likely cause of a failure, by what is odd about its codes and clocks; none where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pytest_totphog.authenticator.replay_scope import ADVICE
from pytest_totphog.clocks.wording import duration, instant
from pytest_totphog.failures.failure import AppClock, Failure, UsedCode

__all__ = ["causes"]

MAX_CAUSES: Final = 2
# A clock that is moved by hand is moved by a minute or two to make a code too old, and by much more to end a session.
EXPIRED_PERIODS_FROZEN: Final = 5
SHOWN_LEFTOVERS: Final = 3
TIME_MACHINE: Final = (
    "freeze with patch='time-machine', which has no types of its own (pip install 'pytest-totphog[time-machine]')"
)
# A code with less to live may have expired on its way: what one_time_code() demands as well.
SHORT_LIFE: Final = 10


def causes(failure: Failure) -> list[str]:
    """Return what may be the cause, the most likely first, a sentence or two each; at most two causes."""
    if failure.explained:
        return []
    return [cause for rule in _RULES if (cause := rule(failure))][:MAX_CAUSES]


def _time_is_overruled(failure: Failure) -> str:
    clock = failure.clock
    if not clock.overruled_by or not failure.code_count:
        return ""
    if clock.frozen:
        return (
            f"{clock.overruled_by} showed the test process, and an app in it, another time than frozen_clock shows to "
            "server and tokens: take one of them only."
        )
    return (
        f"Time is stopped by {clock.overruled_by}, not by frozen_clock: codes stay the same, and no wait for the next "
        "one would end. Take frozen_clock instead, which one_time_code() moves on."
    )


def _clock_was_moved_past_spent_steps(failure: Failure) -> str:
    code = next((code for code in failure.codes if code.moved_from is not None), None)
    if code is None or code.moved_from is None:
        return ""
    own = f" {failure.test} " in f" {code.spent_by} "
    spent_by = "this test, when it ran before," if own else code.spent_by
    return (
        f"{code.by} moved the clock on by {duration(code.taken_at - code.moved_from)}, from {instant(code.moved_from)} "
        f"to {instant(code.taken_at)}: {spent_by} had taken the code of the step before, and an app that remembers it "
        f"accepts later ones only. {ADVICE}."
    )


def _app_runs_at_real_time(failure: Failure) -> str:
    app = next((app for app in failure.apps if app.real), None)
    if app is None:
        return ""
    sentence = f"Time is frozen at {instant(failure.clock.time)}, and the app at {app.url} runs at real time: "
    if not app.local:
        return f"{sentence}no clock on another machine can be frozen, so take this test without frozen_clock."
    if failure.clock.patch is None:
        sentence += "where it runs in the test process, freeze with patch='auto'; else "
    return f"{sentence}start it with the environment frozen_clock.subprocess_env()."


def _app_is_a_step_off(failure: Failure) -> str:
    app = _farthest_off(failure)
    return "" if app is None or abs(app.ahead) < _period(failure) else f"{_off(failure, app)}: more than a time step."


def _app_is_off(failure: Failure) -> str:
    app = _farthest_off(failure)
    if app is None or abs(app.ahead) >= _period(failure):
        return ""
    return f"{_off(failure, app)}: near the end of a time step it takes another one for the current."


def _same_code(failure: Failure) -> str:
    # The last one of each token: with those before it the test went on.
    last = {code.token: code for code in _to_log_in(failure)}.values()
    repeated = [code for code in last if code.same_as is not None or code.given_before]
    again = next(reversed(repeated), None)
    if again is None:
        return ""
    if again.same_as is None:
        # Tests that freeze time all have the same time, and apps that have lived since then would know them all.
        if failure.clock.frozen:
            return ""
        return (
            f"The code of {again.by} had been given before, {again.given_before}. An app that accepts each code once, "
            f"and remembers that, refuses it now: take {again.by.one_time}."
        )
    refused = f"An app that accepts each code once refuses the second: take {again.by.one_time}"
    first = next((code for code in failure.codes if code.number == again.same_as), again)
    if not first.by.for_login:
        return ""
    if first.by == again.by:
        return f"{again.by} gave the same code twice, within one time step. {refused}."
    # one_time_code() does not know what now() has given.
    return f"{first.by} and {again.by} gave the same code, within one time step. {refused} for both."


def _was_about_to_expire(failure: Failure) -> str:
    code = _last(failure)
    if code is None or code.ends_at is None or code.by is code.by.one_time:
        return ""
    period = failure.tokens[code.token].period
    # Where the test went on for long afterwards, it seems to have had what it wanted.
    if not 0 <= failure.clock.time - code.ends_at <= 4 * period:
        return ""
    left = code.ends_at - code.taken_at
    if not 0 <= left < min(SHORT_LIFE, period / 2):
        return ""
    return (
        f"The code of {code.by} had {duration(left)} to live when it was taken, and had expired when the test failed. "
        f"Take {code.by.one_time}, which gives none that is about to expire."
    )


def _was_ahead(failure: Failure) -> str:
    code = _last(failure)
    if code is None or code.begins_at is None or code.begins_at <= code.taken_at:
        return ""
    return (
        f"The code was taken with lookahead, {duration(code.begins_at - code.taken_at)} before its time step began: "
        "the app must accept codes of the next step."
    )


def _clock_moved_back(failure: Failure) -> str:
    if not failure.clock.moved_back:
        return ""
    return "The clock was moved back: an app that has seen a later time step refuses the codes of earlier ones."


def _expired(failure: Failure) -> str:
    code = _last(failure)
    if code is None or code.ends_at is None or _was_about_to_expire(failure):
        return ""
    # Not where the test went on for long afterwards: it seems to have had what it wanted.
    patience = EXPIRED_PERIODS_FROZEN if failure.clock.frozen else 1
    expired = failure.clock.time - code.ends_at
    if not 0 <= expired <= patience * failure.tokens[code.token].period:
        return ""
    moved = ", because the clock was moved on after it was taken" if failure.clock.frozen else ""
    return (
        f"The last code had expired {duration(expired)} before the test failed{moved}: if it was sent after that, "
        "take it right before it is sent."
    )


def _freezegun_has_left_types(failure: Failure) -> str:
    if not failure.leftovers:
        return ""
    more = f" and {len(failure.leftovers) - SHOWN_LEFTOVERS} more" if len(failure.leftovers) > SHOWN_LEFTOVERS else ""
    return (
        f"freezegun's types are still in {', '.join(failure.leftovers[:SHOWN_LEFTOVERS])}{more}, which a frozen test "
        f"was the first to import. Import that before, for example in conftest.py, or {TIME_MACHINE}."
    )


def _freezegun_has_types_of_its_own(failure: Failure) -> str:
    if failure.leftovers or not failure.fake_type:
        return ""
    return (
        f"The error is about {failure.fake_type}, which freezegun puts in the place of the real type, and not all "
        f"libraries know it: {TIME_MACHINE}."
    )


_RULES: Final[tuple[Callable[[Failure], str], ...]] = (
    _freezegun_has_left_types,
    _freezegun_has_types_of_its_own,
    _time_is_overruled,
    _app_runs_at_real_time,
    _clock_was_moved_past_spent_steps,
    _app_is_a_step_off,
    _same_code,
    _was_about_to_expire,
    _was_ahead,
    _clock_moved_back,
    _app_is_off,
    _expired,
)


def _period(failure: Failure) -> int:
    return min((token.period for token in failure.tokens), default=30)


def _farthest_off(failure: Failure) -> AppClock | None:
    off = [app for app in failure.apps if app.ahead and not app.real]
    return max(off, key=lambda app: abs(app.ahead)) if off else None


def _off(failure: Failure, app: AppClock) -> str:
    than = "the frozen one" if failure.clock.frozen else "this machine's"
    seconds = f"{duration(abs(app.ahead))} {'ahead of' if app.ahead > 0 else 'behind'} {than}"
    return f"The clock of the app at {app.url} is, by the Date of its answer, {seconds}"


def _to_log_in(failure: Failure) -> list[UsedCode]:
    """Return the codes that the app should accept."""
    return [code for code in failure.codes if code.by.for_login]


def _last(failure: Failure) -> UsedCode | None:
    """Return the last code that the app should accept."""
    return next(reversed(_to_log_in(failure)), None)
