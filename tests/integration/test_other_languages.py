"""The recipes of docs/other-languages.md, as they stand there, each in its own runtime, against a `totphog serve`.

Of Cypress, whose program comes from a server of its own, the tasks and the command run in plain Node; no spec does.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import pytest
import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.support.system import CHROMIUM_FLAGS, require

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "other-languages.md"
BLOCK = re.compile(r"^```(?:bash|go|js|php)\n((?:<\?php\n)?(?://|#) (\S+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPES = {name: code for code, name in BLOCK.findall(PAGE.read_text("utf-8"))}

KEY = "the-key-of-the-server"
FORM = "<form method=post><label>Code <input name=code></label><button>Log in</button></form>"

# What the page says is the reader's own.
LOGIN_MJS = """
export async function login(name, code) {
  const answer = await fetch(process.env.APP_URL + "/login", { method: "POST", body: new URLSearchParams({ code }) });
  if (!answer.ok) throw new Error(`the app refused ${name}`);
}
"""
LOGIN_GO = """
package login

import (
	"net/http"
	"net/url"
	"os"
	"testing"
)

func login(t *testing.T, name, code string) {
	answer, err := http.PostForm(os.Getenv("APP_URL")+"/login", url.Values{"code": {code}})
	if err != nil || answer.StatusCode != 200 {
		t.Fatal("the app refused", name)
	}
}
"""
LOGIN_PHP = """<?php
function login(string $name, string $code): void
{
    $header = 'Content-Type: application/x-www-form-urlencoded';
    $form = ['http' => ['method' => 'POST', 'header' => $header, 'content' => http_build_query(['code' => $code])]];
    if (file_get_contents(getenv('APP_URL') . '/login', false, stream_context_create($form)) === false) {
        throw new RuntimeException("the app refused $name");
    }
}
"""
LOGIN_SH = 'login() { curl --silent --show-error --fail --data "code=$2" "$APP_URL/login"; }'
PLAYWRIGHT_CONFIG = """
export default {
  reporter: "line",
  use: {
    baseURL: process.env.APP_URL,
    launchOptions: { executablePath: process.env.CHROMIUM, args: process.env.CHROMIUM_FLAGS.split(" ") },
  },
};
"""
# What the tasks and the command see of Cypress: arguments go to tasks as JSON.
IN_PLACE_OF_CYPRESS = """
import config from "./cypress.config.mjs";
import { login } from "./login.mjs";

let tasks;
const commands = {};
config.e2e.setupNodeEvents((event, handlers) => { tasks = handlers; });
globalThis.Cypress = {
  Commands: { add: (name, command) => { commands[name] = command; } },
  currentTest: { titlePath: ["alice logs in"] },
  spec: { name: "login.cy.js" },
};
globalThis.cy = { task: async (name, argument = null) => tasks[name](JSON.parse(JSON.stringify(argument))) };
await import("./cypress/support/e2e.js");

const alice = await cy.task("addAlice");
await login("alice", await commands.oneTimeCode(alice));
await login("alice", await commands.oneTimeCode(alice));
"""


@dataclass(frozen=True)
class Language:
    """How a recipe is run.

    Attributes:
        command: what runs its test.
        holder: what its test calls itself.
        programs: what the system must have.
        own: files that the page leaves to its reader.
        needs: fixtures that the command relies on.
    """

    command: str
    holder: str
    programs: tuple[str, ...]
    own: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


LANGUAGES = {
    "node": Language("node --test", "alice logs in twice", ("node",), {"login.mjs": LOGIN_MJS}),
    "playwright": Language(
        "node node_modules/@playwright/test/cli.js test login.spec.mjs",
        "login.spec.mjs > alice logs in twice",
        ("node", "chromium"),
        {"playwright.config.mjs": PLAYWRIGHT_CONFIG},
        ("node_modules",),
    ),
    "cypress": Language(
        "node in_place_of_cypress.mjs",
        "login.cy.js > alice logs in",
        ("node",),
        {"login.mjs": LOGIN_MJS, "in_place_of_cypress.mjs": IN_PLACE_OF_CYPRESS},
    ),
    "go": Language(
        "go test -count=1",
        "TestAliceLogsInTwice",
        ("go",),
        {"go.mod": "module login\n\ngo 1.18\n", "app_test.go": LOGIN_GO},
    ),
    "php": Language("php login_test.php", "alice_logs_in_twice", ("php",), {"login.php": LOGIN_PHP}),
    "shell": Language("bash login_test.sh", "alice's second login", ("bash", "curl", "jq"), {"login.sh": LOGIN_SH}),
}

# Playwright's and Cypress's recipes ask by way of Node's.
refused = pytest.mark.parametrize("language", ["node", "go", "php", "shell"], indirect=True)


class App:
    """A login that knows nothing of totphog: it accepts each time step once, and none before the last."""

    def __init__(self) -> None:
        self.secret = pyotp.random_base32()
        self.totp = pyotp.TOTP(self.secret, digits=8, interval=1)
        self.earliest = int(time.time())
        self.accepted = 0
        self.server = make_server("127.0.0.1", 0, Request.application(self.answer), threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def answer(self, request: Request) -> Response:
        """Show the form, or judge the code in it; a slow machine may bring it after its second is over."""
        if request.method == "GET":
            return Response(FORM, mimetype="text/html")
        for step in range(self.earliest, int(time.time()) + 1):
            if self.totp.generate_otp(step) == request.form["code"]:
                self.earliest = step + 1
                self.accepted += 1
                return Response("Welcome")
        return Response("Refused", 401)

    def uri(self, period: int = 1) -> str:
        """Return the key URI of the app's only account; with another period its codes are not the app's."""
        return f"otpauth://totp/alice?secret={self.secret}&digits=8&period={period}"


class Api:
    """The API, from the side."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, **body: object) -> dict[str, object]:
        """Send a JSON object and return the data of the answer."""
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = requests.post(f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=5).json()
        assert answer["success"], answer["error"]
        return answer["data"]


