"""The wire of vault: routes, bodies, messages and status codes as its API document has them."""

from __future__ import annotations

import os
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.backends.cors import Cors
from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.rate_limit import RateLimit
from pytest_totphog.backends.vault.model import TOTP_FIELDS, Totp, Totps, VaultAccount, VaultAccounts
from pytest_totphog.backends.verifier import VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.bodies import checked_fields, json_response, read_object
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate, Guard
from pytest_totphog.wsgi.openapi import openapi_routes
from pytest_totphog.wsgi.routes import App, Route

__all__ = ["DEFAULT_POLICY", "create_app"]

# Every practice backend has one; vault shows codes and judges none.
DEFAULT_POLICY: Final = VerifierPolicy()

DEFAULT_DAYS: Final = 30


def create_app(
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    policy: VerifierPolicy | None = None,  # noqa: ARG001 -- every practice backend takes one
    gate: Gate | None = None,
    bcrypt_cost: int = 4,
    rate_limit: int | None = 120,
    cors_origins: tuple[str, ...] | None = None,
) -> Cors:
    """Return the app vault.

    Args:
        clock: what codes, tokens and the rate limit follow; the system's time unless given.
        store: where accounts, tokens and TOTPs live; in memory unless given.
        policy: taken as by every practice backend, and of no effect: vault verifies no codes.
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        bcrypt_cost: the work for each password, 4 to 20.
        rate_limit: how many requests an address may send in a minute; None for any number.
        cors_origins: the origins whose pages may read the answers; unless given, those that the environment's
            CORS_ALLOWED_ORIGINS names, separated by commas.

    Raises:
        InvalidInput: when an option is not what is accepted.
        MissingExtra: where bcrypt is not installed.
    """
    clock, store = clock or Clock(), store or MemoryStore()
    wire = _Wire(VaultAccounts(store, clock, PasswordHasher(bcrypt_cost)), Totps(store), clock)
    one, management = "/api/management/totp", "/api/management"
    routes = [
        Route("POST", "/api/auth/register", wire.register),
        Route("POST", "/api/auth/login", wire.log_in),
        Route("POST", "/api/auth/token", wire.issue_token),
        Route("POST", "/api/auth/revoke", wire.revoke_token),
        Route("GET", "/api/auth/user", wire.user),
        Route("GET", "/api/totp", wire.codes),
        Route("POST", one, wire.create),
        Route("PUT", one, wire.update),
        Route("PATCH", one, wire.update),
        Route("DELETE", one, wire.delete),
        Route("GET", f"{management}/export", wire.export),
        Route("POST", f"{management}/import", wire.bring_in),
        *openapi_routes("pytest_totphog.backends.vault"),
    ]
    check: Guard = gate or Gate()
    if rate_limit is not None:
        check = RateLimit(check, clock, rate_limit)
    if cors_origins is None:
        named = os.environ.get("CORS_ALLOWED_ORIGINS", "").split(",")
        cors_origins = tuple(origin.strip() for origin in named if origin.strip())
    return Cors(App(routes, _error_body, check), cors_origins, exposed=("Content-Disposition", "Retry-After"))


