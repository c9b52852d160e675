"""The TOTPHog API: every endpoint, shape, message and status. The sections are those of its reference."""

import io
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import freezegun
import pytest
import requests

from pytest_totphog import FrozenClock, TotpServer, TotpToken, __version__
from pytest_totphog.api.app import totphog_app
from pytest_totphog.api.namespaces import create_app
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.credentials import qr
from pytest_totphog.wsgi.gate import Gate
from tests.support.client import Client
from tests.support.vectors import RFC_4226, RFC_6238, RFC_SECRETS

SECRET = "JBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/GitHub:user@example.com?secret={SECRET}&issuer=GitHub"

# Codes of SECRET, by oathtool, around the time that the clock of these tests shows: 2024-01-15T10:30:00Z.
PREVIOUS, CURRENT, NEXT = "286522", "648307", "764426"


@pytest.fixture
def token(authenticator: Authenticator) -> TotpToken:
    """A token that is stored."""
    return authenticator.add(authenticator.make(name="GitHub", secret=SECRET, issuer="GitHub"))


@pytest.fixture
def path(token: TotpToken) -> str:
    """Where that token is."""
    return f"/api/v1/tokens/{token.id}"


# Response Format


def test_success_is_a_json_object_with_data(client: Client) -> None:
    """What was asked for is under `data`, beside `"success": true`."""
    response = client.get("/api/v1/codes")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.json == {"success": True, "data": []}


def test_an_error_is_a_json_object_with_a_sentence(client: Client) -> None:
    """What was wrong is under `error`, beside `"success": false`."""
    response = client.get("/api/v1/tokens/550e8400-e29b-41d4-a716-446655440000")
    assert (response.status_code, response.mimetype) == (404, "application/json")
    assert response.json == {"success": False, "error": "Token not found"}


@pytest.mark.parametrize(
    "path",
    ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/tokens/", "/api/v2/tokens", "/api/v1/tokens/a/b", "/nothing"],
)
def test_an_unknown_path_is_not_found(client: Client, path: str) -> None:
    """It is an error like every other, and no page."""
    response = client.get(path)
    assert response.status_code == 404
    assert response.json == {"success": False, "error": "Not found"}


def test_head_answers_what_get_does_without_the_body(client: Client, path: str) -> None:
    """Status and headers are those of GET."""
    got, head = client.get(path), client.head(path)
    assert head.data == b""
    assert (head.status_code, head.headers["Content-Length"]) == (200, got.headers["Content-Length"])


# Health Check


def test_health_tells_the_version_and_the_time_of_the_servers_clock(client: Client) -> None:
    """The timestamp stands still with the clock."""
    assert client.get("/api/v1/health").json == {
        "status": "ok",
        "service": "TOTPHog",
        "version": __version__,
        "timestamp": "2024-01-15T10:30:00+00:00",
    }


# List Tokens


def test_no_tokens(client: Client) -> None:
    """An empty list is a success."""
    assert client.get("/api/v1/tokens").json == {"success": True, "data": [], "count": 0}


def test_tokens_are_listed_oldest_first(client: Client, authenticator: Authenticator) -> None:
    """Each is the object that its creation answered."""
    created = [
        client.post("/api/v1/tokens", json={"name": name, "secret": SECRET}).json["data"] for name in ("b", "a", "c")
    ]
    assert client.get("/api/v1/tokens").json == {"success": True, "data": created, "count": 3}
    assert [token.name for token in authenticator.tokens] == ["b", "a", "c"]


# Create Token


def test_a_token_is_created_from_a_uri(client: Client, authenticator: Authenticator) -> None:
    """Name and issuer are those of the label."""
    response = client.post("/api/v1/tokens", json={"uri": URI})
    [token] = authenticator.tokens
    assert response.status_code == 201
    assert response.json == {
        "success": True,
        "data": {
            "id": token.id,
            "name": "user@example.com",
            "secret": "JBSWY3DPEHPK3PXP",
            "issuer": "GitHub",
            "digits": 6,
            "period": 30,
            "algorithm": "sha1",
            "created_at": "2024-01-15T10:30:00+00:00",
        },
    }


@pytest.mark.parametrize(
    "others",
    [
        {"name": "", "secret": "", "issuer": "", "digits": "", "period": None, "algorithm": None},
        {"name": "another", "secret": "MFRGGZDFMZTWQ2LK", "digits": 8, "image": None},
    ],
)
def test_a_uri_wins_over_the_other_fields_of_a_form(client: Client, others: dict[str, Any]) -> None:
    """Clients of the original send all of them, filled in or not."""
    response = client.post("/api/v1/tokens", json={"uri": URI, **others})
    assert response.status_code == 201
    assert (response.json["data"]["name"], response.json["data"]["secret"]) == ("user@example.com", SECRET)
    assert client.post("/api/v1/codes", json={"uri": URI, **others, "image": None}).status_code == 400  # not its field
    others.pop("image", None)
    assert client.post("/api/v1/codes", json={"uri": URI, **others}).json["data"]["code"] == CURRENT


@pytest.mark.parametrize("uri", ["", None])
def test_an_empty_uri_is_an_absent_one(client: Client, uri: str | None) -> None:
    """And a null of an optional field means its default."""
    form = {"uri": uri, "name": "GitHub", "secret": SECRET, "issuer": None, "digits": None, "period": None}
    token = client.post("/api/v1/tokens", json={**form, "algorithm": None, "image": None}).json["data"]
    assert (token["issuer"], token["digits"], token["period"], token["algorithm"]) == ("TOTPHog", 6, 30, "sha1")
    assert (
        client.post("/api/v1/codes", json={**form, "at": None, "min_remaining": None}).json["data"]["code"] == CURRENT
    )


def test_a_null_of_an_optional_field_means_its_default(client: Client, token: TotpToken) -> None:
    """Wherever there is one."""
    path = f"/api/v1/tokens/{token.id}"
    nulls = dict.fromkeys(("min_remaining", "lookahead", "timeout", "holder"))
    assert client.post(f"{path}/one-time-code", json=nulls).json["data"]["code"] == CURRENT
    assert client.post(f"{path}/verify", json={"code": CURRENT, "window": None}).json["data"]["valid"] is True
    assert client.post("/api/v1/clock/tick", json={"seconds": None}).json["now"] == "2024-01-15T10:30:01+00:00"


def test_a_token_is_created_from_parameters(client: Client, authenticator: Authenticator) -> None:
    """Every parameter is kept."""
    response = client.post(
        "/api/v1/tokens",
        json={
            "name": "GitHub",
            "secret": "JBSWY3DPEHPK3PXP",
            "issuer": "GitHub",
            "digits": 8,
            "period": 60,
            "algorithm": "sha256",
        },
    )
    [token] = authenticator.tokens
    assert response.status_code == 201
    assert response.json == {
        "success": True,
        "data": {
            "id": token.id,
            "name": "GitHub",
            "secret": "JBSWY3DPEHPK3PXP",
            "issuer": "GitHub",
            "digits": 8,
            "period": 60,
            "algorithm": "sha256",
            "created_at": "2024-01-15T10:30:00+00:00",
        },
    }


