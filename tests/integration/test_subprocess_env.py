"""subprocess_env: programs of any language follow the frozen clock, and nothing else of them stands still."""

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from pytest_totphog import FrozenClock
from pytest_totphog.clocks import libfaketime
from pytest_totphog.clocks.patches import PatchName
from tests.support.system import require, require_libfaketime

FROZEN_AT = 1705314600  # 2024-01-15T10:30:00Z
YEAR_2025 = 1735689600  # any real time is later

with_either_library = pytest.mark.parametrize("clock", ["system", "PyPI"], indirect=True)

# Programs that answer each line with the time.
NODE_TELLER = """
    const lines = require("readline").createInterface(process.stdin);
    lines.on("line", () => console.log(Date.now() / 1000));
"""
TELLERS = {
    "python": [sys.executable, "-u", "-c", "import sys, time\nfor line in sys.stdin: print(time.time())"],
    "node": ["node", "-e", NODE_TELLER],
    "php": ["php", "-r", "while (fgets(STDIN) !== false) echo microtime(true), PHP_EOL;"],
}

# Programs that print whether a wait took its time, and whether the wall clock stood.
PYTHON_WAITS = """
    import select, threading, time

    for wait in (time.sleep, threading.Event().wait, lambda seconds: select.select([], [], [], seconds)):
        started, wall_clock = time.monotonic(), time.time()
        wait(0.05)
        print(time.monotonic() - started >= 0.049, time.time() == wall_clock)
"""
NODE_WAITS = """
    const started = performance.now(), wallClock = Date.now();
    const say = (...truths) => console.log(...truths.map((truth) => (truth ? "True" : "False")));
    setTimeout(() => say(performance.now() - started >= 49, Date.now() === wallClock), 50);
"""
PHP_WAITS = """
    $started = hrtime(true); $wallClock = microtime(true);
    usleep(50000);
    echo hrtime(true) - $started >= 49e6 ? "True" : "False", " ", microtime(true) === $wallClock ? "True" : "False";
"""


# The same by functions of the C library that end at a time on the monotonic clock.
C_WAITS = """
    import ctypes, os, signal, time

    libc = ctypes.CDLL(None)
    CLOCK_MONOTONIC, TIMER_ABSTIME = 1, 1

    class Timespec(ctypes.Structure):
        _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]

    def deadline():
        return Timespec(*divmod(time.monotonic_ns() + 50_000_000, 1_000_000_000))

    def sleep():
        assert libc.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, ctypes.byref(deadline()), None) == 0

    def condition():
        attributes, condition, mutex = (ctypes.create_string_buffer(64) for _ in range(3))
        libc.pthread_condattr_init(attributes)
        libc.pthread_condattr_setclock(attributes, CLOCK_MONOTONIC)
        libc.pthread_cond_init(condition, attributes)
        libc.pthread_mutex_lock(mutex)
        libc.pthread_cond_timedwait(condition, mutex, ctypes.byref(deadline()))

    def timer_descriptor():
        timer = libc.timerfd_create(CLOCK_MONOTONIC, 0)
        assert libc.timerfd_settime(timer, TIMER_ABSTIME, (Timespec * 2)(Timespec(0, 0), deadline()), None) == 0
        os.read(timer, 8)

    def timer_signal():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        timer = ctypes.c_void_p()
        assert libc.timer_create(CLOCK_MONOTONIC, None, ctypes.byref(timer)) == 0
        assert libc.timer_settime(timer, TIMER_ABSTIME, (Timespec * 2)(Timespec(0, 0), deadline()), None) == 0
        signal.sigwait([signal.SIGALRM])

    for wait in (sleep, condition, timer_descriptor, timer_signal):
        started, wall_clock = time.monotonic(), time.time()
        wait()
        print(time.monotonic() - started >= 0.049, time.time() == wall_clock)
"""


