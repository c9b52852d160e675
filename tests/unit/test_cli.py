"""The command `totphog`: what the shell sees."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import requests
import zxingcpp
from PIL import Image

from pytest_totphog import __version__
from pytest_totphog.apps import APPS
from pytest_totphog.cli import main, parser
from pytest_totphog.commands.serve import _port
from pytest_totphog.credentials import qr
from tests.support.vectors import RFC_6238, RFC_SECRETS

SECRET = "JBSWY3DPEHPK3PXP"
UNTOLD = "GEZDGNBVGY3TQOJQ"

Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says nothing about ports and keys, unless a test does."""
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("TOTPHOG_API_KEY", raising=False)
    monkeypatch.delenv("TOTPHOG_DATABASE_URL", raising=False)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts `totphog serve` in a process of its own, which ends with the test."""
    with ExitStack() as cleanup:

        def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
            process = cleanup.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "pytest_totphog", "serve", *arguments],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env={**os.environ, **environment},
                )
            )
            cleanup.callback(process.kill)
            return process

        yield start


def told_url(process: subprocess.Popen[str]) -> str:
    """Wait for the server's line, and return its URL."""
    line = process.stdout.readline()
    assert re.fullmatch(r"http://\S+:[1-9]\d*\n", line), process.communicate()
    return line.strip()