def test_name_and_secret_are_enough(client: Client) -> None:
    """The other parameters have defaults."""
    data = client.post("/api/v1/tokens", json={"name": "GitHub", "secret": SECRET}).json["data"]
    assert (data["issuer"], data["digits"], data["period"], data["algorithm"]) == ("TOTPHog", 6, 30, "sha1")


@pytest.mark.parametrize(
    "secret", ["jbswy3dpehpk3pxp", "JBSW Y3DP  EHPK 3PXP", "jbsw-y3dp-ehpk-3pxp", "JBSWY3DPEHPK3PXP===="]
)
def test_a_secret_as_pages_print_it_is_stored_canonically(client: Client, secret: str) -> None:
    """Lower case, spaces, dashes and padding are not part of a secret."""
    response = client.post("/api/v1/tokens", json={"name": "a", "secret": secret})
    assert response.json["data"]["secret"] == "JBSWY3DPEHPK3PXP"


def test_a_secret_of_one_byte_is_accepted(client: Client) -> None:
    """There is no shortest secret, whatever pyotp says."""
    assert client.post("/api/v1/tokens", json={"name": "a", "secret": "AA"}).status_code == 201


@pytest.mark.parametrize(
    ("spelling", "algorithm"),
    [("SHA1", "sha1"), ("SHA-1", "sha1"), ("sha-256", "sha256"), ("HmacSHA256", "sha256"), ("HMAC-SHA-512", "sha512")],
)
def test_every_usual_spelling_of_an_algorithm_is_one_algorithm(client: Client, spelling: str, algorithm: str) -> None:
    """It is stored in lower case without a dash."""
    response = client.post("/api/v1/tokens", json={"name": "a", "secret": SECRET, "algorithm": spelling})
    assert response.json["data"]["algorithm"] == algorithm


@pytest.mark.parametrize(
    ("algorithm", "code"),
    [("sha1", "648307"), ("sha256", "058049"), ("SHA512", "369798")],
)
def test_the_algorithm_is_applied(client: Client, algorithm: str, code: str) -> None:
    """Codes by oathtool; the original server stores the algorithm and computes SHA-1."""
    data = client.post("/api/v1/tokens", json={"name": "a", "secret": SECRET, "algorithm": algorithm}).json["data"]
    assert client.get(f"/api/v1/tokens/{data['id']}/code").json["data"]["code"] == code


def test_names_keep_their_characters(client: Client) -> None:
    """Unicode, quotes and HTML go in and out unchanged, also in the list that is written as text."""
    name = 'Zoë „Ж" 日本語 🐗 <b>&amp;</b> \\ %41 +'
    data = client.post("/api/v1/tokens", json={"name": name, "secret": SECRET, "issuer": "Ünï:8000"}).json["data"]
    assert (data["name"], data["issuer"]) == (name, "Ünï:8000")
    assert client.get("/api/v1/codes").json["data"][0]["name"] == name


def test_one_secret_may_have_two_tokens(client: Client) -> None:
    """Every token has an id of its own."""
    first, second = (client.post("/api/v1/tokens", json={"uri": URI}).json["data"] for _ in range(2))
    assert first["id"] != second["id"]
    assert client.get("/api/v1/tokens").json["count"] == 2


# Pictures


def test_token_from_a_data_url(client: Client) -> None:
    """What an `<img>` of the page has as its source."""
    response = client.post("/api/v1/tokens", json={"image": qr.data_uri(URI)})
    assert response.status_code == 201
    same = client.post("/api/v1/tokens", json={"uri": URI}).json["data"]
    assert {**response.json["data"], "id": same["id"]} == same


@pytest.mark.parametrize("picture", [qr.png(URI), qr.svg(URI).encode()], ids=["png", "svg"])
def test_token_from_a_file(client: Client, picture: bytes) -> None:
    """As `curl --form image=@code.png` sends it."""
    response = client.post("/api/v1/tokens", data={"image": (io.BytesIO(picture), "code")})
    assert response.status_code == 201
    assert response.json["data"]["secret"] == SECRET


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (1, "image is not a data: URL; accepted is data:image/png;base64,…"),
        (SECRET, "image is not a data: URL; accepted is data:image/png;base64,…"),
        ("/etc/passwd", "image is not a data: URL; accepted is data:image/png;base64,…"),
        ("code.png", "image is not a data: URL; accepted is data:image/png;base64,…"),
        ("data:text/plain,hello", "the data: URL holds 'text/plain'; accepted is a PNG, JPEG, WebP or SVG picture"),
        ("data:image/png;base64,AAAA", "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG"),
        ("data:image/svg+xml,<svg/>", "there is no QR code in the picture of 800 x 800 pixels"),
        (qr.data_uri("https://example.com/"), "the picture has no QR code to enrol with, but one with a link to"),
        (qr.data_uri(f"{URI}&digits=5"), "digits is 5; accepted are 6, 7 and 8"),
    ],
)
def test_a_refused_picture_is_not_stored(
    client: Client, authenticator: Authenticator, image: Any, message: str
) -> None:
    """The sentence says what it is, and a client names no file of the server's."""
    response = client.post("/api/v1/tokens", json={"image": image})
    assert response.status_code == 400
    assert response.json["error"].startswith(message)
    assert authenticator.tokens == []


def test_a_picture_says_it_all(client: Client, authenticator: Authenticator) -> None:
    """As a URI does; which one was meant would be a guess."""
    response = client.post("/api/v1/tokens", json={"image": qr.data_uri(URI), "name": "a", "digits": 6})
    assert response.status_code == 400
    assert response.json["error"] == "image says it all; also given: digits, name"
    assert authenticator.tokens == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"image": "text"}, "The form must have one file, named image; a file has a filename"),
        ({"picture": (io.BytesIO(b""), "code.png")}, "Unknown part 'picture'; accepted: image"),
        ({"image": (io.BytesIO(b"hello"), "code.png")}, "this is not a picture that is known; accepted is a PNG,"),
    ],
)
def test_a_refused_form_is_not_stored(
    client: Client, authenticator: Authenticator, form: dict[str, Any], message: str
) -> None:
    """A form has one part, the picture."""
    response = client.post("/api/v1/tokens", data=form, content_type="multipart/form-data")
    assert response.status_code == 400
    assert response.json["error"].startswith(message)
    assert authenticator.tokens == []


