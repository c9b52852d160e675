"""The wire of email-mfa: routes, bodies, messages and status codes as its API document has them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.backends import with_flaws
from pytest_totphog.backends.access_tokens import AccessTokens
from pytest_totphog.backends.cors import Cors
from pytest_totphog.backends.email_mfa.mail import MailNotSent, Postman
from pytest_totphog.backends.email_mfa.model import EmailMfa, Reason, Refused
from pytest_totphog.backends.mailbox import Mailbox
from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.verifier import Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput, StoreError
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.bodies import json_response, read_object
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import openapi_routes
from pytest_totphog.wsgi.routes import App, Route

__all__ = ["DEFAULT_POLICY", "create_app"]

# A mailed code is of the step it was sent in; one step of delay gives the mail five minutes to arrive.
DEFAULT_POLICY: Final = VerifierPolicy(window=1, one_time=True, max_failures=5, lockout_seconds=900)

_REFUSALS: Final[dict[Reason, tuple[int, str]]] = {
    "exists": (409, "User already exists"),
    "no account": (404, "User not found"),
    "no code": (404, "No secret found for the provided email."),
    "wrong code": (400, "Invalid verification code."),
    "wrong password": (401, "Invalid password"),
    "wrong link": (400, "Invalid or expired token"),
}
_SENT: Final = "Verification code sent, please check your email."
_EMAIL_AND_CODE: Final = "Email and token are required."

Handler = Callable[..., Response]


def create_app(
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    policy: VerifierPolicy | None = None,
    gate: Gate | None = None,
    smtp: tuple[str, int] | None = None,
    mailbox: Mailbox | None = None,
    bcrypt_cost: int = 4,
    jwt_key: str | None = None,
    jwt_lifetime: int = 3600,
    public_url: str | None = None,
    flaws: Collection[str] = (),
) -> Cors:
    """Return the app email-mfa.

    Args:
        clock: what codes, links and access tokens expire on; the system's time unless given.
        store: where accounts live; in memory unless given.
        policy: what the verifier accepts.
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        smtp: host and port of the mail server that it sends by.
        mailbox: a running mailbox to send to instead, whose mails `GET /mailbox?to=…` shows.
        bcrypt_cost: the work for each password, 4 to 20.
        jwt_key: what access tokens are signed with; a random key unless given.
        jwt_lifetime: seconds that an access token lives.
        public_url: what reset links begin with; the address that the server listens on unless given.
        flaws: the mistakes to make, such as `{"no-throttle"}`; none unless given.

    Raises:
        InvalidInput: when an option is not what is accepted.
        MissingExtra: where bcrypt or PyJWT is not installed.
    """
    clock, store = clock or Clock(), store or MemoryStore()
    if smtp is None and mailbox is not None:
        smtp = (mailbox.host, mailbox.port)
    model = EmailMfa(
        store,
        clock,
        with_flaws(Verifier, "email-mfa", flaws)(store, clock, policy or DEFAULT_POLICY),
        PasswordHasher(bcrypt_cost),
        AccessTokens(clock, jwt_key, jwt_lifetime, store),
        Postman(smtp, clock),
    )
    wire = _Wire(model, public_url)
    routes = [
        Route("POST", "/register", _answering(wire.register)),
        Route("POST", "/register/verify", _answering(wire.complete_registration)),
        Route("POST", "/login", _answering(wire.log_in)),
        Route("POST", "/login/verify", _answering(wire.complete_login)),
        Route("POST", "/forgot-password", _answering(wire.forgot_password, success=False)),
        Route("POST", "/reset-password", _answering(wire.reset_password, success=False)),
        *openapi_routes("pytest_totphog.backends.email_mfa"),
    ]
    if mailbox is not None:
        routes.append(Route("GET", "/mailbox", lambda request: _mails(mailbox, request)))
    return Cors(
        App(routes, lambda error: json_response({"message": error.message}), gate or Gate()),
        ("*",),
        private=("/mailbox",),
    )


class _Wire:
    def __init__(self, model: EmailMfa, public_url: str | None) -> None:
        self._model = model
        self._public_url = public_url

    def register(self, request: Request) -> Response:
        body = read_object(request, ("firstName", "lastName", "email", "password", "phoneNumber", "roleId"))
        self._model.register(
            email=body.get("email"),
            password=body.get("password"),
            first_name=body.get("firstName"),
            last_name=body.get("lastName"),
            phone=body.get("phoneNumber", ""),
            role_id=body.get("roleId", 0),
        )
        return json_response({"message": _SENT})

    def complete_registration(self, request: Request) -> Response:
        body = read_object(request, ("email", "token"), ("email", "token"), _EMAIL_AND_CODE)
        self._model.complete_registration(email=body["email"], code=body["token"])
        return json_response({"message": "User registered successfully"}, 201)

    def log_in(self, request: Request) -> Response:
        body = read_object(request, ("email", "password"), ("email", "password"), "Email and password are required.")
        self._model.log_in(email=body["email"], password=body["password"])
        return json_response({"message": _SENT})

    def complete_login(self, request: Request) -> Response:
        body = read_object(request, ("email", "token", "password"), ("email", "token"), _EMAIL_AND_CODE)
        token = self._model.complete_login(email=body["email"], password=body.get("password"), code=body["token"])
        return json_response({"token": token})

    def forgot_password(self, request: Request) -> Response:
        body = read_object(request, ("email",), ("email",), "Email is required.")
        # Not the Host header: who asks is not whom the mail is for.
        base = _own_url(request) if self._public_url is None else self._public_url.rstrip("/")
        self._model.forgot_password(email=body["email"], link=f"{base}/reset-password?token=")
        return json_response({"success": True, "message": "Password reset email sent, please check your email."})

    def reset_password(self, request: Request) -> Response:
        body = read_object(
            request, ("token", "password"), ("token", "password"), "Token and new password are required."
        )
        self._model.reset_password(token=body["token"], password=body["password"])
        return json_response({"success": True, "message": "Password reset successfully"})


def _answering(handler: Handler, **base: Any) -> Handler:
    """Return a handler that answers what the rules refuse as the API document does.

    Args:
        handler: the handler.
        base: what every error's body of this route begins with.
    """

    @wraps(handler)
    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except Refused as refusal:
            status, message = _REFUSALS[refusal.reason]
            return json_response({**base, "message": message}, status)
        except MailNotSent as error:
            what = "password reset email" if base else "verification code"
            return json_response({**base, "message": f"Failed to send {what}.", "error": str(error)}, 500)
        except StoreError as error:
            return json_response({**base, "message": "Database error", "error": str(error)}, 500)
        except InvalidInput as error:
            return json_response({**base, "message": str(error)}, 400)
        except HttpError as error:
            return json_response({**base, "message": error.message}, error.status)

    return answer


def _own_url(request: Request) -> str:
    """Return the URL of the address that the server listens on, without a slash at the end."""
    host, port = request.server or ("localhost", None)
    authority = f"[{host}]" if ":" in host else host
    implied = port in {None, {"http": 80, "https": 443}.get(request.scheme)}
    return f"{request.scheme}://{authority}{'' if implied else f':{port}'}{request.root_path}"


def _mails(mailbox: Mailbox, request: Request) -> Response:
    to = request.args.get("to")
    return json_response(
        [
            {
                "from": mail.sender,
                "to": list(mail.recipients),
                "subject": mail.subject,
                "text": mail.text,
                "html": mail.html,
            }
            for mail in mailbox.messages
            if to is None or to.lower() in (recipient.lower() for recipient in mail.recipients)
        ]
    )
