"""Four processes on one PostgreSQL, through two replicas of the server of which one is killed and started again."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from pytest_totphog import Authenticator
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.stores.sql import SqlStore
from tests.integration.endurance.conftest import ALICE, RunningVerifier
from tests.integration.endurance.processes import Clients, Replica

pytestmark = pytest.mark.slow


@pytest.mark.timeout(180)
def test_a_replica_is_killed_and_started_again(
    serve: Callable[[str], Replica], postgresql_url: str, verifier: RunningVerifier, tmp_path: Path
) -> None:
    """No code is handed out twice, and every claim that was answered is still there, with its holder."""
    first, second = serve(postgresql_url), serve(postgresql_url)
    token = requests.post(f"{first.api_url}/tokens", json=ALICE, timeout=10).json()["data"]
    urls = [f"{replica.api_url}/tokens/{token['id']}" for replica in (first, second)]
    clients = Clients(4, verifier.url, tmp_path, urls)
    restarted = None
    try:
        clients.wait_for(5, lambda entry: entry.get("replica") == urls[0])
        first.kill()
        clients.wait_for(5, lambda entry: entry.get("replica") == urls[1])
        restarted = first.again()
        clients.wait_for(5, lambda entry: entry.get("replica") == urls[0])
    finally:
        clients.stop()
        if restarted is not None:
            restarted.kill()

    answered = [entry for entry in clients.entries if entry["status"] == 200]
    assert {entry["verdict"] for entry in answered} == {"accepted"}
    assert {entry["verdict"] for entry in verifier.entries} == {"accepted"}
    steps = [entry["step"] for entry in answered]
    assert len(set(steps)) == len(steps)
    store = SqlStore(postgresql_url)
    fingerprint = issuer_of(Authenticator().make(**ALICE)).token.fingerprint
    claims = [store.ledger.find(fingerprint, step) for step in steps]
    store.close()
    assert [claim.holder for claim in claims if claim is not None] == [entry["holder"] for entry in answered]
    # Nobody was told anything else than to wait.
    assert {entry["status"] for entry in clients.entries} <= {200, 503}
