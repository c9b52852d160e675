"""What the tests of the WSGI kit share: a small app, a server that runs it, and a client of bytes."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from werkzeug.wrappers import Request, Response

from pytest_totphog.wsgi.bodies import json_response
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.routes import App, Route
from pytest_totphog.wsgi.server import Server
from tests.support.raw_http import RawClient


def show(request: Request) -> Response:
    """Answer with what the app sees of a request, its body read."""
    environ = {
        name: value
        for name, value in request.environ.items()
        if isinstance(value, str) and not name.startswith(("REMOTE_", "SERVER_P"))
    }
    return json_response({**environ, "body": request.get_data(as_text=True)})


def ignore(_: Request) -> Response:
    """Answer without having read the body."""
    return Response("ignored")


def error_body(error: HttpError) -> Response:
    """Return the sentence of an error."""
    return Response(error.message)


@pytest.fixture
def app() -> App:
    """An app with a route that reads the body and one that leaves it."""
    routes = [Route("GET", "/show", show), Route("POST", "/show", show), Route("POST", "/ignore", ignore)]
    return App(routes, error_body, Gate())


@pytest.fixture
def access_log() -> list[str]:
    """The lines that the server has logged."""
    return []


@pytest.fixture
def server(app: App, access_log: list[str]) -> Iterator[Server]:
    """A server that runs that app."""
    server = Server(app, access_log=access_log.append)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[[], RawClient]]:
    """Open connections to the server."""
    clients: list[RawClient] = []

    def connect() -> RawClient:
        clients.append(RawClient(server.port))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[[], RawClient]) -> RawClient:
    """A connection to the server."""
    return connect()


@dataclass(frozen=True)
class Certificate:
    """A certificate for loopback that is its own authority.

    Attributes:
        path: where it is, for clients that are to trust it.
        context: what a server shows it with.
    """

    path: str
    context: ssl.SSLContext


# What Python 3.13 demands of an authority.
SIGNING = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1 and ::1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    addresses = [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(SIGNING, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Certificate(str(folder / "certificate.pem"), context)
