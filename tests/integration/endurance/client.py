"""A test suite in another language, as the server sees it: it asks any replica for one-time codes, and logs in.

Run as a program: `python client.py NAME VERIFIER LOG API_URL...`, where the API URLs end with the token's id.
"""

import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

import requests


def run(name: str, verifier: str, log: TextIO, replicas: list[str]) -> None:
    """Ask for codes until killed; every answered one is written down before the next is asked for."""
    next_step = threading.Event()
    for number, url in enumerate(itertools.cycle(replicas)):
        holder = f"{name} request {number}"
        try:
            answer = requests.post(f"{url}/one-time-code", json={"timeout": 3, "holder": holder}, timeout=10)
        except requests.ConnectionError:
            continue  # this replica is down: the next one
        if answer.status_code != 200:
            entry = {"status": answer.status_code, "error": answer.json()["error"]}
            next_step.wait(1 - time.time() % 1)  # as an error asks for
        else:
            code = answer.json()["data"]
            verdict = requests.post(verifier, json={"code": code["code"], "holder": holder}, timeout=10).text
            entry = {"status": 200, "replica": url, "step": code["step"], "holder": holder, "verdict": verdict}
        log.write(json.dumps(entry) + "\n")
        log.flush()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a", encoding="utf-8") as opened:
        run(sys.argv[1], sys.argv[2], opened, sys.argv[4:])
