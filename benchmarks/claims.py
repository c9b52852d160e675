"""What it costs to claim a time step, in every ledger, beside the least that its medium costs."""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pyotp
import pytest
import requests
from peers import SECRET, process

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.stores.ledger import Ledger, MemoryLedger
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.stores.sql import SqlStore

ROUNDS = 5
HOLDER = "gw2 tests/test_login.py::test_admin"
LAST = 2**62

CONTROLLER = """
import json, threading
from pytest_totphog.xdist import ControllerStore
print(json.dumps(ControllerStore().address), flush=True)
threading.Event().wait()
"""

# As little as answers JSON to a POST over a connection that stays open.
MINIMAL = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b'{"result":null}')
        self.wfile.flush()

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


def claim_in(ledger: Ledger) -> Callable[[], Any]:
    """Return what claims the next step there."""
    return lambda: ledger.claim("fingerprint", 0, LAST, holder=HOLDER, claimed_at=0.0)


@contextmanager
def in_memory() -> Iterator[dict[str, Callable[[], Any]]]:
    """The ledger of a run without workers, and a one-time code with it; beside pyotp, which remembers nothing."""
    authenticator = Authenticator()
    authenticator.clock.freeze("2024-01-15T10:30:00Z")
    yield {
        "a claim in memory": claim_in(MemoryLedger()),
        "a one-time code, frozen clock": authenticator.make(name="alice", secret=SECRET).one_time_code,
        "pyotp.TOTP.now": pyotp.TOTP(SECRET).now,
    }


@contextmanager
def in_the_controller() -> Iterator[dict[str, Callable[[], Any]]]:
    """The ledger that workers of pytest-xdist share, in another process; beside a POST to the least of servers."""
    with (
        process([sys.executable, "-c", CONTROLLER]) as address,
        process([sys.executable, "-c", MINIMAL]) as url,
        requests.Session() as session,
    ):
        session.trust_env = False
        store = RemoteStore(**json.loads(address))
        yield {
            "a claim at the controller": claim_in(store.ledger),
            "requests.post to http.server": lambda: session.post(url, json={"holder": HOLDER}).json(),
        }
        store.close()


@contextmanager
def in_sqlite() -> Iterator[dict[str, Callable[[], Any]]]:
    """A file; beside an insert into such a file by sqlite3."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{folder}/totphog.db")
        bare = sqlite3.connect(f"{folder}/bare.db")
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = NORMAL")
        bare.execute("CREATE TABLE claims (step INTEGER PRIMARY KEY, holder TEXT)")

        def insert() -> None:
            with bare:
                bare.execute("INSERT INTO claims (holder) VALUES (?)", (HOLDER,))

        yield {"a claim in SQLite": claim_in(store.ledger), "sqlite3, one insert": insert}
        bare.close()
        store.close()


@contextmanager
def in_postgresql() -> Iterator[dict[str, Callable[[], Any]]]:
    """A server of its own, that syncs nothing; beside an insert into it by psycopg."""
    import psycopg

    from tests.support.postgresql import running_postgresql

    with running_postgresql() as postgresql:
        store = SqlStore(postgresql.url)
        with psycopg.connect(postgresql.url.replace("+psycopg", ""), autocommit=True) as bare:
            bare.execute("CREATE TABLE claims (step BIGSERIAL PRIMARY KEY, holder TEXT)")
            yield {
                "a claim in PostgreSQL": claim_in(store.ledger),
                "psycopg, one insert": lambda: bare.execute("INSERT INTO claims (holder) VALUES (%s)", (HOLDER,)),
            }
        store.close()


def report(each: dict[str, Callable[[], Any]], calls: int) -> None:
    """Measure and print; they take turns, the last is the peer of those before."""
    taken: dict[str, list[float]] = {name: [] for name in each}
    for round_number in range(ROUNDS + 1):
        for name, call in each.items():
            for _ in range(calls):
                start = time.perf_counter()
                call()
                if round_number:  # the first warms up
                    taken[name].append((time.perf_counter() - start) * 1e6)
    *ours, peer = taken
    for name in [*ours, peer]:
        median = statistics.median(taken[name])
        ratio = "" if name == peer else f"{median / statistics.median(taken[peer]):8.2f} to {peer}"
        print(f"  {name:32} {median:9.1f} us {statistics.quantiles(taken[name], n=100)[98]:9.1f} us {ratio}")


def claims() -> None:
    """One claim after the other, by one caller."""
    print(f"Claims{'median':>40} {'99th':>12}")
    for ledger, calls in ((in_memory, 5000), (in_the_controller, 300), (in_sqlite, 300), (in_postgresql, 300)):
        with ExitStack() as stack:
            try:
                each = stack.enter_context(ledger())
            except (ImportError, pytest.skip.Exception) as missing:
                print(f"  {ledger.__name__.replace('_', ' ')}: left out, because {missing}")
                continue
            report(each, calls)
