"""Enrolment: whatever a set-up page shows becomes the parameters of tokens."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pytest_totphog import InvalidInput
from pytest_totphog.credentials import qr
from pytest_totphog.enrolment.sources import Source, accounts_in
from tests.support.migration import account, field, uri_of

HTML = (
    "this is markup that begins with TAG, such as a page's HTML; accepted is what the page shows: its QR code as "
    "<svg …>…</svg> or the src of its <img>, its otpauth:// link, or its secret"
)

URI = "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example"
ALICE = {"name": "alice", "issuer": "Example", "secret": "JBSWY3DPEHPK3PXP"}
BOB_URI = "otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Example"
BOB = {"name": "bob", "issuer": "Example", "secret": "GEZDGNBVGY3TQOJQ"}
EXPORT = "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC"


def accounts(source: Source, name: str) -> list[dict[str, Any]]:
    """Return the accounts that a source shows."""
    return accounts_in(source, name).accounts


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
    assert accounts(source, "not used") == [ALICE]


@pytest.mark.parametrize("name", ["code.png", "code.SVG", "a b/code.png"])
@pytest.mark.parametrize("kind", [str, Path])
def test_path(tmp_path: Path, name: str, kind: type) -> None:
    """As a path, or a text that ends like a picture's name."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(qr.png(URI) if name.endswith("png") else qr.svg(URI).encode())

    assert accounts(kind(path), "not used") == [ALICE]


def test_path_with_any_ending(tmp_path: Path) -> None:
    """A `Path` needs none; what is inside counts."""
    path = tmp_path / "screenshot"
    path.write_bytes(qr.png(URI))

    assert accounts(path, "not used") == [ALICE]


CHART = "https://chart.example.com/chart?chs=200x200&cht=qr&chl="


@pytest.mark.parametrize(
    "address",
    [
        CHART + quote(URI, safe=""),
        CHART + URI,
        f"https://api.example.com/create-qr-code/?data={quote(URI, safe='')}&size=200x200",
        f"Scan it, or open {URI} on your phone",
        f'<a href="{URI}"> in a page:\n{URI}'[1:],
        quote(URI, safe=""),
        URI.replace("/", "\\/").replace("&", "\\u0026"),
    ],
    ids=["escaped", "as it is", "another service", "sentence", "lines", "wholly escaped", "from JSON"],
)
def test_uri_in_an_address_or_a_text(address: str) -> None:
    """Pages let another server draw the code, or print the link."""
    assert accounts(address, "not used") == [ALICE]


@pytest.mark.parametrize(
    "printed",
    ["JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", "Secret key: JBSW Y3DP EHPK 3PXP", "Your key:\nJBSWY3DPEHPK3PXP\n"],
)
def test_secret_as_printed(printed: str) -> None:
    """Alone, or with its name before it."""
    [account] = accounts(printed, "alice")
    assert (account["name"], account["secret"].upper()) == ("alice", "JBSWY3DPEHPK3PXP")


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["export.txt", "export", "export.json"])
def test_list_of_uris(tmp_path: Path, name: str, encoding: str, bom: str) -> None:
    """Of both schemes, with comments and empty lines between; as text, file, bytes, and Python's list."""
    text = f"# phones of the testers\n\n{URI}\n  {BOB_URI}\r\n{EXPORT}\n"
    path = tmp_path / name
    path.write_text(bom + text, encoding, newline="")
    names = ["alice", "bob", "alice@google.com"]

    sources: list[Any] = [text, path, str(path), path.read_bytes(), [URI, BOB_URI, EXPORT], [URI, [path]]]
    for source in sources:
        if source == str(path) and name == "export":
            continue  # it may be a secret
        assert [account["name"] for account in accounts(source, "not used")] == names
    assert accounts_in(text, "not used").what == "a list of URIs"


def test_accounts_that_are_no_totp_are_told_apart() -> None:
    """The others are there; where there are none, the first says why."""
    hotp, steam = URI.replace("totp/", "hotp/"), URI.replace("totp/", "steam/").replace("alice", "eve")

    found = accounts_in(f"{hotp}\n{BOB_URI}\n{steam}", "not used")

    assert found.accounts == [BOB]
    assert [(each.account, each.kind) for each in found.skipped] == [
        ("Example:alice", "hotp"),
        ("Example:eve", "steam"),
    ]
    with pytest.raises(InvalidInput, match=r"^the type of the key URI is 'hotp'; accepted is totp$"):
        accounts_in(f"{hotp}\n{steam}", "not used")


