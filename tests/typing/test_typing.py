"""The types that users see: files as they write them, and every public name."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pytest_totphog
from pytest_totphog import conformance, unittest

for module in ("mypy", "pyright", "playwright", "selenium"):
    pytest.importorskip(module, reason="types are checked where the checkers are: pip install --group types")

ROOT = Path(__file__).parents[2]
FILES = sorted(Path(__file__).parent.glob("user_*.py"))


def run(*command: Any) -> subprocess.CompletedProcess[str]:
    """Run a module of this Python's."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-m", *map(str, command))
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_mypy_reads_users_files() -> None:
    """As strictly as it can; what it must refuse is marked, and a mark without need is an error."""
    done = run("mypy", "--strict", *FILES)
    assert done.returncode == 0, done.stdout


def test_pyright_reads_users_files(tmp_path: Path) -> None:
    """Likewise."""
    settings = {
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": False,  # mypy's
        "reportUnnecessaryTypeIgnoreComment": "error",
        "reportUnusedCoroutine": "error",
        "include": [str(path) for path in FILES],
    }
    path = tmp_path / "pyrightconfig.json"
    path.write_text(json.dumps(settings), "utf-8")
    done = run("pyright", "--pythonpath", sys.executable, "--project", path)
    assert done.returncode == 0, done.stdout


def test_the_types_of_all_public_names_are_known() -> None:
    """Every class, function and attribute that `__all__` leads to says its type."""
    done = run(
        "pyright", "--pythonpath", sys.executable, "--verifytypes", "pytest_totphog", "--ignoreexternal", "--outputjson"
    )
    public = set()
    for package in (pytest_totphog, conformance, unittest):
        for name in package.__all__:
            public.add(f"{package.__name__}.{name}")
            if inspect.isclass(value := getattr(package, name)) or inspect.isfunction(value):
                public.add(f"{value.__module__}.{value.__qualname__}")
    symbols = [
        symbol
        for symbol in json.loads(done.stdout)["typeCompleteness"]["symbols"]
        if any(symbol["name"] == name or symbol["name"].startswith(f"{name}.") for name in public)
    ]
    assert len(symbols) > 200
    assert [symbol for symbol in symbols if symbol["isTypeAmbiguous"] or not symbol["isTypeKnown"]] == []
