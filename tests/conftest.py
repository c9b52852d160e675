"""What all tests share."""

from collections.abc import Iterator

import pytest

from tests.postgresql import running_postgresql

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a PostgreSQL that these tests have to themselves; one for each worker of pytest-xdist."""
    with running_postgresql() as url:
        yield url
