"""Every regular expression of the package takes time in proportion to its input, whatever that is."""

import ast
import importlib
import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "pytest_totphog"
METHODS = {"match", "fullmatch", "search", "split", "sub", "findall", "finditer"}
KIB = 1024
# Eight times the input takes eight times as long, and 64 times where each place is tried again from its next.
LINEAR, TOLERATED = 8, 24

UNITS = [
    " ",
    "a",
    "A",
    "0",
    "2",
    "-",
    ".",
    "/",
    ":",
    ";",
    "=",
    "%",
    "&",
    "\\u00",
    "&a",
    "<",
    "\n",
    "a.",
    "1 ",
    "http://",
]
BEGINNINGS = ["", "a", "0", "data:", "data:a/a;", "otpauth://", "https://a", "sqlite:///", "a@a", "`", "A: "]
ENDS = ["", "\x00"]


ATTACKS = list(itertools.product(BEGINNINGS, UNITS, ENDS))


def regular_expressions() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Yield every regular expression of the package's source, where it stands, and what is done with it."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}
    nodes = [(path, node) for path, tree in trees.items() for node in ast.walk(tree)]
    used = {
        (node.value.id, node.attr)
        for _, node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in METHODS
    }
    for path, node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=value) | ast.AnnAssign(target=ast.Name(name), value=value):
                if isinstance(value, ast.Call) and ast.unparse(value.func) == "re.compile":
                    methods = {method for where, method in used if where == name}
                    assert methods, f"{path}: {name} is not used"
                    for method in sorted(methods):
                        yield f"{path.relative_to(ROOT)}: {name}.{method}", compiled(value), method
            case ast.Call(func=ast.Attribute(ast.Name("re"), method)) if method in METHODS:
                yield f"{path.relative_to(ROOT)}:{node.lineno} re.{method}", compiled(node), method


def compiled(call: ast.Call) -> re.Pattern[Any]:
    """Return what a call makes of its pattern; six digits stand for what is put into it."""
    pattern, *rest = call.args
    flags = [each for each in rest + [key.value for key in call.keywords] if ast.unparse(each).startswith("re.")]
    if isinstance(pattern, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "[0-9]{6}" for part in pattern.values)
    else:
        text = ast.literal_eval(pattern)
    return re.compile(text, eval(ast.unparse(flags[0])) if flags else 0)


def seconds(work: Callable[[Any], object], given: Any) -> float:
    """Return the time of the processor that some work takes."""
    begin = time.thread_time()
    work(given)
    return time.thread_time() - begin


def of_size(attack: Callable[..., Any], parts: tuple[str, ...]) -> Callable[[int], Any]:
    """Return an attack of these parts, whose size is still open."""
    return lambda size: attack(size, *parts)


def is_linear(work: Callable[[Any], object], attack: Callable[[int], Any]) -> bool:
    """Tell whether 64 KiB take no more than three times as long as they would in proportion to 8 KiB."""
    for _ in range(3):  # another process may have cooled the caches
        small, medium = (seconds(work, attack(size)) for size in (KIB, 8 * KIB))
        # A large one would take minutes.
        if medium > TOLERATED * max(small, 1e-4):
            continue
        if seconds(work, attack(64 * KIB)) <= TOLERATED * max(medium, 1e-4):
            return True
    return False


FOUND = list(regular_expressions())


def test_all_are_found() -> None:
    """The source is searched, so that a new one is tried, too."""
    assert {"wsgi/connection.py: _HEADER.fullmatch", "credentials/otpauth.py: _HTML.sub"} <= {
        name for name, *_ in FOUND
    }
    assert len(FOUND) > 25


@pytest.mark.parametrize(("pattern", "method"), [pytest.param(*rest, id=name) for name, *rest in FOUND])
def test_work_is_linear(pattern: re.Pattern[Any], method: str) -> None:
    """For 64 KiB of the worst that is known of regular expressions."""

    def work(text: Any) -> object:
        if method == "sub":
            return pattern.sub(text[:0], text)
        return list(pattern.finditer(text)) if method == "finditer" else getattr(pattern, method)(text)

    def attack(size: int, beginning: str, unit: str, end: str) -> Any:
        text = beginning + unit * (size // len(unit)) + end
        return text.encode() if isinstance(pattern.pattern, bytes) else text

    # The quadratic one is a hundred times as slow as the others at this size already.
    ranked = sorted(ATTACKS, key=lambda parts: -seconds(work, attack(2 * KIB, *parts)))
    slow = [parts for parts in ranked[:3] if not is_linear(work, of_size(attack, parts))]
    assert slow == []


def test_quadratic_one_is_found() -> None:
    """What numbers in SVG were read with, once."""
    pattern = re.compile(r"\s*(\d+)\s*(px|)\s*")

    assert not is_linear(pattern.fullmatch, lambda size: "1" + " " * size + "x")


PARSERS = {
    "credentials.otp": "decode_secret",
    "credentials.otpauth": "parse_uri",
    "credentials.migration": "parse_migration_uri",
    "enrolment.printed": "printed_secret",
    "enrolment.exports": "accounts_of_export",
    "enrolment.sources": "_texts_of_text",
    "enrolment.pictures.data_url": "decode_data_url",
    "enrolment.pictures.svg": "_rewritten",
    "clocks.instants": "as_nanoseconds",
    "inputs": "as_email",
}
TEMPLATES = {
    "credentials.otpauth": ["otpauth%{}", "otpauth://totp/{}?secret=A", "otpauth://totp/a?secret=A&issuer={}&b"],
    "credentials.migration": ["otpauth-migration://offline?data={}", "{}"],
    "enrolment.pictures.svg": ["<svg width='1{}x'/>", "<svg><style>url({}", "<svg style='url({}#'/>", "<svg>{}</svg>"],
    "enrolment.exports": ["[{}", '{{"a{}'],
}


@pytest.mark.parametrize("module", PARSERS)
def test_work_of_parsers_is_linear(module: str) -> None:
    """What they do beside regular expressions, too."""
    parser = getattr(importlib.import_module(f"pytest_totphog.{module}"), PARSERS[module])

    def work(text: str) -> None:
        with suppress(ValueError, TypeError):
            list(parser(text) or ())

    templates = [*TEMPLATES.get(module, ()), "{}", "otpauth://totp/{}", "otpauth://totp/a?secret=A\n{}"]
    units = [*UNITS, "25", "%25", "<g>", "url(", "url( ", "=", "otpauth://totp/a?secret=A\n"]

    def attack(size: int, template: str, unit: str) -> str:
        return template.format(unit * (size // len(unit)))

    ranked = sorted(itertools.product(templates, units), key=lambda parts: -seconds(work, attack(2 * KIB, *parts)))
    slow = [parts for parts in ranked[:5] if not is_linear(work, of_size(attack, parts))]
    assert slow == []