def part(index: int, size: int, batch: int = 77) -> str:
    """Return one QR code of an export, with one account."""
    payload = account(name=f"user{index}", issuer=None) + field(3, size) + field(4, index) + field(5, batch)
    return uri_of(payload)


def test_several_codes_of_one_export() -> None:
    """In any order; one alone is read by itself."""
    assert [each["name"] for each in accounts([part(1, 2), part(0, 2)], "")] == ["user1", "user0"]
    assert [each["name"] for each in accounts(f"{part(0, 2)}\n{part(1, 2)}", "")] == ["user0", "user1"]
    assert [each["name"] for each in accounts(part(1, 3), "")] == ["user1"]


@pytest.mark.parametrize(
    ("indexes", "missing"),
    [([0, 2], "QR code 2 of 3 of"), ([1, 1], "QR codes 1, 3 of 3 of"), ([2, 0, 5], "QR code 2 of 3 of")],
)
def test_missing_code_of_an_export(indexes: list[int], missing: str) -> None:
    """The sentence says which."""
    with pytest.raises(InvalidInput) as caught:
        accounts([part(index, 3) for index in indexes], "")

    assert str(caught.value) == f"{missing} the export is missing; give all of them, or one at a time"


def test_export() -> None:
    """As text, and as the QR code that the app shows."""
    account: dict[str, Any] = {"name": "alice@google.com", "issuer": "Example", "secret": "JBSWY3DPEHPK3PXP"}
    account |= {"algorithm": "sha1", "digits": 6}

    assert accounts(EXPORT, "not used") == [account]
    assert accounts(qr.png(EXPORT), "not used") == [account]


def test_several_codes_in_a_picture() -> None:
    """All of them, from top to bottom and left to right."""
    assert accounts(both(URI, BOB_URI), "not used") == [ALICE, BOB]


def test_same_account_twice_is_one() -> None:
    """Large and small, or written in another way."""
    assert accounts(both(URI, URI), "not used") == [ALICE]
    assert accounts(both(URI, "otpauth://totp/alice?issuer=Example&secret=JBSWY3DPEHPK3PXP"), "not used") == [ALICE]


def test_other_codes_beside_are_passed_over() -> None:
    """A page may also show where to get an authenticator."""
    assert accounts(both("https://example.com/app", URI, "hello"), "not used") == [ALICE]


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
        accounts(both(*texts), "not used")

    assert str(caught.value) == (
        f"the picture has no QR code to enrol with, but {found}; accepted is one that holds an otpauth://totp/ URI"
    )


OTHER = (
    "cannot enrol from {}; accepted are an otpauth:// URI, a base32 secret, a picture of a QR code as bytes, path, "
    "data: URL or SVG, a device of django-otp's, an authenticator of django-allauth's, an object of pyotp's, and "
    "whatever has a method totp_uri()"
)
NOTHING = (
    "the text that begins with {} is nothing to enrol with; accepted are an otpauth:// URI, a list of them, an export, "
    "a secret of 80 bits or more as printed, and a picture of a QR code"
)


def test_large_file(tmp_path: Path) -> None:
    """No more of it is read than is accepted."""
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(50_000_000)

    with pytest.raises(InvalidInput, match=r"^'large.png' has 20971521 bytes or more; accepted are 20971520$"):
        accounts(path, "not used")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, OTHER.format("int")),
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
        (
            ".",
            NOTHING.format("'.'"),
        ),
        (Path(), "cannot read the file '.': Is a directory"),
        ("a\0.png", r"cannot read the picture 'a\x00.png': embedded null byte"),
        ("missing.json", "cannot read the file 'missing.json': No such file or directory"),
        (
            "otp_accounts.json.aes",
            "'otp_accounts.json.aes' is an encrypted export of andOTP; export it again as plain text",
        ),
        (b"PK\3\4 raivo-otp-export.json", "this is a ZIP archive; accepted is a PNG, JPEG, WebP or SVG picture"),
        (b"\xff\xfe\xd8", "the text is neither UTF-8 nor UTF-16"),
        (
            [],
            OTHER.format("list"),
        ),
        (b"JBSWY3DPEHPK3PXP", "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG picture"),
    ],
)
def test_refused_source(source: Any, message: str) -> None:
    """The sentence says what it was taken for."""
    with pytest.raises(InvalidInput) as caught:
        accounts(source, "not used")

    assert str(caught.value) == message
