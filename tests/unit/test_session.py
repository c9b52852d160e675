"""What the fixtures of one pytest process share: its clock, its store, and its server."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_totphog import ServerError, TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.secrecy import masks
from pytest_totphog.secrecy.known_secrets import KnownSecrets
from pytest_totphog.servers.shared_place import SharedPlace
from pytest_totphog.servers.totp_server import place_of
from pytest_totphog.session import Session
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.remote import RemoteStore
from pytest_totphog.xdist import ADDRESS, VARIABLE, ControllerStore
from tests.support.threads import in_threads

Configure = Callable[..., pytest.Config]

FAILED = pytest.fail.Exception


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says nothing of other processes, unless a test does."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in (
        "PYTEST_ADDOPTS",
        "PYTEST_XDIST_WORKER",
        "TOTPHOG_API_KEY",
        VARIABLE,
        "CI_JOB_URL",
        "BUILD_URL",
        "GITHUB_RUN_ID",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def configure(pytester: pytest.Pytester) -> Configure:
    """Configures another pytest process than this one."""

    def configure(*options: str, worker: dict[str, Any] | None = None, **ini: str) -> pytest.Config:
        given = [f"--override-ini={name}={value}" for name, value in ini.items()]
        config = pytester.parseconfig("-p", "totphog", *options, *given)
        if worker is not None:
            vars(config)["workerinput"] = {"workerid": "gw0", "testrunuid": "7", **worker}
        return config

    return configure


@pytest.fixture
def controller() -> Iterator[ControllerStore]:
    """What a controller of pytest-xdist serves."""
    controller = ControllerStore()
    yield controller
    controller.close()


@pytest.fixture
def running() -> Iterator[TotpServer]:
    """A server that somebody else runs."""
    with TotpServer(api_key="open sesame") as server:
        yield server


# The clock


def test_clock_is_one_for_the_process(configure: Configure) -> None:
    """Server, tokens and backends agree on the time; another process has its own."""
    config = configure()

    assert Session.of(config).clock is Session.of(config).clock
    assert Session.of(config).server().clock is Session.of(config).clock
    assert Session.of(configure()).clock is not Session.of(config).clock


def test_recorder_records_in_the_time_of_the_clock(configure: Configure) -> None:
    """The clock is there first; the recorder is one of pytest's plugins, and reports what tests do with it."""
    session = Session.of(config := configure())

    assert session.recorder.clock is session.clock
    assert config.pluginmanager.has_plugin("totphog-recorder")


class Request:
    """What a fixture knows of its test."""

    def __init__(self, config: pytest.Config, fixturename: str, *others: str) -> None:
        """Ask for a fixture in a test that takes others as well."""
        self.config, self.fixturename, self.fixturenames = config, fixturename, [fixturename, *others]


def request_of(*arguments: Any) -> Any:
    """Return such a request in place of pytest's."""
    return Request(*arguments)


@pytest.mark.parametrize("before", [None, "2024-01-15T10:30:00Z"])
def test_borrowed_clock_is_given_back_as_it_was(configure: Configure, before: str | None) -> None:
    """Live, or where a fixture of the session had frozen it."""
    clock = Session.of(configured := configure()).clock
    if before is not None:
        clock.freeze(before)

    with Session.of(configured).borrowed_clock(request_of(configured, "totp_server")) as borrowed:
        borrowed.freeze("2030-01-01T00:00:00Z")

    assert borrowed is clock
    assert (clock.now().isoformat() if clock.mode == "frozen" else None) == (
        None if before is None else "2024-01-15T10:30:00+00:00"
    )


def test_clock_is_given_back_once(configure: Configure) -> None:
    """By frozen_clock, where a test takes it: what tears down before does so in its time."""
    clock = Session.of(configured := configure()).clock

    with Session.of(configured).borrowed_clock(request_of(configured, "frozen_clock", "totp_server")):
        with Session.of(configured).borrowed_clock(request_of(configured, "totp_server", "frozen_clock")):
            clock.freeze("2030-01-01T00:00:00Z")
        assert clock.mode == "frozen"
    assert clock.mode == "live"


# The store


def test_store_is_in_memory(configure: Configure) -> None:
    """Where there is one process, it shares it with nobody; and it is the same each time."""
    config = configure()

    assert isinstance(Session.of(config).store, MemoryStore)
    assert Session.of(config).store is Session.of(config).store
    assert Session.of(configure()).store is not Session.of(config).store


