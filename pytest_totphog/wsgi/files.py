"""Files in: a form with one file in it, as pages and command lines send them."""

from __future__ import annotations

import io

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

from pytest_totphog.wsgi.errors import HttpError

__all__ = ["form_file"]


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
