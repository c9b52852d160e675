"""The picture of a failed test that the README shows; `make pictures` takes it anew."""

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.terminal import SEQUENCE, svg

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "pictures" / "failure.svg"
TITLE = "A failed test: both logins sent the code of one time step, and the report names that as the most likely cause"
CAUSE = "Most likely cause: now() gave the same code twice, within one time step. An app"


def test_picture_is_taken(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the README's app, whose test takes both codes with now(); in the docs where TOTPHOG_PICTURES asks for it."""
    blocks = re.findall(r"```python\n(# conftest\.py\n.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    project.makeconftest(blocks[0])
    project.makepyfile(
        test_login="""
        def test_two_logins(shop, totp_server):
            phone = totp_server.enroll(shop.secret)
            assert shop.log_in(phone.now())
            assert shop.log_in(phone.now())
        """
    )
    monkeypatch.setenv("COLUMNS", "80")
    run = project.runpytest_subprocess("-q", "--tb=short", "--color=yes", "-p", "no:cacheprovider", "test_login.py")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    # What pytest says of the objects in an expression is longer than a line.
    lines = [line for line in run.outlines if len(SEQUENCE.sub("", line)) <= 80 and " object at 0x" not in line]
    text = "\n".join(["\x1b[32m$\x1b[0m pytest -q --tb=short", *lines])
    path = PICTURE if os.environ.get("TOTPHOG_PICTURES") else tmp_path / "failure.svg"
    path.write_text(svg(text, TITLE), "utf-8")
    assert CAUSE in path.read_text("utf-8")


def test_picture_is_the_readmes() -> None:
    """It is there, it says the cause, and it is text alone: no script, no font and no other file."""
    assert "(docs/pictures/failure.svg)" in (ROOT / "README.md").read_text("utf-8")
    document = ET.parse(PICTURE).getroot()
    assert CAUSE in "".join(document.itertext())
    tags = {element.tag.rpartition("}")[2] for element in document.iter()}
    assert tags == {"svg", "title", "rect", "g", "text", "tspan"}
    assert re.findall(r"https?://", PICTURE.read_text("utf-8")) == ["http://"]
