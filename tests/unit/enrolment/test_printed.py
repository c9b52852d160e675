"""A secret as pages print it: told from the words of a page, which are base32 by their letters."""

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from pytest_totphog.credentials.otp import encode_secret
from pytest_totphog.enrolment.printed import printed_secret, refused_secret


@pytest.mark.parametrize(
    "text",
    [
        "JBSWY3DPEHPK3PXP",
        " jbsw y3dp ehpk 3pxp\n",
        "JBSW-Y3DP-EHPK-3PXP",
        "JBSW  Y3DP  EHPK  3PXP",
        "JBSWY3DPEH PK3PXP",
        "Jbsw Y3dp Ehpk 3pxp",
        "JBSWY3DPEHPK3PXP======",
        "JBSW\u200bY3DP\u00adEHPK\u20133PXP",
        "JBSW\u3000Y3DP\u3000EHPK\u30003PXP",
        "Secret key: JBSW Y3DP EHPK 3PXP",
        "秘密鍵：JBSW Y3DP EHPK 3PXP",  # noqa: RUF001 -- the colon is full-width on purpose
        "Enter this key by hand:\n  jbsw y3dp ehpk 3pxp\nKeep it safe.",
        "Your key is JBSWY3DPEHPK3PXP",
    ],
)
def test_secret(text: str) -> None:
    """In fours, behind its name, on a line of its own, with what is not seen in it."""
    secret = printed_secret(text)
    assert secret is not None
    assert secret.upper() == "JBSWY3DPEHPK3PXP"


def test_secret_without_a_digit() -> None:
    """One of 80 bits in 28 has none; in capitals it is no word."""
    assert printed_secret("JBSW YBDP EHPK APXP") == "JBSWYBDPEHPKAPXP"


@given(
    key=st.binary(min_size=20, max_size=64), group=st.sampled_from([4, 8, 1000]), gap=st.sampled_from([" ", "-", "  "])
)
@seed(0)
def test_every_long_secret(key: bytes, group: int, gap: str) -> None:
    """However it is cut."""
    secret = encode_secret(key)
    assert printed_secret(gap.join(secret[start : start + group] for start in range(0, len(secret), group))) == secret


NOTHING = (
    "the text that begins with {} is nothing to enrol with; accepted are an otpauth:// URI, a list of them, an export, "
    "a secret of 80 bits or more as printed, and a picture of a QR code"
)


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("Not Found", "'Not Found'"),
        ("error", "'error'"),
        ("null", "'null'"),
        ("undefined", "'undefined'"),
        ("Service Unavailable", "'Service Unavailable'"),
        ("Internal Server Error", "'Internal Server Erro'"),
        ("page data over here", "'page data over here'"),
        ("unauthenticatedrequest", "'unauthenticatedreque'"),
        ("Step 2 of 4 enter codes", "'Step 2 of 4 enter co'"),
        ("STEP 2 OF 4 ENTER CODES", "'STEP 2 OF 4 ENTER CO'"),
        ("a.b", "'a.b'"),
        ("\ud800", r"'\ud800'"),
    ],
)
def test_words(text: str, begins: str) -> None:
    """The error shows how they begin, and is not about base32."""
    assert printed_secret(text) is None
    assert str(refused_secret(text)) == NOTHING.format(begins)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
        (
            "JBSWY3DP",
            (
                "the text that begins with 'JBSW' is a secret of 40 bits; accepted are 80 and more, and "
                "add_token(secret=…) takes any length"
            ),
        ),
        (
            "jbsw y3dp ehpk 3px",
            (
                "the text that begins with 'jbsw' is a secret of 72 bits; accepted are 80 and more, and "
                "add_token(secret=…) takes any length"
            ),
        ),
        (
            "JBSWY3D=EHPK3PXP",
            (
                "the secret is not base32: its padding begins at character 8 of 16; accepted is padding at the end, "
                "and one secret"
            ),
        ),
        (
            "JBSWY3DPEBLW64TMMQ====== JBSWY3DPEBLW64TMMQ======",
            (
                "the secret is not base32: its padding begins at character 19 of 42; accepted is padding at the end, "
                "and one secret"
            ),
        ),
        (
            "JBSW Y3DP EHPK 3PX1",
            (
                "the secret is not base32: character 16 is '1'; accepted are the letters A to Z and the digits 2 to 7, "
                "with spaces, dashes or padding"
            ),
        ),
    ],
)
def test_secret_that_is_none(text: str, message: str) -> None:
    """A mistake in it is named by its place, and no more of it is shown than its beginning."""
    assert printed_secret(text) is None
    assert str(refused_secret(text)) == message
