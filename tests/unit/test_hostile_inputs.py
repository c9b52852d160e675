"""Whatever a parser is given, nothing comes out of it but its result or one of the project's own errors."""

import importlib
import io
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import segno
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pytest_totphog.apps import APPS, create_app
from pytest_totphog.enrolment.pictures.reader import read_picture
from pytest_totphog.enrolment.sources import accounts_in
from pytest_totphog.errors import TotphogError
from pytest_totphog.wsgi.bodies import form_file
from pytest_totphog.wsgi.errors import HttpError
from tests.support.client import Client
from tests.support.migration import account, field, uri_of

FEW = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))

# Pieces that mean something to one parser or another, and what they are not prepared for.
PIECES = st.lists(
    st.sampled_from([
        "otpauth://totp/", "otpauth-migration://offline?data=", "otpauth%3A%2F%2Ftotp", "hotp", "steam://", "://", "?",
        "secret=", "JBSWY3DPEHPK3PXP", "issuer=", "&", "&amp;", "&#0;", "&#1114112;",
        "\\u0026", "%", "%ff", "%ed%a0%80",
        ":", "=", "digits=", "9" * 5000, "٣", "algorithm=", "encoder=",
        "data:", "image/png", "image/svg+xml", ";base64",
        ",", "<svg", "<svg xmlns='a' width='", ">", "/>", "</svg>", "<!DOCTYPE svg [", "<?xml version='1.0' encoding='",
        "'?>", "utf-7", "idna", "xlink:href='", "<image href='", "<style>", "url(", "@import", "{", "}", "[", "]", '"',
        '"encrypted":', '"items":', '"db":', '"services":', '"entries":', '"kind":"TOTP","secret":', "null", "1e999",
        "folder,favorite,type,name,", "\n", "\r", "\0", "\ud800", "\udfff", "\ufeff", "\u200b", "\u3000", " ", "T", "Z",
        "2024-01-15", "10:30:00", "+99:99", "@", "http://", "[::1", ".png", "/", "..", "a", "\u017f", "\u0130",
    ]),
    max_size=12,
).map("".join)  # fmt: skip
TEXTS = st.one_of(PIECES, st.text(st.characters(), max_size=30))

PARSERS = [
    "credentials.otp.decode_secret",
    "credentials.otp.as_algorithm",
    "credentials.otpauth.parse_uri",
    "credentials.migration.parse_migration_uri",
    "enrolment.exports.accounts_of_export",
    "enrolment.printed.printed_secret",
    "enrolment.printed.refused_secret",
    "enrolment.pictures.data_url.decode_data_url",
    "enrolment.pictures.svg._rewritten",
    "clocks.instants.as_nanoseconds",
    "inputs.as_email",
    "inputs.as_password",
    "errors.shown",
]


@pytest.mark.parametrize("name", PARSERS)
def test_text(name: str) -> None:
    """Of a secret, a URI, an export, a document, a time, an address."""
    module, _, function = name.rpartition(".")
    parser: Callable[[str], object] = getattr(importlib.import_module(f"pytest_totphog.{module}"), function)

    @FEW
    @seed(0)
    @given(TEXTS)
    def no_other_error(text: str) -> None:
        try:
            parser(text)
        except TotphogError as error:
            str(error).encode()

    no_other_error()


@FEW
@seed(0)
@given(st.one_of(TEXTS, TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=60)))
def test_source(source: Any) -> None:
    """Whatever `enroll()` takes, but for SVG, whose process makes it slow."""
    if "<" in str(source):
        return
    try:
        accounts_in(source, "alice")
    except TotphogError as error:
        str(error).encode()


