"""The timestamp file: what it says, what a process needs to read it, and when it is gone."""

import gc
import os
import platform
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_totphog import TotphogError
from pytest_totphog.clocks import libfaketime
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.clocks.libfaketime import TimestampFile
from pytest_totphog.errors import shown
from tests.support.system import require_libfaketime

OF_ANOTHER_MACHINE = b"\x7fELF\x01\x02" + bytes(14)  # 32 bits, most significant byte first, no processor


@pytest.fixture
def clock() -> Clock:
    """The clock that it follows, live."""
    return Clock()


@pytest.fixture
def file(clock: Clock) -> TimestampFile:
    """A timestamp file of its own."""
    require_libfaketime()
    return TimestampFile(clock)


@pytest.fixture
def no_libfaketime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with neither Debian's package nor PyPI's."""
    monkeypatch.setattr(libfaketime, "_SYSTEM", ())
    monkeypatch.setitem(sys.modules, "libfaketime", None)


def package(folder: Path, library: bytes) -> None:
    """Lay the package that PyPI has into a folder, with a library that it would bring or build."""
    source = folder / "libfaketime" / "vendor" / "libfaketime" / "src"
    source.mkdir(parents=True)
    (source / "libfaketime.so.1").write_bytes(library)
    (folder / "libfaketime" / "__init__.py").write_text("raise AssertionError('it is not imported')")


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, "+0\n"),
        (0, "0.0000000005\n"),
        (1_705_314_600_000_000_000, "1705314600.0000000005\n"),
        (1_705_314_600_123_456_000, "1705314600.1234560005\n"),
        (253_402_300_799_999_999_000, "253402300799.9999990005\n"),
    ],
    ids=["real time", "1970", "whole second", "microseconds", "year 9999"],
)
def test_says_where_the_clock_stands(file: TimestampFile, clock: Clock, nanoseconds: int | None, text: str) -> None:
    """Seconds since the epoch, and half a nanosecond that keeps libfaketime from losing a whole one; or no offset."""
    clock.freeze(7)
    file.follow()
    clock.unfreeze() if nanoseconds is None else clock.freeze(as_datetime(nanoseconds))
    file.follow()
    assert file.path.read_text() == text


def test_says_the_real_time_at_first(file: TimestampFile) -> None:
    """Until it is told otherwise."""
    assert file.path.read_text() == "+0\n"


def test_a_change_is_another_file(file: TimestampFile, clock: Clock) -> None:
    """Who has opened it reads the old text to its end."""
    with file.path.open() as opened:
        clock.freeze(1_705_314_600)
        file.follow()
        assert opened.read() == "+0\n"
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["libfaketime.so.1", "timestamp"]


def test_environment_is_this_process_s(file: TimestampFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, so that it can be given to Popen as it is; what is read at the start is what libfaketime documents."""
    monkeypatch.setenv("GREETING", "ahoy")
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    environment = file.environment()
    assert environment.keys() > os.environ.keys()
    assert environment["GREETING"] == "ahoy"
    assert environment["FAKETIME_TIMESTAMP_FILE"] == str(file.path)
    assert environment["LD_PRELOAD"] == str(file.path.parent / "libfaketime.so.1")
    assert environment["FAKETIME_NO_CACHE"] == environment["DONT_FAKE_MONOTONIC"] == environment["NO_FAKE_STAT"] == "1"


