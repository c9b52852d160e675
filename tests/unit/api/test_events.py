"""What was handed out and verified, over HTTP; and codes together with the next ones."""

from typing import Any

import pytest

from pytest_totphog import Authenticator, TotpToken
from pytest_totphog.api.namespaces import create_app
from pytest_totphog.authenticator.totp_token import issuer_of
from tests.support.client import Client


@pytest.fixture
def token(authenticator: Authenticator) -> TotpToken:
    """A token of the server."""
    return authenticator.add(authenticator.make(name="alice", issuer="GitHub", secret="JBSWY3DPEHPK3PXP"))


def test_events_are_listed_oldest_first(client: Client, token: TotpToken) -> None:
    """What was handed out, to whom, and what `verify` said."""
    client.post(f"/api/v1/tokens/{token.id}/one-time-code", json={"holder": "test_login"})
    client.post(f"/api/v1/tokens/{token.id}/verify", json={"code": "648307"})
    client.post(f"/api/v1/tokens/{token.id}/verify", json={"code": "000000"})

    events = client.get("/api/v1/events").json["data"]
    assert [(event["kind"], event["holder"], event["verdict"]) for event in events] == [
        ("one-time-code", "test_login", None),
        ("verify", "the server", "accepted"),
        ("verify", "the server", "refused"),
    ]
    assert {(event["token_id"], event["name"], event["issuer"]) for event in events} == {(token.id, "alice", "GitHub")}


def test_events_after_one(client: Client, token: TotpToken) -> None:
    """Whoever has an event asks for what came since."""
    token.verify("648307")
    [first] = client.get("/api/v1/events").json["data"]
    token.verify("000000")

    [second] = client.get(f"/api/v1/events?after={first['id']}").json["data"]
    assert second["verdict"] == "refused"
    assert client.get(f"/api/v1/events?after={second['id']}").json["data"] == []


def test_events_outlive_their_token(client: Client, token: TotpToken) -> None:
    """A test's token is gone after it; what was done with it is still told."""
    token.verify("000000")
    client.delete(f"/api/v1/tokens/{token.id}")

    assert [event["name"] for event in client.get("/api/v1/events").json["data"]] == ["alice"]


@pytest.mark.parametrize("after", ["", "-1", "1.5", "one", "٣", "9007199254740992", "9" * 5000])
def test_what_is_no_event_is_refused(client: Client, after: str) -> None:
    """The error says what is accepted."""
    response = client.get("/api/v1/events", query_string={"after": after})
    assert response.status_code == 400
    assert response.json["error"].endswith("; accepted is the id of an event")


@pytest.mark.usefixtures("token")
def test_codes_with_the_next_ones(client: Client) -> None:
    """Both of the same reading of the clock; without asking, the answer is the original API's."""
    [listed] = client.get("/api/v1/codes?next=true").json["data"]
    assert (listed["current_code"]["code"], listed["current_code"]["next_code"]) == ("648307", "764426")
    for query in ("", "?next=false"):
        [listed] = client.get(f"/api/v1/codes{query}").json["data"]
        assert "next_code" not in listed["current_code"]


def test_next_is_true_or_false(client: Client) -> None:
    """Nothing else is guessed at."""
    response = client.get("/api/v1/codes?next=yes")
    assert response.status_code == 400
    assert response.json["error"] == "next is 'yes'; accepted are true and false"


@pytest.mark.parametrize("scope", ["", "/frozen", "/part"])
def test_codes_taken_by_processes_that_share_the_ledger_are_told(scope: str) -> None:
    """They ask for a time step and compute its code themselves; the token that they keep here has a name."""
    shared = Client(create_app())
    base = "/namespaces/nightly/api/v1"
    token: Any = shared.post(f"{base}/tokens", json={"name": "alice", "secret": "JBSWY3DPEHPK3PXP"}).json["data"]
    fingerprint = issuer_of(Authenticator().make(name="alice", secret="JBSWY3DPEHPK3PXP")).token.fingerprint
    key = fingerprint + scope
    claim = {"fingerprint": key, "earliest": 7, "latest": 7, "holder": "gw0 test_login", "claimed_at": 210.5}
    for _ in range(2):  # the second time the step is spent
        assert shared.post(f"{base}/store/ledger/claim", json=claim).status_code == 200

    [event] = shared.get(f"{base}/events").json["data"]
    assert (event["token_id"], event["step"], event["holder"], event["at"]) == (token["id"], 7, "gw0 test_login", 210.5)
    assert shared.get("/api/v1/events").json["data"] == []
