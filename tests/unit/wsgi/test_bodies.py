"""Bodies in and out, JSON and forms: what is read, and what is refused."""

import io
import sys
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pytest_totphog.wsgi.bodies import form_file, json_response, read_object
from pytest_totphog.wsgi.errors import HttpError


def request(body: bytes, content_type: str = "application/json") -> Request:
    """Return a request with a body."""
    return EnvironBuilder(method="POST", data=body, content_type=content_type).get_request()


def refused(body: bytes, content_type: str = "application/json", **options: Any) -> HttpError:
    """Return the error for a body that is not accepted."""
    with pytest.raises(HttpError) as failure:
        read_object(request(body, content_type), ("a", "b"), **options)
    return failure.value


def test_an_answer_is_json() -> None:
    """With its media type, and a status of choice."""
    response = json_response({"a": ["ä", None, 1.5]}, 201)
    assert (response.status_code, response.mimetype) == (201, "application/json")
    assert response.json == {"a": ["ä", None, 1.5]}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": 1, "b": [null, true, -1.5e3, {"c": "d"}]}\r\n', {"a": 1, "b": [None, True, -1500.0, {"c": "d"}]}),
        (b'{"a": "\xc3\xa4 \\u00e4 \\ud83d\\udc17"}', {"a": "ä ä 🐗"}),
        (b'{"a": "\\\\ud800"}', {"a": "\\ud800"}),
    ],
)
def test_an_object_is_read(body: bytes, value: object) -> None:
    """As RFC 8259 has it."""
    assert read_object(request(body), ("a", "b")) == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b" ", "The body is not JSON: Expecting value: line 1 column 2 (char 1)"),
        (b"{'a': 1}", "The body is not JSON: Expecting property name enclosed in double quotes: "),
        (b'{"a": 1,}', "The body is not JSON: "),
        (b'{"a": 1} b', "The body is not JSON: Extra data: "),
        (b'{"a": 01}', "The body is not JSON: "),
        (b'{"a": "\n"}', "The body is not JSON: Invalid control character at: "),
        (b'{"a": NaN}', "The body is not JSON: NaN is no number"),
        (b'{"a": -Infinity}', "The body is not JSON: -Infinity is no number"),
        (b'{"a": {"c": 1, "c": 1}}', "The body is not JSON: a name is given twice"),
        (b'\xef\xbb\xbf{"a": 1}', "The body is not JSON: Unexpected UTF-8 BOM"),
        (b'{"a": "\xe4"}', "The body is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "The body is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "The body is not UTF-8"),
        (b'{"a": ["\\ud800"]}', "The body has half a surrogate pair, which is no character"),
        (b'{"\\uDC17\\uD83D": 1}', "The body has half a surrogate pair, which is no character"),
        (b"[]", "The body is not a JSON object"),
        (b"1", "The body is not a JSON object"),
        (b'{"c": 1}', "Unknown field 'c'; accepted: a, b"),
        (b'{"A": 1, "a": 1}', "Unknown field 'A'; accepted: a, b"),
        (b'{"\\u00e4\\u0000": 1}', "Unknown field '\\xe4\\x00'; accepted: a, b"),
        (b'{"' + b"c" * 1000 + b'": 1}', "Unknown field '" + "c" * 50 + "'; accepted: a, b"),
    ],
)
def test_what_is_no_object_is_refused(body: bytes, message: str) -> None:
    """With a sentence that says why."""
    error = refused(body)
    assert error.status == 400
    assert error.message.startswith(message)


@pytest.mark.parametrize("body", [b"[" * 500_000, b'{"a":' * 100_000, b"[" * 500_000 + b"]" * 500_000])
def test_deep_nesting_is_refused(body: bytes) -> None:
    """And not an end of the stack."""
    error = refused(body)
    assert (error.status, error.message) == (400, "The body is nested too deep")


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="this Python reads integers of any length")
def test_a_huge_integer_is_refused() -> None:
    """Reading it takes quadratic time (CVE-2020-10735)."""
    error = refused(b'{"a": ' + b"9" * 500_000 + b"}")
    assert (error.status, error.message) == (400, "The body has a number of too many digits")