def test_pictures_without_the_extra(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrong with the request, so the sentence is for those who run the server."""
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    response = client.post("/api/v1/tokens", json={"image": qr.data_uri(URI)})
    assert response.status_code == 501
    assert response.json["error"] == (
        "reading a QR code needs zxing-cpp; install it with: pip install 'pytest-totphog[qr]'"
    )


NEITHER = "Either uri, or name and secret, must be given"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, NEITHER),
        ({"name": "a"}, NEITHER),
        ({"secret": SECRET}, NEITHER),
        ({"uri": None}, "Either uri, or name and secret, must be given"),
        ({"uri": ""}, "Either uri, or name and secret, must be given"),
        ({"uri": "", "name": "a", "secret": None}, "Either uri, or name and secret, must be given"),
        ({"image": None}, "Either uri, or name and secret, must be given"),
        ({"name": "a", "secret": SECRET, "colour": "red"}, "Unknown field 'colour'; accepted: uri, name, secret, "),
        ({"name": "a", "secret": SECRET, "id": "mine"}, "Unknown field 'id'; accepted: uri, name, secret, "),
        ({"name": 1, "secret": SECRET}, "name is of type int; accepted is a string"),
        ({"name": "", "secret": SECRET}, "name is empty; accepted is a string with a visible character"),
        ({"name": " ", "secret": SECRET}, "name is empty; accepted is a string with a visible character"),
        ({"name": "a\nb", "secret": SECRET}, "name contains the character '\\n'; accepted is printable text"),
        ({"name": "a\0b", "secret": SECRET}, "name contains the character '\\x00'; accepted is printable text"),
        (
            {"name": "a:b", "secret": SECRET, "issuer": ""},
            "name is 'a:b'; without an issuer it must not contain a colon",
        ),
        ({"name": "a" * 3000, "secret": SECRET}, "name, issuer and secret make a key URI of "),
        ({"name": "a", "secret": 1}, "secret is of type int; accepted is a base32 string"),
        ({"name": "a", "secret": ["A"]}, "secret is of type list; accepted is a base32 string"),
        ({"name": "a", "secret": ""}, "the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
        ({"name": "a", "secret": "--  =="}, "the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
        ({"name": "a", "secret": "JBSWY3D1"}, "the secret is not base32: character 8 is '1'; accepted are the letters"),
        ({"name": "a", "secret": "A"}, "the secret is not base32: 1 characters do not make whole bytes"),
        ({"name": "a", "secret": SECRET, "issuer": 5}, "issuer is of type int; accepted is a string"),
        ({"name": "a", "secret": SECRET, "issuer": " "}, "issuer is empty; accepted is a string with a visible"),
        ({"name": "a", "secret": SECRET, "digits": 5}, "digits is 5; accepted are 6, 7 and 8"),
        ({"name": "a", "secret": SECRET, "digits": 9}, "digits is 9; accepted are 6, 7 and 8"),
        ({"name": "a", "secret": SECRET, "digits": "6"}, "digits is '6'; accepted are 6, 7 and 8"),
        ({"name": "a", "secret": SECRET, "digits": 6.0}, "digits is 6.0; accepted are 6, 7 and 8"),
        ({"name": "a", "secret": SECRET, "digits": True}, "digits is True; accepted are 6, 7 and 8"),
        ({"name": "a", "secret": SECRET, "period": 0}, "period is 0; accepted are whole seconds from 1 to 86400"),
        ({"name": "a", "secret": SECRET, "period": -30}, "period is -30; accepted are whole seconds from 1 to 86400"),
        (
            {"name": "a", "secret": SECRET, "period": 86401},
            "period is 86401; accepted are whole seconds from 1 to 86400",
        ),
        ({"name": "a", "secret": SECRET, "period": 30.0}, "period is 30.0; accepted are whole seconds from 1 to 86400"),
        ({"name": "a", "secret": SECRET, "period": "30"}, "period is '30'; accepted are whole seconds from 1 to 86400"),
        ({"name": "a", "secret": SECRET, "period": True}, "period is True; accepted are whole seconds from 1 to 86400"),
        (
            {"name": "a", "secret": SECRET, "algorithm": "md5"},
            "algorithm is 'md5'; accepted are sha1, sha256 and sha512",
        ),
        ({"name": "a", "secret": SECRET, "algorithm": 1}, "algorithm is 1; accepted are sha1, sha256 and sha512"),
        ({"uri": 5}, "uri is of type int; accepted is a string such as otpauth://totp/NAME?secret=BASE32"),
        ({"uri": " "}, "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        ({"uri": 0, "name": "a", "secret": SECRET}, "uri is of type int; accepted is a string such as otpauth://totp/"),
        ({"uri": f"https://totp/a?secret={SECRET}"}, "this is not a key URI; accepted is otpauth://totp/"),
        ({"uri": f"otpauth://hotp/a?secret={SECRET}&counter=1"}, "the type of the key URI is 'hotp'; accepted is totp"),
        ({"uri": f"otpauth://steam/a?secret={SECRET}"}, "the type of the key URI is 'steam'; accepted is totp"),
        (
            {"uri": f"otpauth://totp/a?secret={SECRET}&encoder=steam"},
            "the key URI has encoder='steam'; accepted is plain",
        ),
        (
            {"uri": "otpauth://totp/a"},
            "the key URI has no secret; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32",
        ),
        ({"uri": "otpauth-migration://offline?data=AAAA"}, "this is an otpauth-migration:// export; accepted is an"),
    ],
)
def test_a_refused_token_is_not_stored(
    client: Client, authenticator: Authenticator, body: dict[str, Any], message: str
) -> None:
    """The sentence says what was wrong and what is accepted."""
    response = client.post("/api/v1/tokens", json=body)
    assert response.status_code == 400
    assert response.json["error"].startswith(message)
    assert authenticator.tokens == []


# Get Token


def test_a_token_is_got_by_its_id(client: Client, token: TotpToken, path: str) -> None:
    """It is the object that its creation answered."""
    assert client.get(path).json == {
        "success": True,
        "data": {
            "id": token.id,
            "name": "GitHub",
            "secret": "JBSWY3DPEHPK3PXP",
            "issuer": "GitHub",
            "digits": 6,
            "period": 30,
            "algorithm": "sha1",
            "created_at": "2024-01-15T10:30:00+00:00",
        },
    }


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/code"),
        ("GET", "/qr"),
        ("POST", "/one-time-code"),
        ("POST", "/verify"),
        ("POST", "/explain"),
    ],
)
def test_an_unknown_id_is_not_found(client: Client, path: str, method: str, action: str) -> None:
    """The other token is left alone."""
    body = {"code": "123456"} if action in {"/verify", "/explain"} else None
    response = client.open(f"/api/v1/tokens/nobody{action}", method=method, json=body)
    assert response.status_code == 404
    assert response.json == {"success": False, "error": "Token not found"}
    assert client.get(path).status_code == 200


# Delete Token


def test_a_deleted_token_is_gone(client: Client, path: str) -> None:
    """Deleting it again finds nothing."""
    assert client.delete(path).json == {"success": True, "message": "Token deleted"}
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_deleting_a_token_forgets_no_code(client: Client, path: str) -> None:
    """A token with the same secret gets the next step's code: the verifier has not forgotten either."""
    assert client.post(f"{path}/one-time-code").json["data"]["code"] == CURRENT
    client.delete(path)
    data = client.post("/api/v1/tokens", json={"name": "again", "secret": SECRET}).json["data"]
    assert client.post(f"/api/v1/tokens/{data['id']}/one-time-code").json["data"]["code"] == NEXT


# Delete All Tokens


def test_all_tokens_are_deleted_and_counted(client: Client, authenticator: Authenticator) -> None:
    """The message says how many there were."""
    for number in range(5):
        authenticator.add(authenticator.make(name=f"account {number}"))
    assert client.delete("/api/v1/tokens").json == {"success": True, "message": "Deleted 5 tokens", "deleted_count": 5}
    assert client.delete("/api/v1/tokens").json == {"success": True, "message": "Deleted 0 tokens", "deleted_count": 0}
    assert authenticator.tokens == []


# Get Current Code


def test_the_current_code(client: Client, path: str) -> None:
    """At the start of a step the whole period remains."""
    assert client.get(f"{path}/code").json == {
        "success": True,
        "data": {
            "code": "648307",
            "remaining_seconds": 30,
            "period": 30,
            "generated_at": "2024-01-15T10:30:00+00:00",
        },
    }


def test_the_code_follows_the_clock(client: Client, authenticator: Authenticator, path: str) -> None:
    """The code is the same until its step ends; all fields are of one instant."""
    authenticator.clock.tick(29.5)
    assert client.get(f"{path}/code").json["data"] == {
        "code": CURRENT,
        "remaining_seconds": 1,
        "period": 30,
        "generated_at": "2024-01-15T10:30:29+00:00",
    }
    authenticator.clock.tick(0.5)
    assert client.get(f"{path}/code").json["data"] == {
        "code": NEXT,
        "remaining_seconds": 30,
        "period": 30,
        "generated_at": "2024-01-15T10:30:30+00:00",
    }


@pytest.mark.parametrize(
    "at",
    [
        "2024-01-15T10:30:45Z",
        "2024-01-15T10:30:45%2B00:00",
        "2024-01-15T12:30:45+02:00",  # an unescaped '+' of a query is a space
        "2024-01-15%2010:30:45Z",
        "1705314645",
        "1705314645.0",
    ],
)
def test_the_code_of_another_time(client: Client, path: str, at: str) -> None:
    """The time may be ISO 8601 with an offset or seconds since the epoch; the clock stays where it is."""
    assert client.get(f"{path}/code?at={at}").json["data"] == {
        "code": NEXT,
        "remaining_seconds": 15,
        "period": 30,
        "generated_at": "2024-01-15T10:30:45+00:00",
    }
    assert client.get(f"{path}/code").json["data"]["code"] == CURRENT


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("at=", "'' is no point in time; accepted are seconds since the epoch and ISO 8601"),
        ("at=tomorrow", "'tomorrow' is no point in time; accepted are seconds since the epoch and ISO 8601"),
        ("at=2024-01-15T10:30:00", "the time '2024-01-15 10:30:00' has no time zone, so it means another instant"),
        ("at=-1", "the time -1.0 is out of range; accepted are the years 1970 to 9999"),
        ("at=253402300800", "the time 253402300800.0 is out of range; accepted are the years 1970 to 9999"),
        ("at=1e308", "the time 1e+308 is out of range; accepted are the years 1970 to 9999"),
        ("at=nan", "the time nan is out of range; accepted are the years 1970 to 9999"),
        ("min_remaining=", "min_remaining is ''; accepted is a number of seconds"),
        ("min_remaining=ten", "min_remaining is 'ten'; accepted is a number of seconds"),
        ("min_remaining=nan", "min_remaining is nan; accepted are 0 to 86400 seconds"),
        ("min_remaining=-1", "min_remaining is -1.0; accepted are 0 to 86400 seconds"),
        ("min_remaining=30.5", "min_remaining is 30.5; accepted are 0 to 30 seconds, the token's period"),
        ("at=59&min_remaining=5", "at and min_remaining exclude each other; a code of another time has nothing to"),
    ],
)
def test_a_time_that_is_none_is_refused(client: Client, path: str, query: str, message: str) -> None:
    """The sentence says what was given and what is accepted."""
    response = client.get(f"{path}/code?{query}")
    assert response.status_code == 400
    assert response.json["error"].startswith(message)


