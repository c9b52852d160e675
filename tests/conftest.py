"""What all tests share."""

from collections.abc import Iterator

import pytest

from tests.support.postgresql import PostgreSQL, running_postgresql

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL that these tests have to themselves; one for each worker of pytest-xdist."""
    with running_postgresql() as postgresql:
        yield postgresql


@pytest.fixture(scope="session")
def postgresql_url(postgresql: PostgreSQL) -> str:
    """Its URL."""
    return postgresql.url
