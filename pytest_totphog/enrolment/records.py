"""Records of second factors, as apps and libraries keep them, turned into what an authenticator app would be shown."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TypeAlias

from pytest_totphog.errors import InvalidInput

__all__ = ["AppRecord", "HasConfigUrl", "HasProvisioningUri", "HasTotpUri", "uri_of"]


class HasTotpUri(Protocol):
    """A record of an app's that can be enrolled: it says what its set-up page shows."""

    def totp_uri(self) -> str:
        """Return the `otpauth://totp/` URI, or the secret in base32."""


class HasConfigUrl(Protocol):
    """A device, as those of django-otp."""

    @property
    def config_url(self) -> str:
        """The `otpauth://totp/` URI."""


class HasProvisioningUri(Protocol):
    """A one-time password, as those of pyotp."""

    def provisioning_uri(self) -> str:
        """Return the `otpauth://totp/` URI."""


AppRecord: TypeAlias = HasTotpUri | HasConfigUrl | HasProvisioningUri


def uri_of(record: object) -> str | None:
    """Return what the set-up page of a record shows; None for an object that is no record.

    Args:
        record: what has `totp_uri()` (see `HasTotpUri`), a device of django-otp's with its `config_url`, an
            authenticator of django-allauth's, or an object of pyotp's with its `provisioning_uri()`.

    Raises:
        InvalidInput: for a record of another kind of factor, or one whose URI is no text.
    """
    if isinstance(record, type):
        return None
    if callable(totp_uri := getattr(record, "totp_uri", None)):
        return _text(record, "totp_uri()", totp_uri())
    if hasattr(record, "config_url"):
        return _text(record, "config_url", record.config_url)
    if type(record).__module__.startswith("allauth.mfa."):
        return _allauth(record)
    if callable(provisioning_uri := getattr(record, "provisioning_uri", None)):
        return _text(record, "provisioning_uri()", provisioning_uri())
    return None


def _text(record: object, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(
            f"{name} of {type(record).__name__} is of type {type(value).__name__}; accepted is an otpauth:// URI or a "
            "base32 secret"
        )
    return value


def _allauth(record: Any) -> str:
    authenticator = getattr(record, "instance", record)
    kind = getattr(authenticator, "type", None)
    if kind != "totp":
        raise InvalidInput(f"the type of this authenticator of django-allauth's is {str(kind)!r}; accepted is 'totp'")
    # Who has the record has imported them.
    adapter = sys.modules["allauth.mfa.adapter"].get_adapter()
    return _text(
        record, "its URI", adapter.build_totp_url(authenticator.user, adapter.decrypt(authenticator.data["secret"]))
    )
