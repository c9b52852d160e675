"""The arithmetic: RFC 4226 and RFC 6238, keys, algorithms."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.credentials import otp
from tests.support.vectors import RFC_4226, RFC_6238, RFC_KEYS

SEPARATORS = [" ", "  ", "-", "\n", "\t", "\u00a0", "\u2009", "\u202f", "\u2010", "\u2011"]


@pytest.mark.parametrize(("counter", "code"), RFC_4226)
def test_rfc_4226_appendix_d(counter: int, code: str) -> None:
    """The values of HOTP for the secret of the RFC."""
    assert otp.Generator(b"12345678901234567890").generate_otp(counter) == code


@pytest.mark.parametrize(("seconds", "algorithm", "code"), RFC_6238)
def test_rfc_6238_appendix_b(seconds: int, algorithm: str, code: str) -> None:
    """The values of TOTP: each algorithm has a key of its own length."""
    assert otp.Generator(RFC_KEYS[algorithm], 8, algorithm).generate_otp(seconds // 30) == code


def test_codes_keep_their_leading_zeros() -> None:
    """A code is a text of a fixed length, not a number."""
    generator = otp.Generator(b"12345678901234567890", 8)

    assert generator.generate_otp(1_111_111_109 // 30) == "07081804"


@pytest.mark.parametrize(
    "text",
    [
        "JBSWY3DPEHPK3PXP",
        "jbswy3dpehpk3pxp",
        "JBSW Y3DP EHPK 3PXP",
        "jbsw  y3dp  ehpk  3pxp",
        "JBSW-Y3DP-EHPK-3PXP",
        " JBSWY3DPEHPK3PXP\r\n",
        "JBSWY3DPEHPK3PXP======",
        "JBSW\u00a0Y3DP\u202fEHPK\u20113PXP",
        "JBSW\u200bY3DP\u00adEHPK\u20133PXP",
        "\ufeffJBSW\u3000Y3DP\u2003EHPK\u22123PXP\u2028",
        "JBSWY3DP EHPK3PXP = = =",
    ],
)
def test_secret_as_pages_print_it(text: str) -> None:
    """Any case, with spaces, dashes or padding: one secret, one canonical form."""
    assert otp.decode_secret(text) == ("JBSWY3DPEHPK3PXP", b"Hello!\xde\xad\xbe\xef")


@pytest.mark.parametrize(("text", "key"), [("AE", b"\x01"), ("ae======", b"\x01"), ("AEBA", b"\x01\x02")])
def test_short_secret_is_a_secret(text: str, key: bytes) -> None:
    """Accepted from one byte up: verifiers in the field hand out less than RFC 4226 wants."""
    assert otp.decode_secret(text)[1] == key


@given(key=st.binary(min_size=1, max_size=100), separator=st.sampled_from(SEPARATORS), lower=st.booleans())
def test_every_key_is_read_back(key: bytes, separator: str, lower: bool) -> None:
    """However its base32 is cut into pieces."""
    padded = base64.b32encode(key).decode("ascii")
    printed = separator.join(padded[start : start + 4] for start in range(0, len(padded), 4))

    assert otp.decode_secret(printed.lower() if lower else printed) == (padded.rstrip("="), key)


@pytest.mark.parametrize("text", ["", "   ", "====", " - - "])
def test_empty_secret_is_refused(text: str) -> None:
    """Separators alone are nothing."""
    with pytest.raises(InvalidInput, match=r"^the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'$"):
        otp.decode_secret(text)


@pytest.mark.parametrize(
    ("text", "position", "character"),
    [
        ("JBSWY3DPEHPK3PX1", 16, "'1'"),
        ("0BSWY3DPEHPK3PXP", 1, "'0'"),
        ("JBSW Y8DP EHPK 3PXP", 6, "'8'"),
        ("JBSWY3DPEHPK3PX!", 16, "'!'"),
        # upper() would make letters of base32 of these three.
        ("JBſWY3DPEHPK3PXP", 3, "'ſ'"),  # noqa: RUF001 - the long s is the point
        ("JBSWY3DPEHPK3PXı", 16, "'ı'"),  # noqa: RUF001 - the dotless i is the point
        ("ﬁSWY3DPEHPK3PXP", 1, "'ﬁ'"),
        ("ＪBSWY3DPEHPK3PXP", 1, "'Ｊ'"),  # noqa: RUF001 - full-width on purpose
        ("JBSW\x00Y3DPEHPK3PXP", 5, r"'\\x00'"),
        ("JBSW\ud800Y3DPEHPK3PXP", 5, r"'\\ud800'"),
    ],
)
def test_character_outside_base32_is_named_by_position(text: str, position: int, character: str) -> None:
    """The message shows where to look, and nothing else of the secret."""
    with pytest.raises(
        InvalidInput, match=f"^the secret is not base32: character {position} is {character}; accep"
    ) as e:
        otp.decode_secret(text)

    assert "WY3D" not in str(e.value)
    assert "3PX" not in str(e.value)


@pytest.mark.parametrize(
    ("text", "position", "length"),
    [("JBSWY3D=EHPK3PXP", 8, 16), ("JBSWY3DPEBLW64TMMQ====== JBSWY3DPEBLW64TMMQ======", 19, 42), ("=AE", 1, 3)],
)
def test_padding_in_the_middle_is_refused(text: str, position: int, length: int) -> None:
    """A character became one, or two secrets ran together."""
    with pytest.raises(InvalidInput) as caught:
        otp.decode_secret(text)

    assert str(caught.value) == (
        f"the secret is not base32: its padding begins at character {position} of {length}; "
        "accepted is padding at the end, and one secret"
    )


@pytest.mark.parametrize(("text", "length"), [("A", 1), ("JBS", 3), ("JBSWY3", 6), ("JBSWY3DPEHPK3PXPA", 17)])
def test_length_that_makes_no_whole_bytes_is_refused(text: str, length: int) -> None:
    """A character was lost in copying, or one too many came along."""
    with pytest.raises(InvalidInput) as caught:
        otp.decode_secret(text)

    assert str(caught.value) == (
        f"the secret is not base32: {length} characters do not make whole bytes; a character was lost or added"
    )


def test_random_secret_has_160_bits() -> None:
    """As RFC 4226 recommends: 20 bytes are 32 characters without padding."""
    secret = otp.random_secret()

    assert len(secret) == 32
    assert len(otp.decode_secret(secret)[1]) == 20


def test_random_secrets_differ() -> None:
    """Tests that share no secret share no time steps."""
    assert len({otp.random_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("canonical", "spellings"),
    [
        ("sha1", ["sha1", "SHA1", "SHA-1", "sha-1", "Sha_1", "HmacSHA1", "HMAC-SHA-1", "hmac_sha1", " sha1 "]),
        ("sha256", ["sha256", "SHA256", "SHA-256", "HmacSHA256", "HMAC-SHA-256", "hmac-sha256"]),
        ("sha512", ["sha512", "SHA512", "SHA-512", "HmacSHA512", "HMAC-SHA-512", "hmac_sha_512"]),
    ],
)
def test_every_usual_spelling_of_an_algorithm(canonical: str, spellings: list[str]) -> None:
    """As key URIs, Java and RFC 2104 write it."""
    assert {otp.as_algorithm(spelling) for spelling in spellings} == {canonical}


@pytest.mark.parametrize(
    "name", ["", "md5", "sha", "sha224", "sha384", "sha3-256", "sha512/256", "hmac", None, 1, 256, b"sha1", ["sha1"]]
)
def test_other_algorithms_are_refused(name: object) -> None:
    """The message says what is accepted."""
    with pytest.raises(InvalidInput, match=r"^algorithm is .+; accepted are sha1, sha256 and sha512$"):
        otp.as_algorithm(name)


@pytest.mark.parametrize("digits", [6, 7, 8])
def test_lengths_of_a_code(digits: int) -> None:
    """The lengths that authenticators know."""
    assert otp.as_digits(digits) == digits


@pytest.mark.parametrize("digits", [0, 5, 9, -6, 6.0, True, "6", None, 10**5000], ids=type)
def test_other_lengths_are_refused(digits: object) -> None:
    """The message says what is accepted."""
    with pytest.raises(InvalidInput, match=r"^digits is .+; accepted are 6, 7 and 8$"):
        otp.as_digits(digits)


def test_fingerprint_identifies_the_credential() -> None:
    """It is the same for the same secret, period and algorithm, and another when any of them differs."""
    fingerprint = otp.fingerprint(b"Hello!", 30, "sha1")

    assert otp.fingerprint(b"Hello!", 30, "sha1") == fingerprint
    assert len(fingerprint) == 32
    assert (
        len(
            {
                fingerprint,
                otp.fingerprint(b"Hello?", 30, "sha1"),
                otp.fingerprint(b"Hello!", 60, "sha1"),
                otp.fingerprint(b"Hello!", 30, "sha256"),
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("123456", "123456", True),
        ("123456", "123457", False),
        ("123456", "1234567", False),
        ("123456", "１２３４５６", False),  # noqa: RUF001 - full-width on purpose
        ("123456", "", False),
        ("123456", "\ud800", False),
    ],
)
def test_same_code(left: str, right: str, same: bool) -> None:
    """Any text can be compared with a code, and only the code itself is the same."""
    assert otp.same_code(left, right) is same
