"""The clock for other processes: a file that libfaketime reads whenever such a process reads its clock."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import threading
import weakref
from importlib.util import find_spec
from io import FileIO
from pathlib import Path
from typing import Final

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.errors import TotphogError, hidden_in_reports, shown

__all__ = ["TimestampFile"]

__tracebackhide__ = hidden_in_reports

# Of Debian and its children, other distributions, and `make install`. The variant for threads serves one thread too.
_SYSTEM: Final = (
    "usr/lib/*/faketime/libfaketimeMT.so.1",
    "usr/lib*/faketime/libfaketimeMT.so.1",
    "usr/local/lib/faketime/libfaketimeMT.so.1",
)
_PACKAGE: Final = "vendor/libfaketime/src/libfaketime.so.1"  # in the package that PyPI has under the same name

# Ends of names of functions that the copy of the library goes without, so that programs find the C library's. The ends
# are enough for `usleep` and `ppoll` too, whose names they share in the file. The functions are for a clock that runs
# at another speed. They take a deadline on the monotonic clock for one on the wall clock, so that time.sleep() of
# Python 3.11 and later is an OSError (https://github.com/wolfcw/libfaketime/issues/426), and a signal handler that
# comes while they wait has the real time.
_WAITING: Final = (b"sleep", b"poll", b"select", b"epoll_wait", b"epoll_pwait", b"timer_settime", b"timerfd_settime")
# Before 0.9.11, which knows FAKETIME_DISABLE_SHM, only a semaphore's name that is none keeps the library from leaving
# its semaphore and shared memory in /dev/shm when a process is killed (https://github.com/wolfcw/libfaketime/issues/56).
_SEMAPHORE: Final = (b"/faketime_sem_%ld\0", b"/f/ketime_sem_%ld\0")

_SETTINGS: Final = {
    "FAKETIME_FMT": "%s",  # seconds since the epoch, which are the same in every time zone
    "FAKETIME_NO_CACHE": "1",  # the file is read again each time, not every ten seconds
    "DONT_FAKE_MONOTONIC": "1",  # time-outs run on,
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # those of pthread_cond_timedwait() too
    "NO_FAKE_STAT": "1",  # the times of files stay as they are, when they are read
    "FAKE_UTIME": "0",  # and when they are set
    "FAKETIME_DISABLE_SHM": "1",  # no process needs what another one shares
}


class TimestampFile:
    """What other processes read in place of the time, and the library that makes them read it.

    Both lie in a directory of their own until `remove()`, at the latest until the interpreter exits. The library is a
    copy of libfaketime that leaves sleeps and timers alone.

    Args:
        clock: the one that the file follows.

    Raises:
        TotphogError: where there is no Linux or no libfaketime, or where the directory can hold no library.
    """

    # The real ones, also while a test has fake files.
    _chmod = staticmethod(os.chmod)
    _replace = staticmethod(os.replace)

    def __init__(self, clock: Clock) -> None:
        library = _libfaketime().read_bytes()
        if b"FAKETIME_DISABLE_SHM\0" not in library:
            library = library.replace(*_SEMAPHORE)
        for name in _WAITING:
            library = library.replace(name + b"\0", name[:-1] + b"-\0")
        self._directory = Path(tempfile.mkdtemp(prefix="totphog-", dir=_directory()))
        self._remove = weakref.finalize(self, shutil.rmtree, self._directory, ignore_errors=True)
        self._clock = clock
        self._lock = threading.Lock()
        self._seen = -1  # nothing yet
        # An app may change its user: neither the directory nor what lies in it depends on the umask.
        self._directory.chmod(0o755)
        self._library.write_bytes(library)
        self._library.chmod(0o644)
        self.follow()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._directory / "timestamp"

    @property
    def _library(self) -> Path:
        return self._directory / "libfaketime.so.1"

    def follow(self) -> None:
        """Let the processes stand where the clock does, or have the real time while it is live."""
        with self._lock:
            changes, nanoseconds = self._clock.changes, self._clock.frozen_at
            if changes == self._seen or not self._remove.alive:
                return
            # Half a nanosecond more, because what is less than a whole one is cut off, also after 0.1 became 0.0999….
            text = "+0" if nanoseconds is None else "{}.{:09}5".format(*divmod(nanoseconds, NANOSECONDS))
            new = f"{self._directory}/timestamp.new"
            with FileIO(new, "w") as file:  # not `open`, which a test may have replaced (pyfakefs)
                file.write(f"{text}\n".encode())
            self._chmod(new, 0o644)  # whatever the umask is
            self._replace(new, str(self.path))  # a reader has the old one or the new one, never half of one
            self._seen = changes

    def remove(self) -> None:
        """Remove the directory; a second time does nothing."""
        with self._lock:
            self._remove()

    def environment(self) -> dict[str, str]:
        """Return the environment of this process, changed so that a process started with it reads the file."""
        # Its own FAKETIME would come before the file.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAKETIME")}
        preload = f"{self._library}:{inherited.get('LD_PRELOAD', '')}".rstrip(":")
        return inherited | _SETTINGS | {"FAKETIME_TIMESTAMP_FILE": str(self.path), "LD_PRELOAD": preload}


def _libfaketime() -> Path:
    """Return where the library is that this machine can load."""
    if platform.system() != "Linux":
        raise TotphogError(
            f"subprocess_env() works on Linux, and this is {platform.system()}; run the app in the test's own process, "
            "where the clock's patch takes it along, or run both in a container"
        )
    package = find_spec("libfaketime")  # it is not imported, which would change this process
    folders = [] if package is None else package.submodule_search_locations or []
    found = [library for pattern in _SYSTEM for library in Path("/").glob(pattern)]
    for library in [*found, *(Path(folder, _PACKAGE) for folder in folders)]:
        if library.is_file() and _machine(library) == _machine(Path("/proc/self/exe")):
            return library
    raise TotphogError(
        f"subprocess_env() needs libfaketime for {platform.machine()}, which is not installed; "
        "install it with: apt install libfaketime, or: pip install libfaketime"
    )


def _machine(program: Path) -> bytes:
    """Return what kind of machine a program or library is made for: class, byte order and processor in elf(5)."""
    with program.open("rb") as file:
        header = file.read(20)
    return header[4:6] + header[18:20]


def _directory() -> str:
    """Return where temporary files go, if a library can be loaded from there: see ld.so(8)."""
    directory = tempfile.gettempdir()
    if set(directory) & set(" :"):
        reason = "has a space or a colon in its path, which LD_PRELOAD takes for a separator"
    elif os.statvfs(directory).f_flag & os.ST_NOEXEC:
        reason = "is mounted noexec"
    else:
        return directory
    raise TotphogError(
        f"subprocess_env() cannot load a library from the temporary directory {shown(directory)}, which {reason}; "
        "set TMPDIR to another one"
    )
