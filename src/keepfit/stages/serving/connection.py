"""One connection: how long a client may take, how much a head may be, how many connections are served, who waits."""

from __future__ import annotations

import math
import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from keepfit.spec.serving import Serving
from keepfit.stages.serving.guard import ARRIVED, CLOSE, CROWDED, FIXED, RETRY, WAITS, WHOLE, WORK
from keepfit.stages.serving.protection import RETRY_S, Protection, no_place
from keepfit.stages.serving.wire import encode

MAX_HEAD = SMALL = 65_536
QUEUED = frozenset(path.encode() for path in WORK)
KEEP_ALIVE_S = 75
"""Longer than balancers keep a connection they may use again (60 s), so that they close it and not the server."""


NO_PLACE = encode(no_place().as_dict())
JSON = (b"content-type", b"application/json")
FULL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: %d\r\n" % len(NO_PLACE)
FULL += b"".join(b"%b: %b\r\n" % header for header in (JSON, *FIXED, *no_place().headers.items()))


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
        self._size = self._pieces = self._begun = self._bytes = 0
        self._in_head = self._in_body = self._shed = self._gone = self._queued = False
        self._stuck: float | None = None
        self._working: RequestResponseCycle | None = None
        self.began: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.began = time.perf_counter()
        self._held.admission.connections = len(self.connections)
        self._crowded = len(self.connections) > self._settings.connections

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no longer; what is in work for the client has nobody to answer to."""
        super().connection_lost(exc)
        self.began = self._stuck = None
        self._let_go()
        working = self._working  # uvicorn looks at the newest request only, which may wait behind this one
        if working is not None and not working.response_complete:
            working.disconnected = True
            working.message_event.set()
        self._held.admission.connections = len(self.connections)

    def data_received(self, data: bytes) -> None:
        """Read what came; a head that does not end is refused."""
        alone, self._begun = self._in_head or not self._in_body, 0
        super().data_received(data)
        if (
            self._in_head and alone and self._begun <= 1 and not self._gone
        ):  # else what of it belongs to the head is not known
            self._pieces += len(data)
            if self._pieces > MAX_HEAD:
                self._refuse_head()

    def pause_writing(self) -> None:
        """Note since when the client does not read."""
        super().pause_writing()
        self._stuck = time.perf_counter()

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._stuck = None

    def on_message_begin(self) -> None:
        """Note when a request's first byte came."""
        super().on_message_begin()
        self._size, self._pieces, self._in_head = 0, 0, True
        self._begun += 1
        self.began = self.scope[ARRIVED] = time.perf_counter()  # type: ignore[literal-required]
        if self._crowded:
            self.scope[CROWDED] = True  # type: ignore[literal-required]

    def on_url(self, url: bytes) -> None:
        """Read a piece of the target."""
        super().on_url(url)
        self._size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header."""
        super().on_header(name, value)
        self._size += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """Have the request answered; its body may still be on its way. Above the queue's limit nothing is made of it."""
        self._in_head = False
        if self._gone:
            return None
        if self._size > MAX_HEAD:
            return self._refuse_head()
        posts = self.parser.get_method() == b"POST" and self.url.partition(b"?")[0] in QUEUED
        # a request behind another on its connection is counted when it is its turn: nobody takes places by sending ahead
        self._queued = posts and self._idle()
        self._shed = self._queued and self._held.admission.full
        self._in_body = True
        if not self._shed:
            return super().on_headers_complete()
        if self.expect_100_continue or self._length() > self._settings.max_body:
            self._refuse_place(closes=True)  # the body is not waited for

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of a body, if all bodies together are not too much; a small one always has its place."""
        if self._shed or self._gone:
            return
        size, admission = len(body), self._held.admission
        self._bytes += size
        admission.bytes += size
        if self._bytes > SMALL and admission.bytes > self._settings.bodies:
            self._refuse_body()
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is wholly here: it waits for its turn, or there is no place for it."""
        self._in_body = False
        if self._gone:
            return
        if self._shed:
            self._refuse_place(closes=False)
            return
        self.began = None
        super().on_message_complete()
        if not self.cycle.response_complete:
            self.cycle.scope[WHOLE] = True  # type: ignore[literal-required]
            if self._queued:
                self.cycle.scope[WAITS] = True  # type: ignore[literal-required]
                self._held.admission.arrive()

    def on_response_complete(self) -> None:
        """Have the next request answered."""
        if not self.pipeline and not self._in_body:
            self._let_go()
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._working = cycle
        super()._start_asgi_task(cycle, app)

    def _let_go(self) -> None:
        """Count the bytes of this connection's bodies no longer."""
        self._held.admission.bytes -= self._bytes
        self._bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as everything is answered."""
        self._refuse(400, b"400 Bad Request", "this is no HTTP/1.1 request", "look at its first line and its headers")

    def _refuse_body(self) -> None:
        self._held.metrics.refused("bodies")
        what = f"the bodies of all requests together are more than {self._settings.bodies:,} bytes"
        self._refuse(503, b"503 Service Unavailable", what, f"send it again in {RETRY_S} s or later", RETRY)

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _length(self) -> float:
        """Return how many bytes of body are announced; no end if that is not said."""
        sent = dict(self.headers)
        return math.inf if b"transfer-encoding" in sent else int(sent.get(b"content-length", 0))

    def _refuse_place(self, *, closes: bool) -> None:
        """Answer 503 without a task, an application, or anything else that costs."""
        began, self.began, self._shed = self.began or time.perf_counter(), None, False
        closes = closes or self._held.admission.draining or not self.parser.should_keep_alive()
        request_id = self._held.request_id(dict(self.headers).get(b"x-request-id"))
        headers = [*self.server_state.default_headers, (b"x-request-id", request_id.encode())]
        if closes:
            headers.append(CLOSE)
        self.transport.write(b"".join([FULL, *(b"%b: %b\r\n" % header for header in headers), b"\r\n", NO_PLACE]))
        client = self.client[0] if self.client else ""
        self._held.shed(self.url.partition(b"?")[0].decode(), request_id, client, time.perf_counter() - began)
        if closes:
            self._gone = True
            self.transport.close()
        else:
            self.on_response_complete()

    def _refuse_head(self) -> None:
        self._held.metrics.refused("head")
        self._refuse(431, b"431 Request Header Fields Too Large", "the head is larger than 64 KiB", "send less")

    def expire(self, at: float) -> None:
        """Refuse a request that has been on its way for too long; leave a client that does not read its answer."""
        limit = self._settings.timeout_s
        if self._stuck is not None and at - self._stuck > limit:
            self._held.metrics.refused("timeout")
            self._stuck = None
            self.transport.abort()
        elif self.began is not None and at - self.began > limit:
            self._held.metrics.refused("timeout")
            what = f"the request was not complete after {limit:g} s"
            self._refuse(408, b"408 Request Timeout", what, "send it at once")

    def _refuse(self, status: int, line: bytes, what: str, fix: str, *more: tuple[bytes, bytes]) -> None:
        """Answer in the place of the application, unless an answer has begun or another is due first, and close."""
        began, self.began, self._gone = self.began or time.perf_counter(), None, True
        if self.transport.is_closing():
            return
        unanswered = self.cycle is not None and not self.cycle.response_started and not self.pipeline
        if unanswered if self._in_body else self._idle():
            body = encode({"error": "RequestError", "what": what, "where": "request", "fix": fix})
            headers = [JSON, *FIXED, (b"content-length", b"%d" % len(body)), CLOSE, *more]
            head = b"HTTP/1.1 %b\r\n" % line + b"".join(b"%b: %b\r\n" % header for header in headers)
            self.transport.write(head + b"\r\n" + body)
            self._held.metrics.answered("", "", status, time.perf_counter() - began)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
