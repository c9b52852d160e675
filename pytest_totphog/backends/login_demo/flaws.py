"""The flaws that login-demo can have, and those of its handlers."""

from __future__ import annotations

import json
from typing import Final

from werkzeug.wrappers import Request, Response

from pytest_totphog.backends.flaws import CODES, MEMORY, THROTTLE
from pytest_totphog.backends.login_demo import flawed_accounts as accounts
from pytest_totphog.backends.login_demo.app import _Api
from pytest_totphog.backends.login_demo.model import DemoAccount
from pytest_totphog.backends.login_demo.visitors import AddressThrottle, ClientCounter, SessionThrottle, VisitedApp
from pytest_totphog.wsgi.bodies import json_response

__all__ = ["FLAWS"]


class HalfToken(_Api):
    """The password alone is answered with a token, beside the demand for a code."""

    def log_in(self, request: Request) -> Response:
        """Give the token away."""
        body = request.get_data()  # read before the handler reads it, so that it is kept
        response = super().log_in(request)
        answer = response.get_json()
        account = self._accounts.find(json.loads(body)["email"])
        if "requiresTOTP" not in answer or account is None:
            return response
        return json_response({**answer, "token": self._tokens.issue(self._half_subject(account))})

    def _half_subject(self, account: DemoAccount) -> str:
        raise NotImplementedError


class HalfLogin(HalfToken):
    """The token is as good as that of a login."""

    def _half_subject(self, account: DemoAccount) -> str:
        return account.id


class HalfDisable(HalfToken):
    """The token opens nothing, but switches the second factor off."""

    def disable(self, request: Request) -> Response:
        """Ask for no code where there has been none."""
        subject = self._tokens.read(request.headers.get("Authorization", "").partition(" ")[2]) or ""
        half, _, account_id = subject.partition("/")
        account = self._accounts.get(account_id)
        if half != "half" or account is None:
            return super().disable(request)
        self._accounts.disable(account)
        return json_response({"success": True, "message": "TOTP disabled successfully"})

    def _half_subject(self, account: DemoAccount) -> str:
        return f"half/{account.id}"


class ResetSkips(_Api):
    """Who has set a new password is logged in."""

    def _password_set(self, account: DemoAccount) -> Response:
        return self._logged_in(account)


FLAWS: Final[dict[str, tuple[type, ...]]] = {
    **MEMORY,
    "surface-replay": (accounts.SurfaceReplay,),
    **CODES,
    "empty-code": (accounts.EmptyCode,),
    "long-period": (accounts.LongPeriod,),
    "short-secret": (accounts.ShortSecret,),
    "shared-secret": (accounts.SharedSecret,),
    "uri-mismatch": (accounts.UriMismatch,),
    "unconfirmed-enrolment": (accounts.UnconfirmedEnrolment,),
    "unspent-enrolment": (accounts.UnspentEnrolment,),
    "eager-enrolment": (accounts.EagerEnrolment,),
    "any-users-code": (accounts.AnyUsersCode,),
    "shared-recovery": (accounts.SharedRecovery,),
    "recovery-reuse": (accounts.RecoveryReuse,),
    "recovery-race": (accounts.RecoveryRace,),
    "old-recovery": (accounts.OldRecovery,),
    "half-login": (HalfLogin,),
    "half-disable": (HalfDisable,),
    "free-disable": (accounts.FreeDisable,),
    "reset-skips": (ResetSkips,),
    "leaky-responses": (accounts.LeakyResponses,),
    **THROTTLE,
    "session-throttle": (SessionThrottle, VisitedApp),
    "address-throttle": (AddressThrottle, VisitedApp),
    "client-counter": (ClientCounter, VisitedApp),
    "password-resets-throttle": (accounts.PasswordResetsThrottle,),
}