def test_other_preloaded_libraries_stay(file: TimestampFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """jemalloc, for example; the clock comes first."""
    monkeypatch.setenv("LD_PRELOAD", "libm.so.6 libdl.so.2")
    assert file.environment()["LD_PRELOAD"] == f"{file.path.parent}/libfaketime.so.1:libm.so.6 libdl.so.2"


def test_faketime_of_the_environment_goes(file: TimestampFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would come before the file, or leave some programs out."""
    monkeypatch.setenv("FAKETIME", "-10d")
    monkeypatch.setenv("FAKETIME_SKIP_CMDS", "node")
    assert {"FAKETIME", "FAKETIME_SKIP_CMDS"} & file.environment().keys() == set()


def test_other_users_can_read_it(file: TimestampFile) -> None:
    """An app that is started by root may change to a user of its own."""
    assert file.path.parent.stat().st_mode & 0o777 == 0o755
    assert file.path.stat().st_mode & 0o444 == 0o444


def test_removed(file: TimestampFile, clock: Clock) -> None:
    """The directory goes with it; a second time, and a thread that moves the clock just then, do nothing."""
    file.remove()
    file.remove()
    clock.freeze(7)
    file.follow()
    assert not file.path.parent.exists()


def test_removed_with_its_last_owner() -> None:
    """Nobody has to think of it, and nothing warns."""
    require_libfaketime()
    file = TimestampFile(Clock())
    path = file.path
    assert path.exists()
    del file
    gc.collect()
    assert not path.parent.exists()


def test_no_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what works instead."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(TotphogError) as caught:
        TimestampFile(Clock())
    assert str(caught.value) == (
        "subprocess_env() works on Linux, and this is Darwin; run the app in the test's own process, "
        "where the clock's patch takes it along, or run both in a container"
    )


@pytest.mark.usefixtures("no_libfaketime")
def test_no_library() -> None:
    """The message has the commands that install it."""
    with pytest.raises(TotphogError) as caught:
        TimestampFile(Clock())
    assert str(caught.value) == (
        f"subprocess_env() needs libfaketime for {platform.machine()}, which is not installed; "
        "install it with: apt install libfaketime, or: pip install libfaketime"
    )


@pytest.mark.usefixtures("no_libfaketime")
def test_library_of_another_machine_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as PyPI's wheel on ARM: the loader would leave it out, and the process would have the real time."""
    monkeypatch.delitem(sys.modules, "libfaketime")
    package(tmp_path, OF_ANOTHER_MACHINE)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TotphogError, match=f"^subprocess_env.. needs libfaketime for {platform.machine()}, "):
        TimestampFile(Clock())


@pytest.mark.usefixtures("no_libfaketime")
def test_library_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPI's serves where the system has none, and is not imported."""
    monkeypatch.delitem(sys.modules, "libfaketime")
    library = Path("/proc/self/exe").read_bytes()[:64] + b" as pip installed it"
    package(tmp_path, library)
    monkeypatch.syspath_prepend(tmp_path)
    file = TimestampFile(Clock())
    assert (file.path.parent / "libfaketime.so.1").read_bytes() == library
    assert "libfaketime" not in sys.modules


@pytest.mark.usefixtures("no_libfaketime")
@pytest.mark.parametrize(
    ("known", "name"), [(b"FAKETIME_DISABLE_SHM\0", b"/faketime_sem_%ld\0"), (b"", b"/f/ketime_sem_%ld\0")]
)
def test_semaphore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bytes, name: bytes) -> None:
    """A library from 0.9.11 on makes none because it is set so, an older one because the name is none."""
    monkeypatch.delitem(sys.modules, "libfaketime")
    package(tmp_path, Path("/proc/self/exe").read_bytes()[:64] + known + b"/faketime_sem_%ld\0")
    monkeypatch.syspath_prepend(tmp_path)
    file = TimestampFile(Clock())
    assert (file.path.parent / "libfaketime.so.1").read_bytes().endswith(known + name)
    assert file.environment()["FAKETIME_DISABLE_SHM"] == "1"


def test_temporary_directory_with_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LD_PRELOAD knows no quotes, so the path would be cut in two, and the process would have the real time."""
    require_libfaketime()
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(TotphogError, match=r"a folder', which has a space or a colon .*; set TMPDIR to another one$"):
        TimestampFile(Clock())
    assert list(folder.iterdir()) == []


def test_temporary_directory_without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader would only print that it leaves the library out."""
    require_libfaketime()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag={str(tmp_path): os.ST_NOEXEC}[path]))
    with pytest.raises(TotphogError) as caught:
        TimestampFile(Clock())
    assert str(caught.value) == (
        f"subprocess_env() cannot load a library from the temporary directory {shown(str(tmp_path))}, "
        "which is mounted noexec; set TMPDIR to another one"
    )


@pytest.mark.parametrize("mask", [0o077, 0o000, 0o777])
def test_umask(clock: Clock, mask: int) -> None:
    """An app of another user reads the file and loads the library; only this process changes them."""
    before = os.umask(mask)
    try:
        file = TimestampFile(clock)
        clock.freeze(0)
        file.follow()
        modes = {each.name: each.stat().st_mode & 0o777 for each in [file.path.parent, *file.path.parent.iterdir()]}
        file.remove()
    finally:
        os.umask(before)

    assert modes == {file.path.parent.name: 0o755, "timestamp": 0o644, "libfaketime.so.1": 0o644}
