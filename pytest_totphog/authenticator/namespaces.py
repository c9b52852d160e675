"""The namespaces of a shared server: each test run has tokens and a clock of its own, and all share one ledger."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Final

from pytest_totphog.authenticator.authenticator import Authenticator
from pytest_totphog.authenticator.replay_scope import UNNAMED, ReplayScope, ScopedLedger
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import within_range
from pytest_totphog.clocks.real_clock import RealClock
from pytest_totphog.credentials.token import Token
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown
from pytest_totphog.stores import Repository, Store
from pytest_totphog.stores.records import put

__all__ = ["Namespace", "Namespaces", "StoredClock"]

__tracebackhide__ = hidden_in_reports

# A test run that died leaves its tokens behind; after a day without a request they are forgotten.
DAY: Final = 86_400
# How exactly the last use of a namespace is known, in seconds.
USE_INTERVAL: Final = 60

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


@dataclass(frozen=True)
class Namespace:
    """What is known of a namespace beside its tokens.

    Attributes:
        id: its name; empty for the tokens and the clock of requests without a namespace.
        used_at: when it was last used, in seconds since the epoch, by the store's clock or by real time,
            whichever is later.
        frozen_at: where its clock stands, in microseconds since the epoch, which every store can count up to the
            year 9999; None while it is live.
        scope: where what its tokens hand out counts, a `ReplayScope`; empty for the whole namespace.
    """

    collection: ClassVar[str] = "namespaces_namespace"

    id: str
    used_at: float
    frozen_at: int | None = None
    scope: str = ""


class StoredClock(Clock):
    """A clock that stands or runs alike in every process that shares its store.

    Args:
        namespaces: where it is kept.
        id: the namespace whose clock it is.
        used_at: says when a namespace is used that is used now; see `Namespace`.
    """

    # Another process may freeze it.
    _longest_wait = 1.0

    def __init__(self, namespaces: Repository[Namespace], id: str, used_at: Callable[[], float]) -> None:
        super().__init__()
        self._used_at = used_at
        self._namespaces = namespaces
        self._id = id

    @property
    def frozen_at(self) -> int | None:
        """Where the clock stands, in nanoseconds since the epoch; None while it is live."""
        namespace = self._namespaces.get(self._id)
        return None if namespace is None else _nanoseconds(namespace)

    def _show(self, nanoseconds: int | None) -> None:
        self._put(lambda _: nanoseconds)

    def _move(self, target: Callable[[int], int]) -> float:
        # Another process may have moved it meanwhile, or released it.
        self._put(lambda frozen_at: None if frozen_at is None else within_range(target(frozen_at)))
        return self.time()

    def _put(self, change: Callable[[int | None], int | None]) -> None:
        def changed(old: Namespace | None) -> Namespace:
            known = Namespace(self._id, self._used_at()) if old is None else old
            nanoseconds = change(_nanoseconds(known))
            return replace(known, frozen_at=None if nanoseconds is None else nanoseconds // 1000)

        super()._show(_nanoseconds(put(self._namespaces, self._id, changed)))


def _nanoseconds(namespace: Namespace) -> int | None:
    """Return where the clock of a namespace stands, as clocks count."""
    return None if namespace.frozen_at is None else namespace.frozen_at * 1000


def _check(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            f"the namespace is {shown(name)}; accepted are 1 to 100 letters, digits, dots, dashes and underscores, "
            "the first of them a letter or a digit"
        )


class Namespaces:
    """The authenticators of a server: one for each namespace, and one for requests without one.

    Args:
        store: where tokens, clocks and claims live.
        default: the authenticator of requests without a namespace; one in the store unless given.
        holder: see `Authenticator`.
        clock: real time.
    """

    def __init__(
        self,
        store: Store,
        default: Authenticator | None = None,
        *,
        holder: Callable[[], str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.store = store
        self._holder = holder
        self._clock = RealClock() if clock is None else clock
        self._lock = threading.Lock()
        self._authenticators: dict[str, Authenticator] = {}
        self._touched: dict[str, float] = {}
        self._closed = False
        self.default = self._make("") if default is None else default

    def get(self, name: str) -> Authenticator:
        """Return the authenticator of a namespace, which is there as soon as it is named.

        Args:
            name: 1 to 100 letters, digits, dots, dashes and underscores.

        Raises:
            InvalidInput: when it is another name.
        """
        _check(name)
        with self._lock:
            new = name not in self._authenticators
            if new:
                self._authenticators[name] = self._make(name)
            authenticator = self._authenticators[name]
        if not 0 <= self._clock.time() - self._touched.get(name, -math.inf) < USE_INTERVAL:
            self._touch(name)
        if new:
            self.prune()
        return authenticator

    def look(self, name: str) -> Authenticator:
        """Return the authenticator of a namespace; of one that is not there, an empty one that is kept nowhere.

        Args:
            name: 1 to 100 letters, digits, dots, dashes and underscores.

        Raises:
            InvalidInput: when it is another name.
        """
        _check(name)
        known = name in self._authenticators or self._records.get(name) is not None
        return self.get(name) if known else self._make(name)

    def __contains__(self, name: str) -> bool:
        """Return whether this process knows a namespace."""
        return name in self._authenticators

    def prune(self) -> None:
        """Forget the namespaces that surely were not used for a day, with their tokens.

        By the store's clock and by real time: the clock of one of many machines may be days off.
        """
        before = min(self.store.time(), self._clock.time()) - DAY
        records = self._records.find()
        for namespace in records:
            if namespace.id and namespace.used_at < before:
                self._tokens.clear(namespace=namespace.id)
                self._records.remove(namespace.id)
        kept = {namespace.id for namespace in records if namespace.used_at >= before}
        with self._lock:
            # Another process may have pruned what this one still knows.
            self._authenticators = {name: each for name, each in self._authenticators.items() if name in kept}
            self._touched = {name: each for name, each in self._touched.items() if name in kept}

    def open(self, api_url: str | Callable[[], str]) -> None:
        """Let all tokens wait for codes; those of no namespace are served here, see `Authenticator.open`."""
        self.default.open(api_url)
        with self._lock:
            self._closed = False
            for authenticator in self._authenticators.values():
                authenticator.closed = False

    def close(self) -> None:
        """Give up all waiting for codes, in every namespace, until `open`."""
        self.default.close()
        with self._lock:
            self._closed = True
            authenticators = list(self._authenticators.values())
        for authenticator in authenticators:
            authenticator.close()

    @property
    def _records(self) -> Repository[Namespace]:
        return self.store.repository(Namespace)

    @property
    def _tokens(self) -> Repository[Token]:
        return self.store.repository(Token)

    def _make(self, name: str) -> Authenticator:
        clock = StoredClock(self._records, name, self._used_at)
        authenticator = Authenticator(
            clock,
            self._tokens,
            ScopedLedger(self.store, clock, partial(self._scope, name)),
            namespace=name,
            holder=self._holder,
            on_scope=partial(self._keep_scope, name),
        )
        authenticator.closed = self._closed
        return authenticator

    def _scope(self, name: str) -> ReplayScope:
        namespace = self._records.get(name)
        if namespace is None or not namespace.scope:
            return ReplayScope(name) if name else UNNAMED
        return ReplayScope.parse(namespace.scope)

    def _keep_scope(self, name: str, scope: ReplayScope) -> None:
        self._put(name, scope=str(scope))

    def _touch(self, name: str) -> None:
        now = self._used_at()
        self._put(name, used_at=now)
        self._touched[name] = self._clock.time()

    def _put(self, name: str, **changes: Any) -> None:
        """Change what is known of a namespace."""
        new = Namespace(name, self._used_at())
        put(self._records, name, lambda old: replace(new if old is None else old, **changes))

    def _used_at(self) -> float:
        return max(self.store.time(), self._clock.time())
