"""The outermost layer: it lets a request in or refuses it, times it, counts it, logs it, and answers what nobody foresaw.

Pure ASGI; what it costs is on every request (`python bench/guard.py`).
"""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepfit.errors import KeepfitError
from keepfit.stages.serving import laps
from keepfit.stages.serving.admission import Admission
from keepfit.stages.serving.laps import Lap
from keepfit.stages.serving.metrics import route_of
from keepfit.stages.serving.protection import RETRY_S, Protection, Refused, no_place
from keepfit.stages.serving.tokens import OPEN
from keepfit.stages.serving.traces import Trace, continued, fresh
from keepfit.stages.serving.wire import FAILED, HOLDER, PREDICTION, VERSION, send_json

log = logging.getLogger("keepfit.serving")

ARRIVED, CROWDED, WHOLE, WAITS = "keepfit.arrived", "keepfit.crowded", "keepfit.whole", "keepfit.waits"
"""What the connection notes in a scope: when the request's first byte came, whether there are too many connections, that the
request is wholly there, and that it is counted among those that wait."""
FIXED = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
CLOSE, RETRY = (b"connection", b"close"), (b"retry-after", b"%d" % RETRY_S)
WORK = frozenset({"/predict", "/predict/rows", "/events"})
GONE = 499  # as nginx has it: the client left before it was answered


