"""Records and a ledger that another process keeps and serves over HTTP."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput, StoreError, hidden_in_reports
from pytest_totphog.stores import RecordType, Repository
from pytest_totphog.stores.ledger import Claim
from pytest_totphog.stores.wire import RecordWire

if TYPE_CHECKING:
    from requests import Session

__all__ = ["RemoteLedger", "RemoteRepository", "RemoteStore"]

Result = TypeVar("Result")

# Records hold secrets.
__tracebackhide__ = hidden_in_reports

# How long to wait for a connection, for an answer, and for a database that is away, in seconds.
TIMEOUT: Final = 10
CONNECTIONS: Final = 64


class RemoteStore:
    """Repositories and a ledger of a running server; see `Store` for what its methods promise.

    Args:
        url: the server's base URL.
        api_key: what is sent as `Authorization: Bearer …`.
        name: how errors call the server, unless by its URL.

    Raises:
        InvalidInput: when the API key is none that a header can carry.
        StoreError: from every method, when the server cannot be reached or fails. What was asked for may have been
            done all the same: a claim whose answer was lost stays spent.
    """

    def __init__(self, url: str, *, api_key: str | None = None, name: str | None = None) -> None:
        self.url = url
        self.name = f"the totphog server at {url}" if name is None else name
        self.ledger = RemoteLedger(self)
        if api_key is not None and not api_key.isprintable():
            raise InvalidInput("the API key has a line break or a control character in it; accepted is printable text")
        # The gate reads UTF-8; text would go out as Latin-1.
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}".encode()}
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

    def ask(self, collection: str, method: str, read: Callable[[Any], Result], /, **arguments: Any) -> Result:
        """Let the server call a method of one of its collections, and return the result.

        Args:
            collection: the collection's name.
            method: the method's name.
            read: makes the result of what JSON tells.
            arguments: what the method is called with.

        Raises:
            StoreError: when there is no answer, or another one than a result.
        """
        path = f"/api/v1/store/{collection}/{method}"
        return self.request("POST", path, arguments, lambda answer: read(answer["result"]))

    def request(self, method: str, path: str, body: dict[str, Any] | None, read: Callable[[Any], Result]) -> Result:
        """Send a request, again while the server's database is away, and return what is made of the answer.

        Args:
            method: the method of HTTP.
            path: what follows the server's base URL.
            body: what is sent as JSON.
            read: makes the result of what JSON tells.

        Raises:
            StoreError: when there is no answer, or none of a totphog server's.
        """
        import requests

        options: dict[str, Any] = {"json": body, "timeout": TIMEOUT}
        deadline = Clock.monotonic() + TIMEOUT
        while True:
            try:
                # Not elsewhere: what is sent holds secrets, and a redirection would make a GET of it.
                response = self._session().request(method, self.url + path, **options, allow_redirects=False)
            except requests.RequestException as error:
                reason = _reason(error)
                break
            again = response.headers.get("Retry-After", "")
            if response.status_code == 503 and again.isdecimal() and Clock.monotonic() + int(again) < deadline:
                threading.Event().wait(int(again))  # its database is away
                continue
            try:
                answer = response.json()
                if response.status_code == 200:
                    return read(answer)
                reason = str(answer["error"])
            except (ValueError, LookupError, TypeError):
                reason = f"it answered {response.status_code} {response.reason}, which no totphog server does"
            break
        # Never the body: it holds secrets.
        raise StoreError(f"{self.name} failed: {reason}")

    def _session(self) -> Session:
        # A forked child must not speak on its parent's connections.
        process = os.getpid()
        session = self._sessions.get(process)
        if session is None:
            import requests
            from requests.adapters import HTTPAdapter

            session = requests.Session()
            session.trust_env = False  # no proxy, and no other key from a .netrc
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
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
        encoded = [self._wire.encode(record) for record in records]
        return not encoded or self._ask("add", bool, records=encoded)

    def get(self, id: str) -> RecordType | None:
        """Return the record with an id."""
        return next(iter(self.find(id=id)), None)

    def find(self, **equal: Any) -> list[RecordType]:
        """Return the records whose fields have these values, oldest first; all of them without any."""
        wanted = self._wire.encode_values(equal)
        if wanted is None:
            return []
        return self._ask("find", lambda found: [self._wire.decode(record) for record in found], equal=wanted)

    def replace(self, old: RecordType, new: RecordType) -> bool:
        """Put a new record in the place of an old one of the same id; False when somebody else was faster."""
        replacement = self._wire.encode(new)
        expected = self._wire.encode_values({name: getattr(old, name) for name in replacement})
        return expected is not None and self._ask("replace", bool, old=expected, new=replacement)

    def remove(self, id: str) -> RecordType | None:
        """Forget the record with an id and return it; None when there was none, so only one caller gets it."""
        if self._wire.encode_values({"id": id}) is None:
            return None
        return self._ask("remove", lambda removed: None if removed is None else self._wire.decode(removed), id=id)

    def clear(self, **equal: Any) -> int:
        """Forget the records whose fields have these values, all of them without any; return how many there were."""
        wanted = self._wire.encode_values(equal)
        return 0 if wanted is None else self._ask("clear", int, equal=wanted)

    def _ask(self, method: str, read: Callable[[Any], Result], **arguments: Any) -> Result:
        return self._store.ask(self._wire.collection, method, read, **arguments)


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
        return self._store.ask("ledger", method, lambda claim: None if claim is None else Claim(**claim), **arguments)


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
