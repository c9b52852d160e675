"""One-time codes for `unittest`: a mixin for test cases, and the same as decorators and context managers.

They need no pytest, and work in `python -m unittest`, Django's `manage.py test` and stestr. Under pytest they use what
its fixtures use.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from unittest import TestCase

from pytest_totphog.clocks.frozen_clock import companions_of
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.errors import InvalidCall, InvalidInput, hidden_in_reports
from pytest_totphog.failures.explained_result import ExplainedResult
from pytest_totphog.failures.facts import FailedTest
from pytest_totphog.servers.run import SCOPES, Run, share_claims, shared
from pytest_totphog.servers.totp_server import place_of

if TYPE_CHECKING:
    from pytest_totphog.authenticator.totp_token import TotpToken
    from pytest_totphog.clocks.frozen_clock import FrozenClock
    from pytest_totphog.clocks.instants import Instant
    from pytest_totphog.clocks.patches import PatchName
    from pytest_totphog.enrolment.sources import Source
    from pytest_totphog.failures.failure import Failure
    from pytest_totphog.servers.totp_server import TotpServer

__all__ = ["TotpTestCase", "frozen_clock", "totp", "totp_server"]

__tracebackhide__ = hidden_in_reports

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FROZEN_AT: Final = "2024-01-15T10:30:00Z"
_FROZEN: Final = "_totphog_frozen"
_SHAPE: Final = "_totphog_shape"


class frozen_clock:  # noqa: N801 # as the fixture is called
    """Freeze time: around a test class, a test, a function, or a `with` block, which gets the clock.

    A class, or a method of a class, that derives from `TotpTestCase` is frozen before its `setUp`.

    Args:
        at: where to stand: ISO 8601 text with an offset, seconds since the epoch, or an aware datetime.
        patch: what else stands still, see `FrozenClock`.

    Raises:
        InvalidInput: when one of them is not what is accepted.
    """

    def __init__(self, at: Instant = FROZEN_AT, patch: PatchName | None = "auto") -> None:
        self._at = at
        self._patch = patch
        # Where the clock stood, and what with it, before each block that has not ended.
        self._before: list[tuple[int | None, PatchName | None]] = []

    def __enter__(self) -> FrozenClock:
        clock = shared().clock
        self._before.append((clock.frozen_at, companions_of(clock).patch))
        clock.unfreeze()  # a clock that is frozen already would keep its patch
        try:
            clock.freeze(self._at, self._patch)
        except BaseException:
            self.__exit__()
            raise
        return clock

    def __exit__(self, *exception: object) -> None:
        clock = shared().clock
        frozen_at, patch = self._before.pop()
        clock.unfreeze()
        if frozen_at is not None:
            clock.freeze(as_datetime(frozen_at), patch)

    def __call__(self, decorated: Decorated) -> Decorated:
        """Freeze time around a test class, a test or a function."""
        if isinstance(decorated, type):
            if not issubclass(decorated, TotpTestCase):
                raise InvalidCall(
                    f"{decorated.__name__} does not derive from TotpTestCase, which would freeze the time"
                )
            setattr(decorated, _FROZEN, self)
            return decorated
        if inspect.iscoroutinefunction(decorated):

            @functools.wraps(decorated)
            async def frozen_coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._around(args):
                    return await decorated(*args, **kwargs)

            frozen: Any = frozen_coroutine
        else:

            @functools.wraps(decorated)
            def frozen_function(*args: Any, **kwargs: Any) -> Any:
                with self._around(args):
                    return decorated(*args, **kwargs)

            frozen = frozen_function
        setattr(frozen, _FROZEN, self)
        return frozen  # type: ignore[no-any-return]

    def _around(self, args: tuple[Any, ...]) -> Any:
        # A test case froze it before its setUp, and the test may have moved it since.
        return ExitStack() if args and isinstance(args[0], TotpTestCase) else self


class totp:  # noqa: N801 # as the marker is called
    """Shape the token of a test class or a test; in a `with` block, a token that is gone after it.

    Args:
        uri: an `otpauth://totp/` URI, which says all of it.
        shape: `name`, `secret`, `issuer`, `digits`, `period`, `algorithm`, as `TotpServer.add_token` takes them.

    Raises:
        InvalidInput: for a URI and something else.
    """

    def __init__(self, *, uri: str | None = None, **shape: Any) -> None:
        if uri is not None and shape:
            raise InvalidInput(f"uri says it all; also given: {', '.join(sorted(shape))}")
        self._uri = uri
        self._shape = shape
        self._entered: list[TotpToken] = []

    def __enter__(self) -> TotpToken:
        token = self.add(shared().server, "account")
        self._entered.append(token)
        return token

    def __exit__(self, *exception: object) -> None:
        token = self._entered.pop()
        server = shared().server
        if token in server.tokens:
            server.remove(token)

    def __call__(self, decorated: Decorated) -> Decorated:
        """Shape the token of a test class that derives from `TotpTestCase`, or of one of its tests."""
        if isinstance(decorated, type) and not issubclass(decorated, TotpTestCase):
            raise InvalidCall(f"{decorated.__name__} does not derive from TotpTestCase, which has the token")
        setattr(decorated, _SHAPE, self)
        return decorated

    def add(self, server: TotpServer, name: str) -> TotpToken:
        """Add such a token to a server; `name` is its account's unless it has one."""
        if self._uri is not None:
            return server.add_uri(self._uri)
        return server.add_token(**{"name": name, **self._shape})


