"""`totphog serve --database`: what was answered survives `kill -9` right after it, and a restart."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from pytest_totphog import Authenticator
from pytest_totphog.credentials.otp import random_secret
from tests.support.threads import in_threads

ADA = {"email": "ada@example.com", "password": "note G of the sketch"}
GRACE = {"email": "grace@example.com", "password": "the nanosecond"}
Served = Callable[[str], "Process"]


class Process:
    """A `totphog serve` of its own."""

    def __init__(self, app: str, database: str) -> None:
        arguments = ["serve", "--app", app, "--port", "0", "--database", database]
        if app not in {"simple", "totphog"}:  # which have no passwords
            arguments += ["--bcrypt-cost", "4"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest_totphog", *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def post(self, path: str, *, bearer: str = "", **body: object) -> requests.Response:
        """Send a JSON object."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return requests.post(f"{self.url}{path}", json=body, headers=headers, timeout=30)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.communicate(timeout=10)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'accounts.db'}"


@pytest.fixture
def serve(database: str) -> Iterator[Served]:
    """Starts servers on the database, which are killed after the test."""
    processes: list[Process] = []

    def start(app: str) -> Process:
        processes.append(Process(app, database))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def test_simple(serve: Served) -> None:
    """A user's secret is the same after the server was killed."""
    first = serve("simple")
    secret = first.post("/register", username="ada").json()["secret"]
    first.kill()

    second = serve("simple")
    token = Authenticator().make(name="ada", secret=secret)
    assert second.post("/verify-totp", username="ada", token=token.now()).json() == {
        "message": "Token verified successfully"
    }


def test_vault(serve: Served) -> None:
    """Account, bearer token and credentials."""
    first = serve("vault")
    user = first.post("/api/auth/register", name="Ada", **ADA).json()["data"]
    bearer = first.post("/api/auth/token", userId=user["id"]).json()["token"]
    kept = first.post("/api/management/totp", bearer=bearer, label="GitHub", secret="JBSWY3DPEHPK3PXP").json()
    first.kill()

    second = serve("vault")
    assert second.post("/api/auth/login", **ADA).json()["id"] == user["id"]
    export = requests.get(f"{second.url}/api/management/export", params={"token": bearer}, timeout=5).json()
    assert [totp["id"] for totp in export["totps"]] == [kept["data"]["id"]]


def test_login_demo(serve: Served) -> None:
    """Account, second factor, access token, and that a code is spent."""
    first = serve("login-demo")
    first.post("/api/auth/register", **ADA)
    access = first.post("/api/auth/login", **ADA).json()["token"]
    secret = first.post("/api/mfa/totp/setup", bearer=access).json()["manualEntryKey"]
    code = Authenticator().make(name="ada", secret=secret).one_time_code()
    assert first.post("/api/mfa/totp/verify", bearer=access, code=code).status_code == 200
    first.kill()

    second = serve("login-demo")
    me = requests.get(f"{second.url}/api/user/me", headers={"Authorization": f"Bearer {access}"}, timeout=5).json()
    assert (me["email"], me["totpEnabled"]) == (ADA["email"], True)
    assert second.post("/api/auth/login", **ADA).json()["requiresTOTP"]
    assert second.post("/api/auth/login", **ADA, totpCode=code).status_code == 401


def test_email_mfa(serve: Served) -> None:
    """A registration under way: the code was mailed by a server that is gone."""
    first = serve("email-mfa")
    first.post("/register", firstName="Ada", lastName="Lovelace", **ADA)
    [mail] = requests.get(f"{first.url}/mailbox", timeout=5).json()
    code = mail["text"].split()[4]
    first.kill()

    second = serve("email-mfa")
    assert second.post("/register/verify", email=ADA["email"], token=code).status_code == 201
    assert second.post("/login", **ADA).status_code == 200


def test_totphog(serve: Served) -> None:
    """Tokens, where the clock stands, and which codes were handed out; without a namespace and in one."""
    first = serve("totphog")
    account = {"name": "ada", "secret": random_secret()}
    frozen = {"frozen_at": "2024-01-15T10:30:00Z"}
    claims = []
    for prefix in ("", "/namespaces/job-7"):
        requests.put(f"{first.url}{prefix}/api/v1/clock", json=frozen, timeout=5)
        token = first.post(f"{prefix}/api/v1/tokens", **account).json()["data"]
        claims.append(f"{prefix}/api/v1/tokens/{token['id']}/one-time-code")
    given = [first.post(claim, holder="first").json()["data"] for claim in claims]
    first.kill()

    second = serve("totphog")
    explain = claims[0].replace("one-time-code", "explain")
    explained = second.post(explain, code=given[0]["code"]).json()["data"]["explanation"]
    given += [second.post(claim).json()["data"] for claim in claims]
    for prefix in ("", "/namespaces/job-7"):  # the database may be another test's next
        requests.delete(f"{second.url}{prefix}/api/v1/tokens", timeout=5)
        requests.delete(f"{second.url}{prefix}/api/v1/clock", timeout=5)
    assert [each["step"] for each in given] == [56_843_820, 56_843_821, 56_843_822, 56_843_823]
    assert explained.endswith("handed out just now to first")


@pytest.mark.parametrize(
    ("app", "path", "body", "refused"),
    [
        ("simple", "/register", {"username": "grace"}, 200),  # which registers a name again
        ("vault", "/api/auth/register", {"name": "Grace", **GRACE}, 409),
        ("login-demo", "/api/auth/register", GRACE, 409),
    ],
)
def test_registered_by_sixteen_at_once(serve: Served, app: str, path: str, body: dict[str, str], refused: int) -> None:
    """One is served, the others are told that the account exists, and none ends with an error."""
    server = serve(app)
    statuses = in_threads(16, lambda _: server.post(path, **body).status_code)
    assert sorted(statuses) == [200] + [refused] * 15


def test_seed_is_idempotent(database: str, serve: Served) -> None:
    """Twice done, the demo account is there once, with its fixed token and its TOTP."""
    for _ in range(2):
        command = [sys.executable, "-m", "pytest_totphog", "seed", "--app", "vault", "--database", database]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "The demo account demo@email.com is there.\n"
    server = serve("vault")
    answer = requests.get(
        f"{server.url}/api/totp", params={"token": "c8eeaabf3ef14ffc811cab37ba16753f"}, timeout=5
    ).json()
    assert [totp["label"] for totp in answer] == ["Demo TOTP"]
    assert server.post("/api/auth/login", email="demo@email.com", password="pass123").status_code == 200
