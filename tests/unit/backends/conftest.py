"""What every backend's tests stand on."""

import pytest

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the first second of a time step, and of a minute."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    return clock


@pytest.fixture
def store() -> MemoryStore:
    """Where the app keeps everything."""
    return MemoryStore()
