"""What the documentation shows, runs: every block of code in the README and the docs, by its language.

Blocks of Python and their configuration whose first line names a file are together one project, for each page.
tests/integration/test_other_languages.py runs what is in other languages, tests/integration/test_documentation_ci.py
what is for CI.
"""

import json
import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_totphog import TotpServer, cli
from tests.support.system import require, require_libfaketime

# A test run inside a test forgets what it has imported, and a library in C may not come twice.
for module in ("playwright.async_api", "playwright.sync_api", "pytest_asyncio", "selenium.webdriver", "zxingcpp"):
    import_module(module)

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"(?:#|//|<!--) ([\w./-]+\.\w+)(?: -->)?\n")
ELSEWHERE = {"bash", "go", "js", "php", "yaml"}


class Block(NamedTuple):
    """A block of code on a page; with the name of a file, where its first line has one."""

    page: Path
    line: int
    language: str
    code: str

    @property
    def file_name(self) -> str:
        """The file that it is, or an empty string."""
        match = FILE_NAME.match(self.code.removeprefix("<?php\n"))
        return match[1] if match else ""


def _blocks() -> list[Block]:
    return [
        Block(page, text[: match.start()].count("\n") + 1, match[2], match[3])
        for page in PAGES
        for text in [page.read_text("utf-8")]
        for match in FENCED.finditer(text)
    ]


BLOCKS = _blocks()
PROJECTS = {
    page: [block for block in BLOCKS if block.page == page and block.file_name and block.language not in ELSEWHERE]
    for page in PAGES
}
# The readers' `page` and `driver` are those of plugins that download browsers.
ASYNC = ["-p", "tests.support.async_browser_fixtures", "-o", "asyncio_default_fixture_loop_scope=function"]

COMMANDS = [
    (block, line.removeprefix("$ "))
    for block in BLOCKS
    if block.language == "console"
    for line in block.code.replace("\\\n", " ").splitlines()
    if line.startswith("$ ")
]


def _alone(language: str) -> list[object]:
    """Return the blocks in a language that are not files of a project, as parameters."""
    return [
        pytest.param(block, id=f"{block.page.name}:{block.line}")
        for block in BLOCKS
        if block.language == language and not block.file_name
    ]


def _commands(program: str) -> list[object]:
    return [
        pytest.param(command.removeprefix(program).strip(), id=f"{block.page.name}:{block.line}: {command}")
        for block, command in COMMANDS
        if command.startswith(f"{program} ")
    ]


@pytest.mark.parametrize("block", _alone("python"))
def test_block_runs(pytester: pytest.Pytester, block: Block) -> None:
    """A block with tests passes as a test file, one with a battery too, and one without tests runs as a script.

    One that begins with `# fails` is what a page warns of: its tests fail, beside the files of the page.
    """
    code = block.code
    if code.startswith("# fails"):
        _write_files(pytester, block.page)
        pytester.makepyfile(test_before=code)
        pytester.runpytest_inprocess("-p", "no:asyncio", "test_before.py").assert_outcomes(
            failed=code.count("def test_")
        )
        return
    if "subprocess_env" in code:
        require_libfaketime()
    if "class Test" in code and "login_driver" in code:
        pytester.makepyfile(test_page=code)
        # All rules are judged by the first of them; the others differ in what a driver or a class says.
        rules = [] if block.page.name == "README.md" else ["-k", "V1_ or V14_"]
        assert pytester.runpytest_inprocess(*rules, "-p", "no:asyncio", "-W", "error").ret == pytest.ExitCode.OK
        return
    tests = code.count("def test_")
    pytester.makepyfile(test_page=code if tests else f"def test_script():\n{_indented(code)}")
    plugins = ASYNC if "async def test_" in code else ["-p", "no:asyncio", "-p", "tests.support.browser_fixtures"]
    pytester.runpytest_inprocess(*plugins, "-W", "error").assert_outcomes(passed=tests or 1)


@pytest.mark.parametrize("page", [page for page, files in PROJECTS.items() if files], ids=lambda page: page.name)
def test_project_runs(pytester: pytest.Pytester, page: Path) -> None:
    """The files of a page are a project whose tests pass, each one of them."""
    _write_files(pytester, page)
    tests = sum(block.code.count("def test_") for block in PROJECTS[page])
    if page.name == "pytest-bdd.md":
        tests = sum(block.code.count("Scenario:") for block in PROJECTS[page])
    assert tests > 0
    # In a process of its own: Django is set up once in each.
    pytester.runpytest_subprocess("-p", "no:asyncio", "-W", "error").assert_outcomes(passed=tests)


