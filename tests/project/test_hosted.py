"""What hosted services read: it fits their schemas, gives away no rights, and runs nothing that can change unseen."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*"))
ZIZMOR = Path(sysconfig.get_path("scripts"), "zizmor")
FORMS = sorted({*GITHUB.glob("ISSUE_TEMPLATE/*")} - {GITHUB / "ISSUE_TEMPLATE" / "config.yml"})


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder."""
    return subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def load(path: Path) -> Any:
    """Return what a file says."""
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE" / "config.yml"]),
        ("vendor.readthedocs", [ROOT / ".readthedocs.yaml"]),
    ],
)
def test_files_fit_their_schemas(schema: str, files: list[Path]) -> None:
    """The schemas come with check-jsonschema, so nothing is downloaded."""
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.skipif(not ZIZMOR.exists(), reason="zizmor is not installed: pip install --group project")
def test_zizmor_finds_nothing() -> None:
    """At its most pedantic, and without a question to GitHub."""
    done = run(ZIZMOR, "--offline", "--pedantic", "--no-progress", GITHUB)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_a_commit(path: Path) -> None:
    """A tag can be moved; the comment says which version it is. No right is given to a whole workflow."""
    used = re.findall(r"^ +- uses: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []
    assert load(path)["permissions"] == {}


def test_the_core_runs_on_three_systems_and_five_pythons() -> None:
    """From the oldest that is supported on."""
    matrix = load(GITHUB / "workflows" / "ci.yml")["jobs"]["core"]["strategy"]["matrix"]
    assert [system.partition("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14", "3.15"]


def test_only_publishing_may_ask_for_an_identity() -> None:
    """PyPI trusts the one job that does nothing else, in an environment that somebody approves."""
    jobs = load(GITHUB / "workflows" / "release.yml")["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
    }
    assert jobs["publish"]["environment"] == "pypi"
    assert jobs["publish"]["steps"][-1]["with"] == {"attestations": True}
