"""Mistakes planted in a practice backend, on purpose."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from pytest_totphog import Clock, InvalidInput, PracticeBackend, VerifierPolicy, create_app
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.backends import with_flaws
from pytest_totphog.backends.mailbox import Mailbox
from pytest_totphog.backends.verifier import Verifier
from tests.support.client import Client


@pytest.fixture
def client_of_email_mfa() -> Iterator[Client]:
    """An email-mfa that somebody left a test's code in."""
    with Mailbox() as mailbox:
        yield Client(create_app("email-mfa", mailbox=mailbox, flaws={"master-code"}))


def accepts(client: Client, code: str) -> bool:
    """Return whether simple takes a code of alice's."""
    return client.post("/verify-totp", json={"username": "alice", "token": code}).status_code == 200


@pytest.mark.parametrize("flaws", [(), [], frozenset(), {}])
def test_without_flaws_the_class_is_the_honest_one(flaws: Any) -> None:
    """There is nothing between it and the app."""
    assert with_flaws(Verifier, "simple", flaws) is Verifier


def test_without_flaws_nothing_of_them_is_loaded() -> None:
    """The backends are honest, and as light as before."""
    code = (
        "import sys; from pytest_totphog import create_app\n"
        "for name in ('simple', 'vault', 'login-demo', 'email-mfa'): create_app(name)\n"
        "print([name for name in sys.modules if 'flaws' in name or 'visitors' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_several_flaws_at_once() -> None:
    """Each is there, and what none of them is about stays right."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    policy = VerifierPolicy(max_failures=2)
    client = Client(create_app("simple", clock=clock, policy=policy, flaws={"unicode-digits", "replay", "no-throttle"}))
    secret = client.post("/register", json={"username": "alice"}).json["secret"]
    token = Authenticator(clock).make(name="alice", secret=secret)
    assert not any(accepts(client, token.wrong_code()) for _ in range(5))
    full_width = token.now().translate(dict(zip(range(0x30, 0x3A), range(0xFF10, 0xFF1A), strict=True)))
    assert [accepts(client, code) for code in (full_width, token.now(), token.at(clock.time() - 60))] == [
        True,
        True,
        False,
    ]


def test_email_mfa_with_a_master_code(client_of_email_mfa: Client) -> None:
    """Mailed codes are judged by the same verifier."""
    user = {"firstName": "A", "lastName": "L", "email": "alice@example.com", "password": "secret"}
    assert client_of_email_mfa.post("/register", json=user).status_code == 200
    answer = client_of_email_mfa.post("/register/verify", json={"email": "alice@example.com", "token": "000000"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("name", "flaws", "message"),
    [
        ("simple", {"half-login"}, "simple has no flaw 'half-login'; accepted: replay, trailing-replay, backwards, "),
        ("login-demo", ["replay", "rpelay"], "login-demo has no flaw 'rpelay'; accepted: replay, trailing-replay, "),
        ("email-mfa", {"replay"}, "email-mfa has no flaw 'replay'; accepted: wide-window, lost-zeros, "),
        ("vault", {"replay"}, "the app vault does not take 'flaws'; accepted: clock, store, policy, "),
        ("simple", "replay", "flaws is 'replay'; accepted is a set of names, such as {'replay'}"),
        ("simple", 7, "flaws is 7; accepted is a set of names, such as {'replay'}"),
        ("simple", [["replay"]], "simple has no flaw ['replay']; accepted: replay, "),
    ],
)
def test_flaws_that_a_backend_cannot_have(name: str, flaws: Any, message: str) -> None:
    """The error names those that it can."""
    with pytest.raises(InvalidInput) as failure:
        PracticeBackend(name, flaws=flaws)
    assert str(failure.value).startswith(message)


def test_a_running_backend_tells_its_flaws() -> None:
    """As it tells its policy."""
    assert PracticeBackend("simple", flaws=["race", "replay"]).flaws == {"race", "replay"}
    assert PracticeBackend("simple").flaws == frozenset()


@pytest.mark.parametrize("name", ["simple", "email-mfa", "login-demo"])
def test_all_flaws_at_once(name: str) -> None:
    """They can be put together, whichever there are."""
    flaws = import_module(f"pytest_totphog.backends.{name.replace('-', '_')}.flaws").FLAWS
    assert PracticeBackend(name, flaws=flaws).flaws == set(flaws)
