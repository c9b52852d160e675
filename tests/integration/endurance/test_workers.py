"""One secret, 256 threads in 8 workers of pytest-xdist, and a life of many steps."""

import json
import logging
import os
from collections import Counter

import pytest

from tests.integration.endurance.conftest import SECRET, RunningVerifier

pytestmark = pytest.mark.slow

pytest.importorskip("xdist")

# TOTPHOG_LIFE=60 says more, and keeps a machine busy for that long.
LIFE_SECONDS = int(os.environ.get("TOTPHOG_LIFE", "15"))

CONFTEST = """
    import json

    from pytest_totphog.session import Session

    def pytest_sessionfinish(session):
        if hasattr(session.config, "workerinput"):
            from test_life import LIFE, fingerprint, started_at
            ledger = Session.of(session.config).store.ledger
            steps = range(started_at(), started_at() + LIFE + 5)
            claims = [claim for claim in (ledger.find(fingerprint(), step) for step in steps) if claim is not None]
            with open(f"claims-{session.config.workerinput['workerid']}.json", "w") as file:
                json.dump([[claim.step, claim.holder] for claim in claims], file)
    """

TEST_LIFE = """
    import threading
    import time
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    import requests

    from pytest_totphog import Authenticator, CodeUnavailable
    from pytest_totphog.authenticator.totp_token import issuer_of

    LIFE = {life}
    ALICE = dict(name="alice", secret="{secret}", digits=8, period=1)

    def fingerprint():
        return issuer_of(Authenticator().make(**ALICE)).token.fingerprint

    def started_at():
        # The second after the last worker is there: the same in all of them.
        arrivals = [path.stat().st_mtime for path in Path().glob("ready-*")]
        return int(max(arrivals)) + 2 if len(arrivals) == 8 else 0

    def test_life(totp_server, worker_id):
        token = totp_server.add_token(**ALICE)
        Path(f"ready-{{worker_id}}").touch()
        looking = threading.Event()
        while not started_at():
            looking.wait(0.1)
        end = started_at() + LIFE

        def live(number):
            verdicts = []
            holder = f"{{worker_id}} thread {{number}}"
            totp_server.clock.wait_until(started_at() * 10**9, 10)
            while (left := end - time.time()) > 0:
                try:
                    claimed = issuer_of(token).claim(min_remaining=0, timeout=min(left, 3), holder=holder)
                except CodeUnavailable:
                    totp_server.clock.wait_until((int(time.time()) + 1) * 10**9, 2)
                    continue
                login = {{"code": claimed.code, "holder": f"{{holder}} step {{claimed.step}}"}}
                verdicts.append(requests.post("{url}", json=login, timeout=30).text)
            return verdicts

        with ThreadPoolExecutor(32) as pool:
            verdicts = [verdict for each in pool.map(live, range(32)) for verdict in each]
        assert set(verdicts) <= {{"accepted"}}
    """


@pytest.mark.timeout(300)
def test_every_step_once(project: pytest.Pytester, verifier: RunningVerifier) -> None:
    """No step is accepted twice, and none is left out: each was claimed, and used by whoever claimed it in time."""
    project.makeconftest(CONFTEST)
    project.makepyfile(test_life=TEST_LIFE.format(secret=SECRET, url=verifier.url, life=LIFE_SECONDS))

    result = project.runpytest_subprocess("-p", "xdist", "-n", "8", "--dist", "each")

    result.assert_outcomes(passed=8)
    entries = verifier.entries
    accepted = [entry["step"] for entry in entries]
    assert {entry["verdict"] for entry in entries} == {"accepted"}
    assert max(Counter(accepted).values()) == 1
    # Whoever logged in was the holder of that step, in the eyes of every worker.
    [claims] = {path.read_text("utf-8") for path in project.path.glob("claims-gw*.json")}
    holders = dict(json.loads(claims))
    assert [entry["holder"] for entry in entries] == [f"{holders[step]} step {step}" for step in accepted]
    # The ledger left no step out.
    assert sorted(holders) == list(range(min(holders), max(holders) + 1))
    assert len(holders) > LIFE_SECONDS * 0.9
    # One that was claimed and not used is one that its holder woke too late for.
    late = len(holders) - len(accepted)
    logging.getLogger(__name__).warning("%s steps accepted, %s woken too late for", len(accepted), late)
    assert late <= LIFE_SECONDS // 10
