"""The driver over HTTP: pages with forms, and an API."""

from typing import Any

import pytest

from pytest_totphog.conformance.driver import Outcome
from pytest_totphog.conformance.drivers import Attempt, HttpLogin
from pytest_totphog.errors import InvalidInput, TotphogError
from tests.unit.conformance.drivers.logins import ADA, DemoLogin, Enrolled, SiteLogin
from tests.unit.conformance.drivers.site import InPlace, Site


def test_forms_right_code(site_url: str) -> None:
    """Hidden fields are sent along, redirects followed, and the page that a right code leads to is known."""
    login = SiteLogin(site_url)
    attempt = login.begin(ADA)
    assert attempt.page.path == "/code"
    assert login.protected_page(attempt) is False
    assert login.submit(attempt, "123456") is Outcome.ACCEPTED
    assert login.protected_page(attempt) is True


def test_forms_wrong_code(site_url: str) -> None:
    """The code form is shown again, and a right code is accepted in the same attempt."""
    login = SiteLogin(site_url)
    attempt = login.begin(ADA)
    assert login.submit(attempt, "000000") is Outcome.REFUSED
    assert login.submit(attempt, "123456") is Outcome.ACCEPTED


def test_forms_attempts_are_sessions_of_their_own(site_url: str) -> None:
    """Who is logged in in one is not in the other."""
    login = SiteLogin(site_url)
    one, other = login.begin(ADA), login.begin(ADA)
    login.submit(one, "123456")
    assert (login.protected_page(one), login.protected_page(other)) == (True, False)


@pytest.mark.parametrize("marks", [{"throttled_status": 429}, {"throttled_status": None, "throttled_text": "Too many"}])
def test_forms_throttled(site_url: str, marks: dict[str, Any]) -> None:
    """By the status or by a text of the page, whichever is given."""
    login = type("Login", (SiteLogin,), marks)(site_url)
    attempt = login.begin(ADA)
    assert [login.submit(attempt, "000000") for _ in range(4)] == [Outcome.REFUSED] * 3 + [Outcome.THROTTLED]
    assert login.submit(login.begin(ADA), "123456") is Outcome.THROTTLED


def test_forms_throttled_by_one_of_several_texts(site_url: str) -> None:
    """A login has more than one word for it."""
    marks = {"throttled_status": None, "throttled_text": ("Account closed", "Too many")}
    login = type("Login", (SiteLogin,), marks)(site_url)
    attempt = login.begin(ADA)
    assert [login.submit(attempt, "000000") for _ in range(4)] == [Outcome.REFUSED] * 3 + [Outcome.THROTTLED]


def test_headers_of_the_class(site_url: str) -> None:
    """They are sent, and each driver changes its own."""
    login_class = type("Login", (SiteLogin,), {"headers": {"X-Forwarded-For": "192.0.2.1"}})
    login, other = login_class(site_url), login_class(site_url)
    login.headers["X-Forwarded-For"] = "192.0.2.2"
    sent = [each.request(each.open_session(), "GET", "/login").response.request.headers for each in (login, other)]
    assert [headers["X-Forwarded-For"] for headers in sent] == ["192.0.2.2", "192.0.2.1"]
    assert SiteLogin(site_url).headers == {}


@pytest.mark.parametrize("site", [InPlace()])
def test_forms_in_place(site_url: str) -> None:
    """Where every address answers 200, a stranger's page and the form for the code are not the protected page."""
    login = type("Login", (SiteLogin,), {"login_path": "/home", "accepted_path": None, "accepted_text": "Ahoy"})(
        site_url
    )
    page: Any = None
    stranger = Attempt(ADA, session := login.open_session(), page, (session.cookies, page))
    half, done = login.begin(ADA), login.begin(ADA)
    assert login.submit(done, "123456") is Outcome.ACCEPTED
    assert [login.protected_page(each) for each in (stranger, half, done)] == [False, False, True]


def test_forms_attempt_that_was_thrown_out(site: Site, site_url: str) -> None:
    """A session that has been sent back to the beginning has no code form any more."""
    login = SiteLogin(site_url)
    attempt = login.begin(ADA)
    site.sessions.clear()
    assert login.submit(attempt, "123456") is Outcome.REFUSED
    assert login.submit(attempt, "123456") is Outcome.THROTTLED


