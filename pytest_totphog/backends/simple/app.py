"""The wire of simple: routes, bodies, messages and status codes as its API document has them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.backends import with_flaws
from pytest_totphog.backends.simple.model import User, Users
from pytest_totphog.backends.verifier import Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials import qr
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.bodies import json_response, read_object
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import openapi_routes
from pytest_totphog.wsgi.routes import App, Route

__all__ = ["DEFAULT_POLICY", "create_app"]

# The document's code takes a code as often as it is sent, any number of wrong ones, and a name once more.
DEFAULT_POLICY: Final = VerifierPolicy(window=1, one_time=False, max_failures=None, reregister=True)


def create_app(
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    policy: VerifierPolicy | None = None,
    gate: Gate | None = None,
    flaws: Collection[str] = (),
) -> App:
    """Return the app simple.

    Args:
        clock: what codes and lockouts follow; the system's time unless given.
        store: where users live; in memory unless given.
        policy: what the verifier accepts, and whether a name may be registered again.
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        flaws: the mistakes to make, such as `{"race"}`; none unless given.

    Raises:
        InvalidInput: for a flaw that this app cannot have.
    """
    clock, store = clock or Clock(), store or MemoryStore()
    policy = policy or DEFAULT_POLICY
    verifier = with_flaws(Verifier, "simple", flaws)(store, clock, policy)
    wire = _Wire(Users(store, clock, verifier, replaces=policy.reregister))
    routes = [
        Route("POST", "/register", wire.register),
        Route("GET", "/get-totp/<username>", wire.get_totp),
        Route("POST", "/verify-totp", wire.verify_totp),
        *openapi_routes("pytest_totphog.backends.simple"),
    ]
    return App(routes, lambda error: json_response({"message": error.message}), gate or Gate())


class _Wire:
    def __init__(self, users: Users) -> None:
        self._users = users

    def register(self, request: Request) -> Response:
        body = read_object(request, ("username",), ("username",), "Username is required")
        user = self._users.register(body["username"])
        if user is None:
            raise HttpError(409, "User already exists")
        picture = qr.data_uri(self._users.token(user).uri)
        return json_response({"message": "User registered", "secret": user.secret, "qrCode": picture})

    def get_totp(self, request: Request, username: str) -> Response:
        user = self._user(username)
        return json_response({"username": user.id, "token": self._users.code(user)})

    def verify_totp(self, request: Request) -> Response:
        body = read_object(request, ("username", "token"), ("username", "token"), "Username and token are required")
        if not self._users.verify(self._user(body["username"]), body["token"]):
            raise HttpError(400, "Invalid token")
        return json_response({"message": "Token verified successfully"})

    def _user(self, username: str) -> User:
        user = self._users.get(username)
        if user is None:
            raise HttpError(404, "User not found")
        return user
