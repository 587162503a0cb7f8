"""`POST /events`: events under their tables' contracts into the online store, there for the next prediction."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Receive, Scope, Send

from keepfit.errors import RequestError, did_you_mean
from keepfit.rows.contract import check_row
from keepfit.spec.model import Model
from keepfit.spec.tables import Events
from keepfit.stages.serving.patience import Busy
from keepfit.stages.serving.protection import Refused
from keepfit.stages.serving.receipts import Receipt
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.sqlite import POST_S, publishing
from keepfit.stages.serving.store import Row
from keepfit.stages.serving.turns import check_count, placed
from keepfit.stages.serving.wire import HOLDER, VERSION, Body, check_flat, decoded, read_body, send_json

SEND = 'send one event, {"column": value}, or a list of them'
KEY = b"idempotency-key"
LONGEST_KEY = 255
TOLD = 100
"""How many refusals of one request are told."""
WRITERS = 4
"""Threads that write events: one writes at a time, so that more would only wait."""
RETRY_S = 5


class EventsRoute:
    """Takes in one event or all of a list; they are in the store when the answer is sent."""

    def __init__(self, service: Service) -> None:
        self._service = service
        # a publication may hold the store's write lock for a while: what waits for it holds no thread that others need
        self._writers = ThreadPoolExecutor(WRITERS, "keepfit-events")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scorer, key = self._service.champion.require(), _key(scope)
        scope[VERSION], model = scorer.pointer.version, scorer.artifact.model
        body = await read_body(receive)
        found = decoded(body, SEND)
        if isinstance(found, list):
            check_count(found, self._service.max_rows, "body", SEND)
        receipt = None if key is None else Receipt(key, hashlib.sha256(body).hexdigest(), self._service.now())
        try:
            accepted = await asyncio.get_running_loop().run_in_executor(
                self._writers, self._accept, model, found, receipt, time.perf_counter()
            )
        except Busy as error:
            raise Refused(
                "store", error.http_status, error.what, error.fix,
                where=error.where, headers={b"retry-after": b"%d" % RETRY_S},
            ) from None  # fmt: skip
        for table, many in accepted.items():
            self._service.metrics.accepted(table, many)
        await send_json(send, 202, {"accepted": sum(accepted.values())})

    def _accept(self, model: Model, found: Body | list[Any], receipt: Receipt | None, arrived: float) -> Counter[str]:
        if time.perf_counter() - arrived > POST_S:
            raise publishing()  # those before it have waited as long
        rows = checked(model, found) if isinstance(found, list) else [_row(model, found)]
        added = self._service.store.append_all(rows, receipt)
        return Counter(table.name for table, _ in rows) if added else Counter()


class EventsRefused(RequestError):
    """Some events of a list break their contracts; none was taken in."""

    def __init__(self, refusals: Sequence[RequestError], of: int) -> None:
        first = refusals[0]
        what = f"{len(refusals)} of {of} events do not fit, so none was taken in; the first: {first.what}"
        super().__init__(what, where=first.where, fix=first.fix, http_status=first.http_status)
        self.refusals = refusals

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain data; `refusals` has what is wrong with each event, of the first hundred."""
        told = [{"what": one.what, "where": one.where, "fix": one.fix} for one in self.refusals[:TOLD]]
        return {**super().as_dict(), "refusals": told}


def checked(model: Model, found: Sequence[object]) -> list[Row]:
    """Return the rows of a list of events, each under its table's contract.

    Raises
    ------
    EventsRefused
        If one of them does not fit, with the place of each that does not.
    """
    rows: list[Row] = []
    refusals: list[RequestError] = []
    for place, event in enumerate(found):
        try:
            if not isinstance(event, dict):
                raise RequestError(f"element {place} is no object", fix=SEND)
            rows.append(_row(model, event))
        except RequestError as error:
            refusals.append(placed(error, f"[{place}]"))
    if refusals:
        raise EventsRefused(refusals, len(found))
    return rows


def _row(model: Model, event: Body) -> Row:
    check_flat(event)
    table = table_of(model, event)
    if isinstance(event.get(table.entity), bool):
        raise RequestError(f"{table.entity} is a truth value", where=table.entity, fix="send a text or a number")
    return table, check_row(table, event)


def _key(scope: Scope) -> str | None:
    """Return the idempotency key of a request, if it has one; those of another token are others."""
    for name, value in scope["headers"]:
        if name == KEY:
            if not (0 < len(value) <= LONGEST_KEY and value.isascii()):
                fix = f"send 1 to {LONGEST_KEY} ASCII characters, a UUID for example, or no such header"
                raise RequestError(f"an Idempotency-Key of {len(value)} bytes", where="Idempotency-Key", fix=fix)
            key = str(value.decode("ascii"))
            return f"{scope[HOLDER]} {key}" if HOLDER in scope else key  # no name of a token holds a space
    return None


def table_of(model: Model, body: Body) -> Events:
    """Return the events table that a row is for; it may be left unsaid if the model has one.

    Raises
    ------
    RequestError
        If the table is unknown, or left unsaid where there are several.
    """
    tables = {table.name: table for table in model.events()}
    if "table" not in body and len(tables) == 1:
        return next(iter(tables.values()))
    if "table" not in body:
        raise RequestError("'table' is missing", where="table", fix=did_you_mean("", tables, of=model.name))
    name = body["table"]
    if name not in tables:
        raise RequestError(f"unknown table {name!r}", where="table", fix=did_you_mean(str(name), tables, of=model.name))
    return tables[name]
