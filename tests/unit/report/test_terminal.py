"""The table in pytest's terminal summary."""

import io
from dataclasses import replace

import pytest
from _pytest.terminal import TerminalReporter

from pytest_totphog.conformance.finding import Finding, Level, Rule, Verdict
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.report.terminal import write_table


def table(config: pytest.Config, subjects: list[Subject], width: int = 80, colours: bool = False) -> str:
    """Return what is written to a terminal of some width."""
    file = io.StringIO()
    reporter = TerminalReporter(config, file)
    reporter._tw.fullwidth = width
    reporter._tw.hasmarkup = colours
    write_table(reporter, subjects)
    return file.getvalue()


def test_login(pytestconfig: pytest.Config, shop: Subject) -> None:
    """Rule, verdict and level; the title of what passed, and the reason of what did not; then what was measured."""
    assert (
        table(pytestconfig, [shop])
        == """\
================================= TOTP battery =================================

tests/test_login.py::TestShop, profile rfc6238

V1   FAILED   MUST    The same code was accepted twice in its time step.
V2   skipped  MUST    Not judged: it presupposes V1.
V6   passed   SHOULD  The accepted window is narrow
V10  waived   SHOULD  Our customers' keyboards write full-width digits.
V11  passed   MUST    No code is no code

rules     1 failed, 1 not run, 1 waived, 1 skipped, 2 passed
not run   V28
window    steps -1 to +1: 3 codes of 6 digits accepted at a time, each for 90
          seconds
throttle  not measured
odds      At 10 requests a second, were nothing throttled (not measured), a
          guesser has 10 % after an hour, 93 % after a day and over 99 % after
          30 days.
"""
    )


def test_several_logins(pytestconfig: pytest.Config, shop: Subject, admin: Subject) -> None:
    """Each has a table of its own, with its profile."""
    lines = table(pytestconfig, [admin, shop]).splitlines()
    assert "tests/admin/test_admin login.py::TestAdmin, profile nist-800-63b" in lines
    assert "tests/test_login.py::TestShop, profile rfc6238" in lines
    assert "V6   FAILED   SHOULD  Steps -2 to +2 are accepted; at most 1 is recommended." in lines
    assert "throttle  after 5 wrong codes, for 15 minutes" in lines


def test_throttle_with_a_way_around(pytestconfig: pytest.Config, avoided: Subject) -> None:
    """The odds are those without the throttle."""
    lines = table(pytestconfig, [avoided], 100).splitlines()
    assert lines[-3:] == [
        "throttle  after 5 wrong codes, for 15 minutes; V29 shows a way around it",
        "odds      At 10 requests a second a guesser has 16 % after an hour, 99 % after a day and over 99 %",
        "          after 30 days.",
    ]


def test_problem(pytestconfig: pytest.Config) -> None:
    """Where no rule was judged it says why, and no more."""
    output = table(pytestconfig, [Subject("a.py::TestA", problem="the driver accepts wrong codes")])
    assert output.splitlines()[1:] == [
        "",
        "a.py::TestA",
        "",
        "problem   no rule was judged: the driver accepts wrong codes",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_width(pytestconfig: pytest.Config, shop: Subject, admin: Subject, width: int) -> None:
    """No line reaches the terminal's last column, and none is longer than one likes to read."""
    finding = Finding(shop.findings[0].rule, Verdict.FAILED, "A long reason. " * 20)
    lines = table(pytestconfig, [replace(shop, findings=(finding,)), admin], width).splitlines()
    assert max(len(line) for line in lines[1:]) < min(width, 100)


def test_continued_lines(pytestconfig: pytest.Config, shop: Subject) -> None:
    """A long reason goes on below its beginning, whole."""
    finding = Finding(
        shop.findings[0].rule, Verdict.FAILED, "one two three four five six seven eight nine ten eleven twelve"
    )
    lines = table(pytestconfig, [replace(shop, findings=(finding,))]).splitlines()
    assert lines[4:6] == [
        "V1   FAILED   MUST    one two three four five six seven eight nine ten eleven",
        "                      twelve",
    ]


def test_colours(pytestconfig: pytest.Config, shop: Subject) -> None:
    """Only the verdict's word has a colour, where the terminal has colours."""
    lines = table(pytestconfig, [shop], colours=True).splitlines()
    assert lines[4] == (
        "V1   \x1b[31m\x1b[1mFAILED   \x1b[0mMUST    The same code was accepted twice in its time step."
    )
    assert lines[6] == "V6   \x1b[32mpassed   \x1b[0mSHOULD  The accepted window is narrow"


def test_no_steering(pytestconfig: pytest.Config) -> None:
    """What a login answered cannot move the terminal's cursor, nor fake a line of the table."""
    rule = Rule("V1", "A code is accepted once", Level.MUST, "RFC 6238", "5.2", "")
    output = table(pytestconfig, [Subject("a.py::TestA", 1, (Finding(rule, Verdict.FAILED, "\x1b[2J\nV2 passed"),))])
    assert r"V1   FAILED   MUST    \x1b[2J\nV2 passed" in output.splitlines()
    assert "\x1b" not in output
