"""The five apps by name, loaded when they are asked for."""

import subprocess
import sys

import pytest
from werkzeug.test import Client

from pytest_totphog import InvalidInput
from pytest_totphog.apps import APPS, app_options, create_app
from pytest_totphog.wsgi.gate import Gate


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
