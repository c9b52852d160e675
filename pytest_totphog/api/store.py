"""A store over HTTP: the other side of `RemoteStore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, Generic, TypeAlias

from werkzeug.wrappers import Request, Response

from pytest_totphog.authenticator.replay_scope import ReplayScope
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown
from pytest_totphog.inputs import as_text, is_number, is_whole
from pytest_totphog.stores import RecordType, Repository, Store
from pytest_totphog.stores.ledger import MAX_HOLDER, MAX_STEP, Claim, Ledger
from pytest_totphog.stores.wire import RecordWire
from pytest_totphog.wsgi.bodies import checked_fields, json_response, read_object
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.gate import Gate
from pytest_totphog.wsgi.routes import App, Route

__all__ = ["store_app", "store_routes"]

__tracebackhide__ = hidden_in_reports

# Under how many keys one step may be spent.
MAX_KEYS: Final = 8

# A method of a collection: its arguments' names, and what is called with them.
_Method: TypeAlias = tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Any]]


def store_routes(
    store: Store,
    *record_types: type[Any],
    on_claim: Callable[[Request, Claim], None] | None = None,
    on_scope: Callable[[Request, ReplayScope], None] | None = None,
) -> list[Route]:
    """Return the routes by which other processes share a store's ledger and some of its repositories.

    Args:
        store: where everything is kept.
        record_types: whose repositories are served.
        on_claim: called with the request and its claim, for every claim that is made by these routes.
        on_scope: called with the request and where other claims count from now on; no route says so unless given.
    """
    collections: dict[str, dict[str, _Method]] = {
        "ledger": _ledger_methods(store.ledger),
        "clock": {"time": ((), lambda _: store.time())},
    }
    if on_scope is not None:
        collections["ledger"]["scope"] = (("scope",), lambda given: ReplayScope.parse(given["scope"]))
    for record_type in record_types:
        records = _Records(store, record_type)
        collections[records.collection] = records.methods

    def ask(request: Request, collection: str, method: str) -> Response:
        found = collections.get(collection, {}).get(method)
        if found is None:
            raise HttpError(404, "Not found")
        names, call = found
        arguments = read_object(request, None)
        checked_fields(arguments, names)
        if missing := [name for name in names if name not in arguments]:
            raise InvalidInput(f"{missing[0]} is missing")
        result = call(arguments)
        if on_claim is not None and result is not None and (collection, method) == ("ledger", "claim"):
            on_claim(request, Claim(**result))
        if on_scope is not None and isinstance(result, ReplayScope):
            result = on_scope(request, result)
        return json_response({"result": result})

    return [Route("POST", "/store/<collection>/<method>", ask)]


def store_app(store: Store, gate: Gate, *record_types: type[Any]) -> App:
    """Return the app that serves a store's ledger and some of its repositories, and nothing else.

    Args:
        store: where everything is kept.
        gate: what is refused beforehand.
        record_types: whose repositories are served.
    """
    routes = [Route(each.method, f"/api/v1{each.path}", each.handler) for each in store_routes(store, *record_types)]
    return App(routes, lambda error: json_response({"success": False, "error": error.message}), gate)


def _ledger_methods(ledger: Ledger) -> dict[str, _Method]:
    def claim(given: Mapping[str, Any]) -> Any:
        keys = given["fingerprint"]
        keys = [as_text("fingerprint", key) for key in (keys if isinstance(keys, list) else [keys])]
        if not 1 <= len(keys) <= MAX_KEYS:
            raise InvalidInput(
                f"fingerprint is an array of {len(keys)}; accepted are 1 to {MAX_KEYS} texts, or one text"
            )
        made = ledger.claim(
            keys[0],
            _step(given, "earliest"),
            _step(given, "latest"),
            holder=as_text("holder", given["holder"], most=MAX_HOLDER),
            claimed_at=_seconds(given, "claimed_at"),
            also=keys[1:],
        )
        return _as_object(made)

    def give_back(given: Mapping[str, Any]) -> Any:
        return ledger.give_back(
            Claim(
                as_text("fingerprint", given["fingerprint"]),
                _step(given, "step"),
                as_text("holder", given["holder"], most=MAX_HOLDER),
                _seconds(given, "claimed_at"),
            )
        )

    def last(given: Mapping[str, Any]) -> Any:
        return _as_object(ledger.last(as_text("fingerprint", given["fingerprint"])))

    def find(given: Mapping[str, Any]) -> Any:
        return _as_object(ledger.find(as_text("fingerprint", given["fingerprint"]), _step(given, "step")))

    return {
        "claim": (("fingerprint", "earliest", "latest", "holder", "claimed_at"), claim),
        "give_back": (("fingerprint", "step", "holder", "claimed_at"), give_back),
        "last": (("fingerprint",), last),
        "find": (("fingerprint", "step"), find),
    }


class _Records(Generic[RecordType]):
    """The methods of one repository."""

    def __init__(self, store: Store, record_type: type[RecordType]) -> None:
        self._store = store
        self._record_type = record_type
        self._wire = RecordWire(record_type)
        self.collection = self._wire.collection
        self.methods: dict[str, _Method] = {
            "add": (("records",), self._add),
            "find": (("equal",), self._find),
            "replace": (("old", "new"), self._replace),
            "remove": (("id",), self._remove),
            "clear": (("equal",), self._clear),
        }

    def _add(self, given: Mapping[str, Any]) -> bool:
        records = given["records"]
        if not isinstance(records, list):
            raise InvalidInput("records is no array")
        return self._repository.add(*(self._wire.decode(record) for record in records))

    def _find(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = self._repository.find(**self._wire.decode_values(given["equal"]))
        return [self._wire.encode(record) for record in found]

    def _replace(self, given: Mapping[str, Any]) -> bool:
        return self._repository.replace(self._wire.decode(given["old"]), self._wire.decode(given["new"]))

    def _remove(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        if self._wire.encode_values({"id": given["id"]}) is None:
            return None
        removed = self._repository.remove(given["id"])
        return None if removed is None else self._wire.encode(removed)

    def _clear(self, given: Mapping[str, Any]) -> int:
        return self._repository.clear(**self._wire.decode_values(given["equal"]))

    @property
    def _repository(self) -> Repository[RecordType]:
        # Asked for when it is used first: a database creates its table then.
        return self._store.repository(self._record_type)


def _as_object(claim: Claim | None) -> dict[str, Any] | None:
    return None if claim is None else asdict(claim)


def _step(given: Mapping[str, Any], name: str) -> int:
    value = given[name]
    if not is_whole(value, 0, MAX_STEP):
        raise InvalidInput(f"{name} is {shown(value)}; accepted are the time steps from 0 to {MAX_STEP}")
    return value


def _seconds(given: Mapping[str, Any], name: str) -> float:
    value = given[name]
    if not is_number(value, 0, MAX_STEP):
        raise InvalidInput(f"{name} is not accepted; accepted are seconds since the epoch")
    return float(value)
