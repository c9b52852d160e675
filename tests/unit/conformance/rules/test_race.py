"""The race, on logins that look first and write afterwards."""

import re
import sys
import threading
import time
from typing import Any

import pytest

from pytest_totphog.conformance import Outcome
from pytest_totphog.conformance.finding import Verdict
from tests.support.honest_login import HonestDriver, HonestLogin, Session, User
from tests.unit.conformance.judging import judged


class LooksThenWrites(HonestLogin):
    """Looks whether a step was used, and writes it down when a database has answered."""

    def submit(self, session: Session, code: Any) -> str:
        step = self.step_of(session.user.secret, code)
        if step is None or step <= session.user.last_step:
            return "wrong"
        time.sleep(0.0002)
        session.user.last_step = step
        self.succeed(session)
        return "in"


class WritesAtOnce(HonestLogin):
    """Looks whether a step was used, and writes it down in the next line; both are safe by themselves."""

    def last(self, user: User) -> int:
        with self.lock:
            return user.last_step

    def write(self, user: User, step: int) -> None:
        with self.lock:
            user.last_step = step

    def submit(self, session: Session, code: Any) -> str:
        step = self.step_of(session.user.secret, code)
        if step is None or step <= self.last(session.user):
            return "wrong"
        self.write(session.user, step)
        self.succeed(session)
        return "in"


class BreaksUnderLoad(HonestDriver):
    """A driver of a login that takes one request at a time, and answers the others with an error."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = threading.Lock()

    def submit(self, attempt: Session, code: Any) -> Outcome:
        if not self.busy.acquire(blocking=False):
            raise ConnectionError("one at a time")
        try:
            time.sleep(0.0002)
            return super().submit(attempt, code)
        finally:
            self.busy.release()


class NeverTwo(HonestDriver):
    """A driver of a login that lets nobody in who is not alone."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        outcome = super().submit(attempt, code)
        return outcome if threading.current_thread() is threading.main_thread() else Outcome.REFUSED


class Gone(HonestDriver):
    """A driver of a login that is not there for several."""

    def submit(self, attempt: Session, code: Any) -> Outcome:
        if threading.current_thread() is not threading.main_thread():
            raise ConnectionError("gone")
        return super().submit(attempt, code)


@pytest.mark.parametrize("login", [LooksThenWrites, WritesAtOnce])
def test_found_in_99_of_100_runs(login: type[HonestLogin]) -> None:
    """With a moment between looking and writing, and with none."""
    summaries = [summary for verdict, summary in (judged("V4", login) for _ in range(100)) if verdict is Verdict.FAILED]
    assert len(summaries) >= 99
    assert re.fullmatch(r"a code let in [2-5] of 5 logins at the same moment, in round \d+", summaries[0])


def test_honest_login() -> None:
    """There is none to be found."""
    assert [judged("V4")[0] for _ in range(5)] == [Verdict.PASSED] * 5


def test_errors_are_no_success() -> None:
    """A login that cannot take several at once has let nobody in twice."""
    assert judged("V4", driver=BreaksUnderLoad)[0] is Verdict.PASSED


def test_nobody_is_let_in() -> None:
    """Nothing can be told from that."""
    assert judged("V4", driver=NeverTwo) == (
        Verdict.SKIPPED,
        "not judged: a code sent several times at once was never accepted at all",
    )


def test_driver_that_fails_in_threads() -> None:
    """Its error is what is told."""
    with pytest.raises(ConnectionError, match="gone"):
        judged("V4", driver=Gone)


def test_the_process_is_as_before() -> None:
    """How Python switches threads is put back, and no thread is watched any more."""
    before = sys.getswitchinterval(), threading.getprofile(), sys.getprofile()
    judged("V4")
    assert (sys.getswitchinterval(), threading.getprofile(), sys.getprofile()) == before
