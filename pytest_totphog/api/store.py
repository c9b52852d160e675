"""A store over HTTP: what `RemoteStore` asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, Generic, TypeAlias

from werkzeug.wrappers import Request, Response

from pytest_totphog.errors import InvalidInput, hidden_in_reports
from pytest_totphog.inputs import as_text
from pytest_totphog.stores import RecordType, Repository, Store
from pytest_totphog.stores.ledger import MAX_HOLDER, Claim, Ledger
from pytest_totphog.stores.wire import RecordWire
from pytest_totphog.wsgi.errors import HttpError
from pytest_totphog.wsgi.json import json_response, read_object
from pytest_totphog.wsgi.routes import Route

__all__ = ["store_routes"]

__tracebackhide__ = hidden_in_reports

# What every store can count.
MAX_INTEGER: Final = 2**63 - 1

# A method of a collection: its arguments' names, and what is called with them.
_Method: TypeAlias = tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Any]]


def store_routes(
    store: Store, *record_types: type[Any], on_claim: Callable[[Request, Claim], None] | None = None
) -> list[Route]:
    """Return the routes by which other processes share a store's ledger and some of its repositories.

    Args:
        store: where everything is kept.
        record_types: whose repositories are served.
        on_claim: called with every claim that is made by these routes, and the request for it.
    """
    collections = {"ledger": _ledger_methods(store.ledger)}
    for record_type in record_types:
        records = _Records(store, record_type)
        collections[records.collection] = records.methods

    def ask(request: Request, collection: str, method: str) -> Response:
        found = collections.get(collection, {}).get(method)
        if found is None:
            raise HttpError(404, "Not found")
        names, call = found
        arguments = read_object(request, names)
        if missing := [name for name in names if name not in arguments]:
            raise InvalidInput(f"{missing[0]} is missing")
        result = call(arguments)
        if on_claim is not None and result is not None and (collection, method) == ("ledger", "claim"):
            on_claim(request, Claim(**result))
        return json_response({"result": result})

    return [Route("POST", "/store/<collection>/<method>", ask)]


def _ledger_methods(ledger: Ledger) -> dict[str, _Method]:
    def claim(given: Mapping[str, Any]) -> Any:
        made = ledger.claim(
            as_text("fingerprint", given["fingerprint"]),
            _integer(given, "earliest"),
            _integer(given, "latest"),
            holder=as_text("holder", given["holder"], most=MAX_HOLDER),
            claimed_at=_seconds(given, "claimed_at"),
        )
        return _as_object(made)

    def last(given: Mapping[str, Any]) -> Any:
        return _as_object(ledger.last(as_text("fingerprint", given["fingerprint"])))

    def find(given: Mapping[str, Any]) -> Any:
        return _as_object(ledger.find(as_text("fingerprint", given["fingerprint"]), _integer(given, "step")))

    def prune(given: Mapping[str, Any]) -> Any:
        return ledger.prune(_seconds(given, "before"))

    return {
        "claim": (("fingerprint", "earliest", "latest", "holder", "claimed_at"), claim),
        "last": (("fingerprint",), last),
        "find": (("fingerprint", "step"), find),
        "prune": (("before",), prune),
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


def _integer(given: Mapping[str, Any], name: str) -> int:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INTEGER:
        raise InvalidInput(f"{name} is not accepted; accepted is a whole number of 63 bits")
    return value


def _seconds(given: Mapping[str, Any], name: str) -> float:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_INTEGER:
        raise InvalidInput(f"{name} is not accepted; accepted are seconds since the epoch")
    return float(value)
