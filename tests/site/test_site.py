"""The documentation site: it builds without a warning, its links lead somewhere, and nothing comes from elsewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import pytest_totphog
from pytest_totphog import conformance
from pytest_totphog.apps import APPS
from pytest_totphog.wsgi.openapi import document

pytest.importorskip("zensical", reason="the site is built where zensical is: pip install --group docs")

ROOT = Path(__file__).parents[2]
# What a browser loads by itself, unlike the address of a link.
LOADED = {("link", "href"), ("source", "srcset")} | {
    (tag, "src") for tag in ("audio", "embed", "iframe", "img", "script", "video")
}


class Html(HTMLParser):
    """What a page names: ids of its own, links to others, and what it loads."""

    def __init__(self, path: Path) -> None:
        """Read it."""
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif (tag, name) in LOADED:
                self.loaded.append(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does; any warning fails it."""
    folder = tmp_path_factory.mktemp("site")
    build = ["-m", "zensical", "build", "--strict", "-f", str(folder / "mkdocs.yml")]
    for command in (["docs/pages.py", str(folder)], build):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Html]:
    """Its pages; the one for wrong addresses is made for the root of a server, and left out."""
    return {path: Html(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Html]) -> None:
    """All pictures, scripts, styles and fonts are in the folder: it works without a network."""
    loaded = {each.partition("?")[0] for page in pages.values() for each in page.loaded}
    assert [each for each in loaded if re.match(r"(\w+:)?//", each)] == []
    styles = [path.read_text("utf-8") for path in site.rglob("*.css")]
    assert [each for style in styles for each in re.findall(r"(?:url\(|@import )\W*https?:[^)]*", style)] == []


def test_only_the_site_is_in_its_folder(site: Path) -> None:
    """Not what makes it."""
    assert {path.suffix for path in site.rglob("*.*")} & {".md", ".py", ".pyc", ".yml"} == set()


def test_links_lead_somewhere(pages: dict[Path, Html]) -> None:
    """To a file that is there, and to a heading on it."""
    wrong = []
    for path, page in pages.items():
        for link in {*page.links, *page.loaded}:
            if re.match(r"(\w+:|//)", link):
                continue
            target, _, anchor = link.partition("#")
            found = (path.parent / target.partition("?")[0]).resolve() if target else path
            if not found.exists() or (anchor and found in pages and anchor not in pages[found].ids):
                wrong.append(f"{path.name}: {link}")
    assert wrong == []


@pytest.mark.parametrize("name", APPS)
def test_every_operation_is_in_the_reference(site: Path, name: str) -> None:
    """Method and path are a heading, so that the search finds them."""
    contract = document(APPS[name].module.rpartition(".")[0])
    text = (site / "reference" / f"{name}.html").read_text("utf-8")
    headings = set(re.findall(r"<h2 [^>]*>([A-Z]+) <code>(.*?)</code>", text))
    every = {(method.upper(), path) for path, item in contract["paths"].items() for method in item}
    assert headings == {(method, path) for method, path in every if method != "PARAMETERS"}


def test_every_public_name_is_in_the_reference(pages: dict[Path, Html], site: Path) -> None:
    """Classes, functions and errors, and those of the battery."""
    ids = pages[site / "reference" / "python.html"].ids
    names = [f"pytest_totphog.{name}" for name in pytest_totphog.__all__]
    names += [f"pytest_totphog.conformance.{name}" for name in conformance.__all__]
    assert [name for name in names if name not in ids] == []


def test_examples_are_complete(site: Path) -> None:
    """Each example's files are on its page."""
    page = (site / "examples" / "flask_login.html").read_text("utf-8")
    files = [path.name for path in (ROOT / "examples" / "flask_login").iterdir() if path.suffix in {".py", ".ini"}]
    assert len(files) >= 6
    assert [name for name in files if f">{name}<" not in page] == []
