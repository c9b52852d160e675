"""What exists is documented: every fixture, marker, option, command-line flag and route, by its name."""

import argparse
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from pytest_totphog import cli, create_app, plugin
from pytest_totphog.apps import APPS
from pytest_totphog.conformance.driver import OPTIONAL
from pytest_totphog.conformance.profiles import PROFILES
from pytest_totphog.conformance.rules import CHECKS

ROOT = Path(__file__).parents[2]
PAGES = "\n".join(path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))))


def mentioned(name: str) -> bool:
    """Tell whether the README or the docs have a name, as a word and as code: between backticks or in a code block."""
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", PAGES, re.DOTALL))
    return re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", code) is not None


@pytest.fixture
def fixtures(project: pytest.Pytester) -> dict[str, str]:
    """The plugin's fixtures and the first line of their help, from `pytest --fixtures`."""
    output = "\n".join(project.runpytest("--fixtures").outlines)
    section = re.split(r"^-+ fixtures defined from ", output, flags=re.MULTILINE)
    (ours,) = [part for part in section if part.startswith("pytest_totphog.plugin")]
    return dict(re.findall(r"^(\w+)(?: \[\w+ scope\])? -- .*\n    (.*)$", ours, re.MULTILINE))


@pytest.fixture
def registered() -> Mock:
    """What the plugin has registered in pytest's parser."""
    parser = Mock(spec=pytest.Parser)
    parser.getgroup.return_value = Mock(spec=pytest.OptionGroup)
    plugin.pytest_addoption(parser)
    return parser


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the command's subcommands by name."""
    (subparsers,) = [action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(subparsers.choices)


def flags(parser: argparse.ArgumentParser) -> dict[str, str | None]:
    """Return the long names of a parser's options, `--help` aside, and their help."""
    return {
        name: action.help
        for action in parser._actions
        for name in action.option_strings
        if name.startswith("--") and name != "--help"
    }


def test_fixtures(fixtures: dict[str, str]) -> None:
    """Every fixture has a docstring and a place in the documentation."""
    assert {"totp_server", "totp_server_session", "totp_token", "totp_token_factory", "frozen_clock"} <= fixtures.keys()
    assert [name for name, help_text in fixtures.items() if not re.fullmatch(r"[A-Z].{20,}[.…]", help_text)] == []
    assert [name for name in fixtures if not mentioned(name)] == []


def test_each_fixture_has_an_example(project: pytest.Pytester) -> None:
    """`pytest --fixtures -v` shows it below the fixture's help."""
    output = "\n".join(project.runpytest("--fixtures", "-v").outlines)
    section = re.split(r"^-+ fixtures defined from ", output, flags=re.MULTILINE)
    (ours,) = [part for part in section if part.startswith("pytest_totphog.plugin")]
    described = re.split(r"^(\w+)(?: \[\w+ scope\])? -- .*$", ours, flags=re.MULTILINE)[1:]
    assert len(described) > 20
    assert [
        name for name, text in zip(described[::2], described[1::2], strict=True) if "    Example:\n" not in text
    ] == []


def test_markers(project: pytest.Pytester) -> None:
    """Every marker has a sentence of help, is documented, and so is each of its arguments."""
    output = project.runpytest("--markers").stdout.str()
    signatures = dict(re.findall(r"^@pytest\.mark\.(\w+)(\(.*?\)): .{20,}\.$", output, re.MULTILINE))
    ours = {marker.partition("(")[0] for marker in vars(plugin)["MARKERS"]}
    assert {"totp", "frozen_clock"} <= ours <= signatures.keys()
    assert [name for name in ours if not mentioned(name)] == []
    assert [f"{name}{signatures[name]}" for name in ours if f"{name}{signatures[name]}" not in PAGES] == []


def test_options(registered: Mock) -> None:
    """Every option of pytest has help and is documented, and has an ini value that is."""
    options = {call.args[0]: call.kwargs["help"] for call in registered.getgroup().addoption.call_args_list}
    assert {"--totphog-host", "--totphog-port", "--totphog-clock-patch"} <= options.keys()
    assert [name for name, help_text in options.items() if not help_text] == []
    assert [name for name in options if not mentioned(name)] == []
    ini = {call.args[0] for call in registered.addini.call_args_list}
    assert [name for name in options if name.removeprefix("--").replace("-", "_") not in ini] == []


def test_ini_values(registered: Mock) -> None:
    """Every ini value has help, is documented, and so is its default."""
    values = {call.args[0]: call.args[1] for call in registered.addini.call_args_list}
    defaults = {call.args[0]: call.kwargs["default"] for call in registered.addini.call_args_list}
    assert "totphog_frozen_at" in values
    assert [name for name, help_text in values.items() if not help_text] == []
    assert [name for name in values if not mentioned(name)] == []
    assert [name for name, default in defaults.items() if not mentioned(str(default))] == []


def test_command_line() -> None:
    """Every subcommand and flag of `totphog` has help and is documented."""
    assert {"serve", "code"} <= commands().keys()
    assert [name for name in commands() if not mentioned(f"totphog {name}")] == []
    every = {"totphog": cli.parser(), **commands()}
    assert [(name, flag) for name, parser in every.items() for flag in flags(parser) if not mentioned(flag)] == []
    assert [(name, flag) for name, parser in every.items() for flag, text in flags(parser).items() if not text] == []


@pytest.mark.parametrize("name", APPS)
def test_app_is_named(name: str) -> None:
    """Every app that `totphog serve --app` takes is named, and so is its default port."""
    assert mentioned(name)
    assert re.search(rf"\b{APPS[name].port}\b", PAGES)


@pytest.mark.parametrize("name", APPS)
def test_routes(name: str) -> None:
    """Every route of every app is documented, as method and path between backticks."""
    app: Any = create_app(name)
    while hasattr(app, "app"):  # one that stands behind pages, or is wrapped for other origins' pages
        app = app.app
    routes = [re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"{route.method} {route.path}") for route in app.routes]
    assert routes != []
    assert [route for route in routes if re.search(f"`{re.escape(route)}[`?]", PAGES) is None] == []


def test_rules_of_the_battery() -> None:
    """Every rule stands in the table with its level, its source and its advisories."""
    rows = [
        f"| {rule.id} {rule.title} | {rule.level.value} | {rule.source}, {rule.section} | {', '.join(rule.cves)} |"
        for rule in (check.rule for check in CHECKS)
    ]
    assert [row for row in rows if row not in PAGES] == []


def test_methods_of_a_login_driver() -> None:
    """Every method that a driver may have is named, and so is every profile."""
    assert [name for name in OPTIONAL if re.search(rf"`{name}\(", PAGES) is None] == []
    assert [name for name in PROFILES if not mentioned(name)] == []
