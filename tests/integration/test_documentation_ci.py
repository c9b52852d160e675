"""The files for CI that the documentation shows: they fit their schemas, and their commands run."""

import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from pytest_totphog import TotpServer
from tests.support.system import require

ROOT = Path(__file__).parents[2]
PAGES = {page.name: page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md")}
FILES = {
    name: code
    for text in PAGES.values()
    for code, name in re.findall(r"^```yaml\n(# (\S+)\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
}
SCHEMAS = {
    ".github/workflows/tests.yml": ["vendor.github-workflows"],
    ".github/workflows/browser.yml": ["vendor.github-workflows"],
    ".gitlab-ci.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "compose.yml": ["vendor.compose-spec"],
}

# They need a network, a registry or Cypress; every other command runs.
ELSEWHERE = ("apt-get ", "npm ", "npx ", "pip install ")
KEY = "the-key-of-the-server"
# What a project keeps in its settings for CI.
SETTINGS = {
    "ALICE_TOTP_URI": "otpauth://totp/Shop:alice?secret=JBSWY3DPEHPK3PXP",
    "SHOP_ACCOUNTS": '[{"name": "alice", "password": "correct horse", "secret": "JBSWY3DPEHPK3PXP"}]',
    "TOTPHOG_API_KEY": KEY,
}
LOGIN = "def test_login(totp_token, frozen_clock): assert totp_token.verify(totp_token.one_time_code())"
STAGING = """
def test_login(totp_account, totp_server, frozen_clock):
    assert totp_account.name == "alice"
    assert "/namespaces/" in totp_server.url
    assert totp_account.token.verify(totp_account.token.one_time_code())
"""
(BATTERY,) = (
    code
    for code in re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if "TotpConformance" in code
)
# The whole of it is run by test_documentation_code.py.
ONE_RULE = "def pytest_collection_modifyitems(items): items[:] = [item for item in items if '_V1_' in item.name]"


class Step(NamedTuple):
    """Commands of a job, the names of the settings that it is given, and the files that it leaves to be uploaded."""

    commands: str
    settings: list[str]
    files: list[str]


def _steps(name: str) -> dict[str, Step]:
    """Return the steps of a file for CI, by name."""
    content = yaml.safe_load(FILES[name])
    return _github(content["jobs"]) if "jobs" in content else _gitlab(content)


def _github(jobs: dict[str, Any]) -> dict[str, Step]:
    steps = {}
    for name, job in jobs.items():
        uploads = [step["with"] for step in job["steps"] if "upload" in step.get("uses", "")]
        files = [each.get("path") or each["sarif_file"] for each in uploads]
        for step in job["steps"]:
            if "run" in step:
                settings = step.get("env", {})
                assert all(
                    re.fullmatch(rf"\$\{{\{{ (secrets|vars)\.{each} \}}\}}", settings[each]) for each in settings
                )
                left = files if step["run"].startswith("pytest") else []
                steps[f"{name}: {step['run'].splitlines()[0]}"] = Step(step["run"], list(settings), left)
    return steps


def _gitlab(jobs: dict[str, Any]) -> dict[str, Step]:
    steps = {}
    for name, job in jobs.items():
        artifacts = job.get("artifacts", {})
        files = [*artifacts.get("paths", []), *artifacts.get("reports", {}).values()]
        commands = "\n".join(job.get("script") or job["before_script"])
        # Every job is given every setting.
        steps[name] = Step(commands, [*SETTINGS, "TOTPHOG_URL"], files)
    return steps


# The same commands in two files are run once.
STEPS = {
    step.commands: pytest.param(step, id=f"{name} {title}")
    for name in SCHEMAS
    if name != "compose.yml"
    for title, step in _steps(name).items()
    if any(not line.startswith(ELSEWHERE) for line in step.commands.splitlines())
}.values()


def test_every_file_has_a_name_and_a_schema() -> None:
    """No YAML is shown that is not looked at."""
    assert sum(text.count("```yaml\n") for text in PAGES.values()) == len(FILES)
    assert FILES.keys() == SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_file_fits_its_schema(tmp_path: Path, name: str) -> None:
    """The one that editors use; it comes with check-jsonschema, so nothing is downloaded."""
    path = tmp_path / Path(name).name
    path.write_text(FILES[name], "utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *SCHEMAS[name], str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize("step", STEPS)
def test_commands_run(tmp_path: Path, step: Step) -> None:
    """In a project that has tests, with the settings that the step is given; then what is uploaded is there."""
    for name, code in {"tests": LOGIN, "staging": STAGING, "battery": BATTERY}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"test_{name}.py").write_text(code, "utf-8")
    (tmp_path / "battery" / "conftest.py").write_text(ONE_RULE, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntotphog_account_pool = env:SHOP_ACCOUNTS\n", "utf-8")
    lines = [line for line in step.commands.splitlines() if not line.startswith(ELSEWHERE)]
    with TotpServer(api_key=KEY) as server:
        run(tmp_path, "\n".join(lines), {name: {**SETTINGS, "TOTPHOG_URL": server.url}[name] for name in step.settings})
    assert [name for name in step.files if not (tmp_path / name).is_file()] == []


def run(folder: Path, commands: str, settings: dict[str, str]) -> None:
    """Run commands as CI does, on another port than everybody's, and end what they started."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TOTPHOG_"))}
    environment["PATH"] = f"{sysconfig.get_path('scripts')}:{environment['PATH']}"
    environment |= {"PYTEST_ADDOPTS": "-p no:asyncio", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"} | settings
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(
            [require("bash"), "-eu", "-c", commands.replace("8045", str(port))],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            ended = process.wait(timeout=100)
        finally:
            with suppress(ProcessLookupError):  # a server in the background, if there is one
                os.killpg(process.pid, signal.SIGTERM)
        output.seek(0)
        assert ended == 0, output.read()
