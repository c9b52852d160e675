"""A user's story with simple: register, enrol, verify."""

import pytest
import requests

# While time stands still, one_time_code() moves the clock on instead of waiting for the next code.
pytestmark = pytest.mark.usefixtures("frozen_clock")


def post(url, **body):
    return requests.post(url, json=body, timeout=5)


@pytest.fixture
def alice(simple_backend, totp_server):
    """Alice's authenticator app, enrolled with the secret that her registration shows."""
    answer = post(f"{simple_backend.url}/register", username="alice")
    assert answer.status_code == 200
    assert answer.json()["qrCode"].startswith("data:image/png;base64,")
    return totp_server.enroll(answer.json()["secret"], name="alice")


def verify(backend, code):
    answer = post(f"{backend.url}/verify-totp", username="alice", token=code)
    return answer.status_code, answer.json()["message"]


RIGHT = (200, "Token verified successfully")
WRONG = (400, "Invalid token")


def test_verify(simple_backend, alice):
    assert verify(simple_backend, alice.one_time_code()) == RIGHT
    assert verify(simple_backend, alice.wrong_code()) == WRONG


def test_the_server_shows_the_same_code(simple_backend, alice):
    answer = requests.get(f"{simple_backend.url}/get-totp/alice", timeout=5)
    assert answer.json() == {"username": "alice", "token": alice.now()}


@pytest.mark.usefixtures("alice")
@pytest.mark.totp_policy(reregister=False)
def test_a_name_is_taken_once(simple_backend):
    answer = post(f"{simple_backend.url}/register", username="alice")
    assert (answer.status_code, answer.json()) == (409, {"message": "User already exists"})


def test_nobody_of_that_name(simple_backend):
    answer = post(f"{simple_backend.url}/verify-totp", username="bob", token="123456")
    assert (answer.status_code, answer.json()) == (404, {"message": "User not found"})


def test_a_code_expires(simple_backend, alice, frozen_clock):
    code = alice.now()
    frozen_clock.tick(30)
    assert verify(simple_backend, code) == RIGHT  # one step is forgiven
    frozen_clock.tick(30)
    assert verify(simple_backend, code) == WRONG


@pytest.mark.totp_policy(one_time=True)
def test_replay_refused(simple_backend, alice):
    code = alice.one_time_code()
    assert verify(simple_backend, code) == RIGHT
    assert verify(simple_backend, code) == WRONG
    assert verify(simple_backend, alice.one_time_code()) == RIGHT


@pytest.mark.totp_policy(max_failures=3, lockout_seconds=900)
def test_locked_out_and_in_again(simple_backend, alice, frozen_clock):
    for _ in range(3):
        assert verify(simple_backend, alice.wrong_code()) == WRONG
    assert verify(simple_backend, alice.now()) == WRONG  # right, but locked
    frozen_clock.tick(900)
    assert verify(simple_backend, alice.now()) == RIGHT
