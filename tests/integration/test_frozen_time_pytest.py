"""What pytest itself measures and reports while tests freeze time."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

TESTS = """
    import threading
    import pytest

    pytestmark = pytest.mark.parametrize(
        "patch", [pytest.param(name, marks=pytest.mark.frozen_clock(patch=name)) for name in PATCHES]
    )

    @pytest.fixture
    def slow(frozen_clock):
        threading.Event().wait(0.02)
        yield
        frozen_clock.tick(86400)
        threading.Event().wait(0.02)

    @pytest.mark.parametrize("at", ["2001-01-01T00:00:00Z", "2124-01-15T10:30:00Z"])
    def test_years_pass(slow, frozen_clock, at, patch):
        frozen_clock.move_to(at)
        frozen_clock.tick(3600)
        threading.Event().wait(0.02)

    def test_years_pass_and_are_over(slow, frozen_clock, patch):
        frozen_clock.move_to("2124-01-15T10:30:00Z")
        threading.Event().wait(0.02)
        frozen_clock.unfreeze()
        frozen_clock.freeze("2001-01-01T00:00:00Z", patch)
""".replace("PATCHES", repr(("freezegun", "time-machine", None)))


@pytest.fixture
def run(project: pytest.Pytester) -> Any:
    """Runs nine tests that freeze time in the past and in the future, under every patch."""
    project.makepyfile(TESTS)

    def run_with(*options: Any) -> Any:
        result = project.runpytest(*options)
        result.assert_outcomes(passed=9)
        return result

    return run_with


def test_durations_are_real(run: Any) -> None:
    """No phase lasts a negative time or years, and what waited is not lost."""
    report = "\n".join(run("--durations=0", "-vv").outlines)
    durations = [
        float(seconds) for seconds in re.findall(r"^(-?[\d.]+)s (?:setup|call|teardown)", report, re.MULTILINE)
    ]
    assert len(durations) == 27
    assert [duration for duration in durations if not 0.01 <= duration < 60] == []
    (total,) = re.findall(r"9 passed in (-?[\d.]+)s", report)
    assert 0.27 <= float(total) < 60


def test_junit_report_is_real(run: Any, project: pytest.Pytester) -> None:
    """The JUnit report has today's date and durations of seconds."""
    run("--junit-xml=report.xml")
    (suite,) = ET.parse(project.path / "report.xml").getroot()
    assert 2025 < int(suite.attrib["timestamp"][:4]) < 2100
    assert 0.27 <= float(suite.attrib["time"]) < 60
    assert len(suite) == 9
    assert [case.get("name") for case in suite if not 0.03 <= float(case.attrib["time"]) < 60] == []


def test_reports_start_when_they_start(project: pytest.Pytester) -> None:
    """Under freezegun, reports say when each phase really began and ended."""
    project.makepyfile(TESTS)
    reports = project.inline_run("-k", "freezegun").getreports("pytest_runtest_logreport")
    assert len(reports) == 9
    assert [report for report in reports if not 1735689600 < report.start <= report.stop < report.start + 60] == []
