"""Databases to keep records in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_totphog.stores.sql import SqlStore


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Either database; each test leaves it as empty as it was."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sql_store(database_url: str) -> Iterator[SqlStore]:
    """A store in either database."""
    store = SqlStore(database_url)
    yield store
    store.clear()
    store.close()
