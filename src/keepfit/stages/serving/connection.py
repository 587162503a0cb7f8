"""One connection: how long a client may take, how much a head may be, how many connections are served, who waits."""

from __future__ import annotations

import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from keepfit.spec.serving import Serving
from keepfit.stages.serving.guard import ARRIVED, CROWDED, FIXED, WAITS, WORK
from keepfit.stages.serving.protection import Protection, no_place
from keepfit.stages.serving.wire import encode

MAX_HEAD = 65_536
QUEUED = frozenset(path.encode() for path in WORK)
KEEP_ALIVE_S = 75
"""Longer than balancers keep a connection they may use again (60 s), so that they close it and not the server."""


NO_PLACE = encode(no_place().as_dict())
FULL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % len(NO_PLACE)
FULL += b"".join(b"%b: %b\r\n" % header for header in (*FIXED, *no_place().headers.items()))


class Config(uvicorn.Config):
    """What uvicorn hands to each connection, and what protects it."""

    def __init__(self, app: Any, protection: Protection, **options: Any) -> None:
        super().__init__(app, http=Connection, **options)
        self.protection = protection


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, which waits for a request for ever, with bounds.

    Attributes
    ----------
    began : float or None
        When the request that is being read began, or the connection; None while none is being read.
    """

    def __init__(self, config: Config, *arguments: Any, **options: Any) -> None:
        super().__init__(config, *arguments, **options)
        self._held, self._crowded = config.protection, False
        self._settings: Serving = config.protection.serving
        self._head: int | None = 0
        self._shed = False
        self.began: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.began = time.perf_counter()
        self._held.admission.connections = len(self.connections)
        self._crowded = len(self.connections) > self._settings.connections

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no longer, nor what has arrived and will not be answered."""
        super().connection_lost(exc)
        self.began = None
        while self.pipeline:
            cycle, _ = self.pipeline.pop()
            if cycle.scope.pop(WAITS, False):  # type: ignore[misc]
                self._held.admission.go()
        self._held.admission.connections = len(self.connections)

    def data_received(self, data: bytes) -> None:
        """Read what came; a head that does not end is refused."""
        super().data_received(data)
        if self._head is not None and self.began is not None:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(b"431 Request Header Fields Too Large", "the head is larger than 64 KiB", "send less")

    def on_message_begin(self) -> None:
        """Note when a request's first byte came."""
        super().on_message_begin()
        self._head = 0
        self.began = self.scope[ARRIVED] = time.perf_counter()  # type: ignore[literal-required]
        if self._crowded:
            self.scope[CROWDED] = True  # type: ignore[literal-required]

    def on_headers_complete(self) -> None:
        """Have the request answered; its body may still be on its way. Above the queue's limit nothing is made of it."""
        self._head = None
        queued = self.url.partition(b"?")[0] in QUEUED
        idle = self.cycle is None or self.cycle.response_complete
        self._shed = queued and idle and self._held.admission.full
        if not self._shed:
            super().on_headers_complete()
            self._queued = queued

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of a body."""
        if not self._shed:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is wholly here: it waits for its turn, or there is no place for it."""
        began, self.began = self.began, None
        if self._shed:
            return self._refuse_place(began or time.perf_counter())
        super().on_message_complete()
        if self._queued and not self.cycle.response_complete:
            self.cycle.scope[WAITS] = True  # type: ignore[literal-required]
            self._held.admission.arrive()

    def _refuse_place(self, began: float) -> None:
        """Answer 503 without a task, an application, or anything else that costs."""
        self._shed = False
        request_id = self._held.request_id(None)
        stays = self.parser.should_keep_alive() and not self._held.admission.draining
        headers = [*self.server_state.default_headers, (b"x-request-id", request_id.encode())]
        content = [FULL, *(b"%b: %b\r\n" % header for header in headers)]
        self.transport.write(b"".join([*content, b"\r\n" if stays else b"connection: close\r\n\r\n", NO_PLACE]))
        self._held.shed(self.url.partition(b"?")[0].decode(), request_id, time.perf_counter() - began)
        if stays:
            self.on_response_complete()
        else:
            self.transport.close()

    def expire(self, at: float) -> None:
        """Refuse a request that has been on its way for too long."""
        if self.began is not None and at - self.began > self._settings.timeout_s:
            self._held.metrics.refused("timeout")
            what = f"the request was not complete after {self._settings.timeout_s:g} s"
            self._refuse(b"408 Request Timeout", what, "send it at once")

    def _refuse(self, status: bytes, what: str, fix: str) -> None:
        """Answer in the place of the application, and close."""
        self.began = None
        if self.transport.is_closing():
            return
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answering:
            body = encode({"error": "RequestError", "what": what, "where": "request", "fix": fix})
            head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (status, len(body)) + body)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
