"""Enrolment: whatever a set-up page shows becomes the parameters of tokens."""

import base64
from pathlib import Path
from typing import Any

import pytest

from pytest_totphog import InvalidInput
from pytest_totphog.credentials import qr
from pytest_totphog.enrolment.sources import accounts_in

HTML = (
    "this is markup that begins with TAG, such as a page's HTML; accepted is what the page shows: its QR code as "
    "<svg …>…</svg> or the src of its <img>, its otpauth:// link, or its secret"
)

URI = "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example"
ALICE = {"name": "alice", "issuer": "Example", "secret": "JBSWY3DPEHPK3PXP"}
BOB_URI = "otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Example"
BOB = {"name": "bob", "issuer": "Example", "secret": "GEZDGNBVGY3TQOJQ"}
EXPORT = "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC"


def both(*texts: str) -> str:
    """Return an SVG picture with a QR code of each text, side by side."""
    codes = "".join(f'<g transform="translate({400 * place})">{qr.svg(text)}</g>' for place, text in enumerate(texts))
    return f'<svg width="{400 * len(texts)}" height="400">{codes}</svg>'


@pytest.mark.parametrize(
    "source",
    [
        URI,
        f"  {URI}\n",
        URI.replace("&", "&amp;"),
        qr.png(URI),
        bytearray(qr.png(URI)),
        memoryview(qr.png(URI)),
        qr.svg(URI),
        f"\n {qr.svg(URI)}",
        qr.svg(URI).encode(),
        qr.data_uri(URI),
        f"data:image/svg+xml;base64,{base64.b64encode(qr.svg(URI).encode()).decode()}",
    ],
    ids=["uri", "uri in lines", "uri from HTML", "bytes", "bytearray", "memoryview", "svg", "svg in lines",
         "svg bytes", "data url", "svg data url"],
)  # fmt: skip
def test_what_a_page_shows(source: Any) -> None:
    """Text or picture, it is the same account."""
    assert accounts_in(source, "not used") == [ALICE]


@pytest.mark.parametrize("name", ["code.png", "code.SVG", "a b/code.png"])
@pytest.mark.parametrize("kind", [str, Path])
def test_path(tmp_path: Path, name: str, kind: type) -> None:
    """As a path, or a text that ends like a picture's name."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(qr.png(URI) if name.endswith("png") else qr.svg(URI).encode())

    assert accounts_in(kind(path), "not used") == [ALICE]


def test_path_with_any_ending(tmp_path: Path) -> None:
    """A `Path` needs none; what is inside counts."""
    path = tmp_path / "screenshot"
    path.write_bytes(qr.png(URI))

    assert accounts_in(path, "not used") == [ALICE]


@pytest.mark.parametrize("printed", ["JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", "not base32!", "", "a.b", "x/y+z=="])
def test_other_texts_are_secrets(printed: str) -> None:
    """Whether they are base32 is the token's to say; a mistyped secret is never taken for a file and shown."""
    assert accounts_in(printed, "alice") == [{"name": "alice", "secret": printed}]


def test_export() -> None:
    """As text, and as the QR code that the app shows."""
    account = {"name": "alice@google.com", "issuer": "Example", "secret": "JBSWY3DPEHPK3PXP"}
    account |= {"algorithm": "sha1", "digits": 6}

    assert accounts_in(EXPORT, "not used") == [account]
    assert accounts_in(qr.png(EXPORT), "not used") == [account]


def test_several_codes_in_a_picture() -> None:
    """All of them, from top to bottom and left to right."""
    assert accounts_in(both(URI, BOB_URI), "not used") == [ALICE, BOB]


def test_same_account_twice_is_one() -> None:
    """Large and small, or written in another way."""
    assert accounts_in(both(URI, URI), "not used") == [ALICE]
    assert accounts_in(both(URI, "otpauth://totp/alice?issuer=Example&secret=JBSWY3DPEHPK3PXP"), "not used") == [ALICE]


def test_other_codes_beside_are_passed_over() -> None:
    """A page may also show where to get an authenticator."""
    assert accounts_in(both("https://example.com/app", URI, "hello"), "not used") == [ALICE]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["https://example.com/app?secret=JBSWY3DPEHPK3PXP"], "one with a link to https://example.com"),
        (["HTTP://EXAMPLE.COM:80"], "one with a link to HTTP://EXAMPLE.COM"),
        (["JBSWY3DPEHPK3PXP"], "one with a text of 16 characters"),
        (["https://user:password@example.com"], "one with a text of 33 characters"),
        (
            ["WIFI:S:harbour;;", "https://example.com/"],
            "one with a text of 16 characters, one with a link to https://example.com",
        ),
    ],
)
def test_codes_to_do_something_else(texts: list[str], found: str) -> None:
    """The sentence says what they are, but nothing that may be a secret."""
    with pytest.raises(InvalidInput) as caught:
        accounts_in(both(*texts), "not used")

    assert str(caught.value) == (
        f"the picture has no QR code to enrol with, but {found}; accepted is one that holds an otpauth://totp/ URI"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            5,
            (
                "cannot enrol from int; accepted are an otpauth:// URI, a base32 secret, "
                "and a picture of a QR code as bytes, path, data: URL or SVG"
            ),
        ),
        ("https://example.com/", "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        ("https://example.com/a.png", "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        (" data:,a.png", "the data: URL holds 'text/plain'; accepted is a PNG, JPEG, WebP or SVG picture"),
        ("data:text/plain,AA", "the data: URL holds 'text/plain'; accepted is a PNG, JPEG, WebP or SVG picture"),
        (
            "<p>JBSW Y3DP</p>",
            HTML.replace("TAG", "<p>"),
        ),
        ("missing.png", "cannot read the picture 'missing.png': No such file or directory"),
        (qr.png("otpauth://hotp/a?secret=AA&counter=1"), "the type of the key URI is 'hotp'; accepted is totp"),
        (b"JBSWY3DPEHPK3PXP", "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG picture"),
    ],
)
def test_refused_source(source: Any, message: str) -> None:
    """The sentence says what it was taken for."""
    with pytest.raises(InvalidInput) as caught:
        accounts_in(source, "not used")

    assert str(caught.value) == message
