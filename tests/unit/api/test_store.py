"""A store over HTTP, as it goes over the wire; that it keeps what stores promise, stores/test_contract.py shows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pytest_totphog.api.store import store_routes
from pytest_totphog.stores import Store
from pytest_totphog.stores.ledger import Claim
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.wsgi.bodies import json_response
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.routes import App
from tests.support.client import Answer, Client


@dataclass(frozen=True)
class Note:
    """A record that is served."""

    collection: ClassVar = "note"
    id: str
    secret: str = ""


@dataclass(frozen=True)
class Password:
    """A record that is not."""

    collection: ClassVar = "password"
    id: str


CLAIM = {"fingerprint": "alice", "earliest": 10, "latest": 20, "holder": "gw1 test_login", "claimed_at": 1705314600.25}


def client_of(store: Store) -> Client:
    """Return a client of an app that serves a store."""
    return Client(App(store_routes(store, Note), lambda error: json_response({"error": error.message}), Gate()))


@pytest.fixture
def store() -> Store:
    """A store in memory."""
    return MemoryStore()


@pytest.fixture
def client(store: Store) -> Client:
    """Its client."""
    return client_of(store)


def ask(client: Client, method: str, /, **arguments: Any) -> Any:
    """Call a method and return its result."""
    response = client.post(f"/store/{method}", json=arguments)
    assert response.status_code == 200, response.text
    assert response.json.keys() == {"result"}
    return response.json["result"]


def refusal(response: Answer, status: int = 400) -> Any:
    """Return the sentence of an error."""
    assert response.status_code == status, response.text
    return response.json["error"]


# The ledger


def test_claim(client: Client, store: Store) -> None:
    """What was claimed comes back as an object."""
    assert ask(client, "ledger/claim", **CLAIM) == {
        "fingerprint": "alice",
        "step": 10,
        "holder": "gw1 test_login",
        "claimed_at": 1705314600.25,
    }
    assert store.ledger.last("alice") == Claim("alice", 10, "gw1 test_login", 1705314600.25)


def test_claim_under_several_keys(client: Client, store: Store) -> None:
    """The step counts under each of them; the first is the claim's."""
    assert ask(client, "ledger/claim", **{**CLAIM, "fingerprint": ["alice", "alice/mine", "alice"]})["step"] == 10
    assert [store.ledger.last(key) is None for key in ("alice", "alice/mine", "bob")] == [False, False, True]


def test_claim_of_a_step_that_is_not_to_be_had(client: Client) -> None:
    """Null, and nothing claimed."""
    assert ask(client, "ledger/claim", **{**CLAIM, "latest": 9}) is None
    assert ask(client, "ledger/last", fingerprint="alice") is None


def test_asking_for_claims(client: Client) -> None:
    """The last one of a credential, and one by its step."""
    claims = [ask(client, "ledger/claim", **CLAIM) for _ in range(2)]

    assert ask(client, "ledger/last", fingerprint="alice") == claims[1]
    assert ask(client, "ledger/find", fingerprint="alice", step=10) == claims[0]
    assert ask(client, "ledger/find", fingerprint="alice", step=12) is None
    assert ask(client, "ledger/last", fingerprint="bob") is None


def test_nobody_prunes_from_outside(client: Client) -> None:
    """A client's clock may be off, and the claims are everybody's."""
    assert refusal(client.post("/store/ledger/prune", json={"before": 253402300800.0}), 404) == "Not found"


def test_time(client: Client, store: Store) -> None:
    """The store's, in seconds since the epoch."""
    before = store.time()
    assert before <= ask(client, "clock/time") <= store.time()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fingerprint", None),
        ("fingerprint", 7),
        ("fingerprint", ""),
        ("fingerprint", "a\0"),
        ("fingerprint", "a" * 201),
        ("fingerprint", []),
        ("fingerprint", ["alice"] * 9),
        ("fingerprint", ["alice", ""]),
        ("fingerprint", [["alice"]]),
        ("earliest", None),
        ("earliest", -1),
        ("earliest", 1.5),
        ("earliest", True),
        ("earliest", "10"),
        ("earliest", 2**62 + 1),
        ("earliest", 2**63),
        ("latest", -1),
        ("latest", 2**62 + 1),
        ("latest", 10**300),
        ("holder", None),
        ("holder", ""),
        ("holder", "a\nb"),
        ("holder", "a" * 501),
        ("claimed_at", None),
        ("claimed_at", "now"),
        ("claimed_at", True),
        ("claimed_at", -1),
        ("claimed_at", 10**400),
    ],
)
def test_claim_with_other_values_is_refused(client: Client, store: Store, name: str, value: object) -> None:
    """The sentence names the argument, and nothing is claimed."""
    assert name in refusal(client.post("/store/ledger/claim", json={**CLAIM, name: value}))
    assert store.ledger.last("alice") is None


def test_claim_of_the_last_step(client: Client) -> None:
    """No clock shows it; every store can still count the one after it, and that one is not to be had."""
    last = {**CLAIM, "earliest": 2**62, "latest": 2**62}

    assert ask(client, "ledger/claim", **last)["step"] == 2**62
    assert ask(client, "ledger/claim", **last) is None
    assert refusal(client.post("/store/ledger/claim", json={**last, "latest": 2**62 + 1})) == (
        "latest is 4611686018427387905; accepted are the time steps from 0 to 4611686018427387904"
    )
    assert refusal(client.post("/store/ledger/find", json={"fingerprint": "alice", "step": 2**63})).startswith("step")


