"""The login over HTTP, on the real clock."""

from __future__ import annotations

from people import Member, Visitor

REFUSED = "Invalid token. Please make sure you have entered it correctly."


def test_password_and_code_log_in(visitor: Visitor, member: Member):
    page = visitor.log_in(member, member.token.one_time_code())

    assert "Welcome, alice" in page.text


def test_wrong_code_is_refused(visitor: Visitor, member: Member):
    code = member.token.wrong_code()

    assert REFUSED in visitor.log_in(member, code).text, member.token.explain(code)


def test_expired_code_is_refused(visitor: Visitor, member: Member):
    code = member.token.expired_code()

    assert REFUSED in visitor.log_in(member, code).text, member.token.explain(code)


def test_replay_is_refused(visitor: Visitor, member: Member):
    code = member.token.one_time_code()
    assert "Welcome, alice" in visitor.log_in(member, code).text

    assert REFUSED in visitor.log_in(member, code).text, member.token.explain(code)
