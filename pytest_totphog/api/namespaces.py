"""The TOTPHog API for many test runs: each in a namespace of its own, below `/namespaces/NAME`."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from pytest_totphog.api.app import totphog_app
from pytest_totphog.api.page import page_routes
from pytest_totphog.authenticator.authenticator import Authenticator, this_process
from pytest_totphog.authenticator.namespaces import Namespaces
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import TotphogError
from pytest_totphog.stores import Store
from pytest_totphog.stores.leases import Lease
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.api_docs import api_docs_routes
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.pages import Pages
from pytest_totphog.wsgi.routes import App

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["PREFIX", "NamespacedApp", "create_app"]

PREFIX: Final = "/namespaces/"


class NamespacedApp:
    """The WSGI app that serves the authenticators of all namespaces.

    Args:
        namespaces: the authenticators.
        gate: what is refused beforehand; unless given, everything not addressed to loopback.

    Attributes:
        app: what serves those who name no namespace.
        pages: what people look at, in front of it.
    """

    def __init__(self, namespaces: Namespaces, gate: Gate | None = None) -> None:
        self._namespaces = namespaces
        self._gate = gate or Gate()
        self._lock = threading.Lock()
        self.app = self._app(namespaces.default)
        self.pages = Pages(self.app, [*page_routes(), *api_docs_routes("pytest_totphog.api")], self._gate)
        self._apps: dict[str, tuple[Authenticator, App]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ["PATH_INFO"]
        if not path.startswith(PREFIX):
            return self.pages(environ, start_response)
        name, slash, rest = path[len(PREFIX) :].partition("/")
        inside = {"SCRIPT_NAME": f"{environ.get('SCRIPT_NAME', '')}{PREFIX}{name}", "PATH_INFO": slash + rest}
        if slash + rest in self.pages:  # looking makes no namespace
            return self.pages({**environ, **inside}, start_response)
        try:
            # Before the namespace is there: whoever has no key makes none.
            self._gate.check(environ)
            app = self._enter(name)
        except (TotphogError, HttpError) as error:
            return self.app.refuse(error, environ)(environ, start_response)
        return app({**environ, **inside}, start_response)

    def _enter(self, name: str) -> App:
        authenticator = self._namespaces.get(name)
        with self._lock:
            kept = self._apps.get(name)
            if kept is None or kept[0] is not authenticator:  # it is new, or was pruned and is there anew
                self._apps = {other: app for other, app in self._apps.items() if other in self._namespaces}
                kept = self._apps[name] = (authenticator, self._app(authenticator))
            return kept[1]

    def _app(self, authenticator: Authenticator) -> App:
        return totphog_app(authenticator, self._gate, self._namespaces.store, (Token, Lease))


def create_app(gate: Gate | None = None, store: Store | None = None) -> NamespacedApp:
    """Return the app with its tokens, clocks and claims in a store.

    Args:
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        store: where everything lives; in memory unless given.
    """
    # The test that runs is not the client's, but at the most the one that has started this process.
    return NamespacedApp(Namespaces(MemoryStore() if store is None else store, holder=this_process), gate)
