"""The login driver: what a team writes so that the battery can use its login."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.credentials.otp import decode_secret
from pytest_totphog.errors import InvalidInput, hidden_in_reports

if TYPE_CHECKING:
    from pytest_totphog.authenticator.totp_token import TotpToken
    from pytest_totphog.clocks.clock import Clock
    from pytest_totphog.servers.totp_server import TotpServer

__all__ = ["OPTIONAL", "LoginDriver", "Outcome", "enrolled"]

__tracebackhide__ = hidden_in_reports


class Outcome(StrEnum):
    """What the login made of a code."""

    ACCEPTED = "accepted"
    """The code was right, and the user is in (or the action is done)."""

    REFUSED = "refused"
    """The code was looked at and found wrong."""

    THROTTLED = "throttled"
    """The code was not looked at: too many failures, a locked account, or an attempt that was ended for them."""


class LoginDriver:
    """How the battery uses a login; subclass it and write `enroll`, `begin` and `submit`.

    Every other method is optional: the rules that need one that is not written are skipped and name it.
    What accounts and attempts are is the driver's affair; the battery only hands them back.

    Attributes:
        clock: the clock that codes follow, frozen unless the battery runs live; set by the battery.
        server: the authenticator that holds the tokens; set by the battery.
        responses: texts of the responses since they were last cleared (the battery clears them), or None when
            the driver records none.
        concurrent: whether attempts may be submitted from several threads at the same time.
    """

    clock: Clock
    server: TotpServer
    responses: list[str] | None = None
    concurrent: bool = True

    # What the login was found to use instead of what its URI says; set by the battery.
    _parameters: Mapping[str, Any] = MappingProxyType({})

    # Required.

    # So that a type checker lets a driver leave the argument out.
    def enroll(self, *account: Any, **nothing: Any) -> str:
        """Give an account a TOTP factor and return what its authenticator app is shown.

        Where the login wants a code to confirm it, take that from `one_time_code`. A driver with a single account
        may leave the argument out.

        Returns:
            The `otpauth://totp/` URI, or the secret in base32 where there is none.
        """
        raise NotImplementedError

    def begin(self, account: Any) -> Any:
        """Log in with the right password, in a new session, and return the attempt that waits for a code.

        Where the account is locked already here, return an attempt for which `submit` answers `THROTTLED`.
        """
        raise NotImplementedError

    def submit(self, attempt: Any, code: Any) -> Outcome:
        """Send a code and return what the login made of it.

        Rules on parsing also send None, lists and numbers: send them as they are where the transport can (JSON),
        and raise `NotImplementedError` where it cannot.
        """
        raise NotImplementedError

    # Optional.

    def new_account(self) -> Any:
        """Make a throw-away account with a password and without TOTP."""
        raise NotImplementedError

    def begin_enrolment(self, account: Any) -> str | None:
        """Start to give an account TOTP, up to where it asks for the first code, and return the URI or secret shown.

        The account may have TOTP already; return None where the login then offers no other.
        """
        raise NotImplementedError

    def confirm_enrolment(self, account: Any, code: str) -> Outcome:
        """Answer the enrolment begun last with a code."""
        raise NotImplementedError

    def recovery_codes(self, account: Any) -> list[str]:
        """Have recovery codes made for an account with TOTP; called again, have them made anew."""
        raise NotImplementedError

    def submit_recovery_code(self, attempt: Any, code: str) -> Outcome:
        """Send a recovery code in place of a code."""
        raise NotImplementedError

    def disable(self, attempt: Any, code: str | None = None) -> Outcome:
        """Switch TOTP off from an attempt, giving a code where one is given, and the right password where one is asked.

        The attempt may be one that no code was accepted for; `REFUSED` is then the answer to hope for.
        """
        raise NotImplementedError

    def protected_page(self, attempt: Any) -> bool:
        """Ask for a page that only logged-in users see, and return whether it is shown to this attempt."""
        raise NotImplementedError

    def reset_password(self, account: Any) -> Any:
        """Set a new password as one who forgot the old, and return the attempt where that leaves the user.

        `begin` uses the new password from then on.
        """
        raise NotImplementedError

    def reset_throttle(self, account: Any) -> None:
        """Forget the failures of an account and of this address."""
        raise NotImplementedError

    def change_address(self) -> None:
        """Let what is sent from now on, also in attempts begun before, come from another network address."""
        raise NotImplementedError

    def rewind(self, attempt: Any) -> Any:
        """Return the attempt with what the client held when it was begun: cookies, hidden fields; the same session."""
        raise NotImplementedError

    # Given.

    def can(self, method: str) -> bool:
        """Return whether a method is there to be used: whether it is written.

        Args:
            method: the name of one of the optional methods.
        """
        if method == "concurrent":
            return self.concurrent
        return getattr(type(self), method) is not getattr(LoginDriver, method)

    def finish(self) -> None:
        """Give back what the driver has taken; called after each rule, and it may be used again after that."""

    def token(self, source: str) -> TotpToken:
        """Return the token for what an enrolment showed, a URI or a secret, added to the server."""
        token = enrolled(self.server, source)
        if not self._parameters:
            return token
        shape = {name: getattr(token, name) for name in ("digits", "period", "algorithm")} | dict(self._parameters)
        return self.server.add_token(name=token.name, secret=token.secret, issuer=token.issuer, **shape)

    def one_time_code(self, source: str) -> str:
        """Return a code for what an enrolment shows, to confirm it with; the battery then knows that it is spent.

        Args:
            source: the `otpauth://totp/` URI, or the secret in base32.
        """
        token = self.token(source)
        code = token.one_time_code()
        # Where a login loses leading zeros, one rule says so, and the enrolments of the others do not fail by chance.
        while code.startswith("0") and self.clock.mode == "frozen":
            code = token.one_time_code()
        return code

    def enrolled(self, account: Any) -> str:
        """Call `enroll` with the account, or without where it takes none."""
        enroll: Callable[..., str] = self.enroll
        return enroll(account) if inspect.signature(enroll).parameters else enroll()


def enrolled(server: TotpServer, source: str) -> TotpToken:
    """Return the token for what an enrolment showed; a secret may be of any length, which is a rule's to judge."""
    try:
        decode_secret(source)
    except InvalidInput:
        return server.enroll(source)
    return server.add_token(name="account", secret=source)


OPTIONAL: Final = (
    "new_account",
    "begin_enrolment",
    "confirm_enrolment",
    "recovery_codes",
    "submit_recovery_code",
    "disable",
    "protected_page",
    "reset_password",
    "reset_throttle",
    "change_address",
    "rewind",
)
