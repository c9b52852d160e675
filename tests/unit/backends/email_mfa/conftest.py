"""An email-mfa on a frozen clock, with a mailbox to read."""

from collections.abc import Iterator

import pytest

from pytest_totphog.backends.email_mfa.app import create_app
from pytest_totphog.backends.mailbox import Mailbox
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryStore
from tests.support.client import Client


@pytest.fixture(scope="module")
def running_mailbox() -> Iterator[Mailbox]:
    """A mail server for the module's tests."""
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(running_mailbox: Mailbox) -> Mailbox:
    """The mail server, empty."""
    running_mailbox.clear()
    return running_mailbox


@pytest.fixture
def client(clock: Clock, store: MemoryStore, mailbox: Mailbox) -> Client:
    """A client of the app."""
    return Client(create_app(clock=clock, store=store, mailbox=mailbox))
