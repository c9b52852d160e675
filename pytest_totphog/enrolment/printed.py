"""A secret as pages print it, told from the words beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pytest_totphog.credentials.otp import USUAL_BITS, decode_secret
from pytest_totphog.errors import InvalidInput, hidden_in_reports

__all__ = ["printed_secret", "refused_secret"]

__tracebackhide__ = hidden_in_reports

MIN_CHARACTERS: Final = USUAL_BITS // 5
# A word that is shown in an error, and the start of what may be a part of a secret.
SHOWN, SHOWN_OF_SECRET = 20, 4

_BASE32: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_DIGITS: Final = frozenset("234567")
_UNSEEN: Final = str.maketrans("", "", "\u00ad\u200b\u200c\u200d\u2060\ufeff")
_GAP = re.compile(r"[\s\u2010-\u2015\u2212-]+")


def printed_secret(text: str) -> str | None:
    """Return the secret in base32 that a text shows, alone or behind its name (`Secret key: JBSW Y3DP …`).

    None for words, of which many are base32 by their letters, and for less than 80 bits, the shortest that is met.
    """
    if set(_join(text).upper()) <= _BASE32 | {"="} and "=" in _join(text):
        return None  # two that ran together
    return next((secret for part in _parts(text) if _is_secret(secret := _join(part), part)), None)


def refused_secret(text: str) -> InvalidInput:
    """Return why a text is not taken for a secret; what may be one is not shown."""
    secret = _join(text)
    if not secret:
        return InvalidInput("the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'")
    if _DIGITS & set(secret) and len(secret) < MIN_CHARACTERS and set(secret.upper()) <= _BASE32:
        return InvalidInput(
            f"the text that begins with {text.strip()[:SHOWN_OF_SECRET]!a} is a secret of {len(secret) * 5 // 8 * 8} "
            f"bits; accepted are {USUAL_BITS} and more, and add_token(secret=…) takes any length"
        )
    if _DIGITS & set(secret) and len(secret) >= MIN_CHARACTERS and _looks_like_one(secret, text):
        try:
            decode_secret(text)
        except InvalidInput as error:
            return error
    return InvalidInput(
        f"the text that begins with {text.strip()[:SHOWN]!a} is nothing to enrol with; accepted are an otpauth:// URI, "
        f"a list of them, an export, a secret of {USUAL_BITS} bits or more as printed, and a picture of a QR code"
    )


def _parts(text: str) -> Iterator[str]:
    """Yield the text, its lines, what stands behind a colon in them, and their words with a digit."""
    yield text
    for line in text.splitlines():
        yield line
        yield line.replace("\uff1a", ":").rpartition(":")[2]
        yield from (word for word in line.split() if _DIGITS & set(word))


def _join(text: str) -> str:
    return "".join(_groups(text))


def _groups(text: str) -> list[str]:
    return _GAP.split(text.translate(_UNSEEN).strip().rstrip("=").strip())


def _even(groups: list[str]) -> bool:
    return len({len(group) for group in groups[:-1]}) <= 1 and len(groups[-1]) <= len(groups[0])


def _looks_like_one(secret: str, text: str) -> bool:
    strange = sum(character not in _BASE32 for character in secret.upper())
    return 4 * strange <= len(secret) and _even(_groups(text))


def _is_secret(secret: str, text: str) -> bool:
    if len(secret) < MIN_CHARACTERS or not secret.isascii() or not set(secret.upper()) <= _BASE32:
        return False
    groups = _groups(text)
    alike = len(groups) == 1 or secret in {secret.upper(), secret.lower()}
    if alike and _even(groups):
        return bool(_DIGITS & set(secret)) or secret.isupper()
    # Words and numbers stand apart.
    mixed = sum(bool(_DIGITS & set(group)) and not group.isdigit() for group in groups)
    return (alike or _even(groups)) and 2 * mixed >= len(groups)
