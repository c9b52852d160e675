"""What the documentation shows, runs: every Python block of the README and the docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(match[1], id=f"{page.name}:{page.read_text('utf-8')[: match.start()].count(chr(10)) + 1}")
    for page in PAGES
    for match in BLOCK.finditer(page.read_text("utf-8"))
]


@pytest.mark.parametrize("code", BLOCKS)
def test_block_runs(pytester: pytest.Pytester, code: str) -> None:
    """A block with tests passes as a test file; one without runs as a script."""
    tests = code.count("def test_")
    pytester.makepyfile(test_page=code if tests else f"def test_script():\n{_indented(code)}")
    pytester.runpytest_inprocess("-p", "no:asyncio", "-W", "error").assert_outcomes(passed=tests or 1)


def test_pages_have_code() -> None:
    """The pattern still finds the blocks: the README alone has two."""
    assert len([block for block in BLOCKS if block.id is not None and block.id.startswith("README.md")]) >= 2


def _indented(code: str) -> str:
    return "".join(f"    {line}" for line in code.splitlines(keepends=True))
