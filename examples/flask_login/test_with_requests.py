"""The login over HTTP, on the real clock."""

from __future__ import annotations

import re

from people import Member, Visitor

from pytest_totphog import TotpServer


def test_password_and_code_log_in(visitor: Visitor, member: Member):
    page = visitor.log_in(member, member.token.one_time_code())

    assert f"Welcome, {member.name}" in page.text


def test_password_alone_does_not_log_in(visitor: Visitor, member: Member):
    visitor.post("/login", name=member.name, password=member.password)

    assert visitor.get("/").url == f"{visitor.url}/login"


def test_code_alone_does_not_log_in(visitor: Visitor, member: Member):
    page = visitor.post("/code", code=member.token.one_time_code())

    assert page.url == f"{visitor.url}/login"


def test_enrolment_is_completed_by_a_code(visitor: Visitor, totp_server: TotpServer, name: str):
    page = visitor.post("/register", name=name, password="ahoy ahoy")
    token = totp_server.enroll(re.search(r'id="secret">(.+?)<', page.text)[1])

    # The app also accepts the next step's code, and so with lookahead=1 the second code need not be waited for.
    page = visitor.post("/enroll", code=token.one_time_code(lookahead=1))
    assert f"Welcome, {name}" in page.text

    page = visitor.log_in(Member(name, "ahoy ahoy", token), token.one_time_code(lookahead=1))
    assert f"Welcome, {name}" in page.text


def test_code_of_the_enrolment_does_not_log_in(visitor: Visitor, totp_server: TotpServer, name: str):
    page = visitor.post("/register", name=name, password="ahoy ahoy")
    token = totp_server.enroll(re.search(r'id="secret">(.+?)<', page.text)[1])
    code = token.one_time_code()
    visitor.post("/enroll", code=code)

    page = visitor.log_in(Member(name, "ahoy ahoy", token), code)

    assert page.status_code == 401, token.explain(code)


def test_wrong_code_is_refused(visitor: Visitor, member: Member):
    code = member.token.wrong_code()

    page = visitor.log_in(member, code)

    assert page.status_code == 401, member.token.explain(code)
    assert "This code is not accepted." in page.text


def test_expired_code_is_refused(visitor: Visitor, member: Member):
    code = member.token.expired_code()

    assert visitor.log_in(member, code).status_code == 401, member.token.explain(code)


def test_code_from_the_future_is_refused(visitor: Visitor, member: Member):
    code = member.token.future_code(steps=3)

    assert visitor.log_in(member, code).status_code == 401, member.token.explain(code)


def test_replay_is_refused(visitor: Visitor, member: Member):
    code = member.token.one_time_code()
    assert visitor.log_in(member, code).ok

    assert visitor.log_in(member, code).status_code == 401, member.token.explain(code)


def test_code_of_somebody_else_is_refused(visitor: Visitor, member: Member, totp_server: TotpServer):
    code = totp_server.add_token(name="somebody else").one_time_code()

    assert visitor.log_in(member, code).status_code == 401, member.token.explain(code)
