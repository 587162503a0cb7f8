"""`POST /events`: one event under its table's contract into the online store, there for the next prediction."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from keepfit.errors import RequestError, did_you_mean
from keepfit.rows.contract import check_row
from keepfit.spec.model import Model
from keepfit.spec.tables import Events
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.wire import Body, read_object, send_json


class EventsRoute:
    """Takes in one event; the row is in the store when the answer is sent."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = await read_object(receive)
        table = table_of(self._service.champion.require().artifact.model, body)
        # a publication may hold the store's write lock for a while, and a text's mood takes a moment
        await run_in_threadpool(self._accept, table, body)
        self._service.metrics.accepted(table.name)
        await send_json(send, 202, {"accepted": 1})

    def _accept(self, table: Events, body: Body) -> None:
        self._service.store.append(table, check_row(table, body))


def table_of(model: Model, body: Body) -> Events:
    """Return the events table that a row is for; it may be left unsaid if the model has one.

    Raises
    ------
    RequestError
        If the table is unknown, or left unsaid where there are several.
    """
    tables = {table.name: table for table in model.events()}
    name = body.get("table")
    if name is None and len(tables) == 1:
        return next(iter(tables.values()))
    if name is None:
        raise RequestError("'table' is missing", where="table", fix=did_you_mean("", tables, of=model.name))
    if name not in tables:
        raise RequestError(f"unknown table {name!r}", where="table", fix=did_you_mean(str(name), tables, of=model.name))
    return tables[name]
