"""Access tokens: JSON Web Tokens (RFC 7519) that expire on the injected clock."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import ClassVar, Final

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput, MissingExtra, hidden_in_reports, shown
from pytest_totphog.inputs import is_whole
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.memory import MemoryRepository

__all__ = ["AccessTokens", "SigningKey"]

__tracebackhide__ = hidden_in_reports

ALGORITHM: Final = "HS256"
LEAST_KEY_BYTES: Final = 32
MAX_LIFETIME: Final = 315_360_000

# The last of a signature's 43 characters carries four bits; lenient decoders let its other two be anything.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


@dataclass(frozen=True)
class SigningKey:
    """The key of an app that was given none; it is kept with the accounts, so that their tokens outlive a restart."""

    collection: ClassVar[str] = "access_tokens_signingkey"

    id: str
    key: str = field(repr=False)


class AccessTokens:
    """Issues and reads the tokens of one app, signed with HS256.

    Args:
        clock: what `iat` and `exp` are counted on.
        key: the signing key, at least 32 bytes (RFC 7518 section 3.2); a random one unless given.
        lifetime: whole seconds that a token lives, up to ten years.
        store: where a random key is kept; unless given, it is forgotten with this object.

    Raises:
        InvalidInput: when the key or the lifetime is not what is accepted.
        MissingExtra: where PyJWT is not installed.
    """

    def __init__(self, clock: Clock, key: str | None = None, lifetime: int = 3600, store: Store | None = None) -> None:
        try:
            import jwt
        except ImportError:
            raise MissingExtra("this backend", "PyJWT", "backends") from None
        if not is_whole(lifetime, 1, MAX_LIFETIME):
            raise InvalidInput(
                f"the lifetime of access tokens is {shown(lifetime)}; accepted are 1 to {MAX_LIFETIME} seconds"
            )
        self._jwt = jwt
        self._clock = clock
        self._lifetime = lifetime
        self._given_key = None if key is None else self._check(key)
        self._keys: Repository[SigningKey] = MemoryRepository() if store is None else store.repository(SigningKey)

    def issue(self, subject: str) -> str:
        """Return a new token for a subject: an account's id."""
        now = int(self._clock.time())
        claims = {"sub": subject, "iat": now, "exp": now + self._lifetime, "jti": secrets.token_hex(8)}
        return self._jwt.encode(claims, self._key(), algorithm=ALGORITHM)

    def read(self, token: str) -> str | None:
        """Return the subject of a good token; None for one that is expired, tampered with, or not ours."""
        subject, expires = self._claims(token) or (None, 0)
        return subject if expires > self._clock.time() else None

    def is_expired(self, token: str) -> bool:
        """Return whether a token is ours and was good until its time was over."""
        claims = self._claims(token)
        return claims is not None and claims[1] <= self._clock.time()

    def _claims(self, token: str) -> tuple[str, int] | None:
        """Return subject and expiry of a token that bears our signature.

        Only HS256 is read, so `alg: none` and a public key in the place of ours are refused (CVE-2022-29217).
        """
        if _COMPACT.fullmatch(token) is None:
            return None
        try:
            claims = self._jwt.decode(
                token,
                self._key(),
                algorithms=[ALGORITHM],
                # The system's clock says nothing here; `exp` is compared with the injected one.
                options={"verify_exp": False, "verify_iat": False, "require": ["sub", "iat", "exp"]},
            )
        except self._jwt.InvalidTokenError:
            return None
        subject, expires = claims["sub"], claims["exp"]
        return (subject, expires) if isinstance(subject, str) and isinstance(expires, int) else None

    def _key(self) -> str:
        if self._given_key is not None:
            return self._given_key
        while (kept := self._keys.get(ALGORITHM)) is None:
            # Of several processes that start on one store, the first decides.
            self._keys.add(SigningKey(ALGORITHM, secrets.token_hex(LEAST_KEY_BYTES)))
        return kept.key

    def _check(self, key: str) -> str:
        try:
            long_enough = len(key.encode("utf-8")) >= LEAST_KEY_BYTES
            if long_enough:
                self._jwt.encode({}, key, algorithm=ALGORITHM)
        except (AttributeError, ValueError, self._jwt.PyJWTError):
            long_enough = False
        if not long_enough:
            raise InvalidInput(
                f"the key that signs access tokens is not fit for {ALGORITHM}; "
                f"accepted is text of at least {LEAST_KEY_BYTES} bytes (RFC 7518 section 3.2), and no PEM or SSH key"
            )
        return key
