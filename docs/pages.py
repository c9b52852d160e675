"""Writes what the site is built from into a folder: the pages of docs/, those of no file in docs/, and the settings.

The links in docs/ are those that a code host follows; what they name outside of docs/ is a page of the site.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest_totphog
from pytest_totphog import conformance, unittest
from pytest_totphog.apps import APPS
from pytest_totphog.wsgi.api_docs import operations
from pytest_totphog.wsgi.openapi import document

ROOT: Final = Path(__file__).parents[1]
# The reference begins with these.
FIRST: Final = ("TotpToken", "TotpServer", "FrozenClock", "fill_code")
ROOT_PAGES: Final = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LANGUAGES: Final = {".html": "html+jinja", ".ini": "ini", ".js": "js", ".py": "python", ".txt": "text"}
# A link's address, or else a block of code, in which brackets mean something else.
LINK: Final = re.compile(
    r"^ *(?P<fence>```+).*?^ *(?P=fence)$|(?<=\]\()(?!https?:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))",
    re.MULTILINE | re.DOTALL,
)


def main(folder: Path) -> None:
    """Write all of it; what was in the folder before goes."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.json", "*.py", "__pycache__"))
    shutil.copy(ROOT / "mkdocs.yml", folder)
    shutil.copy(ROOT / "pytest_totphog" / "api" / "page" / "icon.svg", folder / "docs")
    pages = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
    pages |= {name.lower(): (ROOT / name).read_text("utf-8") for name in ROOT_PAGES}
    pages |= {f"examples/{example.name}.md": _example(example) for example in _examples()}
    pages |= {f"reference/{name}.md": _api(name) for name in APPS}
    pages["reference/python.md"] = _python()
    for uri, content in pages.items():
        path = folder / "docs" / uri
        path.parent.mkdir(exist_ok=True)
        path.write_text(_linked(content, uri), "utf-8")


def _linked(markdown: str, uri: str) -> str:
    """Point links to other files of the project at their pages."""
    folder = posixpath.dirname(_origin(uri))

    def link(match: re.Match[str]) -> str:
        if match["fence"]:
            return match[0]
        target, anchor = _page_of(posixpath.normpath(posixpath.join(folder, match["path"])))
        return posixpath.relpath(target, posixpath.dirname(uri) or ".") + (match["anchor"] or anchor)

    return LINK.sub(link, markdown)


def _origin(uri: str) -> str:
    """Return the file of the project that a page is made from."""
    if (name := uri.removesuffix(".md").upper() + ".md") in ROOT_PAGES:
        return name
    if uri.startswith("examples/"):
        return f"{uri.removesuffix('.md')}/README.md"
    return f"docs/{uri}"


def _page_of(path: str) -> tuple[str, str]:
    """Return the page that shows a file of the project, and where on it."""
    if path in ROOT_PAGES:
        return path.lower(), ""
    if path.startswith("docs/"):
        return path.removeprefix("docs/"), ""
    parts = path.split("/")
    if parts[0] == "examples" and len(parts) > 1:
        inside = "/".join(parts[2:])
        shown = Path(inside).suffix in LANGUAGES
        return f"examples/{parts[1]}.md", f"#{_anchor(inside)}" if shown else "#its-files" if inside else ""
    for name, app in APPS.items():
        if path == app.module.rpartition(".")[0].replace(".", "/") + "/openapi.json":
            return f"reference/{name}.md", ""
    return f"../{path}", ""  # which no page shows, and zensical says so


def _examples() -> list[Path]:
    return sorted(readme.parent for readme in (ROOT / "examples").glob("*/README.md"))


def _example(folder: Path) -> str:
    """Return what the example says of itself, and all its files."""
    parts = [(folder / "README.md").read_text("utf-8"), "## Its files\n"]
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if path.suffix in LANGUAGES and "node_modules" not in path.parts and (text := path.read_text("utf-8")):
            parts.append(f"### {inside} {{ #{_anchor(inside)} }}\n\n````{LANGUAGES[path.suffix]}\n{text}````\n")
    return "\n".join(parts)


def _anchor(inside: str) -> str:
    return re.sub(r"\W", "-", inside)


def _api(name: str) -> str:
    """Return an app's OpenAPI document as a page."""
    contract = document(APPS[name].module.rpartition(".")[0])
    info = contract["info"]
    parts = [
        f"# Requests to {name}\n\n{info['description']}\n",
        f"`totphog serve --app {name}` serves it, with this contract at `/openapi.json`.\n",
    ]
    for method, path, described in operations(contract):
        parts.append(f"## {method.upper()} `{path}`\n\n<div class=operation>\n{described}\n</div>\n")
    return "\n".join(parts)


def _python() -> str:
    """Return a page of every public name; mkdocstrings says what each of them is."""
    names = [name for name in pytest_totphog.__all__ if not _is_error(name) and name not in FIRST]
    sections = {
        "What tests use most": [f"pytest_totphog.{name}" for name in FIRST],
        "Classes and functions": [f"pytest_totphog.{name}" for name in names],
        "For unittest": [f"pytest_totphog.unittest.{name}" for name in unittest.__all__],
        "The battery": [f"pytest_totphog.conformance.{name}" for name in conformance.__all__],
        "Errors": [f"pytest_totphog.{name}" for name in pytest_totphog.__all__ if _is_error(name)],
    }
    parts = ["# The Python API\n\nWhat the fixtures give, and what can be used without pytest.\n"]
    for title, each in sections.items():
        parts += [f"## {title}\n", *(f"::: {name}\n" for name in each)]
    return "\n".join(parts)


def _is_error(name: str) -> bool:
    value = getattr(pytest_totphog, name)
    return isinstance(value, type) and issubclass(value, Exception)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
