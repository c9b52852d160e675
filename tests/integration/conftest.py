"""What the tests of the plugin share: a project of somebody who has just installed it."""

from importlib import import_module

import pytest

# A test run inside a test forgets what it has imported, but not what stood in `sys.modules` before. Of a package half
# forgotten there are two classes of each name, and an error of the one is not caught as the other.
for module in (
    "freezegun",
    "requests",
    "pytest_totphog.freezing",
    "pytest_totphog.practice",
    "pytest_totphog.server",
):
    import_module(module)


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
