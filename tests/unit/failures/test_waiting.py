"""How many one-time codes tests took, and how long they waited for them."""

from typing import Any

import pytest

from pytest_totphog.failures.waiting import Waited, summary


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


def test_nothing_is_waited_at_first() -> None:
    """A test that took no code has properties of its own only."""
    assert Waited().codes == 0


def test_waiting_adds_up() -> None:
    """How many codes, how many of them were waited for, and how long in all."""
    waited = sum((Waited.of(seconds) for seconds in (0.0, 18.04, 11.3)), Waited())

    assert waited.properties == {
        "totphog_one_time_codes": 3,
        "totphog_codes_waited_for": 2,
        "totphog_waited_seconds": 29.3,
    }


def test_moment_is_no_waiting() -> None:
    """It would be told as 0.0 seconds."""
    assert [Waited.of(seconds).waited_for for seconds in (0.04, 0.06)] == [0, 1]


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
            [report("test_a.py::test_a", 2, 0, 4.0)],
            "totphog: 2 one-time codes, 4.0 s waited; slowest test test_a.py::test_a, 4.0 s",
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
