"""A PostgreSQL of the tests' own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.system import require

# Debian puts the server's programs into no PATH.
VERSIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
SEARCHED = os.pathsep.join([*map(str, VERSIONS), os.environ.get("PATH", "")])


class PostgreSQL:
    """A server with an empty database."""

    def __init__(self, folder: str, control: Callable[..., None]) -> None:
        """Start it."""
        self.url = f"postgresql+psycopg://tests@/postgres?host={folder}"
        self._control = control
        self._settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        self.start()

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        self._control("start", "--log=log", f"--options={self._settings}")

    def stop(self) -> None:
        """Stop it as a crash would: connections break off, and what was not committed is lost."""
        self._control("stop", "--mode=immediate")


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Start a server with an empty database; nothing is left of it afterwards.

    It listens on a socket in its own folder and on no port: nobody else on the machine gets in, and no port is taken.
    """
    initdb, pg_ctl = require("initdb", SEARCHED), require("pg_ctl", SEARCHED)
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            account = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")

        def run(*command: str) -> None:
            done = subprocess.run(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **account
            )
            assert done.returncode == 0, done.stdout

        def control(*command: str) -> None:
            run(pg_ctl, *command, "--pgdata=data", "--wait", "--timeout=30")

        run(initdb, "--pgdata=data", "--username=tests", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        postgresql = PostgreSQL(folder, control)
        try:
            yield postgresql
        finally:
            postgresql.stop()
