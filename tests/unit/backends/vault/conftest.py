"""The app vault on a frozen clock."""

import pytest

from pytest_totphog.backends.vault.app import create_app
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from tests.unit.backends.contract import Contract, ContractClient


@pytest.fixture
def client(clock: Clock, store: MemoryStore) -> ContractClient:
    """A client of the app, which fails for every answer that the OpenAPI document does not describe."""
    return ContractClient(create_app(clock=clock, store=store), Contract("pytest_totphog.backends.vault"))
