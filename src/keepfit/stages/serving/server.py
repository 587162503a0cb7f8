"""The process: a socket of our own, handed to uvicorn with one worker. With `connection.py` the one home of uvicorn."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from keepfit.errors import ServingError
from keepfit.stages.serving.connection import KEEP_ALIVE_S, Config, Connection
from keepfit.stages.serving.protection import Protection

BACKLOG = 2048
TICKS_A_SECOND = 10
LAST_S, LOOK_S = 1.0, 0.02
"""How long a request may take to come over a connection that was there when the port was closed, and how often one looks."""
SO_ATTACH_FILTER = 26


def run_server(app: ASGIApp, host: str, port: int, announce: Callable[[int], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are answered first.

    Parameters
    ----------
    app : ASGI application
        From `create_app`.
    host : str
        A name or an address of this machine.
    port : int
        0 takes a free one.
    announce : callable, optional
        Called with the port once it is bound; from then on, connections wait to be served.

    Raises
    ------
    ServingError
        If the port is taken or may not be used, or the host is not this machine.
    """
    with bind(host, port) as listener:
        if announce is not None:
            announce(int(listener.getsockname()[1]))
        gc.collect()
        gc.freeze()  # modules stay to the end: no collection during a request walks through them
        server(app).run(sockets=[listener])


def server(app: ASGIApp) -> uvicorn.Server:
    """Return the server without a socket: one worker, no access log; uvloop if it is installed."""
    held = getattr(app, "protection", None) or Protection()
    config = Config(
        app,
        held,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        proxy_headers=False,  # whoever connects could say to be somebody else
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """uvicorn's, which also looks after slow clients and changed tokens, and tells balancers before it stops."""

    config: Config

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Keep a signal to itself: uvicorn raises it again at the end, and the process would not close its files."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            at, held = time.perf_counter(), self.config.protection
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.expire(at)
            held.tokens.refresh()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        held = self.config.protection
        held.admission.draining = True
        if signal.SIGTERM in self._captured_signals:
            await self._drain(held.serving.drain_s)
        await self._close(sockets or [])
        await self._finish()
        await super().shutdown(sockets)

    async def _close(self, sockets: list[socket.socket]) -> None:
        """Close the port, so that whoever is connected by then is served and whoever comes later is refused, nobody reset."""
        doors = [one.dup() for one in sockets]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for accepted in [each for door in doors for each in _emptied(door)]:
            await loop.connect_accepted_socket(self._connection, accepted)

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)

    async def _finish(self) -> None:
        """Wait for the requests of those who have connected and not sent them yet; a second signal ends it."""
        signals, end = len(self._captured_signals), time.perf_counter() + LAST_S
        while time.perf_counter() < end and len(self._captured_signals) == signals:
            found = self.server_state.connections
            if not any(isinstance(one, Connection) and one.began is not None for one in found):
                break
            await asyncio.sleep(LOOK_S)

    async def _drain(self, seconds: float) -> None:
        """Go on answering, each connection for the last time, while balancers learn from `/readyz`; a second signal ends it."""
        signals, end = len(self._captured_signals), time.perf_counter() + seconds
        while time.perf_counter() < end and len(self._captured_signals) == signals:
            await asyncio.sleep(1 / TICKS_A_SECOND)


def _emptied(door: socket.socket) -> list[socket.socket]:
    """Close a listening socket, and return the connections that waited behind it: closed with it, they would be reset."""
    accepted: list[socket.socket] = []
    with door, suppress(BlockingIOError):
        door.setblocking(False)
        _let_nobody_in(door)
        while True:
            accepted.append(door.accept()[0])
    for one in accepted:
        one.setblocking(False)
    return accepted


def _let_nobody_in(door: socket.socket) -> None:
    """Have the kernel drop who knocks from now on, where it can (Linux): they knock again, and are refused then."""
    if sys.platform == "linux":
        drop = ctypes.create_string_buffer(
            struct.pack("HBBI", 0x06, 0, 0, 0)
        )  # a filter of one instruction: keep 0 bytes
        with suppress(OSError):
            door.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(drop)))


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; see `run_server` for what it raises."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ServingError(
            f"{host} is no address of this machine: {error}", where="serving.host", fix="--host 127.0.0.1"
        ) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _explained(error, host, port) from None
    return listener


def _explained(error: OSError, host: str, port: int) -> ServingError:
    if error.errno == errno.EADDRINUSE:
        return ServingError(
            f"port {port} of {host} is taken",
            where="serving.port",
            fix="keepfit serve --port 0, or stop the other server",
        )
    if error.errno == errno.EACCES:
        return ServingError(f"port {port} needs more rights", where="serving.port", fix="choose a port above 1023")
    return ServingError(f"cannot listen at {host}:{port}: {error}", where="serving.host", fix="--host 127.0.0.1")
