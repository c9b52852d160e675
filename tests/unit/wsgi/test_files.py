"""Files of packages, and a form with a file: the file comes in, and nothing else."""

import builtins
import importlib
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.files import form_file, package_file

FORM = "multipart/form-data; boundary=frontier"


def posted(**data: Any) -> Request:
    """Return a request with a form."""
    return Request(EnvironBuilder(method="POST", data=data, content_type="multipart/form-data").get_environ())


def sent(body: bytes) -> Request:
    """Return a request with a body as it is."""
    return Request(EnvironBuilder(method="POST", data=body, content_type=FORM).get_environ())


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n--frontier\r\n", bytes(400_000)], ids=["empty", "odd", "large"])
def test_file(content: bytes) -> None:
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


# Files of packages


def test_file_of_a_package_comes_from_the_real_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test with a fake one has put its own `open` and `os` everywhere."""
    for owner, name in (builtins, "open"), (io, "open"), (io, "open_code"), (os, "stat"), (os, "open"):
        monkeypatch.delattr(owner, name)
    content = package_file("pytest_totphog.wsgi", "plain.css")
    monkeypatch.undo()
    assert content == (Path(importlib.import_module("pytest_totphog.wsgi").__path__[0]) / "plain.css").read_bytes()


def test_file_of_a_package_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python imports from those too."""
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_package/__init__.py", "")
        archive.writestr("packed_package/page.html", "<p>")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")
    assert package_file("packed_package", "page.html") == b"<p>"
