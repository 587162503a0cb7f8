"""`POST /predict/rows`: answers to rows of ready features, by a project's champion or by one artifact without a project.

A body is read into typed rows by one compiled decoder and goes to the model as one matrix; only a body that does not fit
is looked at value by value, to say what is wrong with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from keepfit.artifact import FLAG, NUMBER, TEXT, Artifact, Predictor, RowEncoder, kinds
from keepfit.errors import RequestError, did_you_mean
from keepfit.stages.serving.group import Group
from keepfit.stages.serving.metrics import Metrics
from keepfit.stages.serving.patience import patiently
from keepfit.stages.serving.told import ROWS, Told, log_row, request_id, told
from keepfit.stages.serving.turns import ALONE, check_count, placed
from keepfit.stages.serving.wire import VERSION, Body, decoded, encode, read_body, rows_decoder, send_json, values_of

SEND = 'send {"rows": [{"feature": value, ...}]}'
TYPES: dict[str, Any] = {TEXT: str | None, NUMBER: float | None, FLAG: float | bool | None}


class Ready:
    """A version that answers rows of ready features.

    Parameters
    ----------
    found : Artifact
        What it is.
    predictor : Predictor
        Its model files.
    version : str
        Its number; of a folder that was not exported, the beginning of its manifest's digest.
    """

    def __init__(self, found: Artifact, predictor: Predictor, version: str) -> None:
        self.artifact, self.predictor, self.version = found, predictor, version
        self.kinds = kinds(found)
        self._decode = rows_decoder({name: TYPES[kind] for name, kind in self.kinds.items()})
        self.matrix = RowEncoder(found.features, found.categories)

    def read(self, body: bytes) -> list[Any]:
        """Return the rows of a body; `values_of` each has a value for each feature, in their order.

        Raises
        ------
        RequestError
            422 if a row lacks a feature, has another field, or a value of another type; a null is a value.
        """
        try:
            return self._decode(body, SEND)
        except RequestError as error:
            if error.http_status == 422:
                self._check(decoded(body, SEND))
            raise

    def answers(self, rows: Sequence[Any]) -> list[Told]:
        """Return what is said of each row, in their order; it does not depend on the others."""
        return told(self.artifact, self.predictor.score(self.matrix([values_of(row) for row in rows])))

    def _check(self, found: Body | list[Any]) -> None:
        """Say what is wrong with a body that could not be read."""
        rows = found.get("rows") if isinstance(found, dict) and set(found) == {"rows"} else None
        if not isinstance(rows, list):
            raise RequestError("the body holds no rows", where="rows", fix=SEND)
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                raise RequestError(f"row {place} is no object", where=f"rows[{place}]", fix=SEND)
            try:
                _check_row(self.kinds, row)
            except RequestError as error:
                raise placed(error, f"rows[{place}]") from None


class Log(Protocol):
    """Where a project's server keeps its answers."""

    def append_all(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep all of them, or none."""


class RowsRoute:
    """An answer to each row, in their order.

    Parameters
    ----------
    version : callable
        Returns who answers now.
    metrics : Metrics
        Counts the rows.
    max_rows : int
        How many a request may hold.
    log : Log, optional
        Where each answer is kept, before it is sent; it then has a `request_id`.
    now : callable, optional
        Microseconds UTC, for the log.
    """

    def __init__(
        self,
        version: Callable[[], Ready],
        metrics: Metrics,
        max_rows: int,
        log: Log | None = None,
        now: Callable[[], int] = lambda: 0,
    ) -> None:
        self._version, self._metrics, self._max_rows = version, metrics, max_rows
        self._log, self._now = log, now
        self._group: Group[Ready, Sequence[Any], list[Told]] = Group(self._answer_all)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["query_string"]:
            raise RequestError("there is no query here", where="query", fix=f"leave it out and {SEND}")
        ready = self._version()
        scope[VERSION] = ready.version
        rows = ready.read(await read_body(receive))
        check_count(rows, self._max_rows, "rows", SEND)
        if len(rows) > ALONE:
            answers = await patiently(partial(asyncio.to_thread, self._answer, ready, rows))
        else:
            answers = await self._group.answer(ready, rows)
        self._metrics.of(ready.artifact, ready.version).ready_rows(len(rows))
        await send_json(send, 200, {"model": ready.artifact.model.name, "version": ready.version, "answers": answers})

    def _answer_all(self, ready: Ready, waiting: Sequence[Sequence[Any]]) -> list[list[Told]]:
        answers = iter(self._answer(ready, list(chain.from_iterable(waiting))))
        return [list(islice(answers, len(rows))) for rows in waiting]

    def _answer(self, ready: Ready, rows: Sequence[Any]) -> list[Told]:
        """Return the answers; they are in the log then, each with its id. They are of no entity that the lake could know."""
        answers = ready.answers(rows)
        if self._log is not None:
            now, kept = self._now(), []
            for row, said in zip(rows, answers, strict=True):
                one, features = request_id(now), encode(row).decode()
                more = {"request_id": one, "t": now, "origin": ROWS, "features": features}
                kept.append(log_row(ready.artifact, ready.version, said, **more))
                said["request_id"] = one
            self._log.append_all(kept)
        return answers


def _check_row(kinds: Mapping[str, str], row: Mapping[str, Any]) -> None:
    for name in row:
        if name not in kinds:
            raise RequestError(f"unknown feature {name!r}", where=name, fix=did_you_mean(name, kinds))
    for name, kind in kinds.items():
        if name not in row:
            raise RequestError(f"{name!r} is missing", where=name, fix="send null where nothing is known")
        if not _fits(row[name], kind):
            raise RequestError(f"{name!r} is not {kind}", where=name, fix=f"send {kind}, or null")


def _fits(value: object, kind: str) -> bool:
    if value is None or isinstance(value, str):
        return value is None or kind == TEXT
    if isinstance(value, bool):
        return kind == FLAG
    if kind == TEXT or not isinstance(value, int | float):
        return False
    try:
        return abs(float(value)) < float("inf")
    except OverflowError:
        return False
