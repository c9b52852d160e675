"""The architecture: the tree is the plan, imports go down only, and nothing goes round in circles."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pytest_totphog

PACKAGE = Path(pytest_totphog.__file__).parent

# From the ground up. A name is a folder of the package, or a module at its root; those on one line do not import each
# other.
FLOORS = [
    "version errors",
    "inputs settings",
    "browsers",
    "clocks",
    "wsgi",
    "stores",
    "credentials",
    "enrolment",
    "backends authenticator",
    "secrecy",
    "failures",
    "api",
    "apps",
    "xdist",
    "servers",
    "session commands",
    "conformance",
    "report",
    "plugin cli unittest",
    "__main__",
]
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor.split()}
MOST_FILES_AT_THE_ROOT = 12

# The lazy table of public names, and no one's floor.
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module(path: Path) -> str:
    """Return the name of a file's module, without the package's own."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


@cache
def imports(name: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, in whichever way and place."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pytest_totphog":
            source = (node.module or "").removeprefix("pytest_totphog").removeprefix(".")
            names = [f"{source}.{alias.name}".removeprefix(".") for alias in node.names]
            found |= {each if each in MODULES else source for each in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("pytest_totphog.") for alias in node.names if "totphog." in alias.name}
    return frozenset(found)


def place(name: str) -> str:
    """Return the folder that a module lives in, or the module itself at the root."""
    return name.partition(".")[0]


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name: str) -> None:
    """A module imports from its own folder and from floors below."""
    others = {place(other) for other in imports(name)} - {place(name)}

    assert sorted(other for other in others if FLOOR.get(other, 99) >= FLOOR[place(name)]) == []


def test_there_is_no_circle() -> None:
    """Neither between folders nor inside one; what only types need counts too."""
    try:
        TopologicalSorter({name: imports(name) - {name} for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("backends.")])
def test_backends_do_not_know_each_other(name: str) -> None:
    """A backend imports nothing of another one, so that each can be read, and removed, alone."""
    backends = {path.parent.name for path in (PACKAGE / "backends").glob("*/app.py")}
    own = name.split(".")[1]
    others = {other.split(".")[1] for other in imports(name) if other.startswith("backends.")} - {own}

    assert (others & backends) == set()


def test_every_module_has_its_place() -> None:
    """The plan names every module and folder of the package, and none that is not there."""
    assert {place(name) for name in MODULES} == set(FLOOR)


def test_the_root_can_be_seen_at_a_glance() -> None:
    """What has a folder's noun goes into the folder."""
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_FILES_AT_THE_ROOT
