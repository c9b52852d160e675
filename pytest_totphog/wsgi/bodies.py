"""Bodies in and out, JSON and forms: strict about what is read, so that nothing is stored that cannot be served."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request, Response

from pytest_totphog.wsgi.errors import HttpError

__all__ = ["checked_fields", "form_file", "json_response", "read_object"]


def json_response(value: Any, status: int = 200) -> Response:
    """Return a response with a JSON body."""
    return Response(json.dumps(value), status=status, mimetype="application/json")


def read_object(
    request: Request, accepted: Collection[str] | None, texts: Collection[str] = (), missing: str = ""
) -> dict[str, Any]:
    """Return the JSON object in a request's body; no body at all stands for `{}`, and a null for an absent field.

    Args:
        request: the request.
        accepted: the names that the object may have; None where `checked_fields` is called later.
        texts: those that it must have, each a text of one character or more.
        missing: the error's sentence when one of them is not there, null or empty; it comes before all others.

    Raises:
        HttpError: 415 for another media type; 400 for text that is no JSON by RFC 8259 (also NaN, a name given
            twice, half a surrogate pair, nesting too deep), for anything but an object, and for fields that are
            missing, unknown or no texts.
    """
    body = request.get_data(cache=False)
    if body and request.mimetype != "application/json":
        given = f"is {request.mimetype[:50]!a}" if request.mimetype else "has no media type"
        raise HttpError(415, f"The body {given}; accepted is application/json")
    fields = _parse(body) if body else {}
    if not isinstance(fields, dict):
        raise HttpError(400, "The body is not a JSON object")
    return fields if accepted is None else checked_fields(fields, accepted, texts, missing)


def checked_fields(
    fields: Mapping[str, Any], accepted: Collection[str], texts: Collection[str] = (), missing: str = "", of: str = ""
) -> dict[str, Any]:
    """Return an object's fields that are not null, if it has those that it must have, and no unknown ones.

    Args:
        fields: the object.
        accepted: see `read_object`.
        texts: see `read_object`.
        missing: see `read_object`.
        of: what the object is, where it is not the whole body, such as `" of a TOTP"`.

    Raises:
        HttpError: 400.
    """
    if any(fields.get(name) in (None, "") for name in texts):
        raise HttpError(400, missing)
    if unknown := sorted(fields.keys() - set(accepted)):
        raise HttpError(400, f"Unknown field {unknown[0][:50]!a}{of}; accepted: {', '.join(accepted) or 'none'}")
    for name in texts:
        if not isinstance(fields[name], str):
            raise HttpError(400, f"{name} is of type {type(fields[name]).__name__}; accepted is a string")
    return {name: value for name, value in fields.items() if value is not None}


def form_file(request: Request, name: str) -> bytes:
    """Return the file in a request whose media type is `multipart/form-data`.

    Args:
        request: the request.
        name: the name that the file's part must have; no other part is accepted.

    Raises:
        HttpError: 400 for a body that is no such form, for another part, and for several files.
    """
    if not request.mimetype_params.get("boundary"):
        raise HttpError(400, "The body's media type has no boundary; accepted is multipart/form-data; boundary=…")
    # In memory, where the gate's limit on bodies has room for it.
    parser = FormDataParser(stream_factory=lambda *_, **__: io.BytesIO(), silent=False)
    try:
        _, fields, files = parser.parse_from_environ(request.environ)
    except (HTTPException, ValueError):
        raise HttpError(400, "The body is not a form: multipart/form-data by RFC 7578") from None
    given = [*files.keys(), *fields.keys()]
    if None in given:
        raise HttpError(400, f"A part of the form has no name; accepted: {name}")
    if unknown := sorted(each for each in given if each != name):
        raise HttpError(400, f"Unknown part {unknown[0][:50]!a}; accepted: {name}")
    if len(files.getlist(name)) != 1 or name in fields:
        raise HttpError(400, f"The form must have one file, named {name}; a file has a filename")
    content: bytes = files[name].read()
    return content


def _parse(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # fails for half a surrogate pair
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8") from None
    except UnicodeEncodeError:
        raise HttpError(400, "The body has half a surrogate pair, which is no character") from None
    except RecursionError:
        raise HttpError(400, "The body is nested too deep") from None
    except json.JSONDecodeError as error:
        raise HttpError(400, f"The body is not JSON: {error}") from None
    except ValueError:  # Python reads integers of up to 4,300 digits (CVE-2020-10735)
        raise HttpError(400, "The body has a number of too many digits") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise HttpError(400, f"The body is not JSON: {name} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise HttpError(400, "The body is not JSON: a name is given twice")
    return value
