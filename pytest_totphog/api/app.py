"""The TOTPHog API at `/api/v1`: routes and wire shapes; what they mean is the authenticator's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.api.store import store_routes
from pytest_totphog.authenticator.authenticator import Authenticator, this_process
from pytest_totphog.authenticator.codes import CodeOrigin
from pytest_totphog.authenticator.issuer import Issuer
from pytest_totphog.authenticator.replay_scope import ReplayScope
from pytest_totphog.authenticator.totp_token import TotpToken, issuer_of
from pytest_totphog.clocks.instants import as_datetime, as_nanoseconds
from pytest_totphog.credentials import qr
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput, shown
from pytest_totphog.stores import Store
from pytest_totphog.stores.ledger import Claim
from pytest_totphog.version import __version__
from pytest_totphog.wsgi.bodies import form_file, json_response, read_object
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import openapi_routes
from pytest_totphog.wsgi.routes import App, Route

__all__ = ["BASE_PATH", "FIND_AUTHENTICATOR", "totphog_app"]

BASE_PATH: Final = "/api/v1"
# The name in a request's environ of the function that returns its authenticator, once the gate has let it pass.
FIND_AUTHENTICATOR: Final = "totphog.find_authenticator"

_PARAMETERS: Final = ("secret", "issuer", "digits", "period", "algorithm")


def totphog_app(
    authenticator: Authenticator, gate: Gate | None = None, store: Store | None = None, shared: tuple[type, ...] = ()
) -> App:
    """Return the WSGI app that serves an authenticator.

    Args:
        authenticator: the tokens, the clock and the ledger, unless a request's environ has `FIND_AUTHENTICATOR`.
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        store: what other processes may share over HTTP: its ledger and
        shared: the repositories of these types; nothing unless given.
    """

    def authenticator_of(request: Request) -> Authenticator:
        find = request.environ.get(FIND_AUTHENTICATOR)
        return authenticator if find is None else find()

    def route(method: str, path: str, handler: Callable[..., Response]) -> Route:
        return Route(
            method, BASE_PATH + path, lambda request, **ids: handler(_Api(authenticator_of(request)), request, **ids)
        )

    one = "/tokens/<id>"
    routes = [
        route("GET", "/health", _Api.health),
        route("GET", "/tokens", _Api.list_tokens),
        route("POST", "/tokens", _Api.create_token),
        route("DELETE", "/tokens", _Api.delete_tokens),
        route("GET", one, _Api.get_token),
        route("DELETE", one, _Api.delete_token),
        route("GET", f"{one}/code", _Api.get_code),
        route("GET", f"{one}/qr", _Api.get_qr),
        route("POST", f"{one}/one-time-code", _Api.claim_code),
        route("POST", f"{one}/verify", _Api.verify_code),
        route("POST", f"{one}/explain", _Api.explain_code),
        route("GET", "/codes", _Api.list_codes),
        route("POST", "/codes", _Api.compute_code),
        route("GET", "/events", _Api.list_events),
        route("GET", "/clock", _Api.get_clock),
        route("PUT", "/clock", _Api.freeze_clock),
        route("DELETE", "/clock", _Api.release_clock),
        route("POST", "/clock/tick", _Api.tick_clock),
    ]
    if store is not None:
        served = store_routes(
            store,
            *shared,
            on_claim=lambda request, claim: _Api(authenticator_of(request)).record_claim(claim),
            on_scope=lambda request, scope: _Api(authenticator_of(request)).keep_scope(scope),
        )
        routes += [route(each.method, each.path, partial(_enter, each.handler)) for each in served]
    openapi = openapi_routes("pytest_totphog.api", BASE_PATH) + openapi_routes("pytest_totphog.api")
    return App(routes + openapi, _error_body, gate or Gate())


def _enter(handler: Callable[..., Response], _: _Api, request: Request, **arguments: str) -> Response:
    """Let a handler answer that needs no authenticator, but to be in use."""
    return handler(request, **arguments)


class _Api:
    """The requests to one authenticator."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def health(self, request: Request) -> Response:
        timestamp = self._authenticator.clock.now().isoformat(timespec="seconds")
        return json_response({"status": "ok", "service": "TOTPHog", "version": __version__, "timestamp": timestamp})

    def list_tokens(self, request: Request) -> Response:
        tokens = [token.as_dict() for token in self._authenticator.credentials]
        return json_response({"success": True, "data": tokens, "count": len(tokens)})

    def create_token(self, request: Request) -> Response:
        if request.mimetype == "multipart/form-data":
            return _created(self._authenticator.enroll(form_file(request, "image")))
        body = _description(request, "image")
        if "image" in body:
            token = self._authenticator.enroll(_only_image(body))
        elif "uri" not in body and not {"name", "secret"} <= body.keys():
            raise HttpError(400, "Either uri, or name and secret, must be given")
        else:
            token = self._authenticator.add(self._authenticator.make(**body))
        return _created(token)

    def delete_tokens(self, request: Request) -> Response:
        count = self._authenticator.clear()
        return json_response({"success": True, "message": f"Deleted {count} tokens", "deleted_count": count})

    def get_token(self, request: Request, id: str) -> Response:
        return _success(self._issuer(id).token.as_dict())

    def delete_token(self, request: Request, id: str) -> Response:
        self._authenticator.remove(id)
        return json_response({"success": True, "message": "Token deleted"})

    def get_code(self, request: Request, id: str) -> Response:
        at, min_remaining = request.args.get("at"), _number(request, "min_remaining")
        by = CodeOrigin.HTTP_CODE if at is None else CodeOrigin.HTTP_CODE_AT
        return _success(self._code(self._issuer(id), at, min_remaining, by))

    def get_qr(self, request: Request, id: str) -> Response:
        return Response(qr.png(self._authenticator.get(id).uri), mimetype="image/png")

    def claim_code(self, request: Request, id: str) -> Response:
        body = read_object(request, ("min_remaining", "lookahead", "timeout", "holder"))
        issuer = self._issuer(id)
        body = {"holder": self._default_holder(request), **body}
        return _success(issuer.claim(**body, by=CodeOrigin.HTTP_ONE_TIME_CODE).as_dict())

    def verify_code(self, request: Request, id: str) -> Response:
        body = {"code": None, **read_object(request, ("code", "window"))}
        return _success({"valid": self._issuer(id).verify(**body, holder=self._default_holder(request))})

    def explain_code(self, request: Request, id: str) -> Response:
        body = read_object(request, ("code",))
        explanation = self._authenticator.get(id).explain(body.get("code"))
        return _success({"verdict": explanation.verdict, "steps": explanation.steps, "explanation": str(explanation)})

    def list_codes(self, request: Request) -> Response:
        moment = self._authenticator.clock.time_ns()
        generated_at = as_datetime(moment).isoformat(timespec="seconds")
        following = _flag(request, "next")
        # Written as text: with thousands of tokens, polled, serialising them anew is most of the time.
        entries = [
            f'{token.json[:-1]}, "current_code": {{"code": "{token.code_at_step(token.step_at(moment))}", '
            f'"remaining_seconds": {token.remaining_at(moment)}, "period": {token.period}, '
            f'"generated_at": "{generated_at}"{_next_code(token, moment) if following else ""}}}}}'
            for token in self._authenticator.credentials
        ]
        return Response(f'{{"success": true, "data": [{", ".join(entries)}]}}', mimetype="application/json")

    def compute_code(self, request: Request) -> Response:
        body = _description(request, "at", "min_remaining")
        at, min_remaining = body.pop("at", None), body.pop("min_remaining", None)
        if "uri" not in body and "secret" not in body:
            raise HttpError(400, "Either uri or secret must be given")
        named = body if "uri" in body else {"name": "code", **body}
        by = CodeOrigin.HTTP_CODES if at is None else CodeOrigin.HTTP_CODES_AT
        return _success(self._code(issuer_of(self._authenticator.make(**named)), at, min_remaining, by))

    def list_events(self, request: Request) -> Response:
        after = request.args.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 17 and int(after) < 2**53):
            raise HttpError(400, f"after is {shown(after)}; accepted is the id of an event")
        return _success([asdict(event) for event in self._authenticator.journal.after(int(after))])

    def record_claim(self, claim: Claim) -> None:
        """Record what a process that shares the ledger took for a token that it keeps here."""
        for token in self._authenticator.credentials:
            if token.fingerprint == claim.fingerprint.partition("/")[0]:
                self._authenticator.journal.record_code(
                    token, at=claim.claimed_at, step=claim.step, holder=claim.holder
                )
                break

    def keep_scope(self, scope: ReplayScope) -> None:
        """Let what is handed out from now on count as far as a test run says."""
        if self._authenticator.on_scope is None:
            raise HttpError(404, "Not found")
        self._authenticator.on_scope(scope)

    def get_clock(self, request: Request) -> Response:
        clock = self._authenticator.clock
        return json_response({"mode": clock.mode, "time": clock.time(), "now": clock.now().isoformat()})

    def freeze_clock(self, request: Request) -> Response:
        body = read_object(request, ("frozen_at",))
        if "frozen_at" not in body:
            raise HttpError(400, "frozen_at must be given: seconds since the epoch or ISO 8601")
        self._authenticator.clock.freeze(body["frozen_at"])
        return self.get_clock(request)

    def release_clock(self, request: Request) -> Response:
        self._authenticator.clock.unfreeze()
        return self.get_clock(request)

    def tick_clock(self, request: Request) -> Response:
        self._authenticator.clock.tick(**read_object(request, ("seconds",)))
        return self.get_clock(request)

    def _default_holder(self, request: Request) -> str | None:
        """Return the holder of a request without one: the client, or None in a test, whose name is used then."""
        if self._authenticator.holder() != this_process():
            return None
        return f"{request.remote_addr or 'a client'}, no holder given"

    def _issuer(self, id: str) -> Issuer:
        return issuer_of(self._authenticator.get(id))

    def _code(self, issuer: Issuer, at: Any, min_remaining: Any, by: CodeOrigin) -> dict[str, Any]:
        if at is not None and min_remaining is not None:
            raise InvalidInput(
                "at and min_remaining exclude each other; a code of another time has nothing to wait for"
            )
        if at is not None:
            # In a query an unescaped '+' of an offset arrives as a space.
            moment = as_nanoseconds(at.replace(" ", "+") if isinstance(at, str) and "T" in at else at)
        elif min_remaining is not None:
            moment = issuer.wait_for_remaining(min_remaining)
        else:
            moment = self._authenticator.clock.time_ns()
        return {
            "code": issuer.code_at(by, moment),
            "remaining_seconds": issuer.token.remaining_at(moment),
            "period": issuer.token.period,
            "generated_at": as_datetime(moment).isoformat(timespec="seconds"),
        }


