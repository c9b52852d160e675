"""Apps in this process that check codes by themselves: they accept the code of the frozen instant, in any time zone."""

import threading
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import fastapi
import flask
import pyotp
import pytest
import requests
import uvicorn
import werkzeug.serving

from pytest_totphog import FrozenClock, TotpServer, TotpToken

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # passlib's last release is from 2020
    import passlib.exc
    import passlib.totp

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

pytestmark = pytest.mark.usefixtures("zone")

# No fixture may make these while time stands still: freezegun's datetime is no type that pydantic knows.
flask_app = flask.Flask("verifier")
fastapi_app = fastapi.FastAPI()


def verdict(code: Any) -> Any:
    """Return what an app's verifier says to a code, and what time the app thinks it is."""
    return {
        "accepted": pyotp.TOTP(SECRET).verify(code),
        "time": time.time(),
        "datetime": datetime.now(UTC).isoformat(),
    }


@flask_app.get("/<code>")
def verify_in_flask(code: Any) -> Any:
    """Verify in a thread of Werkzeug's server."""
    return verdict(code)


@fastapi_app.get("/def/{code}")
def verify_in_an_executor(code: str) -> Any:
    """Verify in a thread of FastAPI's executor."""
    return verdict(code)


@fastapi_app.get("/async-def/{code}")
async def verify_in_the_loop(code: str) -> Any:
    """Verify in the thread of the event loop."""
    return verdict(code)


class ReadyServer(uvicorn.Server):
    """A uvicorn server that tells when it accepts requests."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.ready.set()


@pytest.fixture(scope="module")
def flask_url() -> Iterator[Any]:
    """The Flask app's URL, on Werkzeug's server in a thread that runs before anything is frozen."""
    server = werkzeug.serving.make_server("127.0.0.1", 0, flask_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(timeout=30)
    server.server_close()


@pytest.fixture(scope="module")
def fastapi_url() -> Iterator[Any]:
    """The FastAPI app's URL, on uvicorn in a thread that runs before anything is frozen."""
    server = ReadyServer(uvicorn.Config(fastapi_app, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.ready.wait(timeout=30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Where the machine stands: the local time zone, set before anything is frozen."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.fixture(params=["freezegun", "time-machine"])
def clock(request: pytest.FixtureRequest) -> Any:
    """The frozen clock under each patch and in each zone, at 2024-01-15T10:30:00Z."""
    request.applymarker(pytest.mark.frozen_clock(patch=request.param))
    return request.getfixturevalue("frozen_clock")


@pytest.fixture
def token(totp_server: TotpServer) -> Any:
    """The account that every verifier here knows."""
    return totp_server.add_token(secret=SECRET)


@pytest.fixture(params=["flask", "fastapi def", "fastapi async def"])
def verify(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Sends a code to an app under test and returns the answer, over one connection."""
    base = {
        "flask": lambda: request.getfixturevalue("flask_url"),
        "fastapi def": lambda: request.getfixturevalue("fastapi_url") + "/def",
        "fastapi async def": lambda: request.getfixturevalue("fastapi_url") + "/async-def",
    }[request.param]()
    with requests.Session() as session:
        yield lambda code: session.get(f"{base}/{code}", timeout=5).json()


def test_app_in_a_thread_sees_the_frozen_time(verify: Any, clock: FrozenClock) -> None:
    """The app's clock stands still, and follows every move at once."""
    answer = verify("000000")
    assert (answer["time"], answer["datetime"]) == (1705314600.0, "2024-01-15T10:30:00+00:00")
    clock.tick(10)
    answer = verify("000000")
    assert (answer["time"], answer["datetime"]) == (1705314610.0, "2024-01-15T10:30:10+00:00")
    clock.next_step()
    assert verify("000000")["time"] == 1705314630.0
    clock.move_to("2024-07-15T10:30:00Z")
    assert verify("000000")["datetime"] == "2024-07-15T10:30:00+00:00"


def test_app_in_a_thread_is_released(verify: Any, clock: FrozenClock) -> None:
    """The app has the real time again when the clock is released."""
    clock.unfreeze()
    answer = verify("000000")
    assert answer["time"] > 1735689600.0
    assert answer["datetime"] > "2025-01-01"


def test_app_in_a_thread_accepts_the_code(verify: Any, clock: FrozenClock, token: TotpToken) -> None:
    """The code of the frozen instant is accepted, and no longer in the next step."""
    code = token.now()
    assert code == "746148"
    assert verify(code)["accepted"] is True
    clock.next_step()
    assert verify(code)["accepted"] is False
    assert verify(token.now())["accepted"] is True


@pytest.mark.parametrize("instant", ["2024-01-15T10:30:00Z", "2024-07-15T10:30:00Z"], ids=["winter", "summer"])
def test_pyotp_accepts_the_code(clock: FrozenClock, token: TotpToken, instant: Any) -> None:
    """pyotp, which reads the local time in naive datetimes, agrees in winter and in summer."""
    clock.move_to(instant)
    verifier = pyotp.TOTP(SECRET)
    assert verifier.now() == token.now()
    assert verifier.verify(token.now()) is True
    assert verifier.verify(token.expired_code()) is False
    assert verifier.verify(token.future_code()) is False


def test_pyotp_accepts_a_one_time_code(clock: FrozenClock, token: TotpToken) -> None:
    """The clock moves to the time step of each one-time code, and the verifier with it."""
    verifier = pyotp.TOTP(SECRET)
    first, started = token.one_time_code(), clock.time()
    second = token.one_time_code()
    assert clock.time() == started + 30
    assert verifier.verify(second) is True
    assert verifier.verify(first) is False


def test_passlib_accepts_the_code(clock: FrozenClock, token: TotpToken) -> None:
    """A class that keeps the time.time of its import, as passlib.s, agrees."""
    verifier = passlib.totp.TOTP.using(secrets={"1": "application secret"})(key=SECRET, format="base32")
    assert verifier.verify(token.now(), verifier, window=0).counter == 1705314600 // 30
    clock.next_step()
    assert verifier.generate().token == token.now()
    with pytest.raises(passlib.exc.InvalidTokenError):
        verifier.verify(token.expired_code(), verifier, window=0)


def test_passlib_has_the_real_time_afterwards(clock: FrozenClock) -> None:
    """The clock of passlib is its own again when the clock is released."""
    clock.unfreeze()
    assert passlib.totp.TOTP.now() > 1735689600
    assert passlib.totp.TOTP(new=True).now() > 1735689600