def test_forms_rewind(site_url: str) -> None:
    """The cookies and the page from right after the password go on in the same session."""
    login = SiteLogin(site_url)
    attempt = login.begin(ADA)
    login.submit(attempt, "123456")
    assert login.protected_page(login.rewind(attempt)) is True


@pytest.mark.parametrize("code", [["123456"], 123456, {"code": "123456"}])
def test_forms_send_texts_only(site_url: str, code: Any) -> None:
    """A form has no lists and no numbers."""
    login = SiteLogin(site_url)
    with pytest.raises(NotImplementedError, match="a form cannot send a code of type"):
        login.submit(login.begin(ADA), code)


def test_forms_leave_a_field_away(site_url: str) -> None:
    """None is no field at all."""
    login = SiteLogin(site_url)
    assert login.submit(login.begin(ADA), None) is Outcome.REFUSED


def test_forms_page_with_the_code_form_is_elsewhere(site_url: str) -> None:
    """`code_path` is gone to after the password."""
    login = type("Login", (SiteLogin,), {"code_path": "/code"})(site_url)
    assert login.submit(login.begin(ADA), "123456") is Outcome.ACCEPTED


def test_every_response_is_recorded(site_url: str) -> None:
    """Redirects too, with their headers, for the rule on what responses tell."""
    login = SiteLogin(site_url)
    login.begin(ADA)
    assert [text.count("\n") > 3 for text in login.responses] == [True, True, True]
    assert "Location: /code" in login.responses[1]
    assert "Set-Cookie: session=" in login.responses[0]
    assert 'name="code"' in login.responses[2]


def test_csrf_token_in_a_cookie(site_url: str) -> None:
    """It is sent back in the header that the framework reads."""
    login = type("Login", (SiteLogin,), {"csrf_cookie": "session"})(site_url)
    attempt = login.begin(ADA)
    page = login.request(attempt.session, "GET", "/home")
    assert page.response.request.headers["X-CSRFToken"] == attempt.session.cookies["session"]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            {"password_field": "pass"},
            "Login finds no form with the field 'pass' on the page '/login', which leads to /login",
        ),
        (
            {"login_path": "/signin"},
            "no form with the field 'password' on the page '/signin', which leads to /signin .status 404",
        ),
        (
            {"code_field": "token"},
            "Login finds no form with the field 'token' on the page /code .status 200. that the password",
        ),
        ({"accepted_path": None}, "Login does not say what an accepted code looks like; set accepted_path"),
    ],
)
def test_a_driver_with_a_mistake(site_url: str, mistake: dict[str, Any], message: str) -> None:
    """The error says where it looked for what."""
    login = type("Login", (SiteLogin,), mistake)(site_url)
    with pytest.raises(TotphogError, match=message):
        login.submit(login.begin(ADA), "123456")


def test_the_protected_page_is_optional() -> None:
    """The rules that need it are skipped where its path is not given."""
    assert HttpLogin("http://127.0.0.1").can("protected_page") is False
    assert SiteLogin("http://127.0.0.1").can("protected_page") is True


def test_an_address_is_needed() -> None:
    """Of the class, or given."""
    with pytest.raises(InvalidInput, match=r"url is ''; accepted is an address such as 'http://127.0.0.1:5000'"):
        HttpLogin()
    assert type("Login", (HttpLogin,), {"url": "https://login.example.com"})().url == "https://login.example.com"


def test_api(ada: Enrolled) -> None:
    """Credentials and code are sent as JSON."""
    login = DemoLogin(ada.url)
    attempt = login.begin(ada.account)
    assert login.submit(attempt, ada.token.wrong_code()) is Outcome.REFUSED
    assert login.submit(attempt, ada.token.one_time_code()) is Outcome.ACCEPTED


@pytest.mark.parametrize("code", [None, ["123456"], 123456, "", True])
def test_api_is_sent_whatever_it_is(ada: Enrolled, code: Any) -> None:
    """JSON has lists, numbers and null."""
    login = DemoLogin(ada.url)
    assert login.submit(login.begin(ada.account), code) is Outcome.REFUSED