def test_is_installed_as_totphog() -> None:
    """The distribution installs this command under the name `totphog`."""
    (command,) = entry_points(group="console_scripts", name="totphog")
    assert command.load() is main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the package's."""
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"totphog {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["guess"], ["code"], ["serve", "--app", "nosuch"], ["serve", "--port", "http"]]
)
def test_misuse_is_a_usage_error(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """What the command does not know ends with status 2 and the usage on stderr."""
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: totphog ")


class TestCode:
    """`totphog code`."""

    @pytest.mark.parametrize(("when", "algorithm", "code"), RFC_6238)
    def test_vectors_of_rfc_6238(
        self, capsys: pytest.CaptureFixture[str], when: int, algorithm: str, code: str
    ) -> None:
        """The table of RFC 6238 appendix B, line by line."""
        assert main(["code", RFC_SECRETS[algorithm], "--digits", "8", "--algorithm", algorithm, "--at", str(when)]) == 0
        assert capsys.readouterr() == (f"{code}\n", "")

    @pytest.mark.parametrize(
        "at", ["1970-01-01T00:00:59Z", "1970-01-01T00:00:59+00:00", "1970-01-01T01:00:59+01:00", "59", "59.999"]
    )
    def test_another_time(self, capsys: pytest.CaptureFixture[str], at: str) -> None:
        """`--at` takes seconds since the epoch, and ISO 8601 with an offset."""
        assert main(["code", SECRET, "--at", at]) == 0
        assert capsys.readouterr() == ("996554\n", "")

    @pytest.mark.usefixtures("frozen_clock")
    def test_current_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without `--at` it is the code of now."""
        assert main(["code", SECRET]) == 0
        assert capsys.readouterr() == ("648307\n", "")

    @pytest.mark.parametrize(
        "source",
        [
            ["jbswy3dpehpk3pxp"],
            ["JBSW Y3DP EHPK 3PXP"],
            ["jbsw-y3dp-ehpk-3pxp"],
            ["otpauth://totp/Shop:alice?secret=JBSWY3DPEHPK3PXP&issuer=Shop"],
        ],
    )
    def test_source(self, capsys: pytest.CaptureFixture[str], source: list[str]) -> None:
        """The secret as a page prints it, or a key URI."""
        assert main(["code", "--at", "1705314600", *source]) == 0
        assert capsys.readouterr() == ("648307\n", "")

    def test_uri_says_the_parameters(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The parameters of a URI are taken from it, and an option may say them once more."""
        uri = f"otpauth://totp/alice?secret={SECRET}&digits=8&period=60&algorithm=SHA256"
        assert main(["code", uri, "--at", "2024-01-15T10:30:00Z"]) == 0
        assert main(["code", uri, "--at", "2024-01-15T10:30:00Z", "--digits", "8", "--algorithm", "hmac-sha256"]) == 0
        assert capsys.readouterr() == ("48298960\n48298960\n", "")

    def test_from_stdin(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """`-` reads the first line of stdin, so that the secret stands on no command line."""
        monkeypatch.setattr("sys.stdin", io.StringIO(f"  {SECRET}\nnot this\n"))
        assert main(["code", "-", "--at", "59"]) == 0
        assert capsys.readouterr() == ("996554\n", "")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ([f"{UNTOLD}1"], "the secret is not base32: character 17 is '1'"),
            ([UNTOLD[:-2] + "!", "--digits", "8"], "the secret is not base32: character 15 is '!'"),
            ([UNTOLD + "A"], "the secret is not base32: 17 characters do not make whole bytes"),
            ([""], "the secret is empty"),
            ([UNTOLD, "--digits", "5"], "digits is 5; accepted are 6, 7 and 8"),
            ([UNTOLD, "--period", "0"], "period is 0; accepted are whole seconds from 1 to 86400"),
            ([UNTOLD, "--algorithm", "md5"], "algorithm is 'md5'; accepted are sha1, sha256 and sha512"),
            (
                [UNTOLD, "--at", "2024-01-15T10:30:00"],
                (
                    "the time '2024-01-15 10:30:00' has no time zone, so it means another instant on another machine; "
                    "append 'Z', or an offset such as '+02:00'\n"
                ),
            ),
            (
                [UNTOLD, SECRET],
                (
                    "there are 2 arguments, and accepted is one secret or URI; put one that has spaces in quotes: "
                    "totphog code 'JBSW Y3DP EHPK 3PXP'\n"
                ),
            ),
            (["-", UNTOLD], "there are 2 arguments, and accepted is one"),
            (
                [f"otpauth://totp/alice?secret={UNTOLD}", "--digits", "8"],
                "--digits is 8, and the URI says 6; leave --digits out\n",
            ),
            ([f"otpauth://totp/alice?secret={UNTOLD}&period=60", "--period", "30"], "--period is 30, and the URI says"),
            (
                [f"otpauth://totp/alice?secret={UNTOLD}", "--algorithm", "sha256"],
                "--algorithm is 'sha256', and the URI",
            ),
            ([f"otpauth://totp/alice?secret={UNTOLD}", "--digits", "5"], "digits is 5; accepted are 6, 7 and 8"),
            ([UNTOLD, "--at", "tomorrow"], "'tomorrow' is no point in time"),
            ([UNTOLD, "--at", "-1"], "the time -1.0 is out of range"),
            ([f"otpauth://hotp/alice?secret={UNTOLD}"], "the type of the key URI is 'hotp'; accepted is totp"),
            (
                [f"otpauth://totp/alice?secret={UNTOLD}&digits=x"],
                "the key URI has digits='x'; accepted is a whole number",
            ),
            ([f"https://shop.example/{UNTOLD}"], "this is not a key URI"),
        ],
    )
    def test_mistake(self, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
        """What needs mending is told in one sentence on stderr, with status 2 and without the secret."""
        assert main(["code", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"totphog: {sentence}")
        assert err.count("\n") == 1
        assert UNTOLD[:8] not in err

    def test_uri_of_stdin(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """An option that contradicts it is no less a mistake."""
        monkeypatch.setattr("sys.stdin", io.StringIO(f"otpauth://totp/alice?secret={UNTOLD}\n"))
        assert main(["code", "-", "--period", "60"]) == 2
        assert capsys.readouterr().err == "totphog: --period is 60, and the URI says 30; leave --period out\n"

    def test_closed_stdin(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """`-` without anything to read is an empty secret."""
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert main(["code", "-"]) == 2
        assert capsys.readouterr().err.startswith("totphog: the secret is empty")


URI = f"otpauth://totp/Shop:alice?secret={SECRET}&issuer=Shop&algorithm=SHA1&digits=6&period=30"


class TestScan:
    """`totphog scan`."""

    @pytest.mark.usefixtures("frozen_clock")
    def test_account_and_code(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        """A line with both; the secret stays in the picture."""
        picture = tmp_path / "code"
        picture.write_bytes(qr.png(URI))
        assert main(["scan", str(picture)]) == 0
        assert capsys.readouterr() == ("Shop:alice 648307\n", "")

    def test_uri(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        """`--uri` asks for it, secret and all."""
        picture = tmp_path / "code.svg"
        picture.write_text(qr.svg(URI))
        assert main(["scan", "--uri", str(picture)]) == 0
        assert capsys.readouterr() == (f"{URI}\n", "")

    def test_export_from_stdin(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """`-` reads the picture from stdin; every account of an authenticator's export has its line."""
        export = (
            "otpauth-migration://offline?data=Ch4KCkhlbGxvId6tvu8SBWFsaWNlGgdFeGFtcGxlMAIK"
            "HAoKR2VuZXJhdG9yIRIDYm9iGgdFeGFtcGxlMAI="
        )
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(qr.png(export))))
        assert main(["scan", "--uri", "-"]) == 0
        assert capsys.readouterr().out == (
            "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30\n"
            "otpauth://totp/Example:bob?secret=I5SW4ZLSMF2G64RB&issuer=Example&algorithm=SHA1&digits=6&period=30\n"
        )

    def test_files_with_several_accounts(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        """Each has its line; what is no TOTP is named on stderr."""
        (tmp_path / "list.txt").write_text(f"{URI}\n{URI.replace('totp/Shop:alice', 'hotp/Shop:eve')}\n")
        (tmp_path / "code.png").write_bytes(qr.png(URI.replace("alice", "bob")))
        assert main(["scan", "--uri", str(tmp_path / "list.txt"), str(tmp_path / "code.png")]) == 0
        out, err = capsys.readouterr()
        assert out == f"{URI}\n{URI.replace('alice', 'bob')}\n"
        assert err == "totphog: not enrolled: 'Shop:eve' (hotp); accepted is totp\n"

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (None, "cannot read the picture 'code.png': No such file or directory"),
            (b"", "this is empty; accepted is a PNG, JPEG, WebP or SVG picture"),
            (UNTOLD.encode(), "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG picture"),
            (qr.png(UNTOLD), "the picture has no QR code to enrol with, but one with a text of 16 characters; "),
            (qr.png(f"otpauth://hotp/alice?secret={UNTOLD}"), "the type of the key URI is 'hotp'; accepted is totp"),
        ],
        ids=["no file", "empty", "text", "another code", "hotp"],
    )
    def test_mistake(
        self,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        content: bytes | None,
        sentence: str,
    ) -> None:
        """One sentence on stderr, status 2, and no secret."""
        monkeypatch.chdir(tmp_path)
        if content is not None:
            Path("code.png").write_bytes(content)
        assert main(["scan", "code.png"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"totphog: {sentence}")
        assert UNTOLD[:8] not in err

    @pytest.mark.parametrize("given", [UNTOLD, "gezd gnbv gy3t qojq", f"otpauth://totp/alice?secret={UNTOLD}"])
    def test_secret_in_the_place_of_a_picture(self, capsys: pytest.CaptureFixture[str], given: str) -> None:
        """The error says which command takes it, and does not repeat it."""
        assert main(["scan", given]) == 2
        assert capsys.readouterr().err == (
            "totphog: this is no picture, but a secret or a URI (not shown); for its code: totphog code …\n"
        )


class TestQr:
    """`totphog qr`."""

    @pytest.mark.parametrize("name", ["code.png", "code.SVG"])
    @pytest.mark.parametrize(
        "arguments", [[URI], [URI, "--name", "alice"], ["JBSW Y3DP EHPK 3PXP", "--name", "alice", "--issuer", "Shop"]]
    )
    def test_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, arguments: list[str]) -> None:
        """A picture that `totphog scan` reads."""
        picture = str(tmp_path / name)
        assert main(["qr", *arguments, "--output", picture]) == 0
        assert capsys.readouterr() == ("", "")
        assert main(["scan", "--uri", picture]) == 0
        assert capsys.readouterr() == (f"{URI}\n", "")

    def test_terminal(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """A scanner that looks at the terminal reads it: light blocks on the dark ground."""
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
        assert main(["qr", "-", "--digits", "8", "--period", "60", "--algorithm", "sha256"]) == 0
        assert scanned(capsys.readouterr().out) == [
            f"otpauth://totp/account?secret={SECRET}&algorithm=SHA256&digits=8&period=60"
        ]

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ([f"{UNTOLD}1"], "the secret is not base32: character 17 is '1'"),
            ([UNTOLD, "--name", ""], "name is empty; accepted is a string with a visible character"),
            ([URI, "--name", "bob"], "--name is 'bob', and the URI says 'alice'; leave --name out"),
            ([URI, "--issuer", ""], "--issuer is '', and the URI says 'Shop'; leave --issuer out"),
            (["JBSW", "Y3DP"], "there are 2 arguments, and accepted is one secret or URI; put one that has spaces in"),
            ([UNTOLD, "--output", "a.gif"], "--output is 'a.gif'; accepted is a file name that ends in .png or .svg"),
            ([UNTOLD, "--output", "no/a.png"], "cannot write 'no/a.png': No such file or directory"),
        ],
    )
    def test_mistake(self, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
        """One sentence on stderr, status 2, and no secret."""
        assert main(["qr", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"totphog: {sentence}")
        assert UNTOLD[:8] not in err


def scanned(drawn: str) -> list[str]:
    """Return what a scanner reads from half blocks on a dark terminal."""
    halves = {" ": (0, 0), "\u2580": (255, 0), "\u2584": (0, 255), "\u2588": (255, 255)}
    rows = [bytes(halves[each][half] for each in line) for line in drawn.splitlines() for half in (0, 1)]
    terminal = Image.frombytes("L", (len(rows[0]), len(rows)), b"".join(rows))
    return [code.text for code in zxingcpp.read_barcodes(terminal.resize((terminal.width * 4, terminal.height * 4)))]


class TestServe:
    """`totphog serve`, as a process of its own."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_serves_until_a_signal(self, serve: Serve, number: signal.Signals) -> None:
        """It prints one line with its URL when it accepts requests; each of these signals ends it with status 0."""
        process = serve("--port", "0")
        url = told_url(process)
        assert requests.get(f"{url}/api/v1/health", timeout=5).json()["service"] == "TOTPHog"
        process.send_signal(number)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{url}/api/v1/health", timeout=5)

    def test_signals_are_waited_for(self, serve: Serve) -> None:
        """They are blocked in every thread but the one that waits for them, so that none is lost on its way there."""
        process = serve("--port", "0")
        ending = 1 << signal.SIGINT - 1 | 1 << signal.SIGTERM - 1 | 1 << signal.SIGHUP - 1
        read = []

        with requests.Session() as session:  # whose connection has a thread as long as it is open
            session.get(f"{told_url(process)}/api/v1/health", timeout=5)
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                with suppress(OSError):  # a thread that has just ended
                    read.append((task.name, (task / "status").read_text()))

        others = [re.search(r"SigBlk:\s(\w+)", text) for name, text in read if name != str(process.pid)]
        assert others
        assert [int(blocked[1], 16) & ending for blocked in others] == [ending] * len(others)

    def test_hang_up_that_is_ignored(self, serve: Serve) -> None:
        """As under nohup, where the server outlives the terminal."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            process = serve("--port", "0")
        finally:
            signal.signal(signal.SIGHUP, before)
        url = told_url(process)

        process.send_signal(signal.SIGHUP)

        assert requests.get(f"{url}/api/v1/health", timeout=5).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == ("", "")

    def test_database_of_the_environment(self, serve: Serve, tmp_path: Path) -> None:
        """Its URL, which may have a password, need not be on the command line; its files are the owner's alone."""
        process = serve("--port", "0", TOTPHOG_DATABASE_URL=f"sqlite:///{tmp_path}/store.db")
        api = f"{told_url(process)}/api/v1"

        assert requests.post(f"{api}/tokens", json={"name": "a", "secret": SECRET}, timeout=5).status_code == 201

        assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
            "store.db": 0o600,
            "store.db-wal": 0o600,
            "store.db-shm": 0o600,
        }

    def test_stops_while_a_client_waits_for_a_code(self, serve: Serve) -> None:
        """A request that is held for the next step's code keeps nobody from stopping the server."""
        process = serve("--port", "0")
        api = f"{told_url(process)}/api/v1"
        account = {"name": "alice", "secret": SECRET, "period": 86400}
        token = requests.post(f"{api}/tokens", json=account, timeout=5).json()["data"]
        first = requests.post(f"{api}/tokens/{token['id']}/one-time-code", json={"min_remaining": 0}, timeout=5)
        assert first.status_code == 200
        host, port = api.removeprefix("http://").removesuffix("/api/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as waiting:
            body = b'{"timeout": 86400}'
            head = f"POST /api/v1/tokens/{token['id']}/one-time-code HTTP/1.1\r\nHost: {host}:{port}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            waiting.sendall(head.encode() + body)
            assert requests.get(f"{api}/health", timeout=5).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert waiting.recv(1) == b""
            assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0

    def test_busy_port(self, serve: Serve) -> None:
        """A port that is taken is a sentence that names it, and the option that helps."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            process = serve("--port", str(port))
            out, err = process.communicate(timeout=10)
        assert (process.returncode, out) == (2, "")
        assert err.startswith(f"totphog: cannot listen on 127.0.0.1 port {port}: Address already in use")
        assert "let port 0 find a free one" in err
        assert err.count("\n") == 1

    def test_port_of_the_environment(self, serve: Serve) -> None:
        """Without `--port` the environment's PORT counts, as hosting services set it."""
        with socket.socket() as reserved:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
            assert told_url(serve(PORT=str(port))) == f"http://127.0.0.1:{port}"

    def test_api_key(self, serve: Serve) -> None:
        """With `--api-key`, which beats the environment's, only who knows it is answered."""
        url = told_url(serve("--port", "0", "--api-key", "open sesame", TOTPHOG_API_KEY="another"))
        tokens = f"{url}/api/v1/tokens"
        assert requests.get(tokens, timeout=5).status_code == 401
        assert requests.get(tokens, headers={"Authorization": "Bearer another"}, timeout=5).status_code == 401
        assert requests.get(tokens, headers={"Authorization": "Bearer open sesame"}, timeout=5).status_code == 200

    def test_api_key_of_the_environment(self, serve: Serve) -> None:
        """TOTPHOG_API_KEY does the same, out of sight of other users of the machine."""
        url = told_url(serve("--port", "0", TOTPHOG_API_KEY="open sesame"))
        tokens = f"{url}/api/v1/tokens"
        assert requests.get(tokens, timeout=5).status_code == 401
        assert requests.get(tokens, headers={"Authorization": "Bearer open sesame"}, timeout=5).status_code == 200

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "totp.example"])
    def test_beyond_loopback_is_refused(self, capsys: pytest.CaptureFixture[str], host: str) -> None:
        """An address that other machines reach needs a key, or the word that it is meant."""
        assert main(["serve", "--port", "0", "--host", host]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"totphog: {host} is reachable from other machines")
        assert err.endswith("listen on 127.0.0.1, or give --api-key KEY or --insecure where it is meant\n")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--smtp", "localhost:25"],
            ["--app", "simple", "--bcrypt-cost", "4"],
            ["--app", "email-mfa", "--cors-origins", "*"],
        ],
    )
    def test_option_of_another_app(self, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
        """The error has the command's words, and not those of Python."""
        app, option = (["totphog", *arguments] if len(arguments) == 2 else arguments[1:])[:2]
        assert main(["serve", "--port", "0", *arguments]) == 2
        assert capsys.readouterr().err == f"totphog: the app {app} has no use for {option}; leave it out\n"

    @pytest.mark.parametrize("permission", [["--api-key", "open sesame"], ["--insecure"]])
    def test_beyond_loopback_with_permission(self, serve: Serve, permission: list[str]) -> None:
        """With a key, or with `--insecure`, every address is served."""
        url = told_url(serve("--port", "0", "--host", "0.0.0.0", *permission))
        health = f"{url.replace('0.0.0.0', '127.0.0.1')}/api/v1/health"
        assert requests.get(health, headers={"Authorization": "Bearer open sesame"}, timeout=5).status_code == 200

    def test_log(self, serve: Serve) -> None:
        """`--log` writes method, path and status to stderr; no query, no body, no secret."""
        process = serve("--port", "0", "--log")
        api = f"{told_url(process)}/api/v1"
        requests.post(f"{api}/codes", json={"secret": SECRET}, params={"secret": SECRET}, timeout=5)
        requests.get(f"{api}/nowhere", timeout=5)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == ("", "POST '/api/v1/codes' 200\nGET '/api/v1/nowhere' 404\n")


class TestPort:
    """The port that `totphog serve` listens on."""

    @pytest.mark.parametrize(
        ("app", "port"),
        [("totphog", 8045), ("simple", 3000), ("email-mfa", 3000), ("vault", 3000), ("login-demo", 3001)],
    )
    def test_default(self, app: str, port: int) -> None:
        """Unless told, each app has the port of its API document."""
        assert _port(parser().parse_args(["serve", "--app", app])) == port

    def test_every_app_has_a_default(self) -> None:
        """The table above is complete."""
        assert list(APPS) == ["totphog", "simple", "email-mfa", "vault", "login-demo"]

    @pytest.mark.parametrize(
        ("environment", "arguments", "port"),
        [("5000", [], 5000), (" 5000 ", [], 5000), ("", [], 8045), ("0", [], 0), ("5000", ["--port", "6000"], 6000)],
    )
    def test_order(self, monkeypatch: pytest.MonkeyPatch, environment: str, arguments: list[str], port: int) -> None:
        """The option beats the environment's PORT, which beats the default; an empty PORT is none."""
        monkeypatch.setenv("PORT", environment)
        assert _port(parser().parse_args(["serve", *arguments])) == port

    @pytest.mark.parametrize("port", ["-1", "65536", "99999999999999999999"])
    def test_out_of_range(self, capsys: pytest.CaptureFixture[str], port: str) -> None:
        """A number that is no port is named, with what is accepted."""
        assert main(["serve", f"--port={port}"]) == 2
        assert capsys.readouterr() == (
            "",
            f"totphog: port {port} does not exist; accepted are 0 to 65535, 0 for a free one\n",
        )

    @pytest.mark.parametrize("value", ["http", "80.5", "-1", "٨٠", "tcp://10.0.0.1:80"])
    def test_bogus_environment(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        """A PORT that is no number (Kubernetes sets such ones) is a sentence that says where it comes from."""
        monkeypatch.setenv("PORT", value)
        assert main(["serve"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("totphog: the environment's PORT is ")
        assert err.endswith("; accepted is a port from 0 to 65535\n")

    def test_endless_environment(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """A PORT of more digits than Python reads is refused, not converted."""
        monkeypatch.setenv("PORT", "1" * 5000)
        assert main(["serve"]) == 2
        assert capsys.readouterr().err.endswith("; accepted is a port from 0 to 65535\n")
