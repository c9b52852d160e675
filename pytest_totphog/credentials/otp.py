"""One-time password arithmetic (RFC 4226, RFC 6238): keys, time steps, codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

import pyotp

from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = [
    "ALGORITHMS",
    "DIGITS",
    "USUAL_BITS",
    "Generator",
    "as_algorithm",
    "decode_secret",
    "encode_secret",
    "fingerprint",
    "random_secret",
]

__tracebackhide__ = hidden_in_reports

ALGORITHMS: Final = ("sha1", "sha256", "sha512")
DIGITS: Final = (6, 7, 8)
# The shortest secrets that services print; a shorter text may be a word.
USUAL_BITS: Final = 80

# Both cases, because upper() makes an 'S' of U+017F, too.
_BASE32: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567")
# Spaces and dashes of every width, and what breaks lines or words and is not seen (U+00AD, U+200B).
_SEPARATORS: Final = frozenset({"Zs", "Zl", "Zp", "Pd", "Cf"})


class Generator(pyotp.OTP):
    """pyotp's arithmetic on a key of any length.

    pyotp 2.11 and newer refuse keys under 112 bits and decode the secret anew for every code;
    verifiers in the field hand out 80 bits, and here the key is decoded once.

    Args:
        key: the shared secret as bytes.
        digits: length of a code: 6, 7 or 8.
        algorithm: `"sha1"`, `"sha256"` or `"sha512"`.
    """

    def __init__(self, key: bytes, digits: int = 6, algorithm: str = "sha1") -> None:
        self._key = key
        super().__init__("", digits=digits, digest=getattr(hashlib, algorithm))

    def byte_secret(self) -> bytes:
        """Return the key (pyotp asks for it here)."""
        return self._key


def decode_secret(text: str) -> tuple[str, bytes]:
    """Return a base32 secret in canonical form (upper case, no padding) and the key it stands for.

    Args:
        text: base32 as pages print it: any case, with spaces, dashes and padding at its end; from 1 byte up.

    Raises:
        InvalidInput: when it is empty or no base32; the message names a position, never the secret.
    """
    padded = text if text.isalnum() else "".join([each for each in text if each in _BASE32 or not _separates(each)])
    bare = padded.rstrip("=")
    if not bare:
        raise InvalidInput("the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'")
    for position, character in enumerate(bare, start=1):
        if character == "=":
            raise InvalidInput(
                f"the secret is not base32: its padding begins at character {position} of {len(bare)}; "
                "accepted is padding at the end, and one secret"
            )
        if character not in _BASE32:
            raise InvalidInput(
                f"the secret is not base32: character {position} is {character!r}; "
                "accepted are the letters A to Z and the digits 2 to 7, with spaces, dashes or padding"
            )
    canonical = bare.upper()
    if len(canonical) % 8 in (1, 3, 6):
        raise InvalidInput(
            f"the secret is not base32: {len(canonical)} characters do not make whole bytes; "
            "a character was lost or added"
        )
    return canonical, base64.b32decode(canonical + "=" * (-len(canonical) % 8))


def _separates(character: str) -> bool:
    return character in "\t\r\n\v\f\u2212" or unicodedata.category(character) in _SEPARATORS


def random_secret(size: int = 20) -> str:
    """Return a new base32 secret.

    Args:
        size: bytes of randomness; 20 as RFC 4226 section 4 (R6) recommends.
    """
    return encode_secret(secrets.token_bytes(size))


def encode_secret(key: bytes) -> str:
    """Return a key as base32 in canonical form."""
    return base64.b32encode(key).decode("ascii").rstrip("=")


def as_algorithm(name: object) -> str:
    """Return the canonical name of a hash algorithm in any usual spelling (`SHA-1`, `HmacSHA256`).

    Raises:
        InvalidInput: for anything but SHA-1, SHA-256 and SHA-512.
    """
    if isinstance(name, str):
        canonical = name.strip().lower().replace("-", "").replace("_", "").removeprefix("hmac")
        if canonical in ALGORITHMS:
            return canonical
    raise InvalidInput(f"algorithm is {shown(name)}; accepted are sha1, sha256 and sha512")


def as_digits(digits: object) -> int:
    """Return `digits` when it is a code's length.

    Raises:
        InvalidInput: unless it is the integer 6, 7 or 8.
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or digits not in DIGITS:
        raise InvalidInput(f"digits is {shown(digits)}; accepted are 6, 7 and 8")
    return digits


def fingerprint(key: bytes, period: int, algorithm: str) -> str:
    """Return what identifies a credential without telling its secret: 32 hexadecimal digits.

    Two tokens of one account have one fingerprint, also where one shows 6 digits and the other 8: the short code is
    the end of the long one (RFC 4226 section 5.3).
    """
    shape = f"{algorithm}/{period}/".encode("ascii")
    return hashlib.sha256(b"pytest-totphog/" + shape + key).hexdigest()[:32]


def same_code(left: str, right: str) -> bool:
    """Compare two codes of ASCII digits in constant time."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