class Exchange:
    """One request and what became of it.

    Attributes
    ----------
    status : int
        0 until an answer begins.
    caller : str
        The name of a token, or an address.
    """

    __slots__ = ("_headers", "_place", "_send", "began", "caller", "laps", "request_id", "scope", "status", "trace")

    def __init__(self, scope: Scope, send: Send, request_id: str, trace: Trace | None) -> None:
        self.scope, self._send, self.request_id, self.trace = scope, send, request_id, trace
        self.status, self.caller = 0, ""
        self.laps: list[Lap] = []
        self.began: float = scope.get(ARRIVED) or time.perf_counter()
        self._place: Admission | None = None
        self._headers = [*FIXED, (b"x-request-id", request_id.encode())]
        if trace is not None:
            self._headers.append((b"traceresponse", trace.response()))

    async def send(self, message: Message) -> None:
        """Send on what the application sends, with the headers of every answer."""
        if message["type"] == "http.response.start":
            self.give_back()  # a client that is slow to read keeps nobody waiting
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        await self._send(message)

    def take(self, place: Admission) -> None:
        """Hold a place until the answer begins."""
        self._place = place

    def give_back(self) -> None:
        """Give the place back, if there is one."""
        if self._place is not None:
            self._place.leave()
            self._place = None

    def add(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Have more headers in the answer."""
        self._headers += headers


class Guard:
    """Middleware around everything that answers.

    Parameters
    ----------
    app : ASGI application
        What answers.
    protection : Protection
        Limits, tokens, log, metrics.
    """

    def __init__(self, app: ASGIApp, protection: Protection) -> None:
        self._app, self._held = app, protection
        self._admission, self._metrics = protection.admission, protection.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        parent = headers.get(b"traceparent")
        trace = continued(parent) if parent is not None else None
        if trace is None and self._held.tracer is not None:
            trace = fresh()
        exchange = Exchange(scope, send, self._held.request_id(headers.get(b"x-request-id")), trace)
        if self._admission.draining:
            exchange.add([CLOSE])
        try:
            await self._pass(exchange, headers, receive)
        except KeepfitError as error:
            await self._refuse(exchange, error)
        except Exception:
            if exchange.status:
                raise
            await _unforeseen(exchange)
        finally:
            if scope.pop(WAITS, False):  # it did not come to its turn
                self._admission.go()
            exchange.give_back()
            self._account(exchange)

    async def _pass(self, exchange: Exchange, headers: dict[bytes, bytes], receive: Receive) -> None:
        scope = exchange.scope
        path, client = scope["path"], scope.get("client")
        if path in OPEN:
            if path == "/readyz" and self._admission.draining:
                return await send_json(exchange.send, 503, {"status": "stopping"})
            return await self._app(scope, receive, exchange.send)
        if CROWDED in scope:
            exchange.add([CLOSE])
            raise no_place("connections")
        exchange.caller = client[0] if client else ""
        exchange.caller = self._held.admit(path, headers, exchange.caller, time.perf_counter())
        if self._held.tokens.asked:
            scope[HOLDER] = exchange.caller
        if path not in WORK:
            return await self._app(scope, receive, exchange.send)
        message = await receive()
        if message.get("more_body"):
            message = await self._rest(message, receive)
        if message["type"] == "http.disconnect":
            exchange.status = GONE
            return None
        if len(message["body"]) > self._held.serving.max_body:
            raise self._held.too_large()
        admission = self._admission
        if not admission.enter(arrived=scope.pop(WAITS, False)):
            raise no_place()
        exchange.take(admission)
        exchange.laps = laps.begin()
        self._metrics.waited(time.perf_counter() - exchange.began)
        await self._app(scope, _handing_out(message, receive), exchange.send)

    async def _rest(self, message: Message, receive: Receive) -> Message:
        chunks, size = [message["body"]], len(message["body"])
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                return message
            chunks.append(message["body"])
            size += len(message["body"])
            if size > self._held.serving.max_body:
                raise self._held.too_large()
        return {"type": "http.request", "body": b"".join(chunks), "more_body": False}

    async def _refuse(self, exchange: Exchange, error: KeepfitError) -> None:
        exchange.scope[FAILED] = type(error).__name__
        if isinstance(error, Refused):
            self._metrics.refused(error.reason)
            exchange.add(list(error.headers.items()))
            if WHOLE not in exchange.scope:  # what is still on its way would be read for nothing
                exchange.add([CLOSE])
        elif error.http_status == 503:
            exchange.add([RETRY])
        await send_json(exchange.send, error.http_status, error.as_dict())

    def _account(self, exchange: Exchange) -> None:
        scope, status, metrics = exchange.scope, exchange.status, self._metrics
        took, version = time.perf_counter() - exchange.began, scope.get(VERSION, "")
        metrics.answered(scope["path"], version, status, took)
        failed, held = scope.get(FAILED), self._held
        if exchange.laps:
            metrics.staged(exchange.laps)
        if failed is not None:
            metrics.failed(failed)
        if held.log is not None and held.log.wants(status):
            held.log.request(status, _told(exchange, version, took))
        if held.tracer is not None and exchange.trace is not None:
            route = route_of(scope["path"])
            told = {
                "http.request.method": scope["method"],
                "http.route": route,
                "http.response.status_code": status,
                "keepfit.version": version,
            }
            held.tracer.ended(exchange.trace, f"{scope['method']} {route}", told, exchange.laps, took)


def _told(exchange: Exchange, version: str, took: float) -> dict[str, Any]:
    """Return what is logged of a request; what is not there is not named."""
    scope, trace = exchange.scope, exchange.trace
    told = {
        "method": scope["method"],
        "path": scope["path"][:200],
        "status": exchange.status,
        "ms": int(1e6 * took) / 1000,
        "request_id": exchange.request_id,
    }
    if exchange.caller:
        told["client"] = exchange.caller
    if version:
        told["version"] = version
    if PREDICTION in scope:
        told["prediction"] = scope[PREDICTION]
    if FAILED in scope:
        told["error"] = scope[FAILED]
    if trace is not None:
        told["trace_id"], told["span_id"] = trace.trace_id, trace.span_id
    return told


def _handing_out(message: Message, receive: Receive) -> Receive:
    """Return what an application receives: the body once, and then what the connection has to say."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return message

    return once


async def _unforeseen(exchange: Exchange) -> None:
    scope = exchange.scope
    scope[FAILED] = "InternalError"
    log.exception("request %s to %s failed", exchange.request_id, scope["path"][:200])
    answer = {
        "error": "InternalError",
        "what": "the server failed to answer",
        "where": scope["path"],
        "fix": f"look for request {exchange.request_id} in the server's log",
        "request_id": exchange.request_id,
    }
    await send_json(exchange.send, 500, answer)
