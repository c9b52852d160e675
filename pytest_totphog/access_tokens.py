"""Access tokens: JSON Web Tokens (RFC 7519) that expire on the injected clock."""

from __future__ import annotations

import secrets

from pytest_totphog.clock import Clock
from pytest_totphog.errors import MissingExtra

__all__ = ["AccessTokens"]


class AccessTokens:
    """Issues and reads the tokens of one app, signed with HS256.

    Args:
        clock: what `iat` and `exp` are counted on.
        key: the signing key; a random one unless given.
        lifetime: seconds that a token lives.

    Raises:
        MissingExtra: where PyJWT is not installed.
    """

    def __init__(self, clock: Clock, key: str | None = None, lifetime: int = 3600) -> None:
        try:
            import jwt
        except ImportError:
            raise MissingExtra("this backend", "PyJWT", "backends") from None
        self._jwt = jwt
        self._clock = clock
        self._key = secrets.token_hex(32) if key is None else key
        self._lifetime = lifetime

    def issue(self, subject: str) -> str:
        """Return a new token for a subject: an account's id."""
        now = int(self._clock.time())
        claims = {"sub": subject, "iat": now, "exp": now + self._lifetime, "jti": secrets.token_hex(8)}
        return self._jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, token: str) -> str | None:
        """Return the subject of a good token; None for one that is expired, tampered with, or not ours.

        Only HS256 is read, so `alg: none` and a public key in the place of ours are refused (CVE-2022-29217).
        """
        try:
            claims = self._jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                # The system's clock says nothing here; `exp` is compared with the injected one below.
                options={"verify_exp": False, "verify_iat": False, "require": ["sub", "iat", "exp"]},
            )
        except self._jwt.InvalidTokenError:
            return None
        expires = claims["exp"]
        in_time = isinstance(expires, int) and expires > self._clock.time()
        return str(claims["sub"]) if in_time else None
