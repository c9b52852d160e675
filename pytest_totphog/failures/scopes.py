"""What a wider-scoped fixture takes in place of one of ours that is made for each test."""

from __future__ import annotations

import re
import textwrap
from typing import Final

__all__ = ["advice"]

_BACKEND: Final = "with PracticeBackend({!r}) as backend, from pytest_totphog"
WIDER: Final = {
    "totp_server": "totp_server_session, which is the same server",
    "totp_token": "totp_token_factory, or totp_server_session.add_token(name=…)",
    "totp_account": "totp_account_pool, and let each test reserve an account with totp_account",
    "totp_account_factory": "totp_account_pool, and let each test reserve accounts with totp_account_factory",
    "frozen_clock": "totp_server_session.clock, with freeze() and unfreeze()",
    "totp_mailbox": "with Mailbox() as mailbox, from pytest_totphog",
    "simple_backend": _BACKEND.format("simple"),
    "email_mfa_backend": _BACKEND.format("email-mfa"),
    "vault_backend": _BACKEND.format("vault"),
    "login_demo_backend": _BACKEND.format("login-demo"),
}
_MISMATCH: Final = re.compile(r"ScopeMismatch: You tried to access the function scoped fixture (\w+) with a (\w+) ")


def advice(error: str) -> str | None:
    """Return what to write instead, if pytest refused one of our fixtures for its scope.

    Args:
        error: pytest's message.
    """
    match = _MISMATCH.match(error)
    if match is None or (wider := WIDER.get(match[1])) is None:
        return None
    return textwrap.fill(
        f"{match[1]} is made for each test. In a fixture with scope {match[2]!r} use {wider}.",
        80,
        break_on_hyphens=False,
        break_long_words=False,
    )