def test_claim_at_an_infinite_time_is_refused(client: Client, store: Store) -> None:
    """JSON can write it, and could not write it again."""
    text = '{"fingerprint": "alice", "earliest": 1, "latest": 2, "holder": "a", "claimed_at": 1e999}'

    response = client.post("/store/ledger/claim", data=text, content_type="application/json")

    assert refusal(response) == "claimed_at is not accepted; accepted are seconds since the epoch"
    assert store.ledger.last("alice") is None


def test_longest_name_of_a_holder(client: Client) -> None:
    """As long as the name that is made of a test."""
    assert ask(client, "ledger/claim", **{**CLAIM, "holder": "a" * 500})["holder"] == "a" * 500


@pytest.mark.parametrize("name", CLAIM)
def test_missing_argument_is_named(client: Client, name: str) -> None:
    """Nothing has a default."""
    arguments = {key: value for key, value in CLAIM.items() if key != name}

    assert refusal(client.post("/store/ledger/claim", json=arguments)) == f"{name} is missing"


def test_unknown_argument_is_named(client: Client) -> None:
    """A client of another version hears of it."""
    assert refusal(client.post("/store/ledger/last", json={"fingerprint": "alice", "step": 7})) == (
        "Unknown field 'step'; accepted: fingerprint"
    )


# Records


def test_records_are_added_and_found(client: Client, store: Store) -> None:
    """As objects of all their fields."""
    first, second = {"id": "b", "secret": "hunter2"}, {"id": "a", "secret": ""}

    assert ask(client, "note/add", records=[first, second]) is True
    assert ask(client, "note/add", records=[first]) is False
    assert ask(client, "note/find", equal={}) == [first, second]
    assert ask(client, "note/find", equal={"secret": "hunter2"}) == [first]
    assert store.repository(Note).find() == [Note("b", "hunter2"), Note("a")]


def test_records_are_replaced_removed_and_cleared(client: Client) -> None:
    """Each tells what it did."""
    old, new = {"id": "a", "secret": "hunter2"}, {"id": "a", "secret": "hunter3"}
    ask(client, "note/add", records=[old, {"id": "b", "secret": ""}, {"id": "c", "secret": ""}])

    assert ask(client, "note/replace", old=old, new=new) is True
    assert ask(client, "note/replace", old=old, new=new) is False
    assert ask(client, "note/remove", id="a") == new
    assert ask(client, "note/remove", id="a") is None
    assert ask(client, "note/clear", equal={"id": "b"}) == 1
    assert ask(client, "note/clear", equal={}) == 1


@pytest.mark.parametrize("id", ["", "a\nb", "a\0b", 7, None, [], {}])
def test_id_that_no_record_has(client: Client, id: object) -> None:
    """There is none to remove or to find, whatever was asked for."""
    ask(client, "note/add", records=[{"id": "a", "secret": ""}])

    assert ask(client, "note/remove", id=id) is None
    assert ask(client, "note/find", equal={"id": id}) == []
    assert ask(client, "note/clear", equal={"id": id}) == 0


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add", {"records": {"id": "a", "secret": "hunter2"}}),
        ("add", {"records": "hunter2"}),
        ("add", {"records": ["hunter2"]}),
        ("add", {"records": [{"id": "a"}]}),
        ("add", {"records": [{"id": "a", "secret": ""}, {"id": "b", "secret": ["hunter2"]}]}),
        ("add", {"records": [{"id": "a", "secret": "hunter2\0"}]}),
        ("find", {"equal": "hunter2"}),
        ("find", {"equal": {"hunter2": 7}}),
        ("find", {"equal": None}),
        ("clear", {"equal": []}),
        ("clear", {"equal": {"hunter2": 7}}),
        ("replace", {"old": None, "new": {"id": "a", "secret": ""}}),
        ("replace", {"old": {"id": "a", "secret": ""}, "new": {"id": "a", "secret": None}}),
    ],
)
def test_what_is_no_record_is_refused(client: Client, store: Store, method: str, arguments: dict[str, Any]) -> None:
    """The sentence shows no value, because it may be a secret; nothing is changed."""
    store.repository(Note).add(Note("old"))

    assert "hunter2" not in refusal(client.post(f"/store/note/{method}", json=arguments))
    assert store.repository(Note).find() == [Note("old")]


def test_only_the_named_types_are_served(client: Client, store: Store) -> None:
    """An app may keep more in its store than is for others."""
    store.repository(Password).add(Password("hunter2"))

    assert refusal(client.post("/store/password/find", json={"equal": {}}), 404) == "Not found"


# Routes


@pytest.mark.parametrize("path", ["/store", "/store/note", "/store/note/get", "/store/ledger/clear", "/store/a/b/c"])
def test_unknown_path(client: Client, path: str) -> None:
    """A collection or method that is not there."""
    assert refusal(client.post(path, json={}), 404) == "Not found"


def test_other_method_of_http(client: Client) -> None:
    """Everything is asked by POST: what is asked for stands in no URL, and so in no log."""
    assert refusal(client.get("/store/note/find"), 405) == "Method not allowed; accepted: POST"


@pytest.fixture
def sql_store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store in a database."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/store.db")) as store:
        yield store


def test_table_is_made_when_it_is_needed(sql_store: SqlStore, tmp_path: Path) -> None:
    """Serving a type of record is not using it."""
    client = client_of(sql_store)

    def tables() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            return [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]

    assert tables() == ["totphog_claims"]
    ask(client, "note/find", equal={})
    assert tables() == ["totphog_claims", "note"]
