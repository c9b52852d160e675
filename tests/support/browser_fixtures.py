"""The fixtures `driver` and `page` as pytest-selenium and pytest-playwright give them, for test runs inside tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browser import started


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    """A WebDriver of Chromium."""
    with started("selenium") as browser:
        yield browser.page


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """A page of Playwright's synchronous API."""
    with started("playwright") as browser:
        yield browser.page
