"""The secrets that a test process knows, found and hidden in any text."""

from __future__ import annotations

import base64
import binascii
import html
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

from pytest_totphog.authenticator.accounts import Account
from pytest_totphog.credentials import otp
from pytest_totphog.credentials.token import Secret, Token
from pytest_totphog.secrecy import spellings

__all__ = ["MASK", "KnownSecret", "KnownSecrets", "of_account", "of_token"]

MASK: Final = "********"


@dataclass(frozen=True, eq=False)
class KnownSecret:
    """Something that no report may show.

    Attributes:
        value: the secret in base32, or a password.
        name: what it is, as a reader recognises it: `secret of 'alice' (fingerprint 1a2b3c4d)`.
        password: whether it is written as it is, and not as a key.
        lasting: whether it is still good for a login after the run.
    """

    value: Secret
    name: str
    password: bool = False
    lasting: bool = False


class KnownSecrets:
    """All that are known by now; may be used from any thread.

    Attributes:
        printing: whose turn it is to print of them past pytest's capturing.
    """

    def __init__(self) -> None:
        self.printing = threading.Lock()
        self._lock = threading.Lock()
        self._lasting: dict[tuple[str, bool], bool] = {}
        self._news: list[KnownSecret] = []
        self._names: list[str] = []
        self._base32, self._hexadecimal, self._base64 = (
            spellings.base32(),
            spellings.hexadecimal(),
            spellings.base64(),
        )
        self._passwords: tuple[tuple[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self._lasting)

    def since(self, number: int) -> list[KnownSecret]:
        """Return what was news, in order, but for the first ones."""
        return self._news[number:]

    def add(self, secrets: Iterable[KnownSecret]) -> list[KnownSecret]:
        """Learn secrets, and return those that are news; what is shorter than eight characters is left out."""
        with self._lock:
            news = [
                secret for secret in secrets if len(secret.value) >= spellings.LEAST_CHARACTERS and self._add(secret)
            ]
            self._news += news
        return news

    def find(self, text: str) -> list[tuple[str, int]]:
        """Return the names of the secrets that a text shows, each with the line where it does so first."""
        lines: dict[str, int] = {}
        line, counted = 1, 0
        for start, _, number in self._spans(text):
            line, counted = line + text.count("\n", counted, start), start
            lines.setdefault(self._names[number], line)
        return list(lines.items())

    def mask(self, text: str) -> str:
        """Return a text without secrets; the text itself when it has none."""
        parts: list[str] = []
        end = 0
        for start, stop, _ in self._spans(text):
            if start >= end:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]]) if parts else text

    def _add(self, secret: KnownSecret) -> bool:
        key = str(secret.value), secret.password
        known = self._lasting.get(key)
        if known or known == secret.lasting:
            return False
        self._lasting[key] = secret.lasting
        if known is not None:
            return True
        number = len(self._names)
        self._names.append(secret.name)
        written = secret.value.encode("utf-8", "surrogatepass")
        if secret.password:
            self._passwords += tuple((spelling, number) for spelling in _spellings(str(secret.value)))
        else:
            self._base32.add(written, number)
            key_bytes = otp.decode_secret(secret.value)[1]
            self._hexadecimal.add(binascii.hexlify(key_bytes).upper(), number)
            written = key_bytes
        for inner in _inside_base64(written):
            self._base64.add(inner, number)
        return True

    def _spans(self, text: str) -> list[spellings.Span]:
        """Return where a text shows secrets, from its beginning to its end."""
        if len(text) < spellings.LEAST_CHARACTERS or not self._lasting:
            return []
        # One byte for each character, so that places stay what they are.
        ascii_text = text.encode("ascii", "replace")
        spans = [
            *self._base32.spans(ascii_text),
            *self._hexadecimal.spans(ascii_text),
            *self._base64.spans(ascii_text),
            *(
                (start, start + len(spelling), number)
                for spelling, number in self._passwords
                if spelling in text
                for start in _occurrences(text, spelling)
            ),
        ]
        return sorted(spans)


def of_token(token: Token) -> KnownSecret:
    """Return a token's secret as one that is known."""
    return KnownSecret(Secret(token.secret), f"secret of {token.name!a} (fingerprint {token.fingerprint[:8]})")


def of_account(account: Account) -> tuple[KnownSecret, KnownSecret]:
    """Return the two secrets of an account that exists before and after the run."""
    token = account.token
    return (
        KnownSecret(
            Secret(token.secret), f"secret of {account.name!a} (fingerprint {token.fingerprint[:8]})", lasting=True
        ),
        KnownSecret(Secret(account.password), f"password of {account.name!a}", password=True, lasting=True),
    )


def _spellings(password: str) -> set[str]:
    """Return a password as it is, and as `repr`, JSON, HTML and URLs write it."""
    return {
        password,
        repr(password)[1:-1],
        json.dumps(password)[1:-1],
        html.escape(password),
        quote(password, safe="", errors="replace"),
        quote_plus(password, errors="replace"),
    }


def _inside_base64(content: bytes) -> Iterator[bytes]:
    """Yield the characters that bytes are in base64, wherever among other bytes they stand."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + content).rstrip(b"=")
        # The first and the last may hold bits of what stands beside them.
        first = (8 * before + 5) // 6
        last = 8 * (before + len(content)) // 6
        yield encoded[first:last]


def _occurrences(text: str, part: str) -> Iterator[int]:
    start = text.find(part)
    while start >= 0:
        yield start
        start = text.find(part, start + len(part))