class Teller:
    """A running program that tells the time."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        program, *arguments = TELLERS[name]
        self.process = subprocess.Popen(
            [require(program), *arguments], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def time(self) -> float:
        """Return the time that the program sees, in seconds since the epoch."""
        self.process.stdin.write("what time is it?\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.process.communicate(timeout=30)


@pytest.fixture
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrozenClock]:
    """A clock that is live; with the system's libfaketime unless the test asks for that of PyPI's package."""
    if getattr(request, "param", "system") == "system":
        require_libfaketime()
    elif find_spec("libfaketime") is None:
        pytest.skip("the package libfaketime is not installed; pip installs it")
    else:
        monkeypatch.setattr(libfaketime, "_SYSTEM", ())
    with FrozenClock() as clock:
        yield clock


@pytest.fixture
def start(clock: FrozenClock) -> Iterator[Callable[[str], Teller]]:
    """Starts a program that follows the clock."""
    with ExitStack() as running:

        def start(name: str) -> Teller:
            teller = Teller(name, clock.subprocess_env())
            running.callback(teller.stop)
            return teller

        yield start


def run(clock: FrozenClock, *command: str, cwd: Path | None = None, **environment: str) -> str:
    """Return what a program prints that is started with the clock's environment."""
    program, *arguments = command
    completed = subprocess.run(
        [require(program), *map(textwrap.dedent, arguments)],
        cwd=cwd,
        env=clock.subprocess_env() | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert completed.stderr == ""
    return completed.stdout.strip()


@with_either_library
@pytest.mark.parametrize("name", TELLERS)
def test_follows_every_change_at_once(clock: FrozenClock, start: Callable[[str], Teller], name: str) -> None:
    """In any language, while it runs: started on a live clock, frozen, moved, released, frozen again."""
    teller = start(name)
    assert teller.time() > YEAR_2025
    clock.freeze(FROZEN_AT)
    assert teller.time() == FROZEN_AT
    clock.tick(0.5)
    assert teller.time() == FROZEN_AT + 0.5
    clock.next_step()
    assert teller.time() == FROZEN_AT + 30
    clock.move_to("2020-01-01T00:00:00Z")
    assert teller.time() == 1577836800
    clock.unfreeze()
    assert teller.time() > YEAR_2025
    clock.freeze("2100-01-01T00:00:00Z")
    assert teller.time() == 4102444800


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_started_in_frozen_time(clock: FrozenClock, start: Callable[[str], Teller], patch: PatchName) -> None:
    """The patch changes nothing for it."""
    clock.freeze(FROZEN_AT, patch)
    teller = start("python")
    assert teller.time() == FROZEN_AT
    clock.tick(5)
    assert teller.time() == FROZEN_AT + 5


def test_several_programs_agree(clock: FrozenClock, start: Callable[[str], Teller]) -> None:
    """All that are started with one clock have one time."""
    tellers = [start(name) for name in TELLERS]
    clock.freeze(FROZEN_AT)
    for step in range(1, 11):
        assert clock.next_step() == FROZEN_AT + 30 * step
        assert [teller.time() for teller in tellers] == [FROZEN_AT + 30 * step] * 3


@with_either_library
@pytest.mark.parametrize("at", ["2024-01-15T10:30:00Z", "2100-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-c", PYTHON_WAITS),
        (sys.executable, "-c", C_WAITS),
        ("node", "-e", NODE_WAITS),
        ("php", "-r", PHP_WAITS),
    ],
    ids=["python", "C", "node", "php"],
)
def test_waiting_takes_its_time(clock: FrozenClock, command: tuple[str, ...], at: str) -> None:
    """Sleeps, timers and time-outs end, and not before; the wall clock has not moved meanwhile."""
    clock.freeze(at)
    assert set(run(clock, *command).splitlines()) == {"True True"}


def test_sleeping_on_a_live_clock(clock: FrozenClock) -> None:
    """Nothing of the library shows before the first freeze."""
    assert {line.split()[0] for line in run(clock, sys.executable, "-c", PYTHON_WAITS).splitlines()} == {"True"}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "right/UTC"])
@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (0, "0.000000000"),
        ("2024-11-03T05:30:00Z", "1730611800.000000000"),  # 1:30 in New York,
        ("2024-11-03T06:30:00Z", "1730615400.000000000"),  # and 1:30 again
        ("2024-01-15T10:30:00.123457Z", "1705314600.123457000"),
        ("2024-01-15T10:30:00.999999Z", "1705314600.999999000"),
        ("2038-01-19T03:14:08Z", "2147483648.000000000"),
        ("9999-12-31T23:59:59Z", "253402300799.000000000"),
    ],
)
def test_instant_is_exact_in_every_time_zone(clock: FrozenClock, zone: str, at: str, seconds: str) -> None:
    """To the microsecond, in the hour that comes twice, and beyond 2038."""
    clock.freeze(at)
    assert run(clock, "date", "+%s.%N", TZ=zone) == seconds


