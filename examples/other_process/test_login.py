"""The login of an app in another process, and in another language: test, token and app have one clock."""

from __future__ import annotations

import time

from people import Member

from pytest_totphog import FrozenClock


def test_ten_logins_and_a_lockout(frozen_clock: FrozenClock, member: Member):
    frozen_at, started = frozen_clock.time(), time.perf_counter()

    for _ in range(10):
        assert member.log_in(member.token.one_time_code()).ok
    for _ in range(5):
        assert member.log_in(member.token.wrong_code()).status_code == 401
    assert member.log_in(member.token.now()).status_code == 429
    frozen_clock.tick(15 * 60)
    assert member.log_in(member.token.one_time_code()).ok

    took, passed = time.perf_counter() - started, frozen_clock.time() - frozen_at
    print(f"\nTen logins and a lockout took {took:.2f} s; for the app {passed:.0f} s went by.")


def test_lockout_lasts_fifteen_minutes(frozen_clock: FrozenClock, member: Member):
    for _ in range(5):
        assert member.log_in(member.token.wrong_code()).status_code == 401

    refused = member.log_in(member.token.now())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "900")

    frozen_clock.tick(15 * 60 - 1)
    refused = member.log_in(member.token.now())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")

    frozen_clock.tick(1)
    assert member.log_in(member.token.now()).ok


def test_replay_is_refused(frozen_clock: FrozenClock, member: Member):
    code = member.token.one_time_code()
    assert member.log_in(code).ok

    assert member.log_in(code).status_code == 401, member.token.explain(code)

    frozen_clock.next_step()
    assert member.log_in(code).status_code == 401, member.token.explain(code)


def test_code_is_accepted_up_to_a_step_after_its_own(frozen_clock: FrozenClock, member: Member):
    code = member.token.one_time_code()

    frozen_clock.tick(59)

    assert member.log_in(code).ok, member.token.explain(code)


def test_code_is_refused_two_steps_after_its_own(frozen_clock: FrozenClock, member: Member):
    code = member.token.one_time_code()

    frozen_clock.tick(60)

    assert member.log_in(code).status_code == 401, member.token.explain(code)


def test_code_from_the_future_is_refused(frozen_clock: FrozenClock, member: Member):
    code = member.token.future_code(steps=1)
    assert member.log_in(code).status_code == 401

    frozen_clock.next_step()
    assert member.log_in(code).ok, member.token.explain(code)


def test_on_the_real_clock(member: Member):
    """The same process, in which no time is frozen now."""
    assert member.log_in(member.token.one_time_code(min_remaining=1)).ok
