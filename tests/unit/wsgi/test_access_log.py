"""A line for every request."""

from werkzeug.wrappers import Response

from pytest_totphog.wsgi.access_log import AccessLog
from tests.support.client import Client


def test_method_path_and_status() -> None:
    """Before the answer, and without the query."""
    lines: list[str] = []
    client = Client(AccessLog(Response("there", status=202), lines.append))
    assert client.post("/tokens", query_string={"token": "c8eeaabf"}).text == "there"
    assert lines == ["POST '/tokens' 202"]


def test_unprintable_path() -> None:
    """It cannot write a line of its own, nor colour the terminal."""
    lines: list[str] = []
    Client(AccessLog(Response(), lines.append)).get("/%0AGET%20/secret%1b[31m%C3%A4%FF")
    assert lines == ["GET '/\\nGET /secret\\x1b[31m\\xe4\\ufffd' 200"]
