"""The server under a frozen clock: what it answers follows every move at once."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pytest_totphog import FrozenClock, TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of

FROZEN_AT = 1705314600.0  # 2024-01-15T10:30:00Z


@pytest.fixture
def clock(request: pytest.FixtureRequest, patch: Any) -> Any:
    """The frozen clock under each patch, at 2024-01-15T10:30:00Z."""
    request.applymarker(pytest.mark.frozen_clock(patch=patch))
    return request.getfixturevalue("frozen_clock")


@pytest.fixture(params=["freezegun", "time-machine", None], ids=str)
def patch(request: pytest.FixtureRequest) -> Any:
    """The server follows under every patch, and without one."""
    return request.param


@pytest.fixture
def code(totp_server: TotpServer) -> Iterator[Any]:
    """Asks the server for the current code of an account, over one connection."""
    token = totp_server.add_token(secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    with requests.Session() as session:
        yield lambda: session.get(token.code_url, timeout=5).json()["data"]


def test_follows_the_clock_at_once(clock: FrozenClock, code: Any) -> None:
    """Codes, remaining_seconds and generated_at are those of the frozen instant, after every move."""
    assert code() == {
        "code": "746148",
        "remaining_seconds": 30,
        "period": 30,
        "generated_at": "2024-01-15T10:30:00+00:00",
    }
    clock.tick(10)
    assert code() == {
        "code": "746148",
        "remaining_seconds": 20,
        "period": 30,
        "generated_at": "2024-01-15T10:30:10+00:00",
    }
    clock.next_step()
    assert code() == {
        "code": "426214",
        "remaining_seconds": 30,
        "period": 30,
        "generated_at": "2024-01-15T10:30:30+00:00",
    }
    clock.move_to("2024-01-15T10:45:29Z")
    assert code() == {
        "code": "616100",
        "remaining_seconds": 1,
        "period": 30,
        "generated_at": "2024-01-15T10:45:29+00:00",
    }


def test_moves_the_clock_over_http(clock: FrozenClock, code: Any, totp_server: TotpServer, patch: Any) -> None:
    """POST /clock/tick and PUT /clock move the clock of the test, and the process with it."""
    requests.post(f"{totp_server.api_url}/clock/tick", json={"seconds": 10}, timeout=5)
    assert clock.time() == FROZEN_AT + 10
    requests.put(f"{totp_server.api_url}/clock", json={"frozen_at": "2024-01-15T10:45:30Z"}, timeout=5)
    assert code()["code"] == "582133"
    assert clock.time() == 1705315530.0
    assert (time.time() == 1705315530.0) is (patch is not None)


def test_one_time_codes_need_no_waiting(clock: FrozenClock, totp_server: TotpServer) -> None:
    """Each one-time code moves the clock to a fresh time step."""
    token = totp_server.add_token()
    first, second = issuer_of(token).claim(), issuer_of(token).claim()
    assert second.step == first.step + 1
    assert clock.time() == second.step * 30