def test_enough_seconds_left_are_no_reason_to_wait(client: Client, authenticator: Authenticator, path: str) -> None:
    """The current code has 10 seconds to live, and 10 are asked for."""
    authenticator.clock.tick(20)
    data = client.get(f"{path}/code?min_remaining=10").json["data"]
    assert (data["code"], data["remaining_seconds"]) == (CURRENT, 10)


def test_a_frozen_clock_moves_on_to_a_code_with_enough_seconds_left(
    client: Client, authenticator: Authenticator, path: str
) -> None:
    """Nobody else would move it, so the answer would never come."""
    authenticator.clock.tick(21)
    data = client.get(f"{path}/code?min_remaining=10").json["data"]
    assert (data["code"], data["remaining_seconds"]) == (NEXT, 30)
    assert authenticator.clock.now().isoformat() == "2024-01-15T10:30:30+00:00"


class ClockByHand(FrozenClock):
    """A live clock that shows what the test says, and tells when somebody waits for it."""

    def __init__(self, now: int) -> None:
        super().__init__()
        self.shown = now
        self.somebody_waits = threading.Event()

    def time_ns(self) -> int:
        """Return the time that the test has set."""
        return self.shown * 1_000_000_000

    def wait_until(self, *arguments: Any, **options: Any) -> bool:
        """Tell, and wait."""
        self.somebody_waits.set()
        return super().wait_until(*arguments, **options)

    def show(self, now: int) -> None:
        """Set the time."""
        self.shown = now
        self.wake()


