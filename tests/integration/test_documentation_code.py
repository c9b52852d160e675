"""What the documentation shows, runs: every Python block of the README and the docs."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from pytest_totphog.cli import main
from tests.system import require_libfaketime

# A test run inside a test forgets what it has imported, and a library in C may not come twice.
for module in ("playwright.async_api", "playwright.sync_api", "pytest_asyncio", "selenium.webdriver", "zxingcpp"):
    import_module(module)

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(match[1], id=f"{page.name}:{page.read_text('utf-8')[: match.start()].count(chr(10)) + 1}")
    for page in PAGES
    for match in BLOCK.finditer(page.read_text("utf-8"))
]

# The readers' `page` and `driver` are those of plugins that download browsers.
ASYNC = ["-p", "tests.async_browser_fixtures", "-o", "asyncio_default_fixture_loop_scope=function"]

COMMANDS = [
    pytest.param(*match.groups(), id=f"{page.name}: {match[1]}")
    for page in PAGES
    for match in re.finditer(r"^\$ totphog (code .*)\n(.*\n)", page.read_text("utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("code", BLOCKS)
def test_block_runs(pytester: pytest.Pytester, code: str) -> None:
    """A block with tests passes as a test file, one with a battery too, and one without tests runs as a script."""
    if "subprocess_env" in code:
        require_libfaketime()
    if "class Test" in code and "login_driver" in code:
        pytester.makepyfile(test_page=code)
        assert pytester.runpytest_inprocess("-p", "no:asyncio", "-W", "error").ret == pytest.ExitCode.OK
        return
    tests = code.count("def test_")
    pytester.makepyfile(test_page=code if tests else f"def test_script():\n{_indented(code)}")
    plugins = ASYNC if "async def test_" in code else ["-p", "no:asyncio", "-p", "tests.browser_fixtures"]
    pytester.runpytest_inprocess(*plugins, "-W", "error").assert_outcomes(passed=tests or 1)


@pytest.mark.parametrize(("arguments", "answer"), COMMANDS)
def test_command_answers(capsys: pytest.CaptureFixture[str], arguments: str, answer: str) -> None:
    """What `totphog code` is shown to print, it prints."""
    assert main(shlex.split(arguments)) == 0
    assert capsys.readouterr().out == answer


def test_pages_have_code() -> None:
    """The patterns still find them: the README alone has three blocks, and one command prints a code."""
    assert len(COMMANDS) >= 1
    assert len([block for block in BLOCKS if block.id is not None and block.id.startswith("README.md")]) >= 3


def _indented(code: str) -> str:
    return "".join(f"    {line}" for line in code.splitlines(keepends=True))