KEYS = ["type", "kind", "name", "issuer", "info", "secret", "algo", "algorithm", "digits", "period", "timer", "login",
        "totp", "username", "otp", "tokenType", "account", "label"]  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.sampled_from(["totp", "TOTP", "6"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=5,
)


@FEW
@seed(0)
@given(
    st.sampled_from(['{{"db":{{"entries":[{}]}}}}', '{{"items":[{}]}}', '{{"services":[{}]}}', "[{}]"]),
    st.one_of(JSON, st.dictionaries(st.sampled_from(KEYS), JSON, min_size=3)),
)
def test_export(frame: str, entry: Any) -> None:
    """Fields of any kind in the place of those that an export has; the tokens are checked where they are made."""
    from pytest_totphog.authenticator.authenticator import Authenticator

    try:
        Authenticator().enroll_all(frame.format(json.dumps(entry)))
    except TotphogError as error:
        str(error).encode()
    except UserWarning:  # what is no TOTP
        pass


@FEW
@seed(0)
@given(st.lists(st.tuples(st.integers(1, 9), st.one_of(st.integers(0, 2**70), st.binary(max_size=20))), max_size=5))
def test_google_export(fields: list[tuple[int, Any]]) -> None:
    """Fields of any kind, within an account and beside it."""
    outer = b"".join(field(number, value) for number, value in fields)
    for payload in (outer, account() + outer, account() + field(1, outer)):
        try:
            accounts_in([uri_of(payload), uri_of(account())], "alice")
        except TotphogError as error:
            str(error).encode()


def pictures() -> list[bytes]:
    """Return small pictures of each format and kind of pixels."""
    out = io.BytesIO()
    segno.make("otpauth://totp/a?secret=JBSWY3DPEHPK3PXP").save(out, kind="png", scale=2)
    code = Image.open(out)
    kinds = [("PNG", "1"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "RGBA"), ("PNG", "I;16"), ("JPEG", "CMYK"),
             ("JPEG", "L"), ("WEBP", "RGBA")]  # fmt: skip
    found = []
    for kind, mode in kinds:
        out = io.BytesIO()
        code.convert("L").convert("I").convert(mode).save(out, kind) if mode == "I;16" else code.convert(mode).save(
            out, kind
        )
        found.append(out.getvalue())
    return found


PICTURES = pictures()


@settings(FEW, max_examples=40)
@seed(0)
@given(st.sampled_from(PICTURES), st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=4))
def test_picture(data: bytes, changes: list[tuple[float, bytes]]) -> None:
    """Bytes anywhere in it are others."""
    for place, other in changes:
        start = int(place * (len(data) - 1))
        data = data[:start] + other + data[start + len(other) :]
    try:
        read_picture(data)
    except TotphogError as error:
        str(error).encode()


@pytest.mark.parametrize("size", [(1, 1), (1, 65_535), (65_535, 1), (2, 3)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_picture_of_a_strange_size(size: tuple[int, int], mode: str) -> None:
    """A sentence, too."""
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG")

    with pytest.raises(TotphogError, match=r"^there is no QR code in the picture of "):
        read_picture(out.getvalue())


PARTS = st.lists(
    st.sampled_from([b"--x\r\n", b"--x--\r\n", b"\r\n", b"\r\n\r\n", b"Content-Disposition: form-data", b"; name*0=a",
                     b'; name="image"',
                     b'; filename="a"', b"; filename*=utf-8''%ff", b"; name", b"\xe4", b"abc", b": ",
                     b"Content-Type: text/plain; charset=none", b"Content-Length: 5", b"\n", b'"']),
    max_size=10,
).map(b"".join)  # fmt: skip


@FEW
@seed(0)
@given(PARTS, st.sampled_from(["x", '"x', "\xe4", "x; charset=none"]))
def test_form(parts: bytes, boundary: str) -> None:
    """Parts that are cut off, have no name, or another's."""
    body = b"--x\r\n" + parts + b"\r\n--x--\r\n"
    media_type = f"multipart/form-data; boundary={boundary}"
    request = Request({**EnvironBuilder(method="POST", data=body).get_environ(), "CONTENT_TYPE": media_type})
    with suppress(HttpError):
        form_file(request, "image")


RAW_PLACES = ["QUERY_STRING", "PATH_INFO", "HTTP_COOKIE", "HTTP_AUTHORIZATION", "CONTENT_TYPE", "HTTP_ORIGIN"]
ARGUMENTS = str.maketrans("", "", "<>")


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(
    "raw", ["\xe4", "\xc3\xa4", "\xff\xfe", "%ff", "\x80=\x80&token=\xe4&to=\xe4&at=\xe4&after=\xe4"]
)
def test_bytes_that_are_no_ascii(name: str, raw: str) -> None:
    """In query, path and headers of every app: a client's mistake, if any, and never ours."""
    app = create_app(name)
    client = Client(app)
    for path in sorted({route.path for route in getattr(app, "routes", ())} or {"/api/v1/codes", "/api/v1/events"}):
        for method, place in itertools.product(("GET", "POST"), RAW_PLACES):
            environ = EnvironBuilder(path=path.translate(ARGUMENTS), method=method).get_environ()
            environ[place] = environ["PATH_INFO"] + raw if place == "PATH_INFO" else f"a={raw}&to={raw}&token={raw}"
            assert int(client.run_wsgi_app(environ)[1][:3]) < 500, (path, method, place)