def test_the_answer_is_held_until_there_is_enough_time_while_others_are_answered() -> None:
    """A request that waits for the next step holds up neither other connections nor its own token."""
    clock = ClockByHand(now=1_705_314_625)  # five seconds before the step ends
    with TotpServer(clock=clock) as server, ThreadPoolExecutor() as pool:
        token = server.add_token(name="GitHub", secret=SECRET)
        held = pool.submit(requests.get, token.code_url, {"min_remaining": 10}, timeout=30)
        assert clock.somebody_waits.wait(30)
        others = [requests.get(token.code_url, timeout=30).json()["data"] for _ in range(3)]
        assert [(other["code"], other["remaining_seconds"]) for other in others] == [(CURRENT, 5)] * 3
        assert not held.done()
        clock.show(1_705_314_630)
        assert held.result(30).json()["data"] == {
            "code": NEXT,
            "remaining_seconds": 30,
            "period": 30,
            "generated_at": "2024-01-15T10:30:30+00:00",
        }


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    """Nobody's client waits for hours: 503 at once, and after how many seconds to come again."""
    client = Client(totphog_app(Authenticator(ClockByHand(now=1_705_314_600))))
    data = client.post("/api/v1/tokens", json={"name": "daily", "secret": SECRET, "period": 86_400}).json["data"]
    response = client.get(f"/api/v1/tokens/{data['id']}/code?min_remaining=80000")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "48600")
    assert response.json["error"].startswith("no unspent code of 'daily' in time: the next one begins in 14 hours")


# Get All Codes


def test_all_tokens_with_their_codes(client: Client, authenticator: Authenticator, token: TotpToken) -> None:
    """Each token's own length, period and algorithm count; all codes are of one instant."""
    other = authenticator.add(authenticator.make(name="other", secret=SECRET, digits=8, period=60, algorithm="sha256"))
    authenticator.clock.tick(10)
    assert client.get("/api/v1/codes").json == {
        "success": True,
        "data": [
            {
                "id": token.id,
                "name": "GitHub",
                "secret": "JBSWY3DPEHPK3PXP",
                "issuer": "GitHub",
                "digits": 6,
                "period": 30,
                "algorithm": "sha1",
                "created_at": "2024-01-15T10:30:00+00:00",
                "current_code": {
                    "code": "648307",
                    "remaining_seconds": 20,
                    "period": 30,
                    "generated_at": "2024-01-15T10:30:10+00:00",
                },
            },
            {
                "id": other.id,
                "name": "other",
                "secret": "JBSWY3DPEHPK3PXP",
                "issuer": "TOTPHog",
                "digits": 8,
                "period": 60,
                "algorithm": "sha256",
                "created_at": "2024-01-15T10:30:00+00:00",
                "current_code": {
                    "code": "48298960",
                    "remaining_seconds": 50,
                    "period": 60,
                    "generated_at": "2024-01-15T10:30:10+00:00",
                },
            },
        ],
    }


# Get QR Code


def test_the_qr_code_is_a_png_picture(client: Client, token: TotpToken, path: str) -> None:
    """It is square, and the one that the token draws of itself."""
    response = client.get(f"{path}/qr")
    assert (response.status_code, response.mimetype) == (200, "image/png")
    assert response.data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", response.data[16:24])
    assert width == height
    assert response.data == token.qr_png()


# Addition: One-Time Code


def test_a_one_time_code_comes_with_the_life_of_its_step(client: Client, path: str) -> None:
    """No body asks for the defaults."""
    assert client.post(f"{path}/one-time-code").json == {
        "success": True,
        "data": {
            "code": "648307",
            "step": 56843820,
            "valid_from": "2024-01-15T10:30:00+00:00",
            "expires_at": "2024-01-15T10:30:30+00:00",
            "remaining_seconds": 30,
            "period": 30,
            "waited_seconds": 0.0,
        },
    }


def test_a_one_time_code_is_given_once(client: Client, authenticator: Authenticator, path: str) -> None:
    """The frozen clock moves on, so that the next code is current when it is used."""
    codes = [client.post(f"{path}/one-time-code", json={}).json["data"]["code"] for _ in range(3)]
    assert codes == ["648307", "764426", "812434"]
    assert authenticator.clock.now().isoformat() == "2024-01-15T10:31:00+00:00"


def test_a_one_time_code_may_be_of_the_next_step(client: Client, authenticator: Authenticator, path: str) -> None:
    """With look-ahead the clock stays, and the code lives longer than a period."""
    client.post(f"{path}/one-time-code")
    data = client.post(f"{path}/one-time-code", json={"lookahead": 1}).json["data"]
    assert (data["code"], data["step"], data["remaining_seconds"]) == (NEXT, 56843821, 60)
    assert authenticator.clock.now().isoformat() == "2024-01-15T10:30:00+00:00"


def test_a_one_time_code_has_the_time_to_live_that_was_asked_for(
    client: Client, authenticator: Authenticator, path: str
) -> None:
    """Ten seconds unless said otherwise."""
    authenticator.clock.tick(25)
    data = client.post(f"{path}/one-time-code", json={"min_remaining": 5}).json["data"]
    assert (data["code"], data["remaining_seconds"]) == (CURRENT, 5)
    data = client.post(f"{path}/one-time-code", json={"min_remaining": 5.5}).json["data"]
    assert (data["code"], data["remaining_seconds"]) == (NEXT, 30)


def test_the_holder_is_told_to_who_comes_later(client: Client, path: str) -> None:
    """By the explanation of the code; without a holder it is the server itself."""
    client.post(f"{path}/one-time-code", json={"holder": "test_login of worker gw0"})
    explanation = client.post(f"{path}/explain", json={"code": CURRENT}).json["data"]["explanation"]
    assert "handed out just now to test_login of worker gw0" in explanation


def test_no_one_time_code_in_time() -> None:
    """503, after how many seconds to come again, and who holds the step."""
    client = Client(totphog_app(Authenticator(ClockByHand(now=1_705_314_600))))
    data = client.post("/api/v1/tokens", json={"name": "GitHub", "secret": SECRET}).json["data"]
    path = f"/api/v1/tokens/{data['id']}/one-time-code"
    assert client.post(path, json={"holder": "test_login"}).json["data"]["code"] == CURRENT
    response = client.post(path, json={"timeout": 20})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert response.json == {
        "success": False,
        "error": "no unspent code of 'GitHub' in time: the next one begins in 30.0 s, and the time-out is in 20.0 s; "
        "step 56843820 was handed to test_login just now. Allow a longer timeout, take another account, "
        "or freeze the clock",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"min_remaining": -1}, "min_remaining is -1; accepted are 0 to 86400 seconds"),
        ({"min_remaining": "10"}, "min_remaining is '10'; accepted are 0 to 86400 seconds"),
        ({"min_remaining": True}, "min_remaining is True; accepted are 0 to 86400 seconds"),
        ({"min_remaining": 31}, "min_remaining is 31; accepted are 0 to 30 seconds, the token's period"),
        ({"lookahead": -1}, "lookahead is -1; accepted are 0 to 1000 steps"),
        ({"lookahead": 1001}, "lookahead is 1001; accepted are 0 to 1000 steps"),
        ({"lookahead": 1.0}, "lookahead is 1.0; accepted are 0 to 1000 steps"),
        ({"timeout": -1}, "timeout is -1; accepted are 0 to 86400 seconds"),
        ({"timeout": 86401}, "timeout is 86401; accepted are 0 to 86400 seconds"),
        ({"holder": ""}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"holder": "a" * 501}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"holder": "a\n"}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"holder": 5}, "holder is not accepted; accepted is a printable string of 1 to 500 characters"),
        ({"digits": 6}, "Unknown field 'digits'; accepted: min_remaining, lookahead, timeout, holder"),
    ],
)
def test_a_refused_one_time_code_is_not_spent(
    client: Client, authenticator: Authenticator, token: TotpToken, path: str, body: dict[str, Any], message: str
) -> None:
    """The ledger stays empty, and the clock where it is."""
    response = client.post(f"{path}/one-time-code", json=body)
    assert response.status_code == 400
    assert response.json["error"].startswith(message)
    assert authenticator.ledger.last(issuer_of(token).token.fingerprint) is None
    assert authenticator.clock.now().isoformat() == "2024-01-15T10:30:00+00:00"


