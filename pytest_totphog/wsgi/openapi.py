"""The OpenAPI document beside each app: kept by hand as JSON, which is YAML too."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Request, Response

from pytest_totphog.version import __version__
from pytest_totphog.wsgi.bodies import json_response
from pytest_totphog.wsgi.files import package_file
from pytest_totphog.wsgi.routes import Route

__all__ = ["document", "openapi_routes"]


def document(package: str) -> dict[str, Any]:
    """Return the `openapi.json` of a package, with this version in it."""
    contract: dict[str, Any] = json.loads(package_file(package, "openapi.json"))
    contract["info"]["version"] = __version__
    return contract


def openapi_routes(package: str, base: str = "") -> list[Route]:
    """Return the two routes that serve a package's document.

    Args:
        package: where `openapi.json` lies.
        base: the path before `/openapi.json`.
    """

    def as_json(_: Request) -> Response:
        return json_response(document(package))

    def as_yaml(_: Request) -> Response:
        return Response(json.dumps(document(package), ensure_ascii=False, indent=2), mimetype="application/yaml")

    return [Route("GET", f"{base}/openapi.json", as_json), Route("GET", f"{base}/openapi.yaml", as_yaml)]