def test_store_of_a_worker_is_the_controllers(configure: Configure, controller: ControllerStore) -> None:
    """Two workers get two steps; each keeps its connections."""
    configs = [configure(worker={ADDRESS: controller.address}) for _ in range(2)]
    stores = [Session.of(config).store for config in configs]

    claims = [store.ledger.claim("alice", 10, 20, holder="test", claimed_at=0.0) for store in stores]

    assert [claim.step for claim in claims if claim is not None] == [10, 11]
    assert [isinstance(store, RemoteStore) for store in stores] == [True, True]
    assert Session.of(configs[0]).store is stores[0]


def test_store_of_a_run_that_is_started_again_and_again(
    configure: Configure, controller: ControllerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pytest-xdist's `--looponfail` does: the environment names the store that outlives the run."""
    monkeypatch.setenv(VARIABLE, f"{controller.address['url']} {controller.address['api_key']}")

    claims = [
        Session.of(configure()).store.ledger.claim("alice", 10, 20, holder="test", claimed_at=0.0) for _ in range(2)
    ]

    assert [claim.step for claim in claims if claim is not None] == [10, 11]


def test_worker_without_an_address_fails(configure: Configure) -> None:
    """A ledger of its own would hand out twice what others have, and nobody would know."""
    config = configure(worker={})

    for _ in range(2):
        with pytest.raises(FAILED) as caught:
            _ = Session.of(config).store
        assert str(caught.value) == (
            "this worker of pytest-xdist has got no address of the ledger from its controller: is pytest-totphog "
            "installed, in the same version, and not switched off where the controller runs?"
        )


def test_store_of_a_url_is_the_servers(configure: Configure, running: TotpServer) -> None:
    """Also in a worker, which asks its controller nothing then."""
    for worker in (None, dict[str, str]()):
        store = Session.of(configure(f"--totphog-url={running.url}", worker=worker)).store
        assert isinstance(store, RemoteStore)
        assert store.name == f"the totphog server at {running.url}"


# The server


def test_server_of_the_process(configure: Configure) -> None:
    """Its claims are those that processes share; its tokens are its own."""
    config = configure()

    server = Session.of(config).server()

    assert not isinstance(place_of(server), SharedPlace)
    token = server.add_token(secret="JBSWY3DPEHPK3PXP", period=86_400)
    step = issuer_of(token).claim(min_remaining=0).step
    claim = Session.of(config).store.ledger.last(issuer_of(token).token.fingerprint)
    assert claim is not None
    assert claim.step == step


def test_server_of_a_url(configure: Configure, running: TotpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key of the environment, in a namespace of its own."""
    monkeypatch.setenv("TOTPHOG_API_KEY", "open sesame")
    config = configure(f"--totphog-url={running.url}/")

    with Session.of(config).server() as server:
        assert server.url.startswith(f"{running.url}/namespaces/")
        place = place_of(server)
        assert isinstance(place, SharedPlace)
        assert place_of(Session.of(config).server()) is place
        assert place.store is Session.of(config).store


@pytest.mark.parametrize("key", ["open sesame\n", " open sesame\r\n"])
def test_key_with_a_line_break(
    configure: Configure, running: TotpServer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """As it comes out of a file, or of a form where secrets are entered."""
    monkeypatch.setenv("TOTPHOG_API_KEY", key)

    with Session.of(configure(f"--totphog-url={running.url}")).server() as server:
        assert server.tokens == []


@pytest.mark.parametrize("key", [None, "", "  "])
def test_empty_key_is_none(
    configure: Configure, running: TotpServer, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """The server says that it wants one."""
    if key is not None:
        monkeypatch.setenv("TOTPHOG_API_KEY", key)

    with pytest.raises(ServerError, match="Send the API key as 'Authorization: Bearer …'"):
        Session.of(configure(f"--totphog-url={running.url}")).server().start()


def test_namespace_is_unlike_any_other(configure: Configure) -> None:
    """Also of workers that pytest-xdist calls the same, in jobs that say the same `--testrunuid`."""
    workers = [None, {}, {}, {"testrunuid": "build 7/8"}]

    urls = [Session.of(configure("--totphog-url=http://127.0.0.1:8045", worker=each)).server().url for each in workers]

    names = [url.rpartition("/")[2] for url in urls]
    assert len(set(names)) == 4
    assert [bool(re.fullmatch(r"[0-9a-f]{32}-(main|gw0)", name)) for name in names] == [True] * 4


def test_url_of_the_ini_file(configure: Configure) -> None:
    """The option beats it, and an empty one switches it off."""
    ini = {"totphog_url": "http://127.0.0.1:8045"}

    assert Session.of(configure(**ini)).server().port == 8045
    assert Session.of(configure("--totphog-url=http://127.0.0.1:8046", **ini)).server().port == 8046
    assert not isinstance(place_of(Session.of(configure("--totphog-url=", **ini)).server()), SharedPlace)


def test_url_that_is_none_ends_the_run(configure: Configure) -> None:
    """In a sentence that names the option."""
    with pytest.raises(pytest.UsageError) as caught:
        Session.of(configure("--totphog-url=localhost:8045")).check_settings()

    assert str(caught.value) == (
        "--totphog-url: the server's URL is 'localhost:8045'; accepted is one such as http://127.0.0.1:8045"
    )


# First use, from several threads


class Hesitant:
    """A plugin of pytest's in whose hook other threads get their turn, at the worst moment."""

    def pytest_plugin_registered(self) -> None:
        """Stand still until another thread has run."""
        threading.Event().wait(0.05)


class HesitantSecrets(KnownSecrets):
    """As known secrets are, and other threads get their turn while they are made."""

    def __init__(self) -> None:
        """Stand still until another thread has run."""
        threading.Event().wait(0.05)
        super().__init__()


@pytest.mark.parametrize("made", [Session.of, lambda config: Session.of(config).secrets])
def test_what_a_config_keeps_is_made_once(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, made: Callable[[pytest.Config], object]
) -> None:
    """Also when eight threads ask first: under pytest-xdist each worker's reports come in a thread of its own."""
    monkeypatch.setattr(masks, "KnownSecrets", HesitantSecrets)
    config = configure()
    config.pluginmanager.register(Hesitant())

    assert len({id(each) for each in in_threads(8, lambda _: made(config))}) == 1


def test_shared_server_is_made_once(configure: Configure) -> None:
    """It makes others on its way, which waits for nobody."""
    config = configure("--totphog-url=http://127.0.0.1:8045")
    config.pluginmanager.register(Hesitant())

    assert len({id(each) for each in in_threads(8, lambda _: place_of(Session.of(config).server()))}) == 1


# What the ini file says of one-time codes


def test_defaults_of_one_time_codes(configure: Configure) -> None:
    """Those of the server."""
    keeper = issuer_of(Session.of(configure()).server().add_token()).keeper

    assert (keeper.min_remaining, keeper.timeout) == (None, 90)


@pytest.mark.parametrize("options", [[], ["--totphog-url=http://127.0.0.1:8045"]])
def test_ini_of_one_time_codes(configure: Configure, options: list[str]) -> None:
    """In a server of one's own and in a shared one."""
    ini = {"totphog_min_remaining": "20", "totphog_timeout": "0.5"}

    keeper = Session.of(configure(*options, **ini)).server()._authenticator

    assert (keeper.min_remaining, keeper.timeout) == (20, 0.5)


@pytest.mark.parametrize("name", ["totphog_min_remaining", "totphog_timeout"])
@pytest.mark.parametrize("value", ["soon", "-1", "86401", "nan", "inf", "1e9", "10 s"])
def test_ini_that_is_no_time_ends_the_run(configure: Configure, name: str, value: str) -> None:
    """In a sentence that names it, its value and what is accepted."""
    with pytest.raises(pytest.UsageError) as caught:
        Session.of(configure(**{name: value})).server()

    assert str(caught.value) == f"the ini {name} is {value!r}; accepted are 0 to 86400 seconds"


# Who takes a code


def test_holder_is_the_test(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its worker: within one run everybody finds it by that."""
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_login.py::test_admin (call)")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")

    assert Session.of(configure()).holder() == "gw1 test_login.py::test_admin"


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({}, socket.gethostname()),
        ({"CI_JOB_URL": "https://ci.example/jobs/7"}, "https://ci.example/jobs/7"),
        ({"BUILD_URL": "https://jenkins.example/7/"}, "https://jenkins.example/7/"),
        ({"GITHUB_RUN_ID": "4711"}, "GitHub run 4711"),
    ],
)
def test_holder_among_many_runs(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], place: str
) -> None:
    """Its job is told as well, or its machine."""
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_login.py::test_admin (call)")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert (
        Session.of(configure("--totphog-url=http://127.0.0.1:8045")).holder() == f"test_login.py::test_admin ({place})"
    )


def test_long_name_of_a_test(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters make names of any length; a ledger takes 500 characters, and the job is among them."""
    monkeypatch.setenv("PYTEST_CURRENT_TEST", f"test_login.py::test_admin[{'a' * 1000}] (call)")
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")

    name = Session.of(configure("--totphog-url=http://127.0.0.1:8045")).holder()

    assert len(name) == 500
    assert name.endswith("aaa (https://ci.example/jobs/7)")
