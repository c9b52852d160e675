"""The leak check: a run fails when a secret is in what its tests printed, or in the files that it leaves behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from pytest_totphog.errors import plural
from pytest_totphog.secrecy.artifacts import Artifacts
from pytest_totphog.secrecy.known_secrets import KnownSecrets
from pytest_totphog.secrecy.masks import Masks
from pytest_totphog.settings import option

__all__ = ["LeakCheck"]

# Under which name a worker of pytest-xdist tells its controller, beside a report, what it has found.
LEAKS: Final = "totphog_leaks"
# Findings that the summary shows.
SHOWN: Final = 50


class LeakCheck:
    """A plugin of pytest's, where the ini totphog_leak_check is true.

    Args:
        config: pytest's.
        masks: gives the masks, which know the secrets, once pytest is ready for them.
    """

    def __init__(self, config: pytest.Config, masks: Callable[[], Masks]) -> None:
        self._config = config
        self._masks = masks
        # Each once, in the order in which they were found.
        self._leaks: dict[str, None] = {}
        self._told = 0
        self._tests: set[str] = set()
        self._artifacts = Artifacts(self._find)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, None, None]:
        """Look at what a test printed, before the masks do."""
        self._masks().learn_forked(report)
        self._tests.add(report.nodeid)
        where = self._known.mask(report.nodeid)
        self._look(report.nodeid, f"the name of {where}", lines=False)
        for title, text in report.sections:
            self._look(text, f"{title[:1].lower()}{title[1:]} of {where}")
        for name, value in report.user_properties:
            self._look(str(value), f"the property {name} of {where}", lines=False)
        yield

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Tell the controller of pytest-xdist what this worker has found since its last report."""
        data = yield
        if hasattr(config, "workerinput") and isinstance(data, dict):
            data[LEAKS] = [*self._leaks][self._told :]
            self._told = len(self._leaks)
        return data

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> None:
        """Learn what a worker has found."""
        self._leaks.update(dict.fromkeys(data.pop(LEAKS, ())))

    # The innermost of those that wrap: the files are written, and the summary is not.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Look into the files of the run; with a leak it fails."""
        yield
        if hasattr(self._config, "workerinput"):
            return
        for path in self._paths():
            self._leaks.update(dict.fromkeys(self._artifacts.look_into(path, self._short(path))))
        if self._leaks and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found, what was looked at, and what was not."""
        looked_at = f"{plural(self._artifacts.files, 'file')} and the output of {plural(len(self._tests), 'test')}"
        if self._leaks:
            terminalreporter.section("TOTP secrets have leaked", sep="=", red=True)
            for leak in [*self._leaks][:SHOWN]:
                terminalreporter.write_line(leak, red=True)
            if len(self._leaks) > SHOWN:
                terminalreporter.write_line(f"and {len(self._leaks) - SHOWN:,} more", red=True)
            terminalreporter.write_line(f"Looked at: {looked_at}. Replace the secrets that are still in use.")
        else:
            secrets = plural(len(self._known), "known secret")
            terminalreporter.write_line(f"totphog: none of {secrets} in {looked_at}")
        for what in self._left_out():
            terminalreporter.write_line(f"totphog: not looked at: {what}", yellow=True)

    def _left_out(self) -> list[str]:
        uncaptured = ["what tests printed, because -s lets it pass"] if self._config.option.capture == "no" else []
        return [*uncaptured, *self._artifacts.left_out]

    @property
    def _known(self) -> KnownSecrets:
        return self._masks().known

    def _find(self, text: str) -> list[tuple[str, int]]:
        return self._known.find(text)

    def _look(self, text: str, where: str, *, lines: bool = True) -> None:
        for name, line in self._find(text):
            self._leaks[f"{name} in {where}{f' (line {line})' if lines else ''}"] = None

    def _paths(self) -> Iterable[Path]:
        """Return the files that pytest and its plugins wrote, and those that the ini names."""
        options = self._config.option
        log_file = getattr(options, "log_file", None) or self._config.getini("log_file")
        written = [getattr(options, "xmlpath", None), getattr(options, "htmlpath", None), log_file]
        paths = [
            Path.cwd() / Path(os.path.expandvars(path)).expanduser()
            for path in (*written, option(self._config, "report"))
            if path
        ]
        for pattern in str(self._config.getini("totphog_leak_check_files")).split("\n"):
            if pattern.strip():
                paths += self._artifacts.matching(self._config.rootpath, pattern.strip())
        return dict.fromkeys(path.resolve() for path in paths)

    def _short(self, path: Path) -> str:
        root = self._config.rootpath
        return str(path.relative_to(root) if path.is_relative_to(root) else path)
