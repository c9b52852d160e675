"""Records and a ledger that another process keeps and serves over HTTP."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final, Generic

from pytest_totphog.errors import StoreError, hidden_in_reports
from pytest_totphog.ledger import Claim
from pytest_totphog.stores import RecordType, Repository
from pytest_totphog.stores.wire import RecordWire

if TYPE_CHECKING:
    from requests import Session

__all__ = ["RemoteLedger", "RemoteRepository", "RemoteStore"]

# Records hold secrets.
__tracebackhide__ = hidden_in_reports

# How long to wait for a connection, and for an answer, in seconds.
TIMEOUT: Final = 10
CONNECTIONS: Final = 64


class RemoteStore:
    """Repositories and a ledger of a running server; see `Store` for what its methods promise.

    Args:
        url: the server's base URL.
        api_key: what is sent as `Authorization: Bearer …`.
        name: how errors call the server, unless by its URL.

    Raises:
        StoreError: from every method, when the server cannot be reached or fails. What was asked for may have been
            done all the same: a claim whose answer was lost stays spent.
    """

    def __init__(self, url: str, *, api_key: str | None = None, name: str | None = None) -> None:
        self.url = url
        self.name = f"the totphog server at {url}" if name is None else name
        self.ledger = RemoteLedger(self)
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._lock = threading.Lock()
        self._repositories: dict[type, RemoteRepository[Any]] = {}
        self._sessions: dict[int, Session] = {}

    def __repr__(self) -> str:
        return f"<RemoteStore {self.name}>"

    def repository(self, record_type: type[RecordType]) -> Repository[RecordType]:
        """Return the repository of a type of record; the same one each time."""
        with self._lock:
            if record_type not in self._repositories:
                self._repositories[record_type] = RemoteRepository(self, record_type)
            return self._repositories[record_type]

    def clear(self) -> None:
        """Forget all records of all repositories that have been asked for; the ledger keeps what was handed out."""
        for repository in list(self._repositories.values()):
            repository.clear()

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def ask(self, collection: str, method: str, **arguments: Any) -> Any:
        """Let the server call a method of one of its collections, and return the result as JSON tells it.

        Raises:
            StoreError: when there is no answer, or another one than a result.
        """
        import requests

        try:
            path = f"/api/v1/store/{collection}/{method}"
            response = self._session().post(self.url + path, json=arguments, timeout=TIMEOUT)
            answer = response.json()
            if response.status_code == 200:
                return answer["result"]
            reason = str(answer["error"])
        except requests.RequestException as error:
            reason = _reason(error)
        except (ValueError, LookupError, TypeError):
            reason = f"it answered {response.status_code} {response.reason}, which no totphog server does"
        # Never the arguments: they hold secrets.
        raise StoreError(f"{self.name} failed: {reason}") from None

    def _session(self) -> Session:
        # A forked child must not speak on its parent's connections.
        process = os.getpid()
        session = self._sessions.get(process)
        if session is None:
            import requests
            from requests.adapters import HTTPAdapter

            session = requests.Session()
            session.trust_env = False  # no proxy, and no other key from a .netrc
            session.headers.update(self._headers)
            for scheme in "http://", "https://":
                session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
            with self._lock:
                session = self._sessions.setdefault(process, session)
        return session


class RemoteRepository(Generic[RecordType]):
    """A repository of a running server; see `Repository` for what its methods promise."""

    def __init__(self, store: RemoteStore, record_type: type[RecordType]) -> None:
        self._store = store
        self._wire = RecordWire(record_type)

    def add(self, *records: RecordType) -> bool:
        """Keep new records, all or none; False, and nothing changed, when an id is taken."""
        return bool(self._ask("add", records=[self._wire.encode(record) for record in records]))

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        return next(iter(self.find(id=id)), None)

    def find(self, **equal: Any) -> list[RecordType]:
        """Return the records whose fields have these values, oldest first; all of them without any."""
        wanted = self._wire.encode_values(equal)
        if wanted is None:
            return []
        return [self._wire.decode(record) for record in self._ask("find", equal=wanted)]

    def replace(self, old: RecordType, new: RecordType) -> bool:
        """Put a new record in the place of an old one of the same id; False when somebody else was faster."""
        replacement = self._wire.encode(new)
        expected = self._wire.encode_values({name: getattr(old, name) for name in replacement})
        return expected is not None and bool(self._ask("replace", old=expected, new=replacement))

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none, so only one caller gets it."""
        if self._wire.encode_values({"id": id}) is None:
            return None
        removed = self._ask("remove", id=id)
        return None if removed is None else self._wire.decode(removed)

    def clear(self, **equal: Any) -> int:
        """Forget the records whose fields have these values, all of them without any; return how many there were."""
        wanted = self._wire.encode_values(equal)
        return 0 if wanted is None else int(self._ask("clear", equal=wanted))

    def _ask(self, method: str, **arguments: Any) -> Any:
        return self._store.ask(self._wire.collection, method, **arguments)


class RemoteLedger:
    """A ledger of a running server; see `Ledger` for what its methods promise."""

    def __init__(self, store: RemoteStore) -> None:
        self._store = store

    def claim(self, fingerprint: str, earliest: int, latest: int, *, holder: str, claimed_at: float) -> Claim | None:
        """Claim the first free step; see `Ledger.claim`."""
        return self._ask(
            "claim", fingerprint=fingerprint, earliest=earliest, latest=latest, holder=holder, claimed_at=claimed_at
        )

    def last(self, fingerprint: str) -> Claim | None:
        """Return the claim on the latest step of a credential."""
        return self._ask("last", fingerprint=fingerprint)

    def find(self, fingerprint: str, step: int) -> Claim | None:
        """Return the claim on one step of a credential."""
        return self._ask("find", fingerprint=fingerprint, step=step)

    def prune(self, before: float) -> None:
        """Forget what was claimed before; see `Ledger.prune`."""
        self._ask("prune", before=before)

    def _ask(self, method: str, **arguments: Any) -> Claim | None:
        claim = self._store.ask("ledger", method, **arguments)
        return None if claim is None else Claim(**claim)


def _reason(error: Exception) -> str:
    """Return what the system says, without the chain of classes that requests wraps it in."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and isinstance(cause, Exception):
        causes.append(cause)
    # The deepest that knows the system's own words.
    for cause in reversed(causes):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return "it did not answer in time" if type(error).__name__.endswith("Timeout") else "the connection was broken off"