def test_local_time_is_that_of_the_program(clock: FrozenClock) -> None:
    """The clock says when it is, not where."""
    clock.freeze(FROZEN_AT)
    assert run(clock, "date", "+%H:%M %Z", TZ="America/New_York") == "05:30 EST"


def test_file_times_are_real(clock: FrozenClock, tmp_path: Path) -> None:
    """Build tools, caches and reloaders compare them, to the nanosecond."""
    script = """
        import os, sys

        os.close(os.open("written", os.O_CREAT | os.O_WRONLY))
        os.utime("touched")
        os.utime("set", ns=(1_500_000_000_123_456_789, 1_500_000_000_123_456_789))
        print(*(os.stat(name).st_mtime_ns for name in ("written", "touched", "set")))
    """
    for name in ("touched", "set"):
        (tmp_path / name).touch()
    clock.freeze(FROZEN_AT)
    seen = [int(number) for number in run(clock, sys.executable, "-c", script, cwd=tmp_path).split()]
    assert seen == [(tmp_path / name).stat().st_mtime_ns for name in ("written", "touched", "set")]
    assert min(seen[:2]) > YEAR_2025 * 1_000_000_000
    assert seen[2] == 1_500_000_000_123_456_789


def test_signal_handler_that_comes_during_a_wait(clock: FrozenClock) -> None:
    """It has the frozen time as well; PostgreSQL up to 15 does much of its work there."""
    script = """
        use POSIX;

        sigaction(SIGALRM, POSIX::SigAction->new(sub { print time; exit }));
        alarm 1;
        select(undef, undef, undef, 30);
    """
    clock.freeze(FROZEN_AT)
    assert run(clock, "perl", "-e", script) == str(FROZEN_AT)


