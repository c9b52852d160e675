"""What pytest shows and writes of a run, with asterisks where a known secret stood."""

from __future__ import annotations

import dataclasses
import linecache
import logging
import os
import sys
import warnings
from collections.abc import Generator, Iterable
from contextlib import nullcontext
from typing import Any, Final

import pytest

from pytest_totphog.authenticator.accounts import Account
from pytest_totphog.credentials.token import Secret, Token
from pytest_totphog.secrecy.known_secrets import MASK, KnownSecret, KnownSecrets, of_account, of_token
from pytest_totphog.settings import once

__all__ = ["TOLD", "known_secrets", "learn_accounts", "learn_api_key", "learn_forked", "learn_token", "learn_told"]

# Under which name a worker of pytest-xdist tells its controller, beside a report, what secrets it knows; the plugin,
# which loads nothing before it must, has the name as well.
TOLD: Final = "totphog_secrets"

# What identifies a test, and is compared by other plugins.
IDENTITY: Final = frozenset({"_id", "nodeid", "location", "keywords", "when", "outcome"})

_known_key = pytest.StashKey[KnownSecrets]()


class Masks:
    """A plugin of pytest's, in each process that knows a secret.

    Args:
        config: pytest's.
        known: the secrets, which may become more.
    """

    def __init__(self, config: pytest.Config, known: KnownSecrets) -> None:
        self._config = config
        self._known = known
        self._told = 0
        self._process = os.getpid()
        logging_plugin = config.pluginmanager.get_plugin("logging-plugin")
        # What tests ask caplog for stays as it is.
        for name in "log_cli_handler", "log_file_handler":
            handler = getattr(logging_plugin, name, None)
            if handler is not None and handler.formatter is not None:
                handler.setFormatter(_MaskingFormatter(handler.formatter, known))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask a report before anybody shows, writes or sends it."""
        learn_forked(self._config, report)
        own = vars(report)
        for name in own.keys() - IDENTITY:
            own[name] = _masked(own[name], self._known)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """Mask the traceback of pytest's own failure."""
        _masked(excrepr, self._known)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Mask a warning, and the line of code that it shows."""
        text = str(warning_message.message)
        if (masked := self._known.masked(text)) != text:
            warning_message.message = masked
        if warning_message.line is None:
            line = linecache.getline(warning_message.filename, warning_message.lineno)
            if (masked := self._known.masked(line)) != line:
                warning_message.line = masked

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Tell the controller of pytest-xdist what this worker has learnt since its last report."""
        data = yield
        if hasattr(config, "workerinput") and isinstance(data, dict):
            data[TOLD] = self._news()
        return data

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell the process that a test's own was forked from, with the report, what secrets the test has learnt."""
        report = yield
        if self._process != os.getpid():
            vars(report)[TOLD] = self._news()
        return report

    def _news(self) -> list[list[Any]]:
        """Return what this process has learnt since it was asked last, as another process takes it."""
        news = self._known.since(self._told)
        self._told += len(news)
        return [[str(each.value), each.name, each.password, each.lasting] for each in news]


class _MaskingFormatter(logging.Formatter):
    """A formatter behind which no secret comes out."""

    def __init__(self, inner: logging.Formatter, known: KnownSecrets) -> None:
        super().__init__()
        self._inner = inner
        self._known = known

    def format(self, record: logging.LogRecord) -> str:
        return self._known.masked(self._inner.format(record))


def known_secrets(config: pytest.Config) -> KnownSecrets:
    """Return the secrets that this process knows; from now on they are masked."""

    def make() -> KnownSecrets:
        known = KnownSecrets()
        config.pluginmanager.register(Masks(config, known), "totphog-masks")
        return known

    return once(config, _known_key, make)


def learn(config: pytest.Config, secrets: Iterable[KnownSecret]) -> None:
    """Mask these too, and let GitHub Actions mask in its job's log those that are good for a login after the run."""
    known = known_secrets(config)
    lasting = [secret for secret in known.add(secrets) if secret.lasting]
    # Nobody sees what a worker prints: its controller learns them with the worker's next report.
    if lasting and os.environ.get("GITHUB_ACTIONS") == "true" and not hasattr(config, "workerinput"):
        with known.printing:
            _print_lines(config, [f"::add-mask::{each}" for secret in lasting for each in _as_printed(secret)])


def learn_token(config: pytest.Config, token: Token) -> None:
    """Mask the secret of a token."""
    learn(config, [of_token(token)])


def learn_accounts(config: pytest.Config, accounts: Iterable[Account]) -> None:
    """Mask secrets and passwords of accounts."""
    learn(config, [secret for account in accounts for secret in of_account(account)])


def learn_api_key(config: pytest.Config, key: str) -> None:
    """Mask the API key of a shared server."""
    learn(config, [KnownSecret(Secret(key), "the API key in TOTPHOG_API_KEY", password=True, lasting=True)])


def learn_told(config: pytest.Config, told: Iterable[list[Any]]) -> None:
    """Mask what a worker of pytest-xdist has told."""
    learn(config, [KnownSecret(Secret(value), *rest) for value, *rest in told])


def learn_forked(config: pytest.Config, report: pytest.TestReport) -> None:
    """Mask what a test's own process has told with its report, which pytest-forked carries as it is."""
    learn_told(config, vars(report).pop(TOLD, ()))


def _masked(value: Any, known: KnownSecrets, inside: tuple[int, ...] = ()) -> Any:
    """Return a value without secrets, the value itself when it has none; pytest's own objects are changed in place.

    Args:
        value: an attribute of a report, or a part of one.
        known: the secrets.
        inside: of which containers it is a part, by identity: what a test records may contain itself.
    """
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return known.masked(value)
    if id(value) in inside:
        return value
    inside = (*inside, id(value))
    if isinstance(value, dict):
        masked = {key: _masked(each, known, inside) for key, each in value.items()}
        return masked if any(masked[key] is not each for key, each in value.items()) else value
    if isinstance(value, (list, tuple)):
        parts = [_masked(each, known, inside) for each in value]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        return parts if isinstance(value, list) else tuple(parts)
    # The parts of a traceback, and what a subtest was called with; the tests' own objects are left alone.
    own = type(value)
    if hasattr(own, "toterminal") or (dataclasses.is_dataclass(own) and own.__module__.startswith("_pytest.")):
        for name in vars(value) if hasattr(value, "__dict__") else getattr(own, "__slots__", ()):
            object.__setattr__(value, name, _masked(getattr(value, name), known, inside))
    return value


def _as_printed(secret: KnownSecret) -> list[str]:
    """Return a secret as a page may print it, for GitHub, which masks nothing but what it is told."""
    value = str(secret.value)
    if secret.password:
        return [value.replace("%", "%25")]  # a command's escape
    fours = " ".join(value[start : start + 4] for start in range(0, len(value), 4))
    return [value, value.lower(), fours, fours.lower()]


def _print_lines(config: pytest.Config, lines: list[str]) -> None:
    """Print lines past pytest's capturing, each at the beginning of a line."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        sys.stdout.write("\n".join(["", *lines, ""]))
        sys.stdout.flush()
