"""What options, ini values and markers say; a mistake in a setting ends the run at its start, in a marker its test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Final, Literal

import pytest

__all__ = [
    "BATTERY_PROPERTY",
    "CODES_PROPERTY",
    "FAILURE_PROPERTY",
    "MARKERS",
    "add_options",
    "app_url",
    "call_or_fail",
    "check_settings",
    "clock_patch",
    "enter_part",
    "flag",
    "marker_arguments",
    "option",
    "part_of_run",
    "port",
    "replay_scope",
    "says_when_or_where",
    "seconds",
    "setting",
    "warn_of_unread_markers",
]

# The names of what tests report, which JUnit XML carries too: findings, how many one-time codes, and what failed.
BATTERY_PROPERTY: Final = "totphog_battery"
CODES_PROPERTY: Final = "totphog_one_time_codes"
FAILURE_PROPERTY: Final = "totphog_failure"

MARKERS: Final = (
    (
        "totp(secret=…, digits=…, period=…, algorithm=…, issuer=…, name=…, uri=…): shape the token that the fixture "
        "totp_token gives this test. What is left out keeps its default: a random secret, 6 digits, 30 seconds, sha1. "
        "uri='otpauth://totp/…' says all of it at once."
    ),
    (
        "frozen_clock(at, patch=…): freeze time for this test, at ISO 8601 text with an offset, seconds since the "
        "epoch, or an aware datetime. patch says what stands still besides server and tokens: 'auto' (the "
        "default), 'time-machine' or 'freezegun' (time.time and datetime of the test process), or None (nothing)."
    ),
    (
        "totp_replay_scope(scope): how long the app remembers used codes: 'function' where each test has an app, or a "
        "database, of its own, 'class', 'module', or 'session'. It wins over the ini totphog_replay_scope."
    ),
    (
        "totp_policy(window=…, one_time=…, max_failures=…, lockout_seconds=…, reregister=…): what the verifier of this "
        "test's practice backend accepts, and whether simple registers a name again. What is left out stays as that "
        "backend's API document says."
    ),
    (
        "totp_flaws(name, …): mistakes that this test's practice backend makes, such as 'replay', 'race' or "
        "'no-throttle', to see that a test finds them. The table of them is in docs/backends.md."
    ),
    (
        "totp_profile(name): by which source the battery judges this test class, or every one of this module: "
        "'rfc6238', 'nist-800-63b' or 'asvs-5-l2'."
    ),
)
_BACKENDS: Final = ("simple_backend", "email_mfa_backend", "vault_backend", "login_demo_backend")
# The fixtures that read a marker; frozen_clock adds its own.
READERS: Final = {"totp": ("totp_token",), "totp_policy": _BACKENDS, "totp_flaws": _BACKENDS}
PROFILES: Final = ("rfc6238", "nist-800-63b", "asvs-5-l2")
OPTIONS: Final = {
    "host": "HOST: loopback address that totp_server listens on: 127.0.0.1 (the default), ::1 or localhost",
    "port": "PORT: port that totp_server listens on; 0, the default, takes a free one, which pytest-xdist needs",
    "url": "URL: let totp_server, totp_token and one-time codes use a running `totphog serve`, which gives no code to "
    "two test runs; its API key is read from the environment's TOTPHOG_API_KEY (default: a server in the test process)",
    "clock-patch": "PATCH: by what frozen_clock stops more than server and tokens: time-machine, freezegun, auto (the "
    "default: the first of these that is installed), or none",
    "profile": "PROFILE: by which source the battery judges: rfc6238 (the default), nist-800-63b, or asvs-5-l2",
    "report": "FILE: write what the battery found, and what explains other failures, to FILE: .html (a page), .json, "
    "or .sarif (SARIF 2.1.0, for code scanning: the battery only)",
}
INI_VALUES: Final = {
    "totphog_host": ("127.0.0.1", "as --totphog-host"),
    "totphog_port": ("0", "as --totphog-port"),
    "totphog_url": ("", "as --totphog-url"),
    "totphog_clock_patch": ("auto", "as --totphog-clock-patch"),
    "totphog_frozen_at": (
        "2024-01-15T10:30:00Z",
        "where frozen_clock stands: ISO 8601 with an offset, or seconds since the epoch (2024-01-15T10:30:00Z)",
    ),
    "totphog_min_remaining": ("", "seconds that a one-time code has to live (10, or half of a period below 20)"),
    "totphog_timeout": ("90", "seconds that one_time_code() waits at the most (90)"),
    "totphog_replay_scope": (
        "session",
        "how long the app remembers used codes: session (the default), module, class, or function",
    ),
    "totphog_account_pool": ("", "totp_account's accounts: a JSON file, or env:NAME for a variable with JSON (none)"),
    "totphog_account_timeout": ("90", "seconds that totp_account waits while others have all accounts (90)"),
    "totphog_app_url": (
        "",
        "the app under test, whose clock is compared when a test fails (the local ones that the test's fixtures show)",
    ),
    "totphog_leak_check_files": (
        "",
        "files that the leak check looks into beside the run's reports: a glob pattern a line, such as artifacts/**",
    ),
    "totphog_profile": ("rfc6238", "as --totphog-profile"),
    "totphog_report": ("", "as --totphog-report"),
}
FLAGS: Final = {
    "totphog_throttle": (False, "as --totphog-throttle"),
    "totphog_app_clock": (True, "whether the clock of the app under test is compared when a test fails (true)"),
    "totphog_leak_check": (
        False,
        "whether a run fails when what its tests print, or its reports, show a secret of a token or account (false)",
    ),
}
REPLAY_SCOPES: Final = ("session", "module", "class", "function")

_part_key = pytest.StashKey[str]()


def add_options(parser: pytest.Parser) -> None:
    """Register the options and ini values."""
    group = parser.getgroup("totphog", "one-time passwords (pytest-totphog)")
    for name, text in OPTIONS.items():
        metavar, _, description = text.partition(": ")
        group.addoption(f"--totphog-{name}", metavar=metavar, help=description)
    group.addoption(
        "--totphog-throttle",
        action="store_true",
        help="let the battery judge the throttle of a live target too, which locks throw-away accounts there",
    )
    for name, (default, description) in (INI_VALUES | FLAGS).items():
        kind: Literal["bool", "string"] = "bool" if name in FLAGS else "string"
        parser.addini(name, description, kind, default=default)


def option(config: pytest.Config, name: str) -> str:
    """Return what the command line says, or else the ini file."""
    given = config.getoption(f"totphog_{name}")
    return str(config.getini(f"totphog_{name}") if given is None else given)


def setting(config: pytest.Config, name: str) -> str:
    """Return what an option is called where it was given, for an error about it."""
    given = config.getoption(f"totphog_{name}")
    return f"the ini totphog_{name}" if given is None else f"--totphog-{name.replace('_', '-')}"


def flag(config: pytest.Config, name: str) -> bool:
    """Return what an ini value of true or false says.

    Raises:
        pytest.UsageError: when it says neither.
    """
    try:
        return bool(config.getini(name))
    except (ValueError, pytest.UsageError) as error:  # of pytest 9 and 8
        raise pytest.UsageError(f"the ini {name}: {error}; accepted are true and false") from None


def check_settings(config: pytest.Config) -> None:
    """Look at the options and ini values before the run, but for those that `Session.check_settings` looks at.

    Raises:
        pytest.UsageError: when one is not what is accepted.
    """
    port(config), clock_patch(config), app_url(config)
    for name in FLAGS:
        flag(config, name)
    for name in "totphog_timeout", "totphog_account_timeout", "totphog_min_remaining":
        if config.getini(name) != INI_VALUES[name][0]:
            seconds(config, name)
    if (host := option(config, "host")) not in {"127.0.0.1", "::1", "localhost"} and not _is_loopback(host):
        raise pytest.UsageError(
            f"{setting(config, 'host')} is {host!r}; accepted are 127.0.0.1, ::1 and localhost. For a server that "
            "other machines reach run `totphog serve --api-key KEY`, and give pytest --totphog-url"
        )
    if (profile := option(config, "profile")) not in PROFILES:
        raise pytest.UsageError(f"{setting(config, 'profile')} is {profile!r}; accepted are {', '.join(PROFILES)}")
    if str(config.getini("totphog_account_pool")).startswith(("[", "{")):  # not shown: it holds secrets
        raise pytest.UsageError("the ini totphog_account_pool holds accounts; accepted are a file's path and env:NAME")


def says_when_or_where(config: pytest.Config) -> bool:
    """Return whether a setting is given that the process's clock or server must look at."""
    return bool(option(config, "url")) or config.getini("totphog_frozen_at") != INI_VALUES["totphog_frozen_at"][0]


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def port(config: pytest.Config) -> int:
    """Return the port to listen on.

    Raises:
        pytest.UsageError: when the setting is no port.
    """
    text = option(config, "port")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= 65535):
        raise pytest.UsageError(f"{setting(config, 'port')} is {text!r}; accepted are 0 to 65535, 0 for a free port")
    return int(text)


