"""A PostgreSQL of the tests' own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system import require

# Debian puts the server's programs into no PATH.
VERSIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
SEARCHED = os.pathsep.join([*map(str, VERSIONS), os.environ.get("PATH", "")])


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Start a server with an empty database and give its URL; nothing is left of it afterwards.

    It listens on a socket in its own folder and on no port: nobody else on the machine gets in, and no port is taken.
    """
    initdb, pg_ctl = require("initdb", SEARCHED), require("pg_ctl", SEARCHED)
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        account = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            account = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")

        def run(*command: str) -> None:
            done = subprocess.run(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **account
            )
            assert done.returncode == 0, done.stdout

        settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run(initdb, "--pgdata=data", "--username=tests", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        run(pg_ctl, "start", "--pgdata=data", "--log=log", "--wait", "--timeout=30", f"--options={settings}")
        try:
            yield f"postgresql+psycopg://tests@/postgres?host={folder}"
        finally:
            run(pg_ctl, "stop", "--pgdata=data", "--mode=immediate", "--wait", "--timeout=30")
