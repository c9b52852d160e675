"""What options, ini values and markers say, checked; a mistake in one fails the test with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

__all__ = ["account_source", "checked", "clock_patch", "marker_arguments", "option", "port", "seconds"]


def option(config: pytest.Config, name: str) -> str:
    """Return what the command line says, or else the ini file."""
    given = config.getoption(f"totphog_{name}")
    return str(config.getini(f"totphog_{name}") if given is None else given)


def port(config: pytest.Config) -> int:
    """Return the port to listen on; anything but a port fails the test with a sentence."""
    text = option(config, "port")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= 65535):
        pytest.fail(f"--totphog-port is {text!r}; accepted are 0 to 65535, 0 for a free port", pytrace=False)
    return int(text)


def clock_patch(config: pytest.Config) -> str | None:
    """Return what frozen_clock stops besides server and tokens; anything unknown fails the test with a sentence."""
    name = option(config, "clock_patch")
    if name not in {"freezegun", "time-machine", "none"}:
        pytest.fail(f"--totphog-clock-patch is {name!r}; accepted are freezegun, time-machine and none", pytrace=False)
    return None if name == "none" else name


def seconds(config: pytest.Config, name: str) -> float:
    """Return the seconds that an ini value says; anything but seconds fails the test with a sentence."""
    text = str(config.getini(name))
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 86400:
        pytest.fail(f"the ini {name} is {text!r}; accepted are 0 to 86400 seconds", pytrace=False)
    return value


def account_source(config: pytest.Config) -> str:
    """Return where the accounts of totp_account are: a path, or `env:NAME`; without any it fails the test."""
    source = str(config.getini("totphog_account_pool"))
    if not source:
        pytest.fail(
            "totp_account has no accounts to choose from; name a JSON file, or an environment variable as env:NAME, in "
            "the ini totphog_account_pool, or override the fixture totp_account_pool",
            pytrace=False,
        )
    if source.startswith(("[", "{")):  # not shown: it holds secrets
        pytest.fail(
            "the ini totphog_account_pool holds accounts; accepted are a file's path and env:NAME", pytrace=False
        )
    return source if source.startswith("env:") else str(config.rootpath / Path(source).expanduser())


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


def checked(source: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call, and tell what is wrong with an option or marker as a sentence: a traceback would show only this plugin."""
    from pytest_totphog.errors import TotphogError

    try:
        return call(*args, **kwargs)
    except TotphogError as error:
        mistake = str(error)
    pytest.fail(f"{source}: {mistake}", pytrace=False)