def clock_patch(config: pytest.Config) -> str | None:
    """Return what frozen_clock stops besides server and tokens.

    Raises:
        pytest.UsageError: when the setting is none of those there are, or not installed.
    """
    name = option(config, "clock_patch")
    if name not in {"auto", "time-machine", "freezegun", "none"}:
        source = setting(config, "clock_patch")
        raise pytest.UsageError(f"{source} is {name!r}; accepted are auto, time-machine, freezegun and none")
    return None if name == "none" else name


def seconds(config: pytest.Config, name: str) -> float:
    """Return the seconds that an ini value says.

    Raises:
        pytest.UsageError: when it says no seconds.
    """
    text = str(config.getini(name))
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 86400:
        raise pytest.UsageError(f"the ini {name} is {text!r}; accepted are 0 to 86400 seconds")
    return value


def replay_scope(config: pytest.Config) -> str:
    """Return how long the app remembers used codes, as the ini file says.

    Raises:
        pytest.UsageError: for anything but a scope.
    """
    scope = str(config.getini("totphog_replay_scope"))
    if scope not in REPLAY_SCOPES:
        raise pytest.UsageError(f"the ini totphog_replay_scope is {scope!r}; accepted are {', '.join(REPLAY_SCOPES)}")
    return scope


def enter_part(item: pytest.Item) -> None:
    """Keep in which part of the run a test is, for which the app remembers used codes; its marker wins over the ini."""
    marker = item.get_closest_marker("totp_replay_scope")
    # The class attribute is that of `pytest_totphog.unittest.TotpTestCase`.
    scope = getattr(getattr(item, "cls", None), "totp_replay_scope", None) or replay_scope(item.config)
    if marker is not None:
        given = marker.args or (marker.kwargs.get("scope"),)
        if len(marker.args) + len(marker.kwargs) != 1 or given[0] not in REPLAY_SCOPES:
            arguments = [*map(repr, marker.args), *(f"{name}={value!r}" for name, value in marker.kwargs.items())]
            pytest.fail(
                f"@pytest.mark.totp_replay_scope({', '.join(arguments)}); accepted is one of "
                f"{', '.join(map(repr, REPLAY_SCOPES))}",
                pytrace=False,
            )
        scope = given[0]
    item.config.stash[_part_key] = "" if scope == "session" else _part(item, scope)


