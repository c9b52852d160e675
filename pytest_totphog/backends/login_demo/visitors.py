"""Who counts failures by what a request brings, forgets them with it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.http import dump_cookie
from werkzeug.wrappers import Request

from pytest_totphog.backends.login_demo.app import _SecuredApp
from pytest_totphog.backends.verifier import Verification, Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["AddressThrottle", "ClientCounter", "SessionThrottle", "VisitedApp"]


@dataclass
class Visitor:
    """What the request that is being answered brought.

    Attributes:
        address: where it came from.
        session: the cookie of that name, random at first.
        failures: how many failures the client says it had.
    """

    address: str
    session: str
    failures: int


_visitor: ContextVar[Visitor] = ContextVar("visitor")


class VisitedApp(_SecuredApp):
    """An app that knows its visitors by cookies."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ, populate_request=False)
        failures = request.cookies.get("failures", "")
        visitor = Visitor(
            request.remote_addr or "",
            request.cookies.get("session") or secrets.token_hex(8),
            int(failures) if failures.isdecimal() and len(failures) < 10 else 0,
        )
        _visitor.set(visitor)

        def start_with_cookies(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            cookies = {"session": visitor.session, "failures": str(visitor.failures)}
            set_cookies = [("Set-Cookie", dump_cookie(name, cookies[name], httponly=True)) for name in cookies]
            return start_response(status, [*headers, *set_cookies], *rest)

        return super().__call__(environ, start_with_cookies)


class CountsByVisitor(Verifier):
    """Failures are not counted by the account alone."""

    def _key(self, account: str) -> str:
        raise NotImplementedError

    def locked(self, account: str) -> Verification | None:
        """Return the verdict on a locked visitor."""
        return super().locked(self._key(account))

    def failures(self, account: str) -> int:
        """Return how often in a row this visitor has been wrong."""
        return super().failures(self._key(account))

    def forgive(self, account: str) -> None:
        """Forget this visitor's failures."""
        super().forgive(self._key(account))

    def _count(self, account: str) -> Verification | None:
        return super()._count(self._key(account))


class SessionThrottle(CountsByVisitor):
    """Failures are counted in the session, and a new session has none (CVE-2024-32868)."""

    def _key(self, account: str) -> str:
        return f"{account}/{_visitor.get().session}"


class AddressThrottle(CountsByVisitor):
    """Failures are counted for each network address, and another address has none."""

    def _key(self, account: str) -> str:
        return f"{account}/{_visitor.get().address}"


class ClientCounter(Verifier):
    """The client keeps the count in a cookie, and may bring an older one (CVE-2026-78655)."""

    def forgive(self, account: str) -> None:
        """Let the client start again."""
        _visitor.get().failures = 0

    def _count(self, account: str) -> Verification | None:
        visitor, limit = _visitor.get(), self.policy.max_failures
        if limit is not None and visitor.failures >= limit:
            return Verification("locked", self.policy.lockout_seconds)
        visitor.failures += 1
        return None
