"""The composition root: every app by its name, imported when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.errors import InvalidInput, shown

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["APPS", "AppSpec", "create_app"]


@dataclass(frozen=True)
class AppSpec:
    """Where an app is made, and the port it is served at by default."""

    module: str
    factory: str
    port: int


APPS: Final = {
    "totphog": AppSpec("pytest_totphog.api.app", "create_app", 8045),
}


def create_app(name: str, **options: Any) -> WSGIApplication:
    """Return an app by its name, for any WSGI server.

    Args:
        name: one of `APPS`.
        options: what that app's factory takes.

    Raises:
        InvalidInput: when there is no app of that name.
    """
    if name not in APPS:
        raise InvalidInput(f"there is no app {shown(name)}; accepted: {', '.join(APPS)}")
    spec = APPS[name]
    app: WSGIApplication = getattr(import_module(spec.module), spec.factory)(**options)
    return app
