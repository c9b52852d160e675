"""A network between a client and a server: a TCP proxy that takes its time, and may lose answers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Network(threading.Thread):
    """Passes on what it gets, later.

    Attributes:
        url: what the client connects to.
        loses_answers: whether all that the server says from now on is lost.
    """

    def __init__(self, server: str, delay: float) -> None:
        """Start, and return once connections are taken; everything takes so many seconds in each direction."""
        super().__init__(name="network")
        self._server = urlsplit(server)
        self._delay = delay
        self._ready = threading.Event()
        self.loses_answers = False
        self.start()
        assert self._ready.wait(10)

    def run(self) -> None:
        """Take connections until closed."""
        asyncio.run(self._serve())

    def close(self) -> None:
        """Break off all connections."""
        self._loop.call_soon_threadsafe(self._closed.set)
        self.join(10)

    async def _serve(self) -> None:
        self._loop, self._closed = asyncio.get_running_loop(), asyncio.Event()
        listening = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._closed.wait()
        listening.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(self._server.hostname, self._server.port)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass_on(reader, requests), self._pass_on(answers, writer, are_answers=True))
        for end in (requests, writer):
            end.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, are_answers: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not (are_answers and self.loses_answers):
                    self._loop.call_later(self._delay, writer.write, data)
        self._loop.call_later(self._delay, writer.close)


@contextmanager
def network_to(server: str, delay: float) -> Iterator[Network]:
    """Put a network before a server.

    Args:
        server: its URL.
        delay: seconds in each direction.
    """
    network = Network(server, delay)
    try:
        yield network
    finally:
        network.close()