def _write_files(pytester: pytest.Pytester, page: Path) -> None:
    for block in PROJECTS[page]:
        path = pytester.path / block.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, "utf-8")


@pytest.mark.parametrize("block", _alone("ini"))
def test_pytest_knows_the_ini_values(pytester: pytest.Pytester, block: Block) -> None:
    """One that it does not know is an error."""
    pytester.makeini(block.code)
    pytester.makepyfile("def test_nothing(): pass")
    pytester.runpytest_inprocess("-p", "no:asyncio", "--strict-config", "-W", "error").assert_outcomes(passed=1)


@pytest.mark.parametrize("block", _alone("json"))
def test_json_is_read(block: Block) -> None:
    """As JSON, and not as something like it."""
    assert json.loads(block.code)


@pytest.mark.parametrize("arguments", _commands("totphog"))
def test_command_line_is_accepted(arguments: str) -> None:
    """`totphog` knows the subcommand and its options."""
    assert cli.parser().parse_args(shlex.split(arguments, comments=True)).run is not None


@pytest.mark.parametrize("arguments", _commands("pytest"))
def test_pytest_knows_the_options(pytester: pytest.Pytester, arguments: str) -> None:
    """All of them, pytest-xdist's included."""
    given = shlex.split(arguments, comments=True)
    config = pytester.parseconfig(*given, "-p", "no:asyncio")
    assert [each for each in config.args if each.startswith("-")] == []


@pytest.mark.parametrize("arguments", _commands("pip install"))
def test_extras_are_there(arguments: str) -> None:
    """Those that are installed are extras of this package."""
    extras = {extra for names in re.findall(r"pytest-totphog\[([\w,-]+)\]", arguments) for extra in names.split(",")}
    declared = re.findall(r"^([\w-]+) = \[", _section("project.optional-dependencies"), re.MULTILINE)
    assert extras - set(declared) == set()


@pytest.mark.parametrize("arguments", _commands("curl"))
def test_request_is_answered(arguments: str) -> None:
    """What curl is shown to send, a server takes."""
    with TotpServer() as server:
        token = server.add_token(name="alice")
        command = arguments.replace("http://127.0.0.1:8045", server.url).replace("/ID/", f"/{token.id}/")
        done = subprocess.run([require("curl"), *shlex.split(command)], capture_output=True, check=True, timeout=60)
        assert json.loads(done.stdout)["success"] is True


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        pytest.param(*match.groups(), id=f"{block.page.name}: {match[1]}")
        for block in BLOCKS
        for match in re.finditer(r"^\$ totphog (code .*)\n(.*\n)", block.code, re.MULTILINE)
    ],
)
def test_command_answers(capsys: pytest.CaptureFixture[str], arguments: str, answer: str) -> None:
    """What `totphog code` is shown to print, it prints."""
    assert cli.main(shlex.split(arguments)) == 0
    assert capsys.readouterr().out == answer


def test_every_block_is_looked_at() -> None:
    """A block says its language, and it is one that a test here, or in the files beside it, takes."""
    checked = {"python", "ini", "json", "console", *ELSEWHERE}
    # Output of pytest is shown as it was; templates and features belong to a project.
    shown = {"text", "html", "gherkin"}
    assert [f"{each.page.name}:{each.line}" for each in BLOCKS if each.language not in checked | shown] == []
    assert [
        f"{each.page.name}:{each.line}"
        for each in BLOCKS
        if each.language in {"html", "gherkin"} and not each.file_name
    ] == []


def test_pages_have_code() -> None:
    """The patterns still find them: the README alone has three blocks, Django's page a project of five files."""
    assert len([block for block in BLOCKS if block.page.name == "README.md" and block.language == "python"]) >= 3
    assert len(PROJECTS[ROOT / "docs" / "django.md"]) == 5


def _indented(code: str) -> str:
    return "".join(f"    {line}" for line in code.splitlines(keepends=True))


def _section(name: str) -> str:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    return text.partition(f"[{name}]\n")[2].partition("\n[")[0]
