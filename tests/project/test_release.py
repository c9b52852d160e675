"""A release: it waits for a public address, and carries what it should."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatch_fancy_pypi_readme", reason="packages are built where this is: pip install --group project")

ROOT = Path(__file__).parents[2]
PLACEHOLDER = "https://pytest-totphog.invalid"
ADDRESS = "https://example.com/totphog"


def given_address(folder: Path) -> None:
    """Replace the placeholder, which stands in one place."""
    path = folder / "pyproject.toml"
    text = path.read_text("utf-8")
    assert text.count(".invalid") == 2  # the address, and the comment on it
    path.write_text(text.replace(PLACEHOLDER, ADDRESS), "utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what packages are built from."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pytest_totphog", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*ROOT.glob("*.md"), *map(ROOT.joinpath, ("LICENSE", "Makefile", "hatch_build.py", "pyproject.toml"))]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def dist(project: Path) -> Path:
    """The packages, built with a public address."""
    given_address(project)
    command = [sys.executable, "-m", "hatchling", "build", "-d", "dist"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return project / "dist"


def test_no_release_without_a_public_address(tmp_path: Path) -> None:
    """The line to change is printed; with an address the check says nothing."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = ["make", "address"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    given_address(tmp_path)
    accepted = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode != 0
    assert re.search(rf'^\d+:address = "{PLACEHOLDER}"$', refused.stdout, re.MULTILINE)
    assert refused.stderr.startswith("This is a placeholder: give the project's public address there, then build.\n")
    assert (accepted.returncode, accepted.stdout, accepted.stderr) == (0, "", "")


def test_links_of_the_readme_work_on_pypi(dist: Path) -> None:
    """They are relative in the repository, and lead to files of the released version in the package."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    files = f"{ADDRESS}/blob/v{metadata['Version']}"
    links = re.findall(r"\]\(([^)]+)\)", str(metadata.get_payload()))
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert f"{files}/docs/first-steps.md" in links
    assert metadata.get_all("Project-URL") == [
        f"Documentation, {files}/docs/index.md",
        f"Source, {ADDRESS}",
        f"Issues, {ADDRESS}/issues",
        f"Changelog, {files}/CHANGELOG.md",
    ]


def test_packages_are_complete(dist: Path) -> None:
    """The wheel has every file of the package, types and pages too; the other one can build it again."""
    (wheel,), (source,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    folder = ROOT / "pytest_totphog"
    package = {
        path.relative_to(ROOT).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == package
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert package | {"hatch_build.py", "pyproject.toml", "README.md", "LICENSE", "SECURITY.md"} <= names
