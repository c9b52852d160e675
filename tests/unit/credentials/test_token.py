"""The token: what it accepts, what it says, its codes."""

import base64
import hashlib
import json
import subprocess
import uuid
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.credentials import qr
from pytest_totphog.credentials.token import Secret, Token
from tests.support.system import require
from tests.support.vectors import RFC_4226, RFC_SECRETS

SECRET = "JBSWY3DPEHPK3PXP"
CREATED_AT = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
SECONDS = 1_705_314_600
STEP = 56_843_820
YEAR_2100 = 4_102_444_800

# Whatever `Token` accepts as a name; leading spaces are not part of a name in a key URI.
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"]), min_size=1, max_size=20
).filter(lambda text: text.strip() and text == text.lstrip(" "))


def token(**changes: Any) -> Token:
    """Return a usual token with some parameters changed."""
    return Token.create(**{"created_at": CREATED_AT, "name": "alice", "secret": SECRET, **changes})


@pytest.fixture(scope="module")
def oathtool() -> str:
    """Where `oathtool` is: an independent implementation of RFC 6238, in C."""
    return require("oathtool")


# What it accepts


def test_defaults() -> None:
    """Six digits, thirty seconds, SHA-1: what nearly every service uses."""
    assert token().as_dict() | {"id": ""} == {
        "id": "",
        "name": "alice",
        "secret": "JBSWY3DPEHPK3PXP",
        "issuer": "TOTPHog",
        "digits": 6,
        "period": 30,
        "algorithm": "sha1",
        "created_at": "2024-01-15T10:30:00+00:00",
    }


def test_every_token_has_a_uuid_of_its_own() -> None:
    """Two tokens of one account are still two tokens."""
    first, second = token(), token()

    assert str(uuid.UUID(first.id)) == first.id
    assert first.id != second.id


def test_without_a_secret_it_gets_a_random_one() -> None:
    """Of 160 bits, and never the same twice."""
    first, second = token(secret=None), token(secret=None)

    assert len(first.secret) == 32
    assert first.secret != second.secret


def test_parameters_are_normalised() -> None:
    """Every spelling of one credential is that credential."""
    sloppy = token(secret="jbsw y3dp-ehpk 3pxp==", algorithm="HmacSHA256")

    assert (sloppy.secret, sloppy.algorithm) == ("JBSWY3DPEHPK3PXP", "sha256")
    assert sloppy.fingerprint == token(algorithm="sha256").fingerprint


def test_token_from_a_key_uri() -> None:
    """What the URI leaves out has its default; the issuer is the URI's."""
    read = Token.from_uri(f"otpauth://totp/Example:alice?secret={SECRET}&digits=8", created_at=CREATED_AT)

    assert (read.name, read.issuer, read.secret) == ("alice", "Example", "JBSWY3DPEHPK3PXP")
    assert (read.digits, read.period, read.algorithm) == (8, 30, "sha1")


@given(
    name=NAMES,
    issuer=NAMES,
    key=st.binary(min_size=1, max_size=64),
    digits=st.sampled_from([6, 7, 8]),
    period=st.integers(1, 86_400),
    algorithm=st.sampled_from(["sha1", "sha256", "sha512"]),
)
def test_key_uri_says_everything(name: str, issuer: str, key: bytes, digits: int, period: int, algorithm: str) -> None:
    """A token made from a token's URI is that token in all but its id, for names in any script."""
    secret = base64.b32encode(key).decode("ascii")
    made = token(name=name, issuer=issuer, secret=secret, digits=digits, period=period, algorithm=algorithm)

    read = Token.from_uri(made.uri, created_at=CREATED_AT)

    assert made.uri.isascii()
    assert read.as_dict() | {"id": ""} == made.as_dict() | {"id": ""}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name is missing; accepted is a string"),
        ({"name": 7}, "name is of type int; accepted is a string"),
        ({"name": ""}, "name is empty; accepted is a string with a visible character"),
        ({"name": " \u00a0"}, "name is empty; accepted is a string with a visible character"),
        ({"name": "a\x00b"}, r"name contains the character '\x00'; accepted is printable text"),
        ({"name": "a\nb"}, r"name contains the character '\n'; accepted is printable text"),
        ({"name": "a\x7fb"}, r"name contains the character '\x7f'; accepted is printable text"),
        ({"name": "a\ud800b"}, r"name contains the character '\ud800'; accepted is printable text"),
        ({"name": "a:b", "issuer": ""}, "name is 'a:b'; without an issuer it must not contain a colon"),
        ({"issuer": None}, "issuer is missing; accepted is a string"),
        ({"issuer": " "}, "issuer is empty; accepted is a string with a visible character"),
        ({"issuer": "a\rb"}, r"issuer contains the character '\r'; accepted is printable text"),
        ({"secret": ""}, "the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
        ({"secret": 12345678}, "secret is of type int; accepted is a base32 string"),
        ({"secret": b""}, "the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
        ({"secret": "MZXW6YTB0"}, "the secret is not base32: character 9 is '0'; accepted are the letters A to Z"),
        ({"digits": 5}, "digits is 5; accepted are 6, 7 and 8"),
        ({"digits": 6.0}, "digits is 6.0; accepted are 6, 7 and 8"),
        ({"digits": True}, "digits is True; accepted are 6, 7 and 8"),
        ({"digits": "6"}, "digits is '6'; accepted are 6, 7 and 8"),
        ({"period": 0}, "period is 0; accepted are whole seconds from 1 to 86400"),
        ({"period": 86_401}, "period is 86401; accepted are whole seconds from 1 to 86400"),
        ({"period": 30.0}, "period is 30.0; accepted are whole seconds from 1 to 86400"),
        ({"algorithm": "md5"}, "algorithm is 'md5'; accepted are sha1, sha256 and sha512"),
        ({"algorithm": None}, "algorithm is None; accepted are sha1, sha256 and sha512"),
    ],
)
def test_refused_parameter(changes: dict[str, Any], message: str) -> None:
    """The message names the parameter, what is accepted, and never the secret."""
    with pytest.raises(InvalidInput) as caught:
        token(**changes)

    assert str(caught.value).startswith(message)
    assert "MZXW6YTB" not in str(caught.value)
    assert "JBSWY3DPEHPK3PXP" not in str(caught.value).removesuffix("such as 'JBSWY3DPEHPK3PXP'")