# Addition: Verify Code


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"code": CURRENT}, True),
        ({"code": PREVIOUS}, False),
        ({"code": NEXT, "window": 0}, False),
        ({"code": PREVIOUS, "window": 1}, True),
        ({"code": NEXT, "window": 1}, True),
        ({"code": "812434", "window": 1}, False),
        ({"code": "812434", "window": 1000}, True),
        ({"code": ""}, False),
        ({"code": " 648307"}, False),
        ({"code": "64830\uff17"}, False),
        ({"code": "0648307"}, False),
    ],
)
def test_a_code_is_verified_within_a_window(client: Client, path: str, body: dict[str, Any], valid: bool) -> None:
    """Without a window only the current step counts, and only ASCII digits of the exact length do."""
    assert client.post(f"{path}/verify", json=body).json == {"success": True, "data": {"valid": valid}}


def test_verifying_spends_nothing(client: Client, path: str) -> None:
    """The code is as valid the second time, and still to be had."""
    assert [client.post(f"{path}/verify", json={"code": CURRENT}).json["data"]["valid"] for _ in range(2)] == [
        True,
        True,
    ]
    assert client.post(f"{path}/one-time-code").json["data"]["code"] == CURRENT


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "code is missing; accepted is a string of digits"),
        ({"code": 648307}, "code is of type int; accepted is a string of digits"),
        ({"code": None}, "code is missing; accepted is a string of digits"),
        ({"code": CURRENT, "window": -1}, "window is -1; accepted are 0 to 1000 steps"),
        ({"code": CURRENT, "window": 1001}, "window is 1001; accepted are 0 to 1000 steps"),
        ({"code": CURRENT, "window": True}, "window is True; accepted are 0 to 1000 steps"),
        ({"code": CURRENT, "window": "1"}, "window is '1'; accepted are 0 to 1000 steps"),
        ({"code": CURRENT, "at": 59}, "Unknown field 'at'; accepted: code, window"),
    ],
)
def test_what_cannot_be_verified_is_refused(client: Client, path: str, body: dict[str, Any], message: str) -> None:
    """A number is no code: its leading zeros are gone."""
    response = client.post(f"{path}/verify", json=body)
    assert (response.status_code, response.json["error"]) == (400, message)


# Addition: Explain Code


@pytest.mark.parametrize(
    ("code", "verdict", "steps", "begins"),
    [
        (CURRENT, "current", 0, "current: the code of step 56843820"),
        (PREVIOUS, "old", -1, "1 step old: the code of step 56843819"),
        ("812434", "ahead", 2, "2 steps ahead: the code of step 56843822"),
        ("12345", "malformed", None, "malformed: it has 5 characters"),
        ("000000", "unknown", None, "unknown: no code of 'GitHub'"),
    ],
)
def test_a_code_is_explained(
    client: Client, path: str, code: str, verdict: str, steps: int | None, begins: str
) -> None:
    """With a verdict for programs and a sentence for people."""
    data = client.post(f"{path}/explain", json={"code": code}).json["data"]
    assert (data["verdict"], data["steps"]) == (verdict, steps)
    assert data["explanation"].startswith(begins)


def test_another_tokens_code_is_recognised(client: Client, authenticator: Authenticator, path: str) -> None:
    """The sentence names the token whose code it is."""
    authenticator.add(authenticator.make(name="the other one", secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
    data = client.post(f"{path}/explain", json={"code": "746148"}).json["data"]
    assert (data["verdict"], data["steps"]) == ("other token", None)
    assert "the other one" in data["explanation"]


@pytest.mark.parametrize("body", [{}, {"code": 648307}, {"code": ["648307"]}, {"code": None}, {"codes": "648307"}])
def test_what_cannot_be_explained_is_refused(client: Client, path: str, body: dict[str, Any]) -> None:
    """A code is a string."""
    assert client.post(f"{path}/explain", json=body).status_code == 400


# Addition: Compute Code


def test_a_code_is_computed_and_nothing_is_stored(client: Client, authenticator: Authenticator) -> None:
    """The current code of a secret."""
    assert client.post("/api/v1/codes", json={"secret": "jbsw y3dp ehpk 3pxp"}).json == {
        "success": True,
        "data": {
            "code": "648307",
            "remaining_seconds": 30,
            "period": 30,
            "generated_at": "2024-01-15T10:30:00+00:00",
        },
    }
    assert authenticator.tokens == []


def test_a_code_is_computed_from_a_uri_at_another_time(client: Client) -> None:
    """The URI's parameters count."""
    body = {"uri": f"{URI}&period=60&digits=8", "at": "2024-01-15T10:31:00Z"}
    assert client.post("/api/v1/codes", json=body).json["data"] == {
        "code": "41364941",
        "remaining_seconds": 60,
        "period": 60,
        "generated_at": "2024-01-15T10:31:00+00:00",
    }


def test_a_computed_code_has_the_time_to_live_that_was_asked_for(client: Client, authenticator: Authenticator) -> None:
    """As for a stored token."""
    authenticator.clock.tick(29)
    data = client.post("/api/v1/codes", json={"secret": SECRET, "min_remaining": 2}).json["data"]
    assert (data["code"], data["remaining_seconds"]) == (NEXT, 30)


def test_the_body_of_a_new_token_is_accepted_too(client: Client) -> None:
    """Name and issuer change no code."""
    body = {"name": "GitHub", "issuer": "GitHub", "secret": SECRET, "digits": 6, "period": 30, "algorithm": "SHA1"}
    assert client.post("/api/v1/codes", json=body).json["data"]["code"] == CURRENT


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Either uri or secret must be given"),
        ({"name": "a"}, "Either uri or secret must be given"),
        ({"uri": "", "secret": None}, "Either uri or secret must be given"),
        ({"secret": "1"}, "the secret is not base32: character 1 is '1'; accepted are the letters A to Z and"),
        ({"secret": SECRET, "at": True}, "True is no point in time; accepted are seconds since the epoch, ISO 8601"),
        ({"secret": SECRET, "at": [59]}, "[59] is no point in time; accepted are seconds since the epoch, ISO 8601"),
        ({"secret": SECRET, "at": 10**400}, "the time 100000000000000000...0000000000000000000 is out of range;"),
        ({"secret": SECRET, "min_remaining": "5"}, "min_remaining is '5'; accepted are 0 to 86400 seconds"),
        ({"secret": SECRET, "at": 59, "min_remaining": 5}, "at and min_remaining exclude each other; "),
        ({"secret": SECRET, "step": 1}, "Unknown field 'step'; accepted: uri, name, secret, issuer, digits, "),
    ],
)
def test_a_code_that_cannot_be_computed_is_refused(client: Client, body: dict[str, Any], message: str) -> None:
    """The sentence says what was wrong and what is accepted."""
    response = client.post("/api/v1/codes", json=body)
    assert response.status_code == 400
    assert response.json["error"].startswith(message)


