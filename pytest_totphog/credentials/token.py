"""The token: one credential, validated here for every door (Python, HTTP, URI)."""

from __future__ import annotations

import itertools
import json
import sys
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Final

from pytest_totphog.clocks.instants import NANOSECONDS, as_period
from pytest_totphog.credentials import otp, otpauth
from pytest_totphog.errors import InvalidInput, hidden_in_reports
from pytest_totphog.inputs import as_text, shape

__all__ = ["DEFAULT_ISSUER", "Secret", "Token"]

__tracebackhide__ = hidden_in_reports

DEFAULT_ISSUER: Final = "TOTPHog"

# A QR code of the largest size holds 2,953 bytes (ISO/IEC 18004, version 40-L).
MAX_URI_BYTES: Final = 2953


class Secret(str):
    """A text whose `repr`, and so every log and report made with it, does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


@dataclass(frozen=True, eq=False, repr=False)
class Token:
    """A TOTP credential (RFC 6238) with the name it goes by; validates and normalises itself.

    Attributes:
        id: a UUID.
        name: the account's name.
        issuer: the service's name; may be empty.
        secret: base32 in canonical form.
        digits: length of a code: 6, 7 or 8.
        period: length of a time step in seconds, 1 to 86,400.
        algorithm: `"sha1"`, `"sha256"` or `"sha512"`.
        created_at: when the token was made, an aware datetime.
        namespace: the test run that it belongs to, where several share a server; empty for none.

    Raises:
        InvalidInput: when any of them is not what is accepted.
    """

    collection: ClassVar[str] = "tokens_token"
    _generator: ClassVar[otp.Generator]  # of each token; no field, because it is made of the others

    id: str
    name: str
    issuer: str
    secret: str
    digits: int
    period: int
    algorithm: str
    created_at: datetime
    namespace: str = ""

    @classmethod
    def create(
        cls,
        *,
        created_at: datetime,
        name: str,
        secret: str | bytes | None = None,
        issuer: str = DEFAULT_ISSUER,
        digits: int = 6,
        period: int = 30,
        algorithm: str = "sha1",
        namespace: str = "",
    ) -> Token:
        """Return a new token; its secret is base32 text, or the raw key, or else a random one of 160 bits."""
        if secret is None:
            secret = otp.random_secret()
        elif isinstance(secret, (bytes, bytearray)):
            secret = otp.encode_secret(secret)
        return Token(
            id=str(uuid.uuid4()),
            name=name,
            issuer=issuer,
            secret=secret,
            digits=digits,
            period=period,
            algorithm=algorithm,
            created_at=created_at,
            namespace=namespace,
        )

    @classmethod
    def from_uri(cls, uri: str, *, created_at: datetime, namespace: str = "") -> Token:
        """Return a new token with the parameters of an `otpauth://totp/` URI."""
        if not isinstance(uri, str):
            raise InvalidInput(f"uri is {shape(uri)}; accepted is a string such as otpauth://totp/NAME?secret=BASE32")
        try:
            parameters = otpauth.parse_uri(uri)
        except otpauth.NotTotp as error:
            raise InvalidInput(str(error)) from None
        return cls.create(created_at=created_at, namespace=namespace, **parameters)

    def __post_init__(self) -> None:
        if not isinstance(self.secret, str):
            raise InvalidInput(f"secret is {shape(self.secret)}; accepted is a base32 string")
        canonical, key = otp.decode_secret(self.secret)
        checked = {
            # How long they may be is the key URI's to say, below; it cannot carry spaces around a name.
            "name": as_text("name", self.name, most=sys.maxsize).strip(" "),
            "issuer": as_text("issuer", self.issuer, least=0, most=sys.maxsize).strip(" "),
            "secret": Secret(canonical),
            "digits": otp.as_digits(self.digits),
            "period": as_period(self.period),
            "algorithm": otp.as_algorithm(self.algorithm),
        }
        for field, value in checked.items():
            object.__setattr__(self, field, value)
        object.__setattr__(self, "_generator", otp.Generator(key, self.digits, self.algorithm))
        if ":" in self.name and not self.issuer:
            raise InvalidInput(f"name is {self.name!r}; without an issuer it must not contain a colon")
        if len(self.uri) > MAX_URI_BYTES:
            raise InvalidInput(
                f"name, issuer and secret make a key URI of {len(self.uri)} bytes; a QR code holds {MAX_URI_BYTES}"
            )

    def __repr__(self) -> str:
        return f"<Token {self.summary}>"

    # Not dataclass's: pytest's assertion diff would go through the fields and show the secret.
    def __eq__(self, other: object) -> bool:
        return self.as_dict() == other.as_dict() if isinstance(other, Token) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def summary(self) -> str:
        """What may be shown of the token: all but its secret."""
        return (
            f"{self.name!r} issuer={self.issuer!r} digits={self.digits} period={self.period} "
            f"algorithm={self.algorithm} fingerprint={self.fingerprint[:8]}"
        )

    @cached_property
    def fingerprint(self) -> str:
        """What identifies the credential (secret, algorithm, period) without telling the secret."""
        return otp.fingerprint(self._generator.byte_secret(), self.period, self.algorithm)

    @cached_property
    def uri(self) -> str:
        """The key URI `otpauth://totp/ISSUER:NAME?secret=…`."""
        return Secret(
            otpauth.format_uri(
                name=self.name,
                issuer=self.issuer,
                secret=self.secret,
                digits=self.digits,
                period=self.period,
                algorithm=self.algorithm,
            )
        )

    def step_at(self, nanoseconds: int) -> int:
        """Return the time step (RFC 6238's T) of an instant, given as nanoseconds since the epoch."""
        return nanoseconds // NANOSECONDS // self.period

    def remaining_at(self, nanoseconds: int) -> int:
        """Return how many seconds the code of an instant lives on, from 1 to the period."""
        return self.period - nanoseconds // NANOSECONDS % self.period

    def code_at_step(self, step: int) -> str:
        """Return the code of a time step (RFC 6238 section 4.2)."""
        # The latest code is kept, because lists of thousands of tokens are polled within one step.
        recent: tuple[int, str] | None = self.__dict__.get("_recent")
        if recent is None or recent[0] != step:
            recent = self.__dict__["_recent"] = (step, self._generator.generate_otp(step))
        return recent[1]

    def code_unlike(self, step: int, window: int) -> str:
        """Return a code of the right length that no verifier near `step` accepts.

        It differs from the code of `step` in every digit, so half of it typed is wrong too.

        Args:
            step: the time step to be wrong at.
            window: how many steps before and after `step` it is wrong in as well.
        """
        near = range(max(0, step - window), step + window + 1)
        refused = {self._generator.generate_otp(other) for other in near}
        right = self.code_at_step(step)
        # Shift every digit by 1 to 9: never the digit itself. Nine to the sixth candidates, at most 2,001 refused.
        for shifts in itertools.product(range(1, 10), repeat=self.digits):
            candidate = "".join(str((int(digit) + shift) % 10) for digit, shift in zip(right, shifts, strict=True))
            if candidate not in refused:
                return candidate
        raise AssertionError("unreachable: there are more candidates than refused codes")

    def as_dict(self) -> dict[str, Any]:
        """Return the token as the API's JSON object."""
        return {
            "id": self.id,
            "name": self.name,
            "secret": self.secret,
            "issuer": self.issuer,
            "digits": self.digits,
            "period": self.period,
            "algorithm": self.algorithm,
            "created_at": self.created_at.isoformat(timespec="seconds"),
        }

    @cached_property
    def json(self) -> str:
        """The token as JSON text, made once, because lists of thousands of tokens are polled."""
        return Secret(json.dumps(self.as_dict()))