@pytest.mark.parametrize("uri", [None, 7, b"otpauth://totp/alice?secret=JBSWY3DPEHPK3PXP"])
def test_uri_of_another_type_is_refused(uri: Any) -> None:
    """The message names the type, for the value may hold a secret."""
    with pytest.raises(InvalidInput, match=r"^uri is (missing|of type \w+); accepted is a string such as otpauth://"):
        Token.from_uri(uri, created_at=CREATED_AT)


def test_empty_issuer_is_no_issuer() -> None:
    """The one parameter that may be left empty."""
    assert token(issuer="").uri.startswith("otpauth://totp/alice?secret=")


def test_longest_token_still_fits_a_qr_code() -> None:
    """The limit is a QR code's: what is accepted can be drawn, and one character more is refused."""
    room = 2953 - len(token(name="a").uri)

    longest = token(name="a" * (room + 1))
    assert len(longest.uri) == 2953
    assert qr.png(longest.uri).startswith(b"\x89PNG")

    with pytest.raises(InvalidInput) as caught:
        token(name="a" * (room + 2))
    assert str(caught.value) == "name, issuer and secret make a key URI of 2954 bytes; a QR code holds 2953"


# What it says


def test_repr_shows_everything_but_the_secret() -> None:
    """In logs and failing assertions a token is recognised by its fingerprint."""
    shown = repr(token(issuer="Example", digits=8))

    assert shown == "<Token 'alice' issuer='Example' digits=8 period=30 algorithm=sha1 fingerprint=1c4fa388>"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        lambda token: f"{token}",
        lambda token: f"{[token]}",
        lambda token: f"{ {'token': token} }",
        lambda token: repr(token.secret),
        lambda token: repr(token.uri),
        lambda token: repr(token.json),
        lambda token: repr(token.as_dict()),
        lambda token: f"{[token.secret, token.uri]}",
        lambda token: "{!r} {!r}".format(*[token.secret, token.uri]),
    ],
)
def test_secret_is_not_shown(show: Any) -> None:
    """Whatever is logged with `repr`, as containers, loggers and pytest do it, shows no secret."""
    assert SECRET not in show(token())


def test_secret_is_text_where_text_is_wanted() -> None:
    """It can be typed, sent and compared like any other text."""
    secret = Secret("JBSWY3DPEHPK3PXP")

    assert secret == "JBSWY3DPEHPK3PXP"
    assert f"{secret}" == "JBSWY3DPEHPK3PXP"
    assert json.dumps({"secret": secret}) == '{"secret": "JBSWY3DPEHPK3PXP"}'


def test_json_is_the_dictionary() -> None:
    """The text that lists are made of says the same as the object."""
    made = token(name="Zoë")

    assert json.loads(made.json) == made.as_dict()


def test_token_equals_its_copy() -> None:
    """Tokens are equal when all they say is equal."""
    made = token()

    copy = Token(made.id, "alice", "TOTPHog", SECRET.lower(), 6, 30, "SHA-1", CREATED_AT)

    assert copy == made
    assert hash(copy) == hash(made)
    assert made != token()
    assert made != "alice"


# Steps


