"""An app in several processes on one port, by granian."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import MissingExtra, ServerError
from pytest_totphog.wsgi.server import listen

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from _typeshed.wsgi import WSGIApplication

__all__ = ["serve_in_workers"]

# A request for a one-time code holds a thread until the code's time step begins.
THREADS: Final = 64
# Seconds: such a request ends with the server, and is not waited for.
STOP_TIMEOUT: Final = 1
READY_TIMEOUT: Final = 60


def serve_in_workers(
    load: Callable[[str], WSGIApplication], host: str, port: int, workers: int, ready: Callable[[str], Any]
) -> None:
    """Serve until SIGINT or SIGTERM; a worker that dies is replaced.

    Args:
        load: returns the app, in each worker; it must be picklable, and gets a name to ignore.
        host: the address to listen on.
        port: the port to listen on.
        workers: how many processes.
        ready: called with the URL once requests are answered.

    Raises:
        MissingExtra: where granian is not installed.
        ServerError: when the address cannot be had, and when workers die faster than they can be replaced.
    """
    try:
        from granian.constants import Interfaces
        from granian.server import Server
    except ImportError:
        raise MissingExtra("--workers", "granian", "serve") from None

    # granian's sockets share their port, and would join whoever listens there already.
    with listen(host, port) as listening:
        address, port = listening.getsockname()[:2]
    server = Server(
        "totphog",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        respawn_interval=0,
        workers_kill_timeout=STOP_TIMEOUT,
        log_enabled=False,
    )
    # Processes that begin anew, because a fork of one with threads may stand still.
    multiprocessing.set_start_method("spawn", force=True)
    threading.Thread(target=_announce, args=(host, port, ready), name="totphog-ready", daemon=True).start()
    try:
        server.serve(target_loader=partial(_load, load))
    except SystemExit:
        if server.interrupt_signal:  # Ctrl-C in a terminal goes to the workers too
            return
        raise ServerError("a worker and its replacement died within seconds, so the others were stopped too") from None


def _load(load: Callable[[str], WSGIApplication], name: str) -> WSGIApplication:
    """Return the app, in a worker, which from now on ends when its parent does, also by `kill -9`."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="totphog-parent", daemon=True).start()
    return load(name)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _announce(host: str, port: int, ready: Callable[[str], Any]) -> None:
    """Say the URL once a worker answers; nobody tells when that is, so it is asked."""
    asking, deadline = threading.Event(), Clock.monotonic() + READY_TIMEOUT
    while Clock.monotonic() < deadline and not asking.wait(0.05):
        connection = http.client.HTTPConnection(host, port, timeout=READY_TIMEOUT)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/")
            connection.getresponse().read()
            ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
            asking.set()