def test_threads_that_ask_while_it_moves(clock: FrozenClock) -> None:
    """Four threads at a time see the old instant or the new one, never a mixture of both."""
    script = """
        import ctypes, sys, threading

        # Called through ctypes, time() runs without the interpreter's lock.
        time, seen = ctypes.CDLL(None).time, [set() for _ in range(4)]
        time.restype, running = ctypes.c_long, True

        def look(times):
            while running:
                times.add(time(None))
            times.add(time(None))

        threads = [threading.Thread(target=look, args=[times]) for times in seen]
        for thread in threads: thread.start()
        print("ready", flush=True)
        sys.stdin.read()
        running = False
        for thread in threads: thread.join()
        print(*sorted(set.union(*seen)))
    """
    clock.freeze(FROZEN_AT)
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=clock.subprocess_env(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        instants = {FROZEN_AT} | {int(clock.tick(86_399)) for _ in range(200)}
        output, _ = process.communicate(timeout=60)
    seen = {int(number) for number in output.split()}
    assert seen <= instants
    assert max(instants) in seen


@with_either_library
def test_killed_program_leaves_nothing(clock: FrozenClock) -> None:
    """As libfaketime comes, each one that does not end by itself leaves a semaphore and shared memory."""
    teller = Teller("node", clock.subprocess_env())
    assert teller.time() > YEAR_2025
    teller.process.kill()
    teller.stop()
    assert [path for path in Path("/dev/shm").iterdir() if path.name.endswith(f"_{teller.process.pid}")] == []


def test_children_of_the_program_follow_too(clock: FrozenClock) -> None:
    """`npm start` starts a shell, which starts node."""
    clock.freeze(FROZEN_AT)
    assert run(clock, "sh", "-c", "sh -c 'date +%s'; exit") == str(FROZEN_AT)


def test_other_preloaded_libraries_are_loaded(clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What LD_PRELOAD had named before is there as well."""
    monkeypatch.setenv("LD_PRELOAD", "libm.so.6")
    clock.freeze(FROZEN_AT)
    loaded = run(clock, "cat", "/proc/self/maps")
    assert "libfaketime.so.1" in loaded
    assert "libm.so.6" in loaded
    assert run(clock, "date", "+%s") == str(FROZEN_AT)


def test_after_the_clocks_block(clock: FrozenClock, start: Callable[[str], Teller]) -> None:
    """What still runs has the real time."""
    with clock:
        clock.freeze(FROZEN_AT)
        teller = start("python")
        assert teller.time() == FROZEN_AT
    assert teller.time() > YEAR_2025


def test_server_in_node(clock: FrozenClock) -> None:
    """It answers over HTTP while its time stands still, and when it has been moved."""
    script = """
        const server = require("http").createServer((request, response) => response.end(new Date().toISOString()));
        server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
    """
    clock.freeze(FROZEN_AT)
    with subprocess.Popen(
        [require("node"), "-e", script], env=clock.subprocess_env(), text=True, stdout=subprocess.PIPE
    ) as process:
        url = process.stdout.readline().strip()
        assert requests.get(url, timeout=30).text == "2024-01-15T10:30:00.000Z"
        clock.tick(900)
        assert requests.get(url, timeout=30).text == "2024-01-15T10:45:00.000Z"
        process.terminate()


def test_django_runserver(clock: FrozenClock, tmp_path: Path) -> None:
    """As `manage.py runserver` comes, with the reloader, which sleeps a second at a time in the parent's child."""
    (tmp_path / "site_of_the_day.py").write_text(
        textwrap.dedent("""
            from django.conf import settings
            from django.http import HttpResponse
            from django.urls import path
            from django.utils import timezone

            settings.configure(DEBUG=True, ROOT_URLCONF=__name__, SECRET_KEY="for tests", USE_TZ=True)
            urlpatterns = [path("", lambda request: HttpResponse(timezone.now().isoformat()))]

            if __name__ == "__main__":
                from django.core.management import execute_from_command_line

                execute_from_command_line()
        """),
    )
    clock.freeze(FROZEN_AT)
    with subprocess.Popen(
        [sys.executable, "-u", "site_of_the_day.py", "runserver", "127.0.0.1:0", "--skip-checks"],
        cwd=tmp_path,
        env=clock.subprocess_env(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        lines = iter(process.stdout.readline, "")
        url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
        assert requests.get(url, timeout=30).text == "2024-01-15T10:30:00+00:00"
        clock.next_step()
        assert requests.get(url, timeout=30).text == "2024-01-15T10:30:30+00:00"
        clock.unfreeze()
        assert requests.get(url, timeout=30).text > "2025"
        process.terminate()


TESTS = """
    import subprocess, sys

    import pytest

    TELLER = [sys.executable, "-u", "-c", "import sys, time\\nfor line in sys.stdin: print(time.time())"]

    @pytest.fixture(scope="session")
    def app(totp_server_session):
        env = totp_server_session.clock.subprocess_env()
        with subprocess.Popen(TELLER, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            def ask():
                process.stdin.write("\\n")
                process.stdin.flush()
                return float(process.stdout.readline())
            yield ask

    @pytest.mark.parametrize("seconds", [1, 2, 3])
    def test_moved(app, frozen_clock, seconds):
        frozen_clock.tick(seconds)
        assert app() == 1705314600 + seconds

    def test_live(app):
        assert app() > 1735689600

    @pytest.mark.frozen_clock("2025-06-01T12:00:00Z")
    def test_frozen_at_another_time(app, totp_token):
        assert app() == 1748779200
        totp_token.one_time_code()
        totp_token.one_time_code()
        assert app() == 1748779230

    def test_own_process(frozen_clock):
        env = frozen_clock.subprocess_env()
        assert subprocess.run(["date", "+%s"], env=env, capture_output=True, text=True).stdout == "1705314600\\n"
"""


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "xdist"])
def test_app_that_lives_for_the_whole_run(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """It follows the clock of each test, has the real time in between, and after the run nothing is left."""
    require_libfaketime()
    if options:
        pytest.importorskip("xdist")
    temporary = project.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    project.makepyfile(TESTS)
    project.runpytest_subprocess(*options, timeout=100).assert_outcomes(passed=6)
    assert [path.name for path in temporary.iterdir() if not path.name.startswith("pytest-of-")] == []
