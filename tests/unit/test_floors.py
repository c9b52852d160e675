"""The architecture: floors, and imports that only go down."""

import ast
import re
from pathlib import Path

import pytest

import pytest_totphog

PACKAGE = Path(pytest_totphog.__file__).parent

# A folder stands for all modules in it. On one floor, a module may import what is listed before it.
FLOORS = [
    ["errors", "clock", "otp", "texts"],
    [
        "otpauth",
        "migration",
        "tokens",
        "qr",
        "pictures",
        "enrolment",
        "browsers",
        "timestamp_file",
        "patches",
        "freezing",
    ],
    [
        "journal",
        "ledger",
        "stores",
        "explanation",
        "one_time_code",
        "taken_code",
        "totp_token",
        "verifier",
        "flaws",
        "passwords",
        "access_tokens",
        "mailbox",
        "leases",
        "accounts",
        "waiting",
    ],
    ["authenticator", "namespaces", "wsgi"],
    ["ui", "api", "backends"],
    [
        "apps",
        "server",
        "shared_server",
        "workers",
        "practice",
        "controller",
        "settings",
        "secrecy",
        "failures",
        "process",
        "conformance",
    ],
    ["plugin", "cli", "__main__"],
]
ORDER = [name for floor in FLOORS for name in floor]
# Apps never import each other, and the kit knows no authenticator.
STRANGERS = {
    ("authenticator", "wsgi"),
    ("wsgi", "authenticator"),
    ("backends", "api"),
    ("backends", "ui"),
    ("apps", "server"),
    ("plugin", "cli"),
}


def imports(path: Path) -> set[str]:
    """Return the modules of this package that a file imports, in whichever way and place."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.module == "pytest_totphog":
                found |= {alias.name for alias in node.names} & set(ORDER)
            elif node.module.startswith("pytest_totphog."):
                found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pytest_totphog.")}
    return found


def place(path: Path) -> str:
    """Return the name under which a file stands in the plan."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    """A module imports from floors below its own, or from what stands before it on its own floor."""
    own = place(path)
    others = imports(path) - {own}
    assert [name for name in others if ORDER.index(name) > ORDER.index(own) or (own, name) in STRANGERS] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_backends_do_not_know_each_other(path: Path) -> None:
    """A backend imports nothing of another one, so that each can be read, and removed, alone."""
    parts = path.relative_to(PACKAGE).parts
    found = set(re.findall(r"pytest_totphog\.backends\.(\w+)", path.read_text("utf-8")))
    assert parts[0] != "backends" or found <= {parts[1]}


def test_every_module_has_its_place() -> None:
    """The plan names every module and folder of the package, and none that is not there."""
    assert {place(path) for path in FILES} == set(ORDER)
