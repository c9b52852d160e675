"""How many one-time codes tests took, and how long they waited for them."""

from typing import Any

import pytest

from pytest_totphog.one_time_code import OneTimeCode
from pytest_totphog.waiting import Waiting, summary
from tests.threads import in_threads


def code(waited_seconds: float = 0.0) -> OneTimeCode:
    """Return a code that was waited for."""
    return OneTimeCode("648307", 56_843_820, 30, 18, waited_seconds)


class Item(pytest.Item):
    """A test."""

    def runtest(self) -> None:
        """Do nothing."""


@pytest.fixture
def item(request: pytest.FixtureRequest) -> pytest.Item:
    """A test that has not run."""
    return Item.from_parent(request.session, name="test_login")


def report(nodeid: str, codes: int, waited_for: int, seconds: float, **more: Any) -> pytest.TestReport:
    """Return the last report of a test."""
    properties = [
        ("owner", "alice"),
        ("totphog_one_time_codes", codes),
        ("totphog_codes_waited_for", waited_for),
        ("totphog_waited_seconds", seconds),
    ]
    return pytest.TestReport(nodeid, ("", 0, ""), {}, "passed", None, "teardown", user_properties=properties, **more)


# Counting


def test_codes_become_properties_of_the_test(item: pytest.Item) -> None:
    """How many, how many of them were waited for, and how long in all."""
    waiting = Waiting()
    for seconds in (0.0, 18.04, 11.3):
        waiting.record(code(seconds))

    waiting.pytest_runtest_makereport(item)

    assert item.user_properties == [
        ("totphog_one_time_codes", 3),
        ("totphog_codes_waited_for", 2),
        ("totphog_waited_seconds", 29.3),
    ]


def test_test_without_codes_has_no_properties(item: pytest.Item) -> None:
    """What it has of its own stays as it is."""
    item.user_properties.append(("owner", "alice"))

    Waiting().pytest_runtest_makereport(item)

    assert item.user_properties == [("owner", "alice")]


def test_phases_of_a_test_add_up(item: pytest.Item) -> None:
    """Set-up, call and tear-down report each; the last one tells of all, once."""
    waiting = Waiting()
    item.user_properties.append(("owner", "alice"))
    for seconds in (1.0, 2.0, 0.0):
        waiting.record(code(seconds))
        waiting.pytest_runtest_makereport(item)
    waiting.pytest_runtest_makereport(item)

    assert item.user_properties == [
        ("owner", "alice"),
        ("totphog_one_time_codes", 3),
        ("totphog_codes_waited_for", 2),
        ("totphog_waited_seconds", 3.0),
    ]


def test_next_test_is_counted_anew(item: pytest.Item, request: pytest.FixtureRequest) -> None:
    """Each has its own codes."""
    waiting, other = Waiting(), Item.from_parent(request.session, name="test_logout")
    waiting.record(code(1.0))
    waiting.pytest_runtest_makereport(item)

    waiting.pytest_runtest_makereport(other)

    assert other.user_properties == []


def test_moment_is_no_waiting(item: pytest.Item) -> None:
    """It would be told as 0.0 seconds."""
    waiting = Waiting()
    waiting.record(code(0.04))
    waiting.record(code(0.06))

    waiting.pytest_runtest_makereport(item)

    assert dict(item.user_properties)["totphog_codes_waited_for"] == 1


def test_codes_of_all_threads_are_counted(item: pytest.Item) -> None:
    """Browsers and clients of a test ask at the same time."""
    waiting = Waiting()

    in_threads(16, lambda _: [waiting.record(code(0.5)) for _ in range(100)])
    waiting.pytest_runtest_makereport(item)

    assert dict(item.user_properties) == {
        "totphog_one_time_codes": 1600,
        "totphog_codes_waited_for": 1600,
        "totphog_waited_seconds": 800.0,
    }


# The line


@pytest.mark.parametrize(
    ("reports", "line"),
    [
        ([report("test_a.py::test_a", 1, 0, 0.0)], "totphog: 1 one-time code, none waited for"),
        (
            [report("test_a.py::test_a", 2, 0, 0.0), report("test_a.py::test_b", 3, 0, 0.0)],
            "totphog: 5 one-time codes, none waited for",
        ),
        (
            [report("test_a.py::test_a", 1, 1, 29.9)],
            "totphog: 1 one-time code, 29.9 s waited for 1 of them; slowest test test_a.py::test_a, 29.9 s",
        ),
        (
            [
                report("test_a.py::test_a", 6, 1, 11.2),
                report("test_a.py::test_b", 7, 1, 30.0),
                report("test_b.py::test_a", 1, 0, 0.0),
            ],
            "totphog: 14 one-time codes, 41.2 s waited for 2 of them; slowest test test_a.py::test_b, 30.0 s",
        ),
    ],
)
def test_line_about_all_tests(reports: list[pytest.TestReport], line: str) -> None:
    """How many codes, how long was waited for how many of them, and where most."""
    assert summary(reports) == line


def test_test_that_was_run_again_counts_once() -> None:
    """Its last report tells of all its runs; a plugin that repeats failing tests leaves the earlier ones too."""
    reports = [report("test_a.py::test_a", 1, 1, 10.0), report("test_a.py::test_a", 2, 1, 10.0)]

    assert summary(reports) == (
        "totphog: 2 one-time codes, 10.0 s waited for 1 of them; slowest test test_a.py::test_a, 10.0 s"
    )


def test_test_that_several_workers_ran_counts_for_each() -> None:
    """As with pytest-xdist's `--dist=each`."""
    reports = [report("test_a.py::test_a", 1, 0, 0.0, worker_id=worker) for worker in ("gw0", "gw1")]

    assert summary(reports) == "totphog: 2 one-time codes, none waited for"


def test_properties_that_came_as_text() -> None:
    """A report that went through another tool's JSON or XML may have lost its types."""
    last = report("test_a.py::test_a", 2, 1, 3.5)
    last.user_properties[:] = [(name, str(value)) for name, value in last.user_properties]

    assert summary([last]) == (
        "totphog: 2 one-time codes, 3.5 s waited for 1 of them; slowest test test_a.py::test_a, 3.5 s"
    )