class _Wire:
    def __init__(self, accounts: VaultAccounts, totps: Totps, clock: Clock) -> None:
        self._accounts = accounts
        self._totps = totps
        self._clock = clock

    def register(self, request: Request) -> Response:
        names = ("name", "email", "password")
        body = read_object(request, names, names, "name, email and password are required")
        account = self._accounts.register(**body)
        if account is None:
            raise HttpError(409, "email already exists")
        return _success(_account(account))

    def log_in(self, request: Request) -> Response:
        names = ("email", "password")
        body = read_object(request, names, names, "email and password are required")
        account = self._accounts.log_in(**body)
        if account is None:
            raise HttpError(401, "invalid credentials")
        return json_response(_account(account))

    def issue_token(self, request: Request) -> Response:
        body = read_object(request, ("userId", "days"), ("userId",), "userId is required")
        account = self._accounts.get(body["userId"])
        if account is None:
            raise HttpError(404, "user not found")
        token, expires_at = self._accounts.issue_token(account, body.get("days", DEFAULT_DAYS))
        return json_response({"token": token, "expiresAt": _timestamp(expires_at)})

    def revoke_token(self, request: Request) -> Response:
        body = read_object(request, ("token",), ("token",), "token is required")
        self._accounts.revoke_token(body["token"])
        return json_response({"success": True})

    def user(self, request: Request) -> Response:
        account = self._accounts.get(self._user_id(request))
        if account is None:
            raise HttpError(404, "user not found")
        return json_response(_account(account))

    def codes(self, request: Request) -> Response:
        if _bearer_token(request) is None:
            return json_response([])
        now = self._clock.time_ns()
        answer = []
        for totp in self._totps.all(self._user_id(request)):
            code, expires = totp.code_at(now)
            answer.append(
                {
                    "id": totp.id,
                    "label": totp.label,
                    "otp": code,
                    "expires": expires,
                    "expiresDate": _timestamp(expires),
                    "digits": totp.digits,
                }
            )
        return json_response(answer)

    def create(self, request: Request) -> Response:
        user_id = self._user_id(request)
        body = read_object(request, TOTP_FIELDS, ("label", "secret"), "label and secret are required")
        [totp] = self._totps.add(user_id, [body])
        return _success(_totp(totp))

    def update(self, request: Request) -> Response:
        user_id = self._user_id(request)
        body = read_object(request, None)
        checked_fields(body, ("id", *TOTP_FIELDS), ("id",), "id is required")  # a null takes an icon away
        return _found(self._totps.update(user_id, body.pop("id"), body))

    def delete(self, request: Request) -> Response:
        user_id = self._user_id(request)
        body = read_object(request, ("id",), ("id",), "id is required")
        return _found(self._totps.remove(user_id, body["id"]))

    def export(self, request: Request) -> Response:
        totps = [_totp(totp) for totp in self._totps.all(self._user_id(request))]
        for totp in totps:
            del totp["userId"]
        now = self._clock.time_ns() // 1_000_000
        response = json_response({"version": "1.0", "exportedAt": _timestamp(now), "count": len(totps), "totps": totps})
        response.headers["Content-Disposition"] = 'attachment; filename="totps-export.json"'
        return response

    def bring_in(self, request: Request) -> Response:
        user_id = self._user_id(request)
        body = read_object(request, None)
        entries = body.get("totps")
        if not isinstance(entries, list):
            raise HttpError(400, "totps array is required")
        if not all(isinstance(entry, dict) and entry.get("label") and entry.get("secret") for entry in entries):
            raise HttpError(400, "each TOTP must have label and secret")
        checked_fields(body, ("totps", "version", "exportedAt", "count"))
        # An export can be sent back as it is; the ids in it are other TOTPs', and none is overwritten.
        names = ("id", *TOTP_FIELDS)
        all_fields = [checked_fields(entry, names, ("label", "secret"), of=" of a TOTP") for entry in entries]
        for fields in all_fields:
            fields.pop("id", None)
        totps = self._totps.add(user_id, all_fields)
        return json_response({"success": True, "imported": len(totps), "data": [_totp(totp) for totp in totps]})

    def _user_id(self, request: Request) -> str:
        """Return the id of the user whose token came with a request."""
        token = _bearer_token(request)
        user_id = None if token is None else self._accounts.user_of(token)
        if user_id is None:
            raise HttpError(401, "unauthorized", {"WWW-Authenticate": "Bearer"})
        return user_id


def _bearer_token(request: Request) -> str | None:
    """Return the token that came with a request; None when there is none, and an empty text for another scheme."""
    # The query first: behind a gate with an API key the header carries that.
    if "token" in request.args:
        return request.args["token"]
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _found(totp: Totp | None) -> Response:
    if totp is None:
        raise HttpError(404, "TOTP not found or access denied")
    return _success(_totp(totp))


def _account(account: VaultAccount) -> dict[str, Any]:
    return {"id": account.user_id, "name": account.name, "email": account.email}


def _totp(totp: Totp) -> dict[str, Any]:
    return {
        "id": totp.id,
        "userId": totp.user_id,
        "label": totp.label,
        "secret": totp.secret,
        "digits": totp.digits,
        "period": totp.period,
        "algorithm": totp.algorithm.replace("sha", "SHA-"),
        "icon": totp.icon,
        "metadata": totp.metadata,
        "sort": totp.sort,
    }


def _timestamp(milliseconds: int) -> str:
    """Return a time as the document writes it: `2025-01-25T04:12:31.878Z`."""
    text = as_datetime(milliseconds * 1_000_000).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _success(data: Any) -> Response:
    return json_response({"success": True, "data": data})


def _error_body(error: HttpError) -> Response:
    return json_response({"success": False, "error": error.message})