@pytest.mark.parametrize(("at", "algorithm", "code"), RFC_6238)
def test_rfc_6238_vectors(client: Client, at: int, algorithm: str, code: str) -> None:
    """RFC 6238 appendix B, computed and from a stored token, at a time and with the clock there."""
    parameters = {"secret": RFC_SECRETS[algorithm], "digits": 8, "algorithm": algorithm}
    assert client.post("/api/v1/codes", json={**parameters, "at": at}).json["data"]["code"] == code
    data = client.post("/api/v1/tokens", json={"name": "RFC 6238", **parameters}).json["data"]
    assert client.get(f"/api/v1/tokens/{data['id']}/code?at={at}").json["data"]["code"] == code
    client.put("/api/v1/clock", json={"frozen_at": at})
    assert client.get(f"/api/v1/tokens/{data['id']}/code").json["data"]["code"] == code
    assert client.get("/api/v1/codes").json["data"][0]["current_code"]["code"] == code


def test_rfc_4226_vectors(client: Client) -> None:
    """RFC 4226 appendix D: the counter is the time step."""
    body = {"secret": RFC_SECRETS["sha1"]}
    codes = [
        client.post("/api/v1/codes", json={**body, "at": counter * 30}).json["data"]["code"] for counter in range(10)
    ]
    assert codes == [code for _, code in RFC_4226]


# Addition: The Clock


def test_the_clock_is_read(client: Client) -> None:
    """Seconds since the epoch and ISO 8601."""
    assert client.get("/api/v1/clock").json == {
        "mode": "frozen",
        "time": 1705314600.0,
        "now": "2024-01-15T10:30:00+00:00",
    }


@pytest.mark.parametrize(
    "at", ["2024-02-29T12:00:00.250Z", "2024-02-29T13:00:00.250+01:00", 1709208000.25, "1709208000.25"]
)
def test_the_clock_is_frozen(client: Client, authenticator: Authenticator, at: Any) -> None:
    """At ISO 8601 or seconds since the epoch; a frozen clock moves there."""
    authenticator.clock.unfreeze()
    assert client.put("/api/v1/clock", json={"frozen_at": at}).json == {
        "mode": "frozen",
        "time": 1709208000.25,
        "now": "2024-02-29T12:00:00.250000+00:00",
    }


def test_the_clock_is_released(client: Client, authenticator: Authenticator) -> None:
    """It follows the system's time again, and releasing a live clock changes nothing."""
    for _ in range(2):
        response = client.delete("/api/v1/clock")
        assert response.json["mode"] == "live"
        assert authenticator.clock.mode == "live"
        assert 0 <= authenticator.clock.time() - response.json["time"] < 60


def test_a_clock_that_somebody_else_holds_is_not_released(client: Client, authenticator: Authenticator) -> None:
    """Inside a later freeze_time() of the test process it stays where it is."""
    with FrozenClock("2024-01-15T10:30:00Z", "freezegun") as clock:
        authenticator.clock = clock
        with freezegun.freeze_time("2030-01-01"):
            response = client.delete("/api/v1/clock")
        assert response.status_code == 409
        assert response.json["error"].startswith("the clock cannot be unfrozen inside a freeze_time() that began later")
        assert client.get("/api/v1/clock").json["now"] == "2024-01-15T10:30:00+00:00"


@pytest.mark.parametrize(
    ("body", "now"),
    [
        (None, "2024-01-15T10:30:01+00:00"),
        ({}, "2024-01-15T10:30:01+00:00"),
        ({"seconds": 0}, "2024-01-15T10:30:00+00:00"),
        ({"seconds": 30}, "2024-01-15T10:30:30+00:00"),
        ({"seconds": 0.5}, "2024-01-15T10:30:00.500000+00:00"),
        ({"seconds": 86400}, "2024-01-16T10:30:00+00:00"),
    ],
)
def test_a_frozen_clock_is_moved_forward(client: Client, body: dict[str, Any] | None, now: str) -> None:
    """By one second unless said otherwise."""
    response = client.post("/api/v1/clock/tick", json=body)
    assert (response.json["mode"], response.json["now"]) == ("frozen", now)


def test_a_live_clock_is_not_moved(client: Client, authenticator: Authenticator) -> None:
    """The sentence says what to do."""
    authenticator.clock.unfreeze()
    response = client.post("/api/v1/clock/tick", json={"seconds": 30})
    assert response.status_code == 400
    assert response.json == {"success": False, "error": "The clock is live; freeze it first"}


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("PUT", "", {}, "frozen_at must be given: seconds since the epoch or ISO 8601"),
        ("PUT", "", {"frozen_at": None}, "frozen_at must be given: seconds since the epoch or ISO 8601"),
        ("PUT", "", {"frozen_at": True}, "True is no point in time; accepted are seconds since the epoch, ISO 8601"),
        ("PUT", "", {"frozen_at": "2024-01-15 10:30"}, "the time '2024-01-15 10:30:00' has no time zone, so it"),
        ("PUT", "", {"frozen_at": -1}, "the time -1 is out of range; accepted are the years 1970 to 9999"),
        ("PUT", "", {"at": 59}, "Unknown field 'at'; accepted: frozen_at"),
        ("POST", "/tick", {"seconds": -1}, "cannot tick by -1; accepted are zero or more seconds, and to go back, set"),
        (
            "POST",
            "/tick",
            {"seconds": "30"},
            "cannot tick by '30'; accepted are zero or more seconds, and to go back, set",
        ),
        (
            "POST",
            "/tick",
            {"seconds": True},
            "cannot tick by True; accepted are zero or more seconds, and to go back, set",
        ),
        ("POST", "/tick", {"seconds": 1e308}, "the clock cannot move past the year 9999"),
    ],
)
def test_what_is_no_time_does_not_move_the_clock(
    client: Client, method: str, path: str, body: dict[str, Any], message: str
) -> None:
    """The clock stands where it stood."""
    response = client.open(f"/api/v1/clock{path}", method=method, json=body)
    assert response.status_code == 400
    assert response.json["error"].startswith(message)
    assert client.get("/api/v1/clock").json["time"] == 1705314600.0


