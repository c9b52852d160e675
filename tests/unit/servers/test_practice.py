"""A running practice backend, without pytest's fixtures."""

import pytest
import requests

from pytest_totphog.backends.verifier import VerifierPolicy
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.errors import InvalidInput
from pytest_totphog.servers.practice import PracticeBackend, policy_of


def test_it_serves_on_a_port_of_its_own() -> None:
    """From start to stop."""
    with PracticeBackend("simple") as backend:
        answer = requests.post(f"{backend.url}/register", json={"username": "alice"}, timeout=5)
        assert answer.status_code == 200
        assert repr(backend) == f"<PracticeBackend simple at {backend.url}>"
    assert repr(backend) == "<PracticeBackend simple stopped>"


def test_reset_forgets_everything() -> None:
    """Accounts first of all."""
    with PracticeBackend("simple") as backend:
        requests.post(f"{backend.url}/register", json={"username": "alice"}, timeout=5)
        backend.reset()
        assert requests.get(f"{backend.url}/get-totp/alice", timeout=5).status_code == 404


def test_it_lives_on_the_given_clock() -> None:
    """A code follows the clock at once."""
    clock = FrozenClock("2024-01-15T10:30:00Z", None)
    with PracticeBackend("simple", clock=clock) as backend:
        requests.post(f"{backend.url}/register", json={"username": "alice"}, timeout=5)
        before = requests.get(f"{backend.url}/get-totp/alice", timeout=5).json()["token"]
        clock.move_to("2024-01-15T12:30:00Z")
        after = requests.get(f"{backend.url}/get-totp/alice", timeout=5).json()["token"]
    assert before != after


@pytest.mark.parametrize("name", ["simple", "email-mfa", "vault", "login-demo"])
def test_the_policy_is_the_documents_unless_given(name: str) -> None:
    """`policy` tells which one is in force."""
    assert PracticeBackend(name).policy == policy_of(name)
    assert PracticeBackend(name, policy=VerifierPolicy(window=0)).policy == VerifierPolicy(window=0)


def test_a_policy_with_changes() -> None:
    """What is left out stays as the document says."""
    assert policy_of("simple") == VerifierPolicy(window=1, one_time=False, max_failures=None, reregister=True)
    strict = policy_of("simple", one_time=True, max_failures=5, reregister=False)
    assert strict == VerifierPolicy(window=1, one_time=True, max_failures=5, reregister=False)


@pytest.mark.parametrize("name", ["email-mfa", "vault", "login-demo"])
def test_no_other_document_registers_a_name_again(name: str) -> None:
    """And the error says so, instead of a switch that does nothing."""
    with pytest.raises(InvalidInput, match=f"reregister is True, and {name} refuses a name that is taken"):
        policy_of(name, reregister=True)


def test_an_unknown_name() -> None:
    """The error lists the apps."""
    with pytest.raises(InvalidInput, match="there is no app 'complex'; accepted: totphog, simple, email-mfa, vault"):
        PracticeBackend("complex")


def test_an_unknown_option() -> None:
    """The error lists what the app takes."""
    with pytest.raises(InvalidInput, match="the app simple does not take 'smtp'; accepted: clock, store, policy"):
        PracticeBackend("simple", smtp=("localhost", 25))
