"""The TOTPHog API below /namespaces/NAME: what clients of one server see of each other."""

import gc
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Map

from pytest_totphog.api.namespaces import NamespacedApp, create_app
from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.namespaces import Namespace, Namespaces
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.wsgi.gate import Gate
from tests.support.client import Client

SECRET = "JBSWY3DPEHPK3PXP"
ALICE = {"name": "alice", "secret": SECRET}


@pytest.fixture
def client() -> Client:
    """A client of a server in memory."""
    return Client(create_app())


def data(client: Client, method: str, path: str, **body: Any) -> Any:
    """Return the `data` of an answer."""
    response = client.open(f"/{path}", method=method, json=body or None)
    assert response.status_code in {200, 201}, response.text
    return response.json["data"]


def test_api_is_there_in_every_namespace(client: Client) -> None:
    """As it is without one, with nothing to set up."""
    for prefix in ("", "/namespaces/mine", "/namespaces/Other-7.gw0_1"):
        assert client.get(f"{prefix}/api/v1/health").json["status"] == "ok"
        assert client.get(f"{prefix}/api/v1/tokens").json == {"success": True, "data": [], "count": 0}
        assert client.get(f"{prefix}/openapi.json").json["openapi"].startswith("3.")


def test_tokens_are_seen_in_their_own_namespace_only(client: Client) -> None:
    """Not in a list, not among the codes, and not by their id."""
    token = data(client, "POST", "namespaces/mine/api/v1/tokens", **ALICE)

    assert data(client, "GET", "namespaces/mine/api/v1/tokens") == [token]
    for elsewhere in ("namespaces/other/api/v1", "api/v1"):
        assert data(client, "GET", f"{elsewhere}/tokens") == []
        assert data(client, "GET", f"{elsewhere}/codes") == []
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/code"), ("GET", "/qr"), ("POST", "/one-time-code")):
            response = client.open(f"/{elsewhere}/tokens/{token['id']}{path}", method=method)
            assert (response.status_code, response.json) == (404, {"success": False, "error": "Token not found"})


def test_deleting_all_tokens_deletes_ones_own(client: Client) -> None:
    """A test run that cleans up leaves the others alone."""
    for prefix in ("namespaces/mine/", "namespaces/other/", ""):
        data(client, "POST", f"{prefix}api/v1/tokens", **ALICE)

    assert client.delete("/namespaces/mine/api/v1/tokens").json["deleted_count"] == 1
    assert client.delete("/api/v1/tokens").json["deleted_count"] == 1
    assert len(data(client, "GET", "namespaces/other/api/v1/tokens")) == 1


def test_one_time_codes_of_one_secret_are_shared(client: Client) -> None:
    """No two namespaces are given the same step."""
    steps = []
    for prefix in ("namespaces/mine/", "namespaces/other/", ""):
        client.put(f"/{prefix}api/v1/clock", json={"frozen_at": "2024-01-15T10:30:00Z"})
        token = data(client, "POST", f"{prefix}api/v1/tokens", **ALICE)
        steps.append(data(client, "POST", f"{prefix}api/v1/tokens/{token['id']}/one-time-code")["step"])

    assert steps == [56_843_820, 56_843_821, 56_843_822]


def test_explanation_tells_who_has_the_code(client: Client) -> None:
    """Also when the other one is in another namespace."""
    for prefix in ("namespaces/mine/", "namespaces/other/"):
        client.put(f"/{prefix}api/v1/clock", json={"frozen_at": "2024-01-15T10:30:00Z"})
    mine = data(client, "POST", "namespaces/mine/api/v1/tokens", **ALICE)
    other = data(client, "POST", "namespaces/other/api/v1/tokens", **ALICE)
    data(client, "POST", f"namespaces/mine/api/v1/tokens/{mine['id']}/one-time-code", holder="job 7 test_login")

    explained = data(client, "POST", f"namespaces/other/api/v1/tokens/{other['id']}/explain", code="648307")

    assert explained["explanation"].endswith("handed out just now to job 7 test_login")


