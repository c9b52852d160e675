"""The TOTPHog API for many test runs: each in a namespace of its own, below `/namespaces/NAME`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from pytest_totphog.api.app import FIND_AUTHENTICATOR, totphog_app
from pytest_totphog.api.page import page_routes
from pytest_totphog.authenticator.authenticator import this_process
from pytest_totphog.authenticator.namespaces import Namespaces
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores import Store
from pytest_totphog.stores.leases import Lease
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.api_docs import api_docs_routes
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.pages import Pages

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
        app: what answers.
        pages: what people look at, in front of it.
    """

    def __init__(self, namespaces: Namespaces, gate: Gate | None = None) -> None:
        self._namespaces = namespaces
        gate = gate or Gate()
        self.app = totphog_app(namespaces.default, gate, namespaces.store, (Token, Lease))
        self.pages = Pages(self.app, [*page_routes(), *api_docs_routes("pytest_totphog.api")], gate)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            name, slash, rest = path[len(PREFIX) :].partition("/")
            looks = environ["REQUEST_METHOD"] in {"GET", "HEAD"}
            environ = {
                **environ,
                "SCRIPT_NAME": f"{environ.get('SCRIPT_NAME', '')}{PREFIX}{name}",
                "PATH_INFO": slash + rest,
                FIND_AUTHENTICATOR: partial(self._namespaces.look if looks else self._namespaces.get, name),
            }
        return self.pages(environ, start_response)

    def close(self) -> None:
        """Give up all waiting for codes."""
        self._namespaces.close()


def create_app(gate: Gate | None = None, store: Store | None = None) -> NamespacedApp:
    """Return the app with its tokens, clocks and claims in a store.

    Args:
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        store: where everything lives; in memory unless given.
    """
    # The test that runs is not the client's, but at the most the one that has started this process.
    return NamespacedApp(Namespaces(MemoryStore() if store is None else store, holder=this_process), gate)
