"""The composition root: every app by its name, imported when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from pytest_totphog.stores import Store

__all__ = ["APPS", "AppSpec", "app_options", "create_app", "seed_app"]

__tracebackhide__ = hidden_in_reports


@dataclass(frozen=True)
class AppSpec:
    """The module with an app's `create_app`, and the port it is served at by default."""

    module: str
    port: int


APPS: Final = {
    "totphog": AppSpec("pytest_totphog.api.namespaces", 8045),
    "simple": AppSpec("pytest_totphog.backends.simple.app", 3000),
    "email-mfa": AppSpec("pytest_totphog.backends.email_mfa.app", 3000),
    "vault": AppSpec("pytest_totphog.backends.vault.app", 3000),
    "login-demo": AppSpec("pytest_totphog.backends.login_demo.app", 3001),
}


def create_app(name: str, **options: Any) -> WSGIApplication:
    """Return an app by its name, for any WSGI server.

    Args:
        name: one of `APPS`.
        options: what that app's own `create_app` takes.

    Raises:
        InvalidInput: when there is no app of that name, or it does not take an option.
    """
    if unknown := sorted(options.keys() - app_options(name)):
        raise InvalidInput(f"the app {name} does not take {unknown[0]!r}; accepted: {', '.join(app_options(name))}")
    app: WSGIApplication = import_module(APPS[name].module).create_app(**options)
    if name == "totphog":  # has its pages in every namespace
        return app
    from pytest_totphog.wsgi.api_docs import api_docs_routes
    from pytest_totphog.wsgi.gate import Gate
    from pytest_totphog.wsgi.pages import Pages

    package = APPS[name].module.rpartition(".")[0]
    return Pages(app, api_docs_routes(package), options.get("gate") or Gate())


def seed_app(name: str, store: Store) -> str:
    """Put an app's demo account into a store, once however often it is done, and return a sentence about it.

    Raises:
        InvalidInput: when the app has no demo account.
    """
    if name != "vault":
        raise InvalidInput(f"the app {shown(name)} has no demo account; accepted: vault")
    from pytest_totphog.backends.vault.model import DEMO_EMAIL, seed
    from pytest_totphog.clocks.clock import Clock

    seed(store, Clock())
    return f"The demo account {DEMO_EMAIL} is there."


def app_options(name: str) -> list[str]:
    """Return the names of the options that an app takes.

    Raises:
        InvalidInput: when there is no app of that name.
    """
    if name not in APPS:
        raise InvalidInput(f"there is no app {shown(name)}; accepted: {', '.join(APPS)}")
    return list(signature(import_module(APPS[name].module).create_app).parameters)