@pytest.mark.parametrize(
    ("seconds", "step", "remaining"),
    [
        (0, 0, 30),
        (29, 0, 1),
        (29.999_999, 0, 1),
        (30, 1, 30),
        (30.000_001, 1, 30),
        (59, 1, 1),
        (SECONDS, STEP, 30),
        (YEAR_2100 - 1, 136_748_159, 1),
    ],
)
def test_step_and_lifetime_at_an_instant(seconds: float, step: int, remaining: int) -> None:
    """A step's first instant belongs to it, and the lifetime counts begun seconds: never 0, never above the period."""
    moment = round(seconds * 1_000_000) * 1000

    assert token().step_at(moment) == step
    assert token().remaining_at(moment) == remaining


def test_period_of_a_second() -> None:
    """The shortest step there is always has its one second left."""
    made = token(period=1)

    assert made.step_at(SECONDS * NANOSECONDS + 999_999_999) == SECONDS
    assert made.remaining_at(SECONDS * NANOSECONDS + 999_999_999) == 1


# Codes


@pytest.mark.parametrize(
    ("step", "code"), [(STEP - 1, "286522"), (STEP, "648307"), (STEP + 1, "764426"), (STEP + 2, "812434")]
)
def test_code_of_a_step(step: int, code: str) -> None:
    """As oathtool computes them for the secret that all documentation uses."""
    assert token().code_at_step(step) == code


def test_code_does_not_depend_on_what_was_asked_before() -> None:
    """The code that is kept for lists is the one of its step."""
    made = token()

    assert [made.code_at_step(step) for step in (STEP, STEP + 1, STEP, STEP)] == [
        "648307",
        "764426",
        "648307",
        "648307",
    ]


@pytest.mark.parametrize(("counter", "code"), RFC_4226)
def test_rfc_4226_appendix_d(counter: int, code: str) -> None:
    """The values of HOTP: a time step is HOTP's counter."""
    assert token(secret=RFC_SECRETS["sha1"]).code_at_step(counter) == code


@settings(max_examples=100, deadline=None)
@given(
    key=st.binary(min_size=1, max_size=64),
    digits=st.sampled_from([6, 7, 8]),
    period=st.integers(1, 86_400),
    algorithm=st.sampled_from(["sha1", "sha256", "sha512"]),
    seconds=st.integers(0, YEAR_2100),
)
def test_codes_agree_with_oathtool(
    oathtool: str, key: bytes, digits: int, period: int, algorithm: str, seconds: int
) -> None:
    """For every secret from one byte up, every shape, and every second until the year 2100."""
    secret = base64.b32encode(key).decode("ascii")
    made = token(secret=secret, digits=digits, period=period, algorithm=algorithm)
    command = [oathtool, f"--totp={algorithm}", f"--digits={digits}", f"--time-step-size={period}s"]

    theirs = subprocess.run(
        [*command, f"--now=@{seconds}", "--base32", secret], capture_output=True, check=True, text=True, timeout=30
    )

    assert made.code_at_step(made.step_at(seconds * NANOSECONDS)) == theirs.stdout.strip()


@given(
    # What pyotp accepts: it refuses shorter secrets and longer periods since 2.11.
    key=st.binary(min_size=20, max_size=64),
    digits=st.sampled_from([6, 7, 8]),
    period=st.integers(1, 120),
    algorithm=st.sampled_from(["sha1", "sha256", "sha512"]),
    seconds=st.integers(0, YEAR_2100),
)
def test_codes_agree_with_pyotp(key: bytes, digits: int, period: int, algorithm: str, seconds: int) -> None:
    """The library that suites came from, and that verifiers are built on, gives the same codes."""
    secret = base64.b32encode(key).decode("ascii")
    made = token(secret=secret, digits=digits, period=period, algorithm=algorithm)

    theirs = pyotp.TOTP(secret, digits=digits, digest=getattr(hashlib, algorithm), interval=period)

    when = datetime.fromtimestamp(seconds, UTC)
    assert made.code_at_step(made.step_at(seconds * NANOSECONDS)) == theirs.at(when)


@given(key=st.binary(min_size=1, max_size=20), step=st.integers(0, 2**40), digits=st.sampled_from([6, 7, 8]))
@settings(max_examples=30)
def test_code_unlike_the_right_one(key: bytes, step: int, digits: int) -> None:
    """It differs in every digit, and is the code of no step within the window."""
    made = token(secret=base64.b32encode(key).decode("ascii"), digits=digits)

    wrong = made.code_unlike(step, window=10)

    assert len(wrong) == digits
    assert all(typed != right for typed, right in zip(wrong, made.code_at_step(step), strict=True))
    assert wrong not in {made.code_at_step(near) for near in range(max(0, step - 10), step + 11)}


def test_code_unlike_avoids_codes_of_the_window() -> None:
    """The first candidate, every digit shifted by one, is passed over where a near step has it."""
    # Found by search: the code of step 0 with every digit raised by one is the code of step 14.
    made = token(secret="RUNQ")
    assert (made.code_at_step(0), made.code_at_step(14)) == ("814230", "925341")

    assert made.code_unlike(0, window=13) == "925341"
    assert made.code_unlike(0, window=14) == "925342"
