"""What the tests of the plugin share: a project of somebody who has just installed it."""

import importlib.metadata
import pkgutil
from importlib import import_module

import pytest

import pytest_totphog

# A test run inside a test forgets what it has imported, but not what stood in `sys.modules` before. Of a package half
# forgotten there are two classes of each name, and an error of the one is not caught as the other.
MODULES = [
    each.name
    for each in pkgutil.walk_packages(pytest_totphog.__path__, "pytest_totphog.")
    if not each.name.endswith("__main__")
]
for module in ("freezegun", "requests", *MODULES):
    import_module(module)

# Each of these runs asks every package there is for plugins: hundreds of files, of which a few have an answer.
WITH_PLUGINS = [
    each
    for each in importlib.metadata.distributions()
    if any(entry_point.group == "pytest11" for entry_point in each.entry_points)
]


@pytest.fixture(autouse=True)
def quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest look for plugins only where there are any."""
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: WITH_PLUGINS)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project where this plugin is loaded and no other is, and where every warning is an error."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p totphog -W error --strict-markers")
    # This suite may run in a worker of pytest-xdist; the project's does not.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    # Nor does the project's run on GitHub, where it would print what is to be masked.
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return pytester