def test_clock_is_the_namespaces_own(client: Client) -> None:
    """Whoever freezes it keeps nobody else from waiting for the next step."""
    client.put("/namespaces/mine/api/v1/clock", json={"frozen_at": "2024-01-15T10:30:00Z"})

    assert client.get("/namespaces/mine/api/v1/clock").json["now"] == "2024-01-15T10:30:00+00:00"
    assert client.get("/namespaces/other/api/v1/clock").json["mode"] == "live"
    assert client.get("/api/v1/clock").json["mode"] == "live"


# Names and paths


@pytest.mark.parametrize("name", ["%20", ".", "-mine", "j%C3%B6b", "a" * 101, "%00"])
def test_other_names_are_refused(name: str) -> None:
    """The sentence says what is accepted, and the server keeps nothing of it."""
    store = MemoryStore()
    response = Client(create_app(store=store)).get(f"/namespaces/{name}/api/v1/tokens")

    assert response.status_code == 400
    assert response.json["success"] is False
    assert "; accepted are 1 to 100 letters, digits, dots, dashes and underscores" in response.json["error"]
    assert store.repository(Namespace).find() == []


@pytest.mark.parametrize(
    "path",
    ["/namespaces", "/namespaces/mine", "/namespaces/mine//api/v1/tokens", "/namespaces/mine/v1"],
)
def test_unknown_path(client: Client, path: str) -> None:
    """There is nothing but the API."""
    response = client.get(path)

    assert (response.status_code, response.json) == (404, {"success": False, "error": "Not found"})


def test_empty_name(client: Client) -> None:
    """Two slashes are a slip, and not those who name no namespace."""
    assert client.get("/namespaces//api/v1/tokens").status_code == 400


def test_methods_of_a_path(client: Client) -> None:
    """As without a namespace."""
    response = client.put("/namespaces/mine/api/v1/tokens", json={})

    assert (response.status_code, response.headers["Allow"]) == (405, "DELETE, GET, HEAD, POST")


# The gate


@pytest.mark.parametrize("authorization", [None, "Bearer sesame", "Basic b3BlbiBzZXNhbWU6"])
def test_nobody_without_the_key_makes_a_namespace(authorization: str | None) -> None:
    """The answer is the same for names that are there, that are not, and that cannot be."""
    store = MemoryStore()
    client = Client(create_app(Gate(api_key="open sesame"), store))
    client.delete("/namespaces/there/api/v1/tokens", headers={"Authorization": "Bearer open sesame"})
    headers = {} if authorization is None else {"Authorization": authorization}

    sentence = "Send the API key as 'Authorization: Bearer …'"
    if authorization == "Bearer sesame":
        sentence = "The API key that was sent is not this server's"

    for name in ("there", "new", "not accepted"):
        response = client.delete(f"/namespaces/{name}/api/v1/tokens", headers=headers)
        assert response.status_code == 401
        assert response.json == {"success": False, "error": sentence}
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert [namespace.id for namespace in store.repository(Namespace).find()] == ["there"]


def test_foreign_host_makes_no_namespace(client: Client) -> None:
    """A page of the web whose name leads here (DNS rebinding) is refused as everywhere."""
    assert client.get("/namespaces/mine/api/v1/tokens", headers={"Host": "evil.example"}).status_code == 400


def test_looking_makes_no_namespace() -> None:
    """Any page of the web can make a browser send a GET; it answers as an empty namespace does, and keeps nothing."""
    store = MemoryStore()
    namespaces = Namespaces(store)
    client = Client(NamespacedApp(namespaces))
    mine = "/namespaces/mine/api/v1"

    for path in ("health", "tokens", "codes", "clock", "events"):
        assert client.get(f"{mine}/{path}").status_code == 200
    assert client.head(f"{mine}/tokens").status_code == 200
    assert client.post(f"{mine}/no/such/path", json={}).status_code == 404
    assert client.get(f"{mine}/clock").json["mode"] == "live"

    assert store.repository(Namespace).find() == []
    assert "mine" not in namespaces
    token = data(client, "POST", f"{mine}/tokens".removeprefix("/"), **ALICE)
    assert [each["id"] for each in client.get(f"{mine}/tokens").json["data"]] == [token["id"]]
    # What another process has made is there for this one too.
    assert len(Client(NamespacedApp(Namespaces(store))).get(f"{mine}/tokens").json["data"]) == 1


