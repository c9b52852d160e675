"""The page `/docs` of an app: Swagger UI where it is installed, else a plain page made from the OpenAPI document."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.files import package_file
from pytest_totphog.wsgi.openapi import document
from pytest_totphog.wsgi.pages import file_route, page_response
from pytest_totphog.wsgi.routes import Route

__all__ = ["api_docs_routes", "operations", "plain_page"]

_OWN: Final = "pytest_totphog.wsgi"

_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API</title>
<link rel="icon" href="data:,">
{links}
</head>
"""
_INTRODUCTION: Final = """<p>The contract: <a href="./openapi.json">openapi.json</a>,
<a href="./openapi.yaml">openapi.yaml</a>.
With <code>pip install 'pytest-totphog[docs-ui]'</code> this page is Swagger UI.</p>
</header>
<main>"""
_SWAGGER: Final = """<body>
<div id="swagger-ui"></div>
<noscript>Swagger UI needs JavaScript. The contract is at <a href="./openapi.json">openapi.json</a>.</noscript>
</body>
</html>
"""


def api_docs_routes(package: str) -> list[Route]:
    """Return the routes of `/docs`, which explain an app's API.

    Args:
        package: where `openapi.json` lies.
    """

    def page(_: Request) -> Response:
        contract = document(package)
        title = escape(contract["info"]["title"])
        if not _has_swagger():
            head = _HEAD.format(title=title, links='<link rel="stylesheet" href="./docs/plain.css">')
            return page_response(head + plain_page(contract), "text/html")
        links = (
            '<link rel="stylesheet" href="./docs/swagger-ui.css">\n'
            '<script src="./docs/swagger-ui-bundle.js"></script>\n'
            '<script type="module" src="./docs/swagger.js"></script>'
        )
        return page_response(_HEAD.format(title=title, links=links) + _SWAGGER, "text/html")

    def contract_for_swagger(_: Request) -> Response:
        contract = {**document(package), "servers": [{"url": ".."}]}
        return page_response(json.dumps(contract), "application/json")

    return [
        Route("GET", "/docs", page),
        Route("GET", "/docs/openapi.json", contract_for_swagger),
        file_route("/docs/plain.css", _OWN, "plain.css", "text/css"),
        file_route("/docs/swagger.js", _OWN, "swagger.js", "text/javascript"),
        _swagger_route("swagger-ui.css", "text/css"),
        _swagger_route("swagger-ui-bundle.js", "text/javascript"),
    ]


def _has_swagger() -> bool:
    return importlib.util.find_spec("swagger_ui_bundle") is not None


def _swagger_route(name: str, mimetype: str) -> Route:
    def serve(_: Request) -> Response:
        if not _has_swagger():
            raise HttpError(404, "Swagger UI is not installed; pip install 'pytest-totphog[docs-ui]'")
        from swagger_ui_bundle import swagger_ui_path

        path = f"vendor/{swagger_ui_path.name}/{name}"
        return page_response(package_file("swagger_ui_bundle", path), mimetype)

    return Route("GET", f"/docs/{name}", serve)


def plain_page(contract: dict[str, Any]) -> str:
    """Return an OpenAPI document as the body of an HTML page."""
    info = contract["info"]
    parts = [
        f"<body>\n<header>\n<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
        f"<p>{_text(info['description'])}</p>",
        _INTRODUCTION,
    ]
    for method, path, described in operations(contract):
        heading = f'<h2><b class="{escape(method)}">{escape(method.upper())}</b> <code>{escape(path)}</code></h2>'
        parts.append(f"<section>\n{heading}\n{described}\n</section>")
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def operations(contract: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield method and path of each operation in an OpenAPI document, and all about it as HTML."""
    for path, item in contract["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method != "parameters":
                yield method, path, _operation(contract, operation, shared)


def _operation(contract: dict[str, Any], operation: dict[str, Any], shared: list[dict[str, Any]]) -> str:
    parts = [f"<p><strong>{escape(operation['summary'])}.</strong> {_text(operation['description'])}</p>"]
    if parameters := [_resolved(contract, each) for each in [*shared, *operation.get("parameters", [])]]:
        rows = "".join(
            f"<tr><th scope=row><code>{escape(each['name'])}</code></th><td>{escape(each['in'])}</td>"
            f"<td>{_text(each.get('description', ''))}</td></tr>"
            for each in parameters
        )
        parts.append(f"<table>\n<caption>Parameters</caption>\n{rows}\n</table>")
    if "requestBody" in operation:
        parts.append(_examples("Body", operation["requestBody"]))
    refusals = []
    for status, response in operation["responses"].items():
        described = _resolved(contract, response)
        if status < "400":
            parts.append(_examples(f"{status}: {described['description']}", described))
        else:
            refusals.append((status, described["description"]))
    if refusals:
        rows = "".join(f"<li>{status}: {_text(description)}</li>" for status, description in refusals)
        parts.append(
            f"<details>\n<summary>{', '.join(status for status, _ in refusals)}</summary>\n<ul>{rows}</ul>\n</details>"
        )
    return "\n".join(parts)


def _text(markdown: str) -> str:
    """Return a sentence of the document, which has nothing of Markdown but code between backticks."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(markdown))


def _examples(title: str, described: dict[str, Any]) -> str:
    """Return a title that opens to the examples of a body."""
    found = [
        f"<p>{escape(mimetype)}</p>" + "".join(f"<pre tabindex=0>{escape(_shown(each))}</pre>" for each in _of(content))
        for mimetype, content in described.get("content", {}).items()
    ]
    if not found:
        return f"<p>{_text(title)}</p>"
    return f"<details>\n<summary>{_text(title)}</summary>\n{''.join(found)}\n</details>"


def _of(content: dict[str, Any]) -> list[Any]:
    named = [each["value"] for each in content.get("examples", {}).values()]
    return [content["example"]] if "example" in content else named


def _shown(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)


def _resolved(contract: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference within the document refers to, or the value itself."""
    if "$ref" not in value:
        return value
    found: Any = contract
    for name in value["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    resolved: dict[str, Any] = found
    return resolved
