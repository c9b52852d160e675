"""The app login-demo: routes, wire shapes and the page; what they mean is the model's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.backends import with_flaws
from pytest_totphog.backends.access_tokens import AccessTokens
from pytest_totphog.backends.login_demo.model import DemoAccount, DemoAccounts
from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.verifier import Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.credentials import qr
from pytest_totphog.inputs import as_email, as_password
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.bodies import checked_fields, json_response, read_object
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.files import package_file
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.openapi import openapi_routes
from pytest_totphog.wsgi.routes import App, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["DEFAULT_POLICY", "create_app"]

NAME: Final = "login-demo"
PACKAGE: Final = "pytest_totphog.backends.login_demo"

# The document knows no limit on wrong codes; it only counts them.
DEFAULT_POLICY: Final = VerifierPolicy(window=1, one_time=True, max_failures=None)

SECURITY_HEADERS: Final = (
    ("X-Frame-Options", "DENY"),
    # The filter that it switches off made holes of its own; the policy below is what replaced it.
    ("X-XSS-Protection", "0"),
    # Heeded over https only (RFC 6797 section 8.1).
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
)

INSTRUCTIONS: Final = {
    "step1": "Install Google Authenticator app on your phone",
    "step2": "Scan the QR code or enter the manual key",
    "step3": "Enter the 6-digit code from the app to verify setup",
}


def create_app(
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    policy: VerifierPolicy | None = None,
    gate: Gate | None = None,
    bcrypt_cost: int = 4,
    jwt_key: str | None = None,
    jwt_lifetime: int = 3600,
    debug: bool = True,
    disable_takes_code: bool = False,
    send_reset: Callable[[str, str], None] | None = None,
    flaws: Collection[str] = (),
) -> App:
    """Return the app login-demo.

    Args:
        clock: what codes, lockouts and access tokens live on; the system's time unless given.
        store: where accounts live; in memory unless given.
        policy: what the verifier accepts; a window of one step, each step once, and no lockout unless given.
        gate: what is refused beforehand; unless given, everything not addressed to loopback.
        bcrypt_cost: the work for each password, 4 to 20.
        jwt_key: what access tokens are signed with; unless given a random key, kept in the store.
        jwt_lifetime: seconds that an access token lives.
        debug: whether `/api/debug` is served, which lists all accounts to everyone.
        disable_takes_code: whether `/api/mfa/totp/disable` demands a code, which the document does not.
        send_reset: sends the token of a password reset to an address; without it there is no password reset, as in the
            document.
        flaws: the mistakes to make, such as `{"replay"}`; none unless given.

    Raises:
        InvalidInput: when an option is not what is accepted.
        MissingExtra: where bcrypt or PyJWT is not installed.
    """
    clock, store = clock or Clock(), store or MemoryStore()
    verifier = with_flaws(Verifier, NAME, flaws)(store, clock, policy or DEFAULT_POLICY)
    accounts = with_flaws(DemoAccounts, NAME, flaws)(
        store,
        clock,
        verifier,
        PasswordHasher(bcrypt_cost),
        PasswordHasher(),
        disable_takes_code=disable_takes_code,
    )
    api = with_flaws(_Api, NAME, flaws)(accounts, AccessTokens(clock, jwt_key, jwt_lifetime, store), send_reset)
    routes = [
        Route("POST", "/api/auth/register", api.register),
        Route("POST", "/api/auth/login", api.log_in),
        Route("POST", "/api/mfa/totp/setup", api.set_up),
        Route("POST", "/api/mfa/totp/verify", api.verify),
        Route("GET", "/api/mfa/totp/status", api.status),
        Route("POST", "/api/mfa/totp/disable", api.disable),
        Route("GET", "/api/user/me", api.me),
        _page_route("/", "login.html", "text/html"),
        _page_route("/login.js", "login.js", "text/javascript"),
        _page_route("/login.css", "login.css", "text/css"),
        *openapi_routes(PACKAGE),
    ]
    if debug:
        routes.append(Route("GET", "/api/debug", api.debug))
    if send_reset is not None:
        routes.append(Route("POST", "/api/auth/forgot-password", api.forgot_password))
        routes.append(Route("POST", "/api/auth/reset-password", api.reset_password))
    return with_flaws(_SecuredApp, NAME, flaws)(routes, _error_body, gate or Gate())


class _SecuredApp(App):
    """An app that sends the security headers with every answer."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""

        def start_with_headers(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, *SECURITY_HEADERS], *rest)

        return super().__call__(environ, start_with_headers)


