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

__all__ = ["TOLD", "Masks"]

# Under which name a worker of pytest-xdist tells its controller, beside a report, what secrets it knows; the plugin,
# which loads nothing before it must, has the name as well.
TOLD: Final = "totphog_secrets"

# What identifies a test, and is compared by other plugins.
IDENTITY: Final = frozenset({"_id", "nodeid", "location", "keywords", "when", "outcome"})


class Masks:
    """A plugin of pytest's, in each process that knows a secret.

    Args:
        config: pytest's.

    Attributes:
        known: the secrets, which may become more.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.known = KnownSecrets()
        self._told = 0
        self._process = os.getpid()
        logging_plugin = config.pluginmanager.get_plugin("logging-plugin")
        # What tests ask caplog for stays as it is.
        for name in "log_cli_handler", "log_file_handler":
            handler = getattr(logging_plugin, name, None)
            if handler is not None and handler.formatter is not None:
                handler.setFormatter(_MaskingFormatter(handler.formatter, self.known))

    def learn(self, secrets: Iterable[KnownSecret]) -> None:
        """Mask these too, and let GitHub Actions mask in its log those that are good for a login after the run."""
        lasting = [secret for secret in self.known.add(secrets) if secret.lasting]
        # Nobody sees what a worker prints: its controller learns them with the worker's next report.
        if lasting and os.environ.get("GITHUB_ACTIONS") == "true" and not hasattr(self._config, "workerinput"):
            with self.known.printing:
                lines = [f"::add-mask::{each}" for secret in lasting for each in _as_printed(secret)]
                _print_lines(self._config, lines)

    def learn_token(self, token: Token) -> None:
        """Mask the secret of a token."""
        self.learn([of_token(token)])

    def learn_accounts(self, accounts: Iterable[Account]) -> None:
        """Mask secrets and passwords of accounts."""
        self.learn([secret for account in accounts for secret in of_account(account)])

    def learn_api_key(self, key: str) -> None:
        """Mask the API key of a shared server."""
        self.learn([KnownSecret(Secret(key), "the API key in TOTPHOG_API_KEY", password=True, lasting=True)])

    def learn_from_worker(self, told: Iterable[list[Any]]) -> None:
        """Mask what a worker of pytest-xdist has told."""
        self.learn([KnownSecret(Secret(value), *rest) for value, *rest in told])

    def learn_forked(self, report: pytest.TestReport) -> None:
        """Mask what a test's own process has told with its report, which pytest-forked carries as it is."""
        self.learn_from_worker(vars(report).pop(TOLD, ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask a report before anybody shows, writes or sends it."""
        self.learn_forked(report)
        own = vars(report)
        for name in own.keys() - IDENTITY:
            own[name] = _mask(own[name], self.known)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """Mask the traceback of pytest's own failure."""
        _mask(excrepr, self.known)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Mask a warning, and the line of code that it shows."""
        text = str(warning_message.message)
        if (masked := self.known.mask(text)) != text:
            warning_message.message = masked
        if warning_message.line is None:
            line = linecache.getline(warning_message.filename, warning_message.lineno)
            if (masked := self.known.mask(line)) != line:
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
        news = self.known.since(self._told)
        self._told += len(news)
        return [[str(each.value), each.name, each.password, each.lasting] for each in news]


class _MaskingFormatter(logging.Formatter):
    """A formatter behind which no secret comes out."""

    def __init__(self, inner: logging.Formatter, known: KnownSecrets) -> None:
        super().__init__()
        self._inner = inner
        self._known = known

    def format(self, record: logging.LogRecord) -> str:
        return self._known.mask(self._inner.format(record))


def _mask(value: Any, known: KnownSecrets, inside: tuple[int, ...] = ()) -> Any:
    """Return a value without secrets, the value itself when it has none; pytest's own objects are changed in place.

    Args:
        value: an attribute of a report, or a part of one.
        known: the secrets.
        inside: of which containers it is a part, by identity: what a test records may contain itself.
    """
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return known.mask(value)
    if id(value) in inside:
        return value
    inside = (*inside, id(value))
    if isinstance(value, dict):
        masked = {key: _mask(each, known, inside) for key, each in value.items()}
        return masked if any(masked[key] is not each for key, each in value.items()) else value
    if isinstance(value, (list, tuple)):
        parts = [_mask(each, known, inside) for each in value]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        return parts if isinstance(value, list) else tuple(parts)
    # The parts of a traceback, and what a subtest was called with; the tests' own objects are left alone.
    own = type(value)
    if hasattr(own, "toterminal") or (dataclasses.is_dataclass(own) and own.__module__.startswith("_pytest.")):
        for name in vars(value) if hasattr(value, "__dict__") else getattr(own, "__slots__", ()):
            object.__setattr__(value, name, _mask(getattr(value, name), known, inside))
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
