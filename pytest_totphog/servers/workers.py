"""An app in one process or in several, on one port, until a signal ends it."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import ServerError
from pytest_totphog.servers.signals import EndSignals
from pytest_totphog.wsgi.server import Server, listen

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from _typeshed.wsgi import WSGIApplication

__all__ = ["serve_here", "serve_in_workers"]

# Seconds for requests under way when it ends.
STOP_TIMEOUT: Final = 1
READY_TIMEOUT: Final = 60
# Seconds that the replacement of a worker must live, or another one would not live either.
LEAST_LIFE: Final = 5


def serve_here(
    app: WSGIApplication,
    host: str,
    port: int,
    signals: EndSignals,
    ready: Callable[[str], Any],
    access_log: Callable[[str], None] | None = None,
    listening: socket.socket | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, in this process.

    Args:
        app: what is served; if it has a method `close`, that makes it give up what it waits for.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        signals: those signals, blocked before any thread was started.
        ready: called with the URL once requests are answered.
        access_log: called with a line for every request; None for no log.
        listening: a socket that listens already, in place of host and port.

    Raises:
        ServerError: when the address cannot be had.
    """
    server = Server(app, host, port, access_log=access_log)
    server.start(listening)
    ready(server.url)
    signals.wait()
    with suppress(ServerError):  # a request that is still under way ends with the process
        server.stop(STOP_TIMEOUT, release=getattr(app, "close", int))


def serve_in_workers(
    load: Callable[[], WSGIApplication],
    host: str,
    port: int,
    workers: int,
    ready: Callable[[str], Any],
    access_log: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, in several processes; a worker that dies is replaced.

    All accept connections from one socket, each in a thread of its own, so that a request that is held
    delays no other one, and no connection lies with a worker that is busy.

    Args:
        load: returns the app, in each worker; it must be picklable.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        workers: how many processes.
        ready: called with the URL once requests are answered.
        access_log: called with a line for every request, in each worker; it must be picklable; None for no log.

    Raises:
        ServerError: when the address cannot be had, and when workers die faster than they can be replaced.
    """
    # Processes that begin anew, because a fork of one with threads may stand still. They inherit that signals are
    # blocked, and so no signal meets one that is not ready for it.
    spawn = multiprocessing.get_context("spawn")
    resource_tracker.ensure_running()  # its start lets SIGINT and SIGTERM pass: python/cpython#127586
    # Without a handler some systems drop it, blocked or not.
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[BaseProcess, float] = {}

    def start(not_before: float) -> None:
        process = spawn.Process(target=_work, args=(load, listening, host, access_log), name="totphog-worker")
        process.start()
        running[process] = not_before

    try:
        with EndSignals(signal.SIGCHLD) as signals, listen(host, port) as listening:
            try:
                for _ in range(workers):
                    start(0)
                address = listening.getsockname()[:2]
                threading.Thread(
                    target=_announce, args=(host, address, ready), name="totphog-ready", daemon=True
                ).start()
                while signals.wait() == signal.SIGCHLD:
                    for process in [each for each in running if not each.is_alive()]:
                        if Clock.monotonic() < running.pop(process):
                            raise ServerError(
                                "a worker and its replacement died within seconds, so the others were stopped too"
                            )
                        start(Clock.monotonic() + LEAST_LIFE)
            finally:
                _end(list(running))
    finally:
        signal.signal(signal.SIGCHLD, before)


def _work(
    load: Callable[[], WSGIApplication], listening: socket.socket, host: str, access_log: Callable[[str], None] | None
) -> None:
    """Serve in a worker, which ends when its parent does, also by `kill -9`."""
    with EndSignals() as signals:
        parent = multiprocessing.parent_process()
        if parent is not None:
            threading.Thread(target=_end_with, args=(parent,), name="totphog-parent", daemon=True).start()
        serve_here(load(), host, 0, signals, lambda _: None, access_log, listening)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _end(workers: list[BaseProcess]) -> None:
    """End workers; a client may be waiting in one, and its wait ends with the process."""
    for worker in workers:
        worker.terminate()
    deadline = Clock.monotonic() + 2 * STOP_TIMEOUT
    for worker in workers:
        worker.join(max(0, deadline - Clock.monotonic()))
        worker.kill()
        worker.join()


def _announce(host: str, address: tuple[str, int], ready: Callable[[str], Any]) -> None:
    """Say the URL once a worker answers; until then the request lies in the socket's queue."""
    connection = http.client.HTTPConnection(*address, timeout=READY_TIMEOUT)
    with suppress(OSError, http.client.HTTPException), closing(connection):
        connection.request("GET", "/")
        connection.getresponse().read()
        ready(f"http://{f'[{host}]' if ':' in host else host}:{address[1]}")