def _success(data: Any, status: int = 200) -> Response:
    return json_response({"success": True, "data": data}, status)


def _created(token: TotpToken) -> Response:
    return _success(issuer_of(token).token.as_dict(), status=201)


def _error_body(error: HttpError) -> Response:
    # Its users run this server themselves, and may know why.
    message = f"{error.message}: {error.detail}" if error.detail else error.message
    return json_response({"success": False, "error": message})


def _description(request: Request, *others: str) -> dict[str, Any]:
    """Return the body of a request that describes a token: a key URI, which wins, or parameters.

    Clients of the original send the fields of a form: the URI and all others, filled in or not.
    """
    body = read_object(request, ("uri", "name", *_PARAMETERS, *others))
    if body.get("uri", "") == "":
        return {name: value for name, value in body.items() if name != "uri"}
    return {name: body[name] for name in ("uri", *others) if name in body}


def _next_code(token: Token, moment: int) -> str:
    step = token.step_at(moment)
    following = token.code_at_step(step + 1)
    token.code_at_step(step)  # the one that is kept is the current one
    return f', "next_code": "{following}"'


def _flag(request: Request, name: str) -> bool:
    text = request.args.get(name, "false")
    if text not in {"true", "false"}:
        raise HttpError(400, f"{name} is {shown(text)}; accepted are true and false")
    return text == "true"


def _only_image(body: dict[str, Any]) -> str:
    if len(body) > 1:
        raise HttpError(400, f"image says it all; also given: {', '.join(sorted(body.keys() - {'image'}))}")
    image = body["image"]
    # Nothing else that `enroll` takes: a client names no file on this machine.
    if not isinstance(image, str) or not image.startswith("data:"):
        raise HttpError(400, "image is not a data: URL; accepted is data:image/png;base64,…")
    return image


def _number(request: Request, name: str) -> float | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise HttpError(400, f"{name} is {shown(text)}; accepted is a number of seconds") from None
