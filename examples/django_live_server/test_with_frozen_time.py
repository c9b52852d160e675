"""The login while time stands still: Django, django-otp, token and test share one clock, and only the test moves it."""

from __future__ import annotations

import time

from people import Member, Visitor

from pytest_totphog import FrozenClock


def test_ten_logins_of_one_member(frozen_clock: FrozenClock, visitor: Visitor, member: Member):
    frozen_at = frozen_clock.time()
    started = time.perf_counter()

    for _ in range(10):
        assert "Welcome, alice" in visitor.log_in(member, member.token.one_time_code()).text

    took, passed = time.perf_counter() - started, frozen_clock.time() - frozen_at
    print(f"\nTen logins of one member took {took:.2f} s; for the site {passed:.0f} s went by.")


def test_earlier_code_is_refused_after_a_later_one(frozen_clock: FrozenClock, visitor: Visitor, member: Member):
    earlier, later = member.token.one_time_code(), member.token.one_time_code()
    assert "Welcome, alice" in visitor.log_in(member, later).text
    member.device.refresh_from_db()
    assert member.device.last_t == frozen_clock.step_start() // 30

    assert "Invalid token" in visitor.log_in(member, earlier).text, member.token.explain(earlier)


def test_failed_attempt_locks_the_device_for_a_second(frozen_clock: FrozenClock, visitor: Visitor, member: Member):
    code = member.token.one_time_code()
    visitor.log_in(member, member.token.wrong_code())

    page = visitor.log_in(member, code)
    assert "Verification temporarily disabled because of 1 failed attempt" in page.text

    frozen_clock.tick(1)
    assert "Welcome, alice" in visitor.log_in(member, code).text, member.token.explain(code)


def test_every_further_failure_doubles_the_lock(frozen_clock: FrozenClock, visitor: Visitor, member: Member):
    for seconds in (1, 2, 4, 8, 16):
        visitor.log_in(member, member.token.wrong_code())
        frozen_clock.tick(seconds - 1)
        assert "temporarily disabled" in visitor.log_in(member, member.token.now()).text
        frozen_clock.tick(1)

    assert "Welcome, alice" in visitor.log_in(member, member.token.one_time_code()).text
