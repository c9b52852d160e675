"""What the installed and unused plugin costs: next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"freezegun", "pyotp", "requests", "segno", "sqlalchemy", "time_machine", "werkzeug"}
INERT = {"pytest_totphog", "pytest_totphog.plugin", "pytest_totphog.settings"}

# Each pytest process of the run writes down what it has loaded by the end.
CONFTEST = """
    import os
    import sys

    def pytest_unconfigure(config):
        with open(f"modules-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.txt", "w") as file:
            file.write("\\n".join(sys.modules))
    """

UNUSED = """
    import pytest

    @pytest.mark.parametrize("turn", range(4))
    def test_without_codes(turn):
        pass
    """


def loaded(folder: Path) -> dict[str, set[str]]:
    """Return the names of the modules that each process of a run in `folder` has loaded, by the process's name."""
    return {
        path.stem.removeprefix("modules-"): set(path.read_text("utf-8").splitlines())
        for path in folder.glob("modules-*.txt")
    }


def ours(modules: set[str]) -> set[str]:
    """Return the modules of this package."""
    return {name for name in modules if name.partition(".")[0] == "pytest_totphog"}


def test_unused_plugin_loads_three_modules(project: pytest.Pytester) -> None:
    """A run that takes none of the fixtures loads the package and the plugin, and no library for them."""
    project.makeconftest(CONFTEST)
    project.makepyfile(UNUSED)
    project.runpytest_subprocess().assert_outcomes(passed=4)
    assert {name: ours(modules) for name, modules in loaded(project.path).items()} == {"main": INERT}
    assert loaded(project.path)["main"] & HEAVY == set()


def test_unused_plugin_under_xdist(project: pytest.Pytester) -> None:
    """A worker loads no more, and the controller the module by which it could serve the ledger; nobody asks for it."""
    pytest.importorskip("xdist")
    project.makeconftest(CONFTEST)
    project.makepyfile(UNUSED)
    project.runpytest_subprocess("-p", "xdist", "-n", "2").assert_outcomes(passed=4)
    processes = loaded(project.path)
    assert {name: ours(modules) for name, modules in processes.items()} == {
        "main": {*INERT, "pytest_totphog.xdist"},
        "gw0": INERT,
        "gw1": INERT,
    }
    assert set.union(*processes.values()) & HEAVY == set()


def test_controller_of_xdist_serves_without_testing(project: pytest.Pytester) -> None:
    """Where a worker takes a code, the controller loads the server of the ledger, and still nothing that freezes."""
    pytest.importorskip("xdist")
    project.makeconftest(CONFTEST)
    project.makepyfile("def test_login(totp_token): totp_token.one_time_code(min_remaining=0)")
    project.runpytest_subprocess("-p", "xdist", "-n", "1").assert_outcomes(passed=1)
    controller = loaded(project.path)["main"]
    assert "pytest_totphog.api.store" in controller
    assert controller & {"freezegun", "requests", "time_machine", "sqlalchemy"} == set()


@pytest.mark.parametrize("option", ["--help", "--markers", "--fixtures", "--collect-only"])
def test_looking_loads_no_more(project: pytest.Pytester, option: str) -> None:
    """Asking pytest what there is, or what would run, loads nothing of what a test would need."""
    project.makeconftest(CONFTEST)
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(digits=8)
        @pytest.mark.frozen_clock("2001-09-09T01:46:40Z")
        def test_login(totp_token):
            pass
        """
    )
    assert project.runpytest_subprocess(option).ret == pytest.ExitCode.OK
    modules = loaded(project.path)["main"]
    assert ours(modules) == INERT
    assert modules & HEAVY == set()


def test_frozen_clock_alone_loads_no_server(project: pytest.Pytester) -> None:
    """A test that only freezes time has no use for the server, nor for what draws and computes codes."""
    project.makeconftest(CONFTEST)
    project.makepyfile("def test_then(frozen_clock): pass")
    project.runpytest_subprocess().assert_outcomes(passed=1)
    modules = loaded(project.path)["main"]
    assert modules & HEAVY == {"time_machine"}
    assert "pytest_totphog.servers.totp_server" not in modules


def test_importing_the_package_loads_only_itself() -> None:
    """`import pytest_totphog` imports none of its modules before one of its names is used."""
    script = (
        "import sys, pytest_totphog; print(*sys.modules, sep='\\n'); "
        "assert pytest_totphog.InvalidInput.__module__ in sys.modules; "
        "assert 'pytest_totphog.servers.totp_server' not in sys.modules"
    )
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert ours(set(output.splitlines())) == {"pytest_totphog"}
    assert set(output.splitlines()) & HEAVY == set()