@contextmanager
def totp_server() -> Iterator[TotpServer]:
    """Return the running server for a `with` block; the tokens that are added in it are gone after it."""
    server = shared().server
    tokens = server.tokens
    try:
        yield server
    finally:
        place_of(server).restore(tokens)


class TotpTestCase:
    """Gives a test case one-time codes: `class LoginTest(TotpTestCase, unittest.TestCase)`.

    It works with `unittest.TestCase`, `unittest.IsolatedAsyncioTestCase` and Django's test cases. Nothing is started
    before a test uses it. All processes of a run share one ledger, as with `manage.py test --parallel`, so that no code
    is handed out twice. The failure of a test shows the codes that it took, and the most likely cause.

    Attributes:
        totp_replay_scope: how long the app remembers used codes: `"session"` for the whole run, `"class"`, or
            `"function"` where each test has an app, or a database, of its own.
    """

    totp_replay_scope: Literal["session", "class", "function"] = "session"

    if TYPE_CHECKING:
        _totphog_class_server: TotpServer
        # Those of unittest.TestCase.
        _testMethodName: str  # noqa: N815
        id: Callable[[], str]
        addCleanup: Callable[..., None]  # noqa: N815
        addClassCleanup: Callable[..., None]  # noqa: N815
        defaultTestResult: Callable[[], Any]  # noqa: N815

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if TestCase in cls.__mro__ and cls.__mro__.index(TestCase) < cls.__mro__.index(TotpTestCase):
            raise InvalidCall(
                f"{cls.__name__} names TotpTestCase behind unittest's TestCase, which would not call it; write it "
                f"first: class {cls.__name__}(TotpTestCase, …)"
            )
        if cls.totp_replay_scope not in SCOPES:
            raise InvalidInput(
                f"{cls.__name__}.totp_replay_scope is {cls.totp_replay_scope!r}; accepted are "
                f"{', '.join(map(repr, SCOPES))}"
            )
        # Before a runner starts its processes. Those of pytest-xdist share its controller's ledger.
        if "pytest_totphog.plugin" not in sys.modules:
            share_claims()

    @classmethod
    def totp_server_of_class(cls) -> TotpServer:
        """Return the running server, for `setUpClass` and `setUpTestData`; what the class adds is gone after it.

        A method, because runners look at all attributes of a class, and would start the server.
        """
        server = shared().server
        if "_totphog_class_server" not in vars(cls):
            cls._totphog_class_server = server
            cls.addClassCleanup(delattr, cls, "_totphog_class_server")
            cls.addClassCleanup(place_of(server).restore, server.tokens)
        return server

    @property
    def totp_server(self) -> TotpServer:
        """The running server; what the test adds is gone after it."""
        if "_totphog_server" not in vars(self):
            server = shared().server
            self.addCleanup(place_of(server).restore, server.tokens)
            self._totphog_server = server
        return self._totphog_server

    @property
    def totp_token(self) -> TotpToken:
        """A fresh token with a random secret, for this test; `@totp(…)` shapes it."""
        if "_totphog_token" not in vars(self):
            shape: totp = _option(self, _SHAPE) or totp()
            self._totphog_token = shape.add(self.totp_server, self.id().rpartition(".")[2])
        return self._totphog_token

    def frozen_clock(self, at: Instant = FROZEN_AT, patch: PatchName | None = "auto") -> FrozenClock:
        """Freeze time until the test ends, and return the clock.

        Args:
            at: where to stand: ISO 8601 text with an offset, seconds since the epoch, or an aware datetime.
            patch: what else stands still, see `FrozenClock`.

        Raises:
            InvalidInput: when one of them is not what is accepted.
        """
        frozen = frozen_clock(at, patch)
        clock = frozen.__enter__()
        self.addCleanup(frozen.__exit__)
        return clock

    def enroll(self, source: Source, name: str = "account") -> TotpToken:
        """Add a token from what an enrolment page shows; see `TotpServer.enroll`."""
        return self.totp_server.enroll(source, name)

    def one_time_code(self, token: TotpToken | None = None, **options: Any) -> str:
        """Return a code that was never handed out before; see `TotpToken.one_time_code`.

        Args:
            token: whose; this test's `totp_token` unless given.
            options: `min_remaining`, `lookahead` and `timeout`.
        """
        return (self.totp_token if token is None else token).one_time_code(**options)

    def __getstate__(self) -> Any:
        """Return what Django's --parallel sends to the parent process, with a subtest that failed."""
        state: Any = super().__getstate__()
        if not isinstance(state, dict):
            return state
        # Tokens, servers and clocks hold locks, and a secret is not for sending.
        return {
            name: value for name, value in state.items() if type(value).__module__.partition(".")[0] != "pytest_totphog"
        }

    def run(self, result: Any = None) -> Any:
        """Run the test: frozen where it is decorated so, and with an explanation of its failure."""
        this = shared()
        with ExitStack() as stack:
            given = self.defaultTestResult() if result is None else result
            if isinstance(this, Run):
                stack.enter_context(this.running(self.id(), type(self), self.totp_replay_scope))
                given = ExplainedResult(given, functools.partial(self._explain, this))
            if (frozen := _option(self, _FROZEN)) is not None:
                stack.enter_context(frozen)
            # The test case's own, which stands after the mixin.
            super().run(given)  # type: ignore[misc]
        return given.result if isinstance(given, ExplainedResult) else given

    def _explain(self, run: Run, error: BaseException) -> Failure | None:
        fixtures = {name: value for name, value in vars(self).items() if not name.startswith("_totphog")}
        # Such as the live_server_url of Django's; of the class, so that no property of a test's is computed for it.
        fixtures |= {name: getattr(type(self), name, None) for name in dir(type(self)) if name.endswith("_url")}
        return run.recorder.explain(FailedTest(run.test, "call", error, fixtures), run.part)


def _option(case: TotpTestCase, name: str) -> Any:
    """Return what a decorator says of a test: its own, or else its class's."""
    method = getattr(type(case), case._testMethodName, None)  # noqa: SLF001 # unittest gives its name nowhere else
    return getattr(method, name, None) or getattr(type(case), name, None)
