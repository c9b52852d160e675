"""How many requests each rule of the battery makes, and how long they take at 200 ms for a password, 50 ms for a page.

`python benchmarks/battery_requests.py [COMMIT]` counts, and beside that what another commit makes. Nothing is timed:
the logins live in this process, and a rule makes the same requests on every machine.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.conformance.battery import verdict_of
from pytest_totphog.conformance.context import Context, Progress
from pytest_totphog.conformance.control import problem_of
from pytest_totphog.conformance.profiles import profile_of
from pytest_totphog.conformance.rules import CHECKS, race
from pytest_totphog.servers.totp_server import TotpServer
from tests.support.honest_login import HonestDriver, HonestLogin

ROOT = Path(__file__).parents[1]
PAGE, PASSWORD = 0.05, 0.2
# What a driver's method sends: pages, and passwords to be checked.
REQUESTS = {
    "enroll": (3, 1),
    "begin": (1, 1),
    "submit": (1, 0),
    "begin_enrolment": (2, 1),
    "confirm_enrolment": (1, 0),
    "recovery_codes": (1, 0),
    "submit_recovery_code": (1, 0),
    "disable": (2, 0),
    "protected_page": (1, 0),
    "reset_password": (2, 1),
}


class Sound(HonestLogin):
    """A login that does everything right, whose secrets are the same in every run."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count()

    def new_secret(self) -> str:
        """Return the next secret."""
        return base64.b32encode(hashlib.sha1(b"%d" % next(self.numbers), usedforsecurity=False).digest()).decode()


class TwoLimits(Sound):
    """A challenge ends after 5 failures, an account locks for a quarter of an hour after 10."""

    limit = 10

    def throttled(self, session: Any) -> bool:
        """Look at the challenge, too."""
        return getattr(session, "failures", 0) >= 5 or super().throttled(session)

    def count(self, session: Any) -> None:
        """Count in the challenge, too."""
        session.failures = getattr(session, "failures", 0) + 1
        super().count(session)


class Delays(Sound):
    """One second's wait after a failure, and twice as long after each further one, as in django-otp."""

    def count(self, session: Any) -> None:
        """Let wait."""
        session.user.failures += 1
        session.user.locked_until = self.now() + 2 ** (session.user.failures - 1)


class Unlimited(Sound):
    """No throttle at all."""

    limit = None


LOGINS = (Sound, TwoLimits, Delays, Unlimited)


class Counts(HonestDriver):
    """A driver that counts what its methods send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = Counter[str]()
        self.within = threading.local()
        self.responses: list[str] = []

    def submit(self, attempt: Any, code: object) -> Any:
        """Record the answer, for V27."""
        self.responses.append("an answer")
        return super().submit(attempt, code)

    def change_address(self) -> None:
        """Nothing depends on it."""

    def rewind(self, attempt: Any) -> Any:
        """Nothing is held by the client."""
        return attempt


def _counted(name: str) -> Any:
    send = getattr(Counts, name)

    def counted(self: Counts, *arguments: Any) -> Any:
        # What a method sends by way of the others is in its own numbers.
        if hasattr(self.within, "name"):
            return send(self, *arguments)
        self.within.name = name
        try:
            return send(self, *arguments)
        finally:
            del self.within.name
            with self.login.lock:
                self.sent[name] += 1

    return counted


for _name in REQUESTS:
    setattr(Counts, _name, _counted(_name))


def counted(login: type[HonestLogin]) -> dict[str, tuple[str, int, int]]:
    """Return each rule's verdict and its pages and passwords; those of the control checks first."""
    driver = type("Driver", (Counts,), {"login_class": login})()
    driver.clock = Clock()
    driver.clock.freeze("2024-01-15T10:30:00Z")
    driver.server = TotpServer(clock=driver.clock)
    driver.login.now = driver.clock.time
    progress, profile = Progress(), profile_of("rfc6238")
    problem = problem_of(Context(driver, profile, progress))
    found = {"control": (problem or "passed", *_requests(driver.sent))}
    for check in CHECKS:
        driver.clock.tick(3600)
        driver.sent.clear()
        verdict, _ = verdict_of(check, Context(driver, profile, progress))
        found[check.rule.id] = (verdict.value, *_requests(driver.sent))
    return found


def _requests(sent: Counter[str]) -> tuple[int, int]:
    pages, passwords = (sum(REQUESTS[name][part] * number for name, number in sent.items()) for part in (0, 1))
    return pages, passwords


def counted_by(commit: str) -> dict[str, dict[str, tuple[str, int, int]]]:
    """Return what another commit's battery sends to the same logins."""
    archive = subprocess.check_output(["git", "archive", commit, "pytest_totphog"], cwd=ROOT)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
        return json.loads(subprocess.check_output([sys.executable, __file__, "--json"], env=environment, text=True))


def battery_requests(commit: str = "") -> None:
    """Print a table for each login."""
    race.ROUNDS = race.LEAST_ROUNDS  # as on a slow login
    now: dict[str, Any] = {login.__name__: counted(login) for login in LOGINS}
    if commit == "--json":
        print(json.dumps(now))
        return
    before = counted_by(commit) if commit else now
    print("Requests of the battery, and seconds at 200 ms for a password and 50 ms for a page")
    for name, rules in now.items():
        print(f"  {name}{f', {commit} and now' if commit else ''}")
        for rule, (verdict, *sent) in rules.items():
            old_verdict, *old = before[name][rule]
            both = verdict if verdict == old_verdict else f"{old_verdict} -> {verdict}"
            print(f"    {rule:8}{_row(old, sent, compared=bool(commit))}  {both}")
        sums = [[sum(each[part] for each in side[name].values()) for part in (1, 2)] for side in (before, now)]
        print(f"    {'all':8}{_row(*sums, compared=bool(commit))}")


def _row(old: list[int], new: list[int], *, compared: bool) -> str:
    cells = [
        f"{sum(each):6} {PAGE * each[0] + PASSWORD * each[1]:7.1f} s" for each in ((old, new) if compared else (new,))
    ]
    return "  ".join([*cells, *([f"{sum(new) / sum(old):6.0%}"] if compared and sum(old) else ["      "])])


if __name__ == "__main__":
    battery_requests(*sys.argv[1:])
