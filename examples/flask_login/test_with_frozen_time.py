"""The login while time stands still: app, token and test share one clock, and only the test moves it."""

from __future__ import annotations

import time

from conftest import Member, Visitor

from pytest_totphog import FrozenClock


def test_ten_logins_of_one_account(visitor: Visitor, member: Member, frozen_clock: FrozenClock):
    frozen_at = frozen_clock.time()
    started = time.perf_counter()

    for _ in range(10):
        page = visitor.log_in(member, member.token.one_time_code())
        assert f"Welcome, {member.name}" in page.text

    print(
        f"\n10 logins of one account, each with a code of its own: {time.perf_counter() - started:.2f} s, "
        f"in which {frozen_clock.time() - frozen_at:.0f} s went by for the app"
    )
