"""Databases to keep records in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_totphog.api.store import store_routes
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.stores.sql import SqlStore
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.json import json_response
from pytest_totphog.wsgi.routes import App, Route
from pytest_totphog.wsgi.server import Server


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


@contextmanager
def served(store: Store, *record_types: type) -> Iterator[str]:
    """Serve a store over HTTP, with the key "sesame", and give the server's URL."""
    routes = [Route(r.method, f"/api/v1{r.path}", r.handler) for r in store_routes(store, *record_types)]
    app = App(routes, lambda error: json_response({"success": False, "error": error.message}), Gate(api_key="sesame"))
    server = Server(app)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(params=["memory", "sqlite", "postgresql", "remote"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind; a remote one serves the module's RECORD_TYPES."""
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "remote":
        with served(MemoryStore(), *getattr(request.module, "RECORD_TYPES", ())) as url:
            remote = RemoteStore(url, api_key="sesame")
            yield remote
            remote.close()
        return
    sql = SqlStore(request.getfixturevalue(f"{request.param}_url"))
    yield sql
    sql.ledger.prune(float("inf"))
    sql.clear()
    sql.close()