def test_one_app_serves_all_namespaces() -> None:
    """A namespace costs its authenticator, and not another table of routes."""
    client = Client(create_app())
    client.delete("/namespaces/first/api/v1/tokens")
    gc.collect()
    before = sum(type(each) is Map for each in gc.get_objects())

    for number in range(5):
        assert client.delete(f"/namespaces/run-{number}/api/v1/tokens").status_code == 200

    gc.collect()
    assert sum(type(each) is Map for each in gc.get_objects()) == before


# The store


def test_store_is_shared_over_http(client: Client) -> None:
    """Claims and tokens can be asked for, in a namespace and without one, and nothing else that is kept."""
    for prefix in ("", "/namespaces/mine"):
        ask = f"{prefix}/api/v1/store"
        assert client.post(f"{ask}/ledger/last", json={"fingerprint": "alice"}).json == {"result": None}
        assert client.post(f"{ask}/tokens_token/find", json={"equal": {}}).json == {"result": []}
        assert client.post(f"{ask}/leases_lease/find", json={"equal": {}}).json == {"result": []}
        assert client.post(f"{ask}/namespaces_namespace/find", json={"equal": {}}).status_code == 404


def test_two_servers_on_one_database_are_one(tmp_path: Path) -> None:
    """Tokens, clock and claims, whichever of them is asked."""
    url = f"sqlite:///{tmp_path}/store.db"
    with closing(SqlStore(url)) as one, closing(SqlStore(url)) as other:
        first, second = Client(create_app(store=one)), Client(create_app(store=other))
        token = data(first, "POST", "namespaces/mine/api/v1/tokens", **ALICE)
        first.put("/namespaces/mine/api/v1/clock", json={"frozen_at": "2024-01-15T10:30:00Z"})
        claim = f"namespaces/mine/api/v1/tokens/{token['id']}/one-time-code"

        steps = [data(client, "POST", claim)["step"] for client in (first, second, first)]

        assert steps == [56_843_820, 56_843_821, 56_843_822]
        assert second.get("/namespaces/mine/api/v1/clock").json["now"] == "2024-01-15T10:31:00+00:00"


def test_database_that_fails_is_told(tmp_path: Path) -> None:
    """It is the server's fault, and the sentence says which database."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/store.db")) as store:
        client = Client(create_app(store=store))
        client.delete("/namespaces/mine/api/v1/tokens")
        with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            connection.execute("DROP TABLE namespaces_namespace")

        response = client.get("/namespaces/other/api/v1/tokens")

    assert response.status_code == 500
    assert response.json["error"].startswith(f"Database error: the database {tmp_path}/store.db failed: ")


def test_namespace_that_was_pruned_is_there_anew() -> None:
    """Requests reach the new authenticator, and not the one that was forgotten."""
    store = MemoryStore()
    client = Client(NamespacedApp(Namespaces(store)))
    data(client, "POST", "namespaces/mine/api/v1/tokens", **ALICE)
    client.put("/namespaces/mine/api/v1/clock", json={"frozen_at": "2024-01-15T10:30:00Z"})
    namespaces = store.repository(Namespace)
    for namespace in namespaces.find():
        namespaces.replace(namespace, replace(namespace, used_at=namespace.used_at - 86_401))
    client.delete("/namespaces/other/api/v1/tokens")

    assert data(client, "GET", "namespaces/mine/api/v1/tokens") == []
    assert client.get("/namespaces/mine/api/v1/clock").json["mode"] == "live"


def test_authenticator_of_ones_own_for_the_nameless() -> None:
    """As a server of a test run has it: its tokens in Python are those of the API."""
    authenticator = Authenticator()
    token = authenticator.add(authenticator.make(name="alice"))
    client = Client(NamespacedApp(Namespaces(MemoryStore(), authenticator)))

    assert [each["id"] for each in data(client, "GET", "api/v1/tokens")] == [token.id]
    assert data(client, "GET", "namespaces/mine/api/v1/tokens") == []