class _Api:
    def __init__(
        self, accounts: DemoAccounts, tokens: AccessTokens, send_reset: Callable[[str, str], None] | None
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._send_reset = send_reset

    def register(self, request: Request) -> Response:
        email, password = _credentials(_read_credentials(request))
        account = self._accounts.register(email, password)
        if account is None:
            raise HttpError(409, "User already exists")
        return json_response({"success": True, "message": "User registered successfully", "userId": account.id})

    def log_in(self, request: Request) -> Response:
        body = _read_credentials(request, "totpCode")
        email, password = _credentials(body)
        code = body.get("totpCode")
        if code is not None and not isinstance(code, str):
            raise HttpError(400, f"totpCode is of type {type(code).__name__}; accepted is a string")
        login = self._accounts.log_in(email, password, code)
        if login.code_required:
            message = "Please enter your Google Authenticator code"
            return json_response({"success": False, "requiresTOTP": True, "message": message})
        if login.account is None:
            raise HttpError(401, "Invalid credentials or TOTP code")
        return self._logged_in(login.account)

    def forgot_password(self, request: Request) -> Response:
        body = read_object(request, ("email",), ("email",), "Missing email")
        account = self._accounts.find(as_email(body["email"]))
        if account is not None and self._send_reset is not None:
            self._send_reset(account.email, self._accounts.forgot_password(account))
        return json_response({"success": True, "message": "Password reset sent if there is such a user"})

    def reset_password(self, request: Request) -> Response:
        body = read_object(request, ("token", "password"), ("token", "password"), "Missing token or password")
        account = self._accounts.reset_password(body["token"], as_password(body["password"]))
        if account is None:
            raise HttpError(400, "Invalid or expired token")
        return self._password_set(account)

    def set_up(self, request: Request) -> Response:
        account = self._authenticated(request)
        read_object(request, ())
        enrolment = self._accounts.set_up(account)
        return json_response(
            {
                "success": True,
                "qrCode": qr.data_uri(enrolment.token.uri),
                "backupCodes": enrolment.backup_codes,
                "manualEntryKey": enrolment.token.secret,
                "instructions": INSTRUCTIONS,
            }
        )

    def verify(self, request: Request) -> Response:
        account = self._authenticated(request)
        body = read_object(request, ("code",), ("code",), "Missing code")
        if not self._accounts.verify(account, body["code"]):
            raise HttpError(400, "Invalid code")
        return json_response({"success": True, "message": "TOTP verified"})

    def status(self, request: Request) -> Response:
        enabled = self._accounts.second_factor(self._authenticated(request)).enabled
        return json_response({"enabled": enabled, "verified": enabled, "setupRequired": not enabled})

    def disable(self, request: Request) -> Response:
        account = self._authenticated(request)
        body = read_object(request, ("code",) if self._accounts.disable_takes_code else ())
        if body:
            checked_fields(body, ("code",), ("code",), "Missing code")
        if not self._accounts.may_disable(account, body.get("code")):
            raise HttpError(400, "Invalid code" if body else "Missing code")
        self._accounts.disable(account)
        return json_response({"success": True, "message": "TOTP disabled successfully"})

    def me(self, request: Request) -> Response:
        account = self._authenticated(request)
        enabled = self._accounts.second_factor(account).enabled
        return json_response(
            {"id": account.id, "email": account.email, "totpEnabled": enabled, "totpVerified": enabled}
        )

    def debug(self, request: Request) -> Response:
        users = [{"email": account.email, "id": account.id, "hasPassword": True} for account in self._accounts.all]
        settings = [
            {
                "userId": factor.id,
                "enabled": factor.enabled,
                "verified": factor.enabled,
                "failedAttempts": self._accounts.failures(factor.id),
            }
            for factor in self._accounts.second_factors
        ]
        return json_response({"users": users, "totpSettings": settings})

    def _logged_in(self, account: DemoAccount) -> Response:
        return json_response(
            {
                "success": True,
                "token": self._tokens.issue(account.id),
                "user": {"id": account.id, "email": account.email},
                "totpEnabled": self._accounts.second_factor(account).enabled,
            }
        )

    def _password_set(self, account: DemoAccount) -> Response:
        # Not logged in: whoever reads the mail has one factor, and the login takes two.
        return json_response({"success": True, "message": "Password reset successfully"})

    def _authenticated(self, request: Request) -> DemoAccount:
        """Return the account that the request's access token was issued to."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise HttpError(401, "Missing access token", {"WWW-Authenticate": "Bearer"})
        subject = self._tokens.read(token)
        if subject is None and self._tokens.is_expired(token):
            raise HttpError(401, "Expired access token", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        account = None if subject is None else self._accounts.get(subject)
        if account is None:
            raise HttpError(403, "Invalid access token")
        return account


def _read_credentials(request: Request, *others: str) -> dict[str, Any]:
    names = ("email", "password")
    return read_object(request, (*names, *others), names, "Missing email or password")


def _credentials(body: dict[str, Any]) -> tuple[str, str]:
    return as_email(body["email"]), as_password(body["password"])


def _error_body(error: HttpError) -> Response:
    return json_response({"success": False, "error": error.message})


def _page_route(path: str, name: str, mimetype: str) -> Route:
    content = package_file(PACKAGE, f"page/{name}")
    return Route("GET", path, lambda _: Response(content, mimetype=mimetype))
