"""Pages that follow frozen_clock, across the tests of a run."""

from pathlib import Path

import pytest

from tests.integration.test_documentation_code import ASYNC

TESTS = """
    import pytest

    THEN = 1705314600000

    def date(driver):
        return driver.execute_script("return Date.now()")

    class TestAppliedInATest:
        def test_follows(self, driver, frozen_clock):
            driver.get("data:text/html,<p>")
            frozen_clock.apply_to(driver)
            assert date(driver) == THEN
            frozen_clock.tick(60)
            assert date(driver) == THEN + 60_000

        def test_the_next_test_has_the_real_time(self, driver):
            assert date(driver) > THEN + 60_000
            driver.get("data:text/html,<p>another")
            assert date(driver) > THEN + 60_000

        def test_and_is_not_followed(self, driver, frozen_clock):
            assert date(driver) > THEN + 60_000

    @pytest.fixture(scope="class")
    def applied(driver, totp_server_session):
        totp_server_session.clock.apply_to(driver)

    @pytest.mark.usefixtures("applied")
    class TestAppliedForAll:
        @pytest.mark.parametrize("turn", [1, 2])
        def test_follows(self, driver, frozen_clock, turn):
            assert date(driver) == THEN
            frozen_clock.tick(60)
            assert date(driver) == THEN + 60_000

        def test_live(self, driver):
            assert date(driver) > THEN + 60_000

        @pytest.mark.frozen_clock("2001-09-09T01:46:40Z", patch=None)
        def test_elsewhere(self, driver):
            assert date(driver) == 1_000_000_000_000
    """

ASYNC_TESTS = """
    import pytest

    THEN = 1705314600000

    @pytest.mark.asyncio
    async def test_nobody_awaits(page, frozen_clock):
        frozen_clock.apply_to(page)
        assert await page.evaluate("Date.now()") == THEN
        frozen_clock.tick(60)
        assert await page.evaluate("Date.now()") == THEN + 60_000

    @pytest.mark.asyncio
    async def test_closed_before_the_clock_is_given_back(frozen_clock, page):
        await frozen_clock.apply_to(page)
        frozen_clock.tick(60)
        await page.close()
        frozen_clock.tick(60)
    """


@pytest.fixture(autouse=True)
def with_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let test runs in processes of their own find the fixtures `driver` and `page`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_pages_follow_as_long_as_the_fixture(project: pytest.Pytester, patch: str) -> None:
    """A page has the real time after the test that applied it; one of a wider-scoped fixture follows in every test."""
    project.makepyfile(TESTS)
    result = project.runpytest_subprocess("-p", "tests.support.browser_fixtures", f"--totphog-clock-patch={patch}")
    result.assert_outcomes(passed=7)


def test_async_pages(project: pytest.Pytester) -> None:
    """pytest-asyncio ends the event loop before or after the fixture, and nothing is left that warns."""
    project.makepyfile(ASYNC_TESTS)
    project.runpytest_subprocess("-p", "asyncio", *ASYNC).assert_outcomes(passed=2)