@pytest.mark.parametrize(
    ("content_type", "given"),
    [
        ("text/plain", "is 'text/plain'"),
        ("", "has no media type"),
        ("application/json-patch+json", "is 'application/json-patch+json'"),
        ("text/\xe4", "is 'text/\\xe4'"),
        ("a" * 1000, "is '" + "a" * 50 + "'"),
    ],
)
def test_another_media_type_is_refused(content_type: str, given: str) -> None:
    """Though what is in it may be JSON."""
    error = refused(b"{}", content_type)
    assert (error.status, error.message) == (415, f"The body {given}; accepted is application/json")


@pytest.mark.parametrize("content_type", ["application/json", "APPLICATION/JSON", "application/json; charset=latin-1"])
def test_json_is_utf_8_whatever_the_parameters_say(content_type: str) -> None:
    """The media type has none (RFC 8259 section 11)."""
    assert read_object(request(b'{"a": "\xc3\xa4"}', content_type), ("a",)) == {"a": "ä"}


def test_no_body_stands_for_an_empty_object() -> None:
    """Of whatever media type."""
    assert read_object(request(b"", ""), ("a",)) == {}
    assert read_object(request(b"", "text/plain"), ("a",)) == {}


def test_a_null_stands_for_an_absent_field() -> None:
    """It means the field's default."""
    assert read_object(request(b'{"a": null, "b": 0}'), ("a", "b")) == {"b": 0}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"a": null}', b'{"a": ""}', b'{"c": 1}', b'{"b": 1, "a": null, "c": 1}']
)
def test_a_missing_field_is_the_first_thing_to_say(body: bytes) -> None:
    """Before an unknown one, and before another of the wrong type: it is the sentence that the API's document has."""
    error = refused(body, texts=("b", "a"), missing="b and a are required")
    assert (error.status, error.message) == (400, "b and a are required")


def test_a_required_field_is_a_text() -> None:
    """Whose mistakes come after the missing and the unknown ones."""
    assert refused(b'{"a": 1}', texts=("a",), missing="-").message == "a is of type int; accepted is a string"
    assert refused(b'{"a": 1, "c": 1}', texts=("a",), missing="-").message == "Unknown field 'c'; accepted: a, b"


# Forms with a file


FORM = "multipart/form-data; boundary=frontier"


def posted(**data: Any) -> Request:
    """Return a request with a form."""
    return Request(EnvironBuilder(method="POST", data=data, content_type="multipart/form-data").get_environ())


def sent(body: bytes) -> Request:
    """Return a request with a body as it is."""
    return Request(EnvironBuilder(method="POST", data=body, content_type=FORM).get_environ())


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n--frontier\r\n", bytes(400_000)], ids=["empty", "odd", "large"])
def test_a_file(content: bytes) -> None:
    """Byte by byte."""
    assert form_file(posted(image=(io.BytesIO(content), "code.png")), "image") == content


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (posted(), "The form must have one file, named image; a file has a filename"),
        (sent(b"hello"), "The body is not a form: multipart/form-data by RFC 7578"),
        (sent(b"--frontier\r\n"), "The body is not a form: multipart/form-data by RFC 7578"),
        (sent(b"--frontier--\r\n"), "The form must have one file, named image; a file has a filename"),
        (posted(image="text"), "The form must have one file, named image; a file has a filename"),
        (
            posted(image=[(io.BytesIO(b"a"), "a.png"), (io.BytesIO(b"b"), "b.png")]),
            "The form must have one file, named image; a file has a filename",
        ),
        (posted(picture=(io.BytesIO(b"a"), "a.png")), "Unknown part 'picture'; accepted: image"),
        (posted(image=(io.BytesIO(b"a"), "a.png"), name="alice"), "Unknown part 'name'; accepted: image"),
    ],
    ids=["nothing", "no form", "cut short", "no part", "text", "two", "other", "more"],
)
def test_refused_form(request_: Request, message: str) -> None:
    """The sentence says what is wrong with it."""
    with pytest.raises(HttpError) as caught:
        form_file(request_, "image")

    assert caught.value.status == 400
    assert caught.value.message.startswith(message)


def test_form_without_a_boundary() -> None:
    """Clients forget it that set the media type by hand."""
    request = sent(b"--frontier--")
    request.environ["CONTENT_TYPE"] = "multipart/form-data"

    with pytest.raises(HttpError, match=r"^The body's media type has no boundary; accepted is multipart/form-data; "):
        form_file(request, "image")
