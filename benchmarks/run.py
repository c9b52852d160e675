"""Speed, beside peers in the same run: `make bench`. Quote ratios and medians; machines are noisy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

import requests
from battery_requests import battery_requests
from claims import claims
from idle_page import idle_page
from peers import PEERS

ROUNDS = 7
REQUESTS = 300


def latencies(session: requests.Session, url: str) -> list[float]:
    """Return how long each of some requests took, in microseconds."""
    taken = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        session.get(url).json()
        taken.append((time.perf_counter() - start) * 1e6)
    return taken


def requests_a_code() -> None:
    """One client, one connection, one code after the other; the peers take turns, so that noise hits all alike."""
    print("A code over one keep-alive connection")
    taken: dict[str, list[float]] = {name: [] for name in PEERS}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(peer()) for name, peer in PEERS.items()}
        sessions = {name: stack.enter_context(requests.Session()) for name in PEERS}
        for session in sessions.values():
            session.trust_env = False
        for round_number in range(ROUNDS + 1):
            for name, url in urls.items():
                measured = latencies(sessions[name], url)
                if round_number:  # the first warms up
                    taken[name] += measured
    medians = {name: statistics.median(each) for name, each in taken.items()}
    print(f"  {'':32} {'median':>9} {'99th':>9} {'a second':>9} {'to Express':>11} {'to httpserver':>14}")
    for name, each in taken.items():
        print(
            f"  {name:32} {medians[name]:6.0f} us {statistics.quantiles(each, n=100)[98]:6.0f} us "
            f"{1e6 / statistics.fmean(each):9.0f} {medians[name] / medians['Express + speakeasy']:11.2f} "
            f"{medians[name] / medians['pytest-httpserver, static JSON']:14.2f}"
        )


def all_codes(count: int = 10_000) -> None:
    """`GET /codes` with many tokens: the first time in a step, and after."""
    from pytest_totphog import TotpServer

    with TotpServer() as server, requests.Session() as session:
        session.trust_env = False
        server.clock.freeze("2024-01-15T10:30:00Z")
        for number in range(count):
            server.add_token(name=f"account {number}")
        first, after = [], []
        session.get(f"{server.api_url}/codes")  # makes each token's constant part of the answer
        for _ in range(ROUNDS):
            server.clock.next_step()
            for into in (first, after):
                start = time.perf_counter()
                size = len(session.get(f"{server.api_url}/codes").content)
                into.append((time.perf_counter() - start) * 1e3)
    print(f"GET /codes with {count} tokens ({size / 1e6:.1f} MB)")
    print(f"  first in a step {statistics.median(first):6.1f} ms    after {statistics.median(after):6.1f} ms")


def start_and_stop() -> None:
    """From nothing to the first answer, and stopping."""
    script = """
import time; begin = time.perf_counter()
from pytest_totphog import TotpServer
import socket
server = TotpServer(); server.start()
with socket.create_connection((server.host, server.port)) as client:
    client.sendall(b"GET /api/v1/health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"); assert client.recv(4096)
    cold = time.perf_counter() - begin
begin = time.perf_counter(); server.stop(); stop = time.perf_counter() - begin
begin = time.perf_counter(); server = TotpServer(); server.start()
with socket.create_connection((server.host, server.port)) as client:
    client.sendall(b"GET /api/v1/health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"); assert client.recv(4096)
    warm = time.perf_counter() - begin
server.stop()
print(cold, stop, warm)
"""
    runs = [
        [float(figure) for figure in subprocess.check_output([sys.executable, "-c", script], text=True).split()]
        for _ in range(ROUNDS + 1)
    ][1:]
    cold, stop, warm = (statistics.median(figures) * 1e3 for figures in zip(*runs, strict=True))
    print("Start to first answer, and stop")
    print(f"  cold process {cold:6.1f} ms    imported already {warm:6.1f} ms    stop {stop:6.2f} ms")


if __name__ == "__main__":
    requests_a_code()
    all_codes()
    start_and_stop()
    claims()
    idle_page()
    battery_requests()
