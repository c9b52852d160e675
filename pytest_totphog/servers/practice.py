"""A running practice backend: an app, the clock and the store it lives on, and a port."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_totphog.apps import APPS, create_app
from pytest_totphog.backends.verifier import VerifierPolicy
from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.errors import InvalidInput, hidden_in_reports
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.wsgi.server import Server

if TYPE_CHECKING:
    from typing import Self

__all__ = ["PracticeBackend", "policy_of"]

__tracebackhide__ = hidden_in_reports


def policy_of(name: str, **changes: Any) -> VerifierPolicy:
    """Return what the verifier of a practice backend accepts by its API document, with some changes.

    Args:
        name: the backend.
        changes: `window`, `one_time`, `max_failures`, `lockout_seconds`; for simple also `reregister`.

    Raises:
        InvalidInput: when a change is not what is accepted.
    """
    default: VerifierPolicy = import_module(APPS[name].module).DEFAULT_POLICY
    policy = replace(default, **changes)
    if policy.reregister and not default.reregister:
        raise InvalidInput(f"reregister is True, and {name} refuses a name that is taken; accepted is False")
    return policy


class PracticeBackend:
    """A 2FA server to develop page objects and clients against.

    Usable without pytest: `with PracticeBackend("simple") as backend: …`

    Args:
        name: `"simple"`, `"email-mfa"`, `"vault"` or `"login-demo"`.
        clock: what its codes, lockouts and tokens live on; the system's time unless given.
        policy: what its verifier accepts; as its API document says unless given.
        store: where its accounts live; in memory unless given.
        flaws: the mistakes to make, such as `{"replay", "race"}`; none unless given.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        options: what else that app takes.

    Raises:
        InvalidInput: when there is no app of that name, or it does not take an option or cannot have a flaw.
        MissingExtra: when a package is not installed that it needs.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: FrozenClock | None = None,
        policy: VerifierPolicy | None = None,
        store: Store | None = None,
        flaws: Collection[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        **options: Any,
    ) -> None:
        self.name = name
        self.clock: FrozenClock = FrozenClock() if clock is None else clock
        self._store: Store = MemoryStore() if store is None else store
        if flaws:
            options["flaws"] = flaws
        app = create_app(name, clock=self.clock, store=self._store, policy=policy, **options)
        self.flaws: frozenset[str] = frozenset(flaws)
        self.policy: VerifierPolicy = policy_of(name) if policy is None else policy
        self._server = Server(app, host, port)

    def __repr__(self) -> str:
        return f"<PracticeBackend {self.name} {f'at {self.url}' if self._server.running else 'stopped'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self._server.url

    def start(self) -> None:
        """Listen; requests are answered when this returns.

        Raises:
            ServerError: when it runs already or the address cannot be had.
        """
        self._server.start()

    def stop(self) -> None:
        """Stop listening and end every connection; the accounts stay in the store."""
        self._server.stop()

    def reset(self) -> None:
        """Forget all accounts, sessions and tokens."""
        self._store.clear()
