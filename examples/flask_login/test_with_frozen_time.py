"""The login while time stands still: app, token and test share one clock, and only the test moves it."""

from __future__ import annotations

import time

import pytest
from people import Member, Visitor

from pytest_totphog import FrozenClock


def test_ten_logins_of_one_member(visitor: Visitor, member: Member, frozen_clock: FrozenClock):
    frozen_at = frozen_clock.time()
    started = time.perf_counter()

    for _ in range(10):
        page = visitor.log_in(member, member.token.one_time_code())
        assert f"Welcome, {member.name}" in page.text

    took, passed = time.perf_counter() - started, frozen_clock.time() - frozen_at
    print(f"\nTen logins of one member took {took:.2f} s; for the app {passed:.0f} s went by.")


def test_code_is_accepted_up_to_a_step_after_its_own(visitor: Visitor, member: Member, frozen_clock: FrozenClock):
    code = member.token.one_time_code()

    frozen_clock.tick(59)

    assert visitor.log_in(member, code).ok, member.token.explain(code)


def test_code_is_refused_two_steps_after_its_own(visitor: Visitor, member: Member, frozen_clock: FrozenClock):
    code = member.token.one_time_code()

    frozen_clock.tick(60)

    assert visitor.log_in(member, code).status_code == 401, member.token.explain(code)


@pytest.mark.usefixtures("frozen_clock")
def test_earlier_code_is_refused_after_a_later_one(visitor: Visitor, member: Member):
    earlier, later = member.token.one_time_code(), member.token.one_time_code()
    assert visitor.log_in(member, later).ok

    assert visitor.log_in(member, earlier).status_code == 401, member.token.explain(earlier)


@pytest.mark.usefixtures("frozen_clock")
def test_explanations_tell_why_a_code_is_refused(visitor: Visitor, member: Member):
    token = member.token
    spent, expired, wrong = token.one_time_code(), token.expired_code(), token.wrong_code()
    visitor.log_in(member, spent)

    for code in (spent, expired, wrong):
        assert visitor.log_in(member, code).status_code == 401

    assert "; handed out " in token.explain(spent)
    assert token.explain(expired).startswith("2 steps old")
    assert token.explain(wrong).startswith("unknown")
