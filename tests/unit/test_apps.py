"""The five apps by name, loaded when they are asked for."""

import subprocess
import sys

import pytest

from pytest_totphog import InvalidInput
from pytest_totphog.apps import APPS, app_options, create_app
from pytest_totphog.wsgi.gate import Gate
from tests.support.client import Client


def test_the_apps_and_their_ports() -> None:
    """The ports are those of the reference documents."""
    assert {name: spec.port for name, spec in APPS.items()} == {
        "totphog": 8045,
        "simple": 3000,
        "email-mfa": 3000,
        "vault": 3000,
        "login-demo": 3001,
    }


def test_an_app_answers_requests() -> None:
    """Under any WSGI server; options go to the app."""
    client = Client(create_app("totphog", gate=Gate(api_key="let me in")))
    assert client.get("/api/v1/health").status_code == 401
    assert client.get("/api/v1/health", headers={"Authorization": "Bearer let me in"}).status_code == 200


@pytest.mark.parametrize("name", APPS)
def test_every_app_takes_a_gate(name: str) -> None:
    """What `totphog serve` gives to whichever app it runs."""
    assert "gate" in app_options(name)


def test_an_unknown_app_is_refused() -> None:
    """The error names those that there are."""
    with pytest.raises(InvalidInput) as failure:
        create_app("mailhog")
    assert str(failure.value) == ("there is no app 'mailhog'; accepted: totphog, simple, email-mfa, vault, login-demo")


def test_an_unknown_option_is_refused() -> None:
    """The error names those that the app takes."""
    with pytest.raises(InvalidInput) as failure:
        create_app("totphog", color="red")
    assert str(failure.value).startswith("the app totphog does not take 'color'; accepted: gate")


def test_no_app_is_loaded_before_it_is_asked_for() -> None:
    """Naming the apps costs nothing."""
    code = (
        "import sys, pytest_totphog.apps; print([name for name in sys.modules if 'werkzeug' in name or '.api' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


PRIVATE = {
    "X-Content-Type-Options": ["nosniff"],
    "Cache-Control": ["no-store"],
    "Cross-Origin-Resource-Policy": ["same-origin"],
}


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/docs", {}, 200),
        ("GET", "/no/such/path", {}, 404),
        ("DELETE", "/openapi.json", {}, 405),
        ("GET", "/openapi.json", {"Host": "evil.example"}, 400),
        ("POST", "/openapi.json", {"Transfer-Encoding": "chunked"}, 411),
        ("OPTIONS", "/openapi.json", {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}, None),
    ],
)
def test_every_answer_is_private(
    name: str, method: str, path: str, headers: dict[str, str], status: int | None
) -> None:
    """No page of another origin can show it, no cache keeps it, no browser takes it for another type; said once."""
    response = Client(create_app(name)).open(path, method=method, headers=headers)

    assert status in {None, response.status_code}
    assert {header: response.headers.getlist(header) for header in PRIVATE} == PRIVATE


@pytest.mark.parametrize("name", ["totphog", "simple", "vault", "login-demo"])
def test_pages_of_other_origins_are_refused(name: str) -> None:
    """Whether they would read or change something; of the backends, email-mfa alone lets every page in."""
    client, evil = Client(create_app(name)), {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

    assert [client.open("/openapi.json", method=method, headers=evil).status_code for method in ("GET", "POST")] == [
        403,
        403,
    ]
