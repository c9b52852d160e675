"""Ten thousand hostile requests: each is refused, none is our mistake, nothing is stored, and the server lives."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_totphog import TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of
from tests.support.raw_http import RawClient

BATCHES = 10
REQUESTS_IN_A_BATCH = 1000

SECRET = "JBSWY3DPEHPK3PXP"
MEBIBYTE = 1024 * 1024

# Bodies that are accepted; the token's own paths have an {id} in them.
ACCEPTED: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/tokens"): {
        "name": "a",
        "secret": SECRET,
        "issuer": "b",
        "digits": 6,
        "period": 30,
        "algorithm": "sha1",
    },
    ("POST", "/codes"): {"secret": SECRET, "digits": 6, "period": 30, "algorithm": "sha1", "at": 59},
    ("POST", "/tokens/{id}/one-time-code"): {"min_remaining": 5, "lookahead": 0, "timeout": 1, "holder": "a"},
    ("POST", "/tokens/{id}/verify"): {"code": "123456", "window": 1},
    ("POST", "/tokens/{id}/explain"): {"code": "123456"},
    ("PUT", "/clock"): {"frozen_at": 59},
    ("POST", "/clock/tick"): {"seconds": 1},
}
METHODS = {
    "/health": ["GET"],
    "/tokens": ["GET", "POST", "DELETE"],
    "/tokens/{id}": ["GET", "DELETE"],
    "/tokens/{id}/code": ["GET"],
    "/tokens/{id}/qr": ["GET"],
    "/tokens/{id}/one-time-code": ["POST"],
    "/tokens/{id}/verify": ["POST"],
    "/tokens/{id}/explain": ["POST"],
    "/codes": ["GET", "POST"],
    "/clock": ["GET", "PUT", "DELETE"],
    "/clock/tick": ["POST"],
    "/openapi.json": ["GET"],
}

OTHER_TYPES: list[Any] = [True, False, [], [1], {}, {"a": 1}]
NUMBERS = [-1, -(10**30), 10**30, 10**400, 1.5, -0.5, 1e308, 6.0, 30.0]
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "a\nb",
    "\x7f",
    "6",
    "1e3",
    "٦",
    "true",
    "null",
    "../../etc/passwd",
    "' OR 1=1 --",
    "a" * 5000,
]
NO_STRING = [*OTHER_TYPES, *NUMBERS]
NO_NUMBER = [*OTHER_TYPES, *TEXTS, -1, -0.5, -(10**30)]
NO_INTEGER = [*OTHER_TYPES, *TEXTS, *NUMBERS]
NO_NAME = [*NO_STRING, "", " ", "\0", "a\nb", "\x7f", "a" * 5000]

# For each field of those bodies, values that are never accepted.
REFUSED: dict[str, list[Any]] = {
    "name": NO_NAME,
    "issuer": [*NO_STRING, " ", "\0", "a\nb", "a" * 5000],
    "secret": [*NO_STRING, "", "====", "1", "A", "ABC", "JBSWY3DPEHPK3PX1", "Å" * 16, "\0", SECRET * 500],
    "digits": [*NO_INTEGER, 0, 5, 9],
    "period": [*NO_INTEGER, 0, 86_401],
    "algorithm": [*NO_STRING, *TEXTS, "md5", "sha3", "sha1sha1"],
    "at": [*OTHER_TYPES, "", "now", "2024-01-15T10:30:00", "2024-13-01T00:00:00Z", -1, 10**30, 10**400, 1e308],
    "min_remaining": [*NO_NUMBER, 31, 86_401, 1e308, 10**400],
    "lookahead": [*NO_INTEGER, 1001],
    "timeout": [*NO_NUMBER, 86_401, 1e308, 10**400],
    "holder": [*NO_STRING, "", "\0", "a\nb", "a" * 501],
    "code": NO_STRING,
    "window": [*NO_INTEGER, 1001],
    "frozen_at": [*OTHER_TYPES, "", "now", "2024-01-15T10:30:00", "9999-12-31T23:59:59-01:00", -1, 10**400, 1e308],
    "seconds": [*NO_NUMBER, 1e308, 10**400],
}

HOSTS = [
    "attacker.example",
    "127.0.0.1.attacker.example",
    "localhost@attacker.example",
    "127.0.0.1, localhost",
    "127.0.0.1:a",
    "2130706433",
    "localhost/",
    "[::2]",
    "[::1",
    "a b",
    "",
    "\xff",
    "a" * 1000,
]
MEDIA_TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=a",
    "application/xml",
    "application/json5",
    "text/plain; application/json",
    "application",
    "json",
    "",
    "/",
    ";",
    '"',
    "a" * 1000,
]
LENGTHS = [
    "-1",
    "+5",
    "abc",
    "1e3",
    "0x10",
    "1_0",
    "1.0",
    "5, 5",
    "5 5",
    "10000000",
    "9" * 30,
    "9" * 5000,
    "",
    "\u0665",
    "\xb2",
]
HEADERS = [
    ("", "a"),
    ("A ", "b"),
    ("A B", "c"),
    ("A\0", "b"),
    ("A", "b\0"),
    ("A", "b\r c"),
    ("A", "b\r\n\tfolded"),
    ("A\r\nB", "c"),
    ("\xc4", "b"),
    ("A", "a" * 70_000),
    ("A", "\r\nA: ".join("b" * 200)),
    ("content-length", "5"),
    ("host", "attacker.example"),
]
# What is made of a path that is served, and others.
PATHS = [
    "{}/",
    "{}//",
    "/{}",
    "/.{}",
    "/..{}",
    "/%2e%2e{}",
    "{}/.",
    "{}%2f..",
    "{}%00",
    "{}%0d%0aSet-Cookie:%20a=b",
    "{}%20",
    "{}%ff",
    "{}%",
    "{};a=b",
    "{}\\",
    "ftp://127.0.0.1{}",
    "//127.0.0.1{}",
    "*",
    "api/v1/tokens",
    "/API/V1/TOKENS",
    "/api//v1/tokens",
    "/api/v1/./tokens",
    "/api/v1/../v1/tokens",
    "/api/v1\\tokens",
    "/api/v1/tokens/{id}0/code",
    "/api/v1/tokens/%F0%9F%90%97/code",
    "/api/v1/tokens/" + "a" * 60_000,
    "/api/v1/tokens/" + "a/" * 10_000,
    "/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/etc/passwd",
]


@dataclass
class Request:
    """What is sent."""

    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def __bytes__(self) -> bytes:
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json", **self.headers}
        if "Transfer-Encoding" not in headers and (self.body or self.method in {"POST", "PUT"}):
            headers.setdefault("Content-Length", str(len(self.body)))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("utf-8") + self.body


class Attacker:
    """Makes up hostile requests, the same ones for the same seed.

    Args:
        seed: which ones.
        id: the id of a token that exists.
    """

    def __init__(self, seed: int, id: str) -> None:
        self._random = random.Random(seed)
        self._id = id

    def requests(self, count: int) -> Iterator[Request]:
        """Yield requests of all kinds, mixed."""
        kinds: list[tuple[int, Callable[[], Request]]] = [
            (25, self.wrong_value),
            (5, self.unknown_field),
            (20, self.malformed_json),
            (10, self.wrong_path),
            (10, self.wrong_method),
            (8, self.wrong_query),
            (6, self.wrong_host),
            (5, self.wrong_media_type),
            (5, self.wrong_length),
            (2, self.wrong_encoding),
            (2, self.huge_body),
            (2, self.wrong_header),
        ]
        weights, makers = zip(*kinds, strict=True)
        for make in self._random.choices(makers, weights, k=count):
            yield make()

    def wrong_value(self) -> Request:
        """A body with one field of a wrong type or out of bounds."""
        method, path, body = self._accepted()
        name = self._random.choice(list(body))
        return self._json(method, path, {**body, name: self._random.choice(REFUSED[name])})

    def unknown_field(self) -> Request:
        """A body with a field too many."""
        method, path, body = self._accepted()
        name = self._random.choice(
            ["id", "created_at", "__proto__", "__class__", "self", "", "\0", "\ud800", "a" * 5000]
        )
        return self._json(method, path, {**body, name: 1})

    def malformed_json(self) -> Request:
        """A body that is no JSON object."""
        method, path, accepted = self._accepted()
        good = json.dumps(accepted).encode()
        spoil: Callable[[], bytes] = self._random.choice(
            [
                lambda: good[: self._random.randrange(1, len(good))],
                lambda: good + self._random.choice([b"x", b"{}", b",", b"\0", b"]"]),
                lambda: b"[" * self._random.choice([1, 1000, 100_000]),
                lambda: b'{"a":' * self._random.choice([1, 1000, 100_000]),
                lambda: b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
                lambda: good.replace(b"{", b"{" + good[1:-1] + b",", 1),
                lambda: good.replace(b'"', b"'"),
                lambda: good[:-1] + b', "name": "\\ud800"}',
                lambda: good[:-1] + b', "\\udfff": 1}',
                lambda: good[:-1] + self._random.choice([b": NaN}", b', "digits": NaN}', b', "at": -Infinity}']),
                lambda: good[:-1] + b', "digits": 1e999}',
                lambda: good[:-1] + b', "period": ' + b"9" * 5000 + b"}",
                lambda: self._random.choice(
                    [b"null", b"true", b"0", b'"a"', b"[]", b"[{}]", b"NaN", b" ", b"\0", b"\xff\xfe"]
                ),
                lambda: json.dumps(accepted).encode(self._random.choice(["utf-16", "utf-32", "utf-8-sig"])),
                lambda: self._random.randbytes(self._random.randrange(1, 200)),
                lambda: good[:-1] + b', "name": "\xed\xa0\x80"}',
            ]
        )
        return Request(method, path, spoil())

    def wrong_path(self) -> Request:
        """A path that is nearly one that is served."""
        path = self._path(self._random.choice(list(METHODS)))
        trick = self._random.choice(PATHS).format(path, id=self._id)
        return Request(self._random.choice(["GET", "DELETE", "POST", "PUT"]), trick)

    def wrong_method(self) -> Request:
        """A method that a path does not have."""
        path, methods = self._random.choice(list(METHODS.items()))
        wrong = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "PROPFIND"}
        wrong -= {*methods, "HEAD"}
        return Request(self._random.choice([*sorted(wrong), "get", "G3T", "GET\0"]), self._path(path))

    def wrong_query(self) -> Request:
        """A time or a number of seconds that is none."""
        value = self._random.choice(
            ["", "now", "nan", "-inf", "-1", "1e308", "%00", "%ff", "9" * 400, "9" * 5000, "true", "[1]"]
        )
        name = self._random.choice(["at", "min_remaining"])
        return Request("GET", f"{self._path('/tokens/{id}/code')}?{name}={value}")

    def wrong_host(self) -> Request:
        """A name that is not this server's."""
        host = self._random.choice(HOSTS)
        method, path, body = self._accepted()
        return self._json(method, path, body, Host=host)

    def wrong_media_type(self) -> Request:
        """A body that is said to be something else."""
        media_type = self._random.choice(MEDIA_TYPES)
        method, path, body = self._accepted()
        return self._json(method, path, body, **{"Content-Type": media_type})

    def wrong_length(self) -> Request:
        """A length that is none."""
        method, path, body = self._accepted()
        length = self._random.choice(LENGTHS)
        return self._json(method, path, body, **{"Content-Length": length})

    def wrong_encoding(self) -> Request:
        """A body that comes in chunks, or says so."""
        method, path, _ = self._accepted()
        encoding = self._random.choice(["chunked", "gzip, chunked", "identity", "\tchunked", "CHUNKED", "a"])
        body = self._random.choice([b"2\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"-1\r\n", b"", b"2\r\n{}"])
        return Request(method, path, body, {"Transfer-Encoding": encoding})

    def huge_body(self) -> Request:
        """A body of more than a mebibyte, sent in full."""
        method, path, _ = self._accepted()
        return Request(method, path, b'{"name": "' + b"a" * MEBIBYTE + b'"}')

    def wrong_header(self) -> Request:
        """A header that is none, or too many of them."""
        method, path, body = self._accepted()
        name, value = self._random.choice(HEADERS)
        return self._json(method, path, body, **{name: value})

    def _accepted(self) -> tuple[str, str, dict[str, Any]]:
        (method, path), body = self._random.choice(list(ACCEPTED.items()))
        return method, self._path(path), body

    def _path(self, path: str) -> str:
        return "/api/v1" + path.format(id=self._id)

    def _json(self, method: str, path: str, body: dict[str, Any], **headers: str) -> Request:
        return Request(method, path, json.dumps(body).encode(), headers)


@pytest.mark.parametrize("seed", range(BATCHES))
def test_hostile_requests_are_refused(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    """On one connection as long as the server keeps it, else on the next."""
    assert BATCHES * REQUESTS_IN_A_BATCH == 10_000
    with TotpServer() as server:
        server.clock.freeze("2024-01-15T10:30:00Z")
        token = server.add_token(name="GitHub", secret=SECRET)
        accepted = []
        client = RawClient(server.port)
        for request in Attacker(seed, token.id).requests(REQUESTS_IN_A_BATCH):
            client.send(bytes(request))
            response = client.response(of_head=request.method == "HEAD")
            if not 400 <= response.status < 500:
                accepted.append((response.status, request))
            if response.headers.get("connection") == "close":
                client.close()
                client = RawClient(server.port)
        assert accepted == []
        client.send(b"GET /api/v1/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = json.loads(client.response().body)
        client.close()
        assert answer == {"success": True, "data": [issuer_of(token).token.as_dict()], "count": 1}
        assert server.clock.now().isoformat() == "2024-01-15T10:30:00+00:00"
        assert token.one_time_code() == "648307", "its first code was spent"
    assert capfd.readouterr() == ("", "")