# Error Codes


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b" ", "The body is not JSON: Expecting value: line 1 column 2 (char 1)"),
        (b"{", "The body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"{} {}", "The body is not JSON: Extra data: line 1 column 4 (char 3)"),
        (b"[]", "The body is not a JSON object"),
        (b'"text"', "The body is not a JSON object"),
        (b"null", "The body is not a JSON object"),
        (b'{"name": "\xff"}', "The body is not UTF-8"),
        (b'{"name": "\\ud800"}', "The body has half a surrogate pair, which is no character"),
        (b'{"digits": NaN}', "The body is not JSON: NaN is no number"),
        (b'{"digits": Infinity}', "The body is not JSON: Infinity is no number"),
        (b'{"name": "a", "name": "b"}', "The body is not JSON: a name is given twice"),
        (b"[" * 200_000, "The body is nested too deep"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    client: Client, authenticator: Authenticator, body: bytes, message: str
) -> None:
    """RFC 8259 to the letter: what Python's parser reads beyond it is refused too."""
    response = client.post("/api/v1/tokens", data=body, content_type="application/json")
    assert response.status_code == 400
    assert response.json == {"success": False, "error": message}
    assert authenticator.tokens == []


WITH_BODY = [
    ("POST", "/api/v1/tokens"),
    ("POST", "/api/v1/codes"),
    ("PUT", "/api/v1/clock"),
    ("POST", "/api/v1/clock/tick"),
    ("POST", "{token}/one-time-code"),
    ("POST", "{token}/verify"),
    ("POST", "{token}/explain"),
]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_another_media_type_is_refused(
    client: Client, path: str, method: str, media_type: str, token: TotpToken
) -> None:
    """A page of another origin can send these without asking; so nothing is stored for them."""
    target = path.format(token=f"/api/v1/tokens/{token.id}")
    response = client.open(target, method=method, data=b'{"name": "a"}', content_type=media_type)
    assert response.status_code == 415
    given = f"is '{media_type}'" if media_type else "has no media type"
    assert response.json == {"success": False, "error": f"The body {given}; accepted is application/json"}


def test_a_media_type_may_have_parameters(client: Client) -> None:
    """Many clients send the charset."""
    response = client.post("/api/v1/codes", data=b'{"secret": "AA"}', content_type="Application/JSON; charset=utf-8")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/api/v1/health", "GET, HEAD"),
        ("/api/v1/tokens", "DELETE, GET, HEAD, POST"),
        ("{token}", "DELETE, GET, HEAD"),
        ("{token}/code", "GET, HEAD"),
        ("{token}/qr", "GET, HEAD"),
        ("{token}/one-time-code", "POST"),
        ("{token}/verify", "POST"),
        ("{token}/explain", "POST"),
        ("/api/v1/codes", "GET, HEAD, POST"),
        ("/api/v1/clock", "DELETE, GET, HEAD, PUT"),
        ("/api/v1/clock/tick", "POST"),
        ("/api/v1/openapi.json", "GET, HEAD"),
        ("/api/v1/openapi.yaml", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/openapi.yaml", "GET, HEAD"),
    ],
)
def test_another_method_is_refused_with_those_that_are_allowed(
    client: Client, token: TotpToken, path: str, allow: str
) -> None:
    """In the `Allow` header and in the sentence, also for OPTIONS: other origins are given no leave."""
    target = path.format(token=f"/api/v1/tokens/{token.id}")
    for method in ("PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        response = client.open(target, method=method)
        assert (response.status_code, response.headers["Allow"]) == (405, allow)
        assert response.json == {"success": False, "error": f"Method not allowed; accepted: {allow}"}


def test_a_chunked_body_is_refused(client: Client, authenticator: Authenticator) -> None:
    """Its length is not known beforehand."""
    response = client.post(
        "/api/v1/tokens",
        input_stream=io.BytesIO(b"2\r\n{}\r\n0\r\n\r\n"),
        headers={"Transfer-Encoding": "chunked"},
        content_type="application/json",
    )
    assert response.status_code == 411
    assert response.json == {
        "success": False,
        "error": "Transfer-Encoding is not accepted; send a Content-Length",
    }
    assert authenticator.tokens == []


def test_a_body_of_more_than_a_mebibyte_is_refused(client: Client, authenticator: Authenticator) -> None:
    """One byte less is read, and refused for what it says."""
    body = b'{"name": "' + b"a" * (1024 * 1024 - 12) + b'"}'
    assert len(body) == 1024 * 1024
    assert client.post("/api/v1/tokens", data=body, content_type="application/json").status_code == 400
    response = client.post("/api/v1/tokens", data=body + b" ", content_type="application/json")
    assert response.status_code == 413
    assert response.json == {"success": False, "error": "The body is too large; accepted are 1048576 bytes"}
    assert authenticator.tokens == []


def test_a_foreign_host_is_refused(client: Client) -> None:
    """A page whose name resolves to this machine (DNS rebinding) reads no secrets."""
    response = client.get("/api/v1/tokens", headers={"Host": "attacker.example:8045"})
    assert response.status_code == 400
    assert response.json == {
        "success": False,
        "error": "Host 'attacker.example:8045' is not served here; accepted: localhost, 127.0.0.1, [::1]",
    }


def test_a_server_with_a_key_wants_it_for_everything(authenticator: Authenticator) -> None:
    """Also for its contract and for paths that do not exist."""
    client = Client(totphog_app(authenticator, Gate(api_key="let me in")))
    for path in ("/api/v1/health", "/api/v1/tokens", "/openapi.json", "/nothing"):
        response = client.get(path)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert response.json == {"success": False, "error": "Send the API key as 'Authorization: Bearer …'"}
    assert client.get("/api/v1/health", headers={"Authorization": "Bearer let me in"}).status_code == 200


def test_our_own_mistake_is_a_500_without_details(
    client: Client, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback goes to the server's error stream, the client gets a sentence."""
    broken = Client(client.application)
    monkeypatch.setattr(authenticator, "clear", lambda: 1 / 0)
    errors = io.StringIO()
    response = broken.delete("/api/v1/tokens", errors_stream=errors)
    assert response.status_code == 500
    assert response.json == {"success": False, "error": "Internal server error"}
    assert errors.getvalue().endswith("ZeroDivisionError: division by zero\n")


# The app


def test_every_app_has_an_authenticator_of_its_own() -> None:
    """There is no global state."""
    first, second = Client(create_app()), Client(create_app())
    assert first.post("/api/v1/tokens", json={"uri": URI}).status_code == 201
    assert first.get("/api/v1/tokens").json["count"] == 1
    assert second.get("/api/v1/tokens").json["count"] == 0