@pytest.fixture
def app() -> Iterator[App]:
    """The running app."""
    app = App()
    thread = threading.Thread(target=app.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield app
    app.server.shutdown()
    thread.join(10)
    app.server.server_close()


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """The API of a `totphog serve` that demands a key."""
    command = [sys.executable, "-m", "pytest_totphog", "serve", "--port", "0"]
    environment = {**os.environ, "TOTPHOG_API_KEY": KEY}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield Api(process.stdout.readline().strip())
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Playwright Test from npm, without its browsers."""
    folder = tmp_path_factory.mktemp("npm")
    options = ["--prefix", str(folder), "--prefer-offline", "--no-audit", "--no-fund"]
    subprocess.run([require("npm"), "install", *options, "@playwright/test"], check=True, timeout=100)
    return folder / "node_modules"


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest, tmp_path: Path) -> Language:
    """One of the languages, its project written to where the test runs."""
    language = LANGUAGES[request.param]
    for program in language.programs:
        require(program)
    for name, text in {**RECIPES, **language.own}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name in language.needs:
        (tmp_path / name).symlink_to(request.getfixturevalue(name))
    return language


def run(language: Language, folder: Path, api: Api, app: App, *, period: int = 1, key: str = KEY) -> tuple[int, str]:
    """Run a language's test and return its exit status and what it wrote."""
    environment = {
        **os.environ,
        "TOTPHOG_URL": api.url,
        "TOTPHOG_API_KEY": key,
        "ALICE_TOTP_URI": app.uri(period),
        "APP_URL": app.url,
        "CHROMIUM": require("chromium") if "chromium" in language.programs else "",
        "CHROMIUM_FLAGS": " ".join(CHROMIUM_FLAGS),
    }
    command = language.command.split()
    done = subprocess.run(
        [require(command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert [hidden for hidden in (app.secret, KEY) if hidden in done.stdout] == []
    return done.returncode, done.stdout


def test_two_logins_in_a_row(language: Language, tmp_path: Path, api: Api, app: App) -> None:
    """The app accepts both, although it accepts none twice; others see the name of the test that has the code."""
    status, output = run(language, tmp_path, api, app)
    assert (status, app.accepted) == (0, 2), output
    alice = api.post("/tokens", uri=app.uri())
    last_code = app.totp.generate_otp(app.earliest - 1)
    explanation = api.post(f"/tokens/{alice['id']}/explain", code=last_code)["explanation"]
    assert str(explanation).endswith(f" to {language.holder}")


@refused
def test_no_code_in_time(language: Language, tmp_path: Path, api: Api, app: App) -> None:
    """Where the steps of the next minutes are all taken, the test fails at once and says by whom."""
    alice = api.post("/tokens", uri=app.uri(60))
    for _ in range(4):
        api.post(f"/tokens/{alice['id']}/one-time-code", lookahead=10, holder="the nightly run")
    status, output = run(language, tmp_path, api, app, period=60)
    assert (status != 0, app.accepted) == (True, 0), output
    assert "totphog: no unspent code of 'alice' in time: the next one begins in " in output
    assert " was handed to the nightly run " in output


@refused
def test_refused_key(language: Language, tmp_path: Path, api: Api, app: App) -> None:
    """The test fails with the server's sentence."""
    status, output = run(language, tmp_path, api, app, key="another")
    assert (status != 0, app.accepted) == (True, 0), output
    assert "totphog: The API key that was sent is not this server's" in output


def test_page_has_no_other_recipes() -> None:
    """Every block of the page has its name here, so that none is forgotten by a pattern that does not match."""
    blocks = re.findall(r"^```(?!console)\w+$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(RECIPES) == [
        "cypress.config.mjs",
        "cypress/e2e/login.cy.js",
        "cypress/support/e2e.js",
        "fixtures.mjs",
        "login.spec.mjs",
        "login.test.mjs",
        "login_test.go",
        "login_test.php",
        "login_test.sh",
        "totphog.mjs",
        "totphog.php",
        "totphog.sh",
        "totphog_test.go",
    ]
    assert len(blocks) == len(RECIPES)
