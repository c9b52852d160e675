"""What reports say of codes: whose are whose, from test to test."""

from typing import Any, Literal

import pytest

from pytest_totphog import Authenticator, FrozenClock
from pytest_totphog.failures.hooks import RecorderHooks
from pytest_totphog.failures.recorder import Recorder
from pytest_totphog.stores.ledger import MemoryLedger
from tests.support.threads import in_threads


class Item(pytest.Item):
    """A test."""

    def runtest(self) -> None:
        """Do nothing."""


@pytest.fixture
def item(request: pytest.FixtureRequest) -> pytest.Item:
    """A test that has not run."""
    return Item.from_parent(request.session, name="test_login")


@pytest.fixture
def authenticator() -> Authenticator:
    """An authenticator whose codes are recorded."""
    clock = FrozenClock()
    authenticator = Authenticator(clock, ledger=MemoryLedger(), holder=lambda: "test_login")
    recorder = Recorder(clock, lambda: authenticator.ledger)
    authenticator.on_code = recorder.record
    return authenticator


@pytest.fixture
def recorder(authenticator: Authenticator) -> Recorder:
    """What records them."""
    return authenticator.on_code.__self__


def finish(
    recorder: Recorder, item: pytest.Item, when: Literal["setup", "call", "teardown"], error: Exception | None = None
) -> pytest.TestReport:
    """Let a phase of a test end, and return its report."""

    def call() -> None:
        if error is not None:
            raise error

    info = pytest.CallInfo.from_call(call, when)
    hook = RecorderHooks(recorder).pytest_runtest_makereport(item, info)
    next(hook)
    outcome: Literal["passed", "failed"] = "passed" if error is None else "failed"
    properties: Any = item.user_properties
    report = pytest.TestReport(item.nodeid, ("", 0, ""), {}, outcome, None, when, user_properties=properties)
    with pytest.raises(StopIteration) as finished:
        hook.send(report)
    assert finished.value.value is report
    return report


def counted(item: pytest.Item) -> object:
    """Return how many one-time codes a test's properties tell."""
    return dict(item.user_properties).get("totphog_one_time_codes")


def test_codes_become_properties_of_the_test(
    recorder: Recorder, authenticator: Authenticator, item: pytest.Item
) -> None:
    """Set-up, call and tear-down report each; the last one tells of all, once."""
    token = authenticator.make(name="alice", period=86_400)
    item.user_properties.append(("owner", "alice"))
    token.one_time_code(min_remaining=0)
    finish(recorder, item, "setup")
    assert counted(item) == 1
    token.one_time_code(min_remaining=0, lookahead=1)
    token.now()
    finish(recorder, item, "call")
    finish(recorder, item, "teardown")

    assert item.user_properties == [
        ("owner", "alice"),
        ("totphog_one_time_codes", 2),
        ("totphog_codes_waited_for", 0),
        ("totphog_waited_seconds", 0.0),
    ]


def test_next_test_begins_anew(
    recorder: Recorder, authenticator: Authenticator, item: pytest.Item, request: pytest.FixtureRequest
) -> None:
    """Each has its own codes, and knows those of the tests before."""
    other = Item.from_parent(request.session, name="test_logout")
    authenticator.make(name="alice").now()
    finish(recorder, item, "teardown")
    assert [(code.by, test, part) for code, test, part in recorder.earlier] == [("now()", item.nodeid, "")]

    report = finish(recorder, other, "call", RuntimeError())

    assert report.sections == []
    assert other.user_properties == []


def test_codes_of_all_threads_are_recorded(recorder: Recorder, authenticator: Authenticator, item: pytest.Item) -> None:
    """Browsers and clients of a test ask at the same time."""
    authenticator.clock.freeze("2024-01-15T10:30:00Z")
    token = authenticator.make(name="alice")
    in_threads(8, lambda _: [token.one_time_code() for _ in range(50)])

    finish(recorder, item, "call")

    assert counted(item) == 400


def test_failure_of_a_test_that_is_run_again_is_forgotten(
    recorder: Recorder, authenticator: Authenticator, item: pytest.Item
) -> None:
    """What it took counts all the same."""
    token = authenticator.make(name="alice", period=86_400)
    token.one_time_code(min_remaining=0)
    failed = finish(recorder, item, "call", RuntimeError())
    assert "totphog_failure" in dict(failed.user_properties)
    finish(recorder, item, "teardown")
    assert "totphog_failure" in dict(item.user_properties)

    finish(recorder, item, "setup")

    assert dict(item.user_properties)["totphog_failure"] == ""
    assert counted(item) == 1
    token.now()
    finish(recorder, item, "call", RuntimeError())
    assert [bool(value) for name, value in item.user_properties if name == "totphog_failure"] == [True]


def test_facts_that_cannot_be_told(
    recorder: Recorder, authenticator: Authenticator, item: pytest.Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with the explanation, the report of the failure is made."""
    authenticator.make(name="alice").now()

    def broken() -> MemoryLedger:
        raise KeyError("alice")

    monkeypatch.setattr(recorder, "ledger", broken)
    report = finish(recorder, item, "call", RuntimeError())

    assert report.sections == [("TOTP", "The facts are not known: KeyError")]