def _part(item: pytest.Item, scope: str) -> str:
    """Return a name of a test, its class or its module that no other has, in any process or run."""
    node: pytest.Item | pytest.Collector = item
    if scope != "function":
        # A test outside a class is one of its own, as for fixtures.
        node = item.getparent(pytest.Class if scope == "class" else pytest.Module) or item
    if node is item:  # which may be run again
        return os.urandom(16).hex()
    return node.stash.setdefault(_part_key, os.urandom(16).hex())


def part_of_run(config: pytest.Config) -> str:
    """Return the name of the part of the run for which the app remembers used codes; empty for the whole run."""
    return config.stash.get(_part_key, "")


def app_url(config: pytest.Config) -> str:
    """Return where the app under test is; empty if not said.

    Raises:
        pytest.UsageError: when the setting is no URL.
    """
    url = str(config.getini("totphog_app_url"))
    if url and re.match(r"https?://[^/?#]", url) is None:
        raise pytest.UsageError(
            f"the ini totphog_app_url is {url!r}; accepted is a URL such as https://staging.example.com"
        )
    return url


def marker_arguments(request: pytest.FixtureRequest, name: str, accepted: tuple[str, ...]) -> dict[str, Any]:
    """Return a marker's arguments by name; those nearest to the test win over its class's and module's."""
    arguments: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(name))):
        if len(marker.args) > (1 if name == "frozen_clock" else 0):
            pytest.fail(
                f"@pytest.mark.{name} takes names: {', '.join(f'{each}=…' for each in accepted)}", pytrace=False
            )
        given = dict(zip(accepted, marker.args, strict=False)) | marker.kwargs
        for unknown in sorted(given.keys() - set(accepted)):
            pytest.fail(
                f"@pytest.mark.{name} does not know {unknown!r}; accepted: {', '.join(accepted)}", pytrace=False
            )
        if "uri" in given or "uri" in arguments:
            arguments = {}
        arguments |= given
    return arguments


def warn_of_unread_markers(item: pytest.Item) -> None:
    """Warn of the markers of a test, not those of its class or module, that no fixture of the test reads.

    A test that takes `request` may ask for a fixture while it runs, as the scenarios of pytest-bdd do.
    """
    taken = getattr(item, "fixturenames", ())
    if isinstance(item, pytest.Function) and "request" in item._fixtureinfo.argnames:  # noqa: SLF001 # as in plugin.py
        return
    for name in dict.fromkeys(marker.name for marker in item.own_markers):
        readers = READERS.get(name, taken)
        if readers and not set(readers) & set(taken):
            reader = " or ".join(readers)
            message = f"@pytest.mark.{name} changes nothing: {item.name} does not take {reader}, which reads it"
            item.warn(pytest.PytestWarning(message))


def call_or_fail(source: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call, and fail the test with one sentence if that raises an error: a traceback would show only this plugin.

    Args:
        source: what the sentence names: a fixture, or the marker whose value is not accepted.
        call: what is called.
        args: see `call`.
        kwargs: see `call`.
    """
    from pytest_totphog.errors import InvalidInput, TotphogError

    try:
        return call(*args, **kwargs)
    except TotphogError as error:
        # A package that is not installed, or a server that is away, is no mistake of a marker's.
        blamed = "" if source.startswith("@") and not isinstance(error, InvalidInput) else f"{source}: "
        mistake = f"{blamed}{error}"
    pytest.fail(mistake, pytrace=False)
