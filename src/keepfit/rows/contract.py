"""The contract for one row, as `POST /events` holds it against a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from keepfit import clock
from keepfit.errors import DefinitionError, RequestError, SourceError, did_you_mean
from keepfit.rows.evaluate import evaluate
from keepfit.rows.python import derive_one
from keepfit.spec.columns import BLANKS, MOMENT, Value
from keepfit.spec.rows import Python
from keepfit.spec.tables import Events, Table


def entity_key(table: Table, raw: object) -> str:
    """Return an entity's key as text, as it stands in the lake.

    Raises
    ------
    RequestError
        If the key breaks the contract of the entity column.
    """
    try:
        return str(table.key_column().parse(raw))
    except ValueError as error:
        raise RequestError(
            f"{table.entity} {error}", where=table.entity, fix=f"send {table.entity} as {table.name} declares it"
        ) from None


def check_row(table: Events, raw: Mapping[str, Any]) -> dict[str, Value]:
    """Return a raw event as the lake would hold it: entity, time and known in microseconds, typed and derived columns.

    Keys of the result are the table's column names, its entity, and `time` and `known`.

    Raises
    ------
    RequestError
        With every broken rule of the row, worded as in the quarantine.
    """
    reasons: list[str] = []
    row: dict[str, Value] = {}
    for name, column in {**table.columns, table.entity: table.key_column()}.items():
        try:
            row[name] = column.parse(raw.get(name))
        except ValueError as error:
            reasons.append(f"{name} {error}")
    row[table.entity] = str(row.get(table.entity))
    unknown = sorted(set(raw) - {*table.columns, table.entity, table.time, table.known, "table"})
    if unknown:
        raise RequestError(
            f"unknown column {unknown[0]!r} for {table.name}",
            where=unknown[0],
            fix=did_you_mean(unknown[0], [*table.columns, table.entity, str(table.time)], of=table.name),
        )
    times = {"time": _moment(table, table.time or "", raw, reasons)}
    known = _moment(table, table.known, raw, reasons) if table.known else times["time"]
    if reasons:
        raise RequestError(
            "; ".join(reasons), where=table.name, fix=f"send a row that meets the contract of {table.name}"
        )
    delay = clock.duration(table.known_after) if table.known_after else 0
    derived = {name: _derived(name, table, row) for name in table.derive}
    return {
        **row,
        **derived,
        "time": times["time"],
        "known": max(known, times["time"]) + delay,
    }


def _derived(name: str, table: Table, row: Mapping[str, Value]) -> Value:
    expression = table.derive[name]
    if not isinstance(expression, Python):
        return evaluate(expression, row)
    try:
        return derive_one(name, table, row)
    except SourceError as error:
        raise RequestError(error.what, where=error.where, fix=error.fix) from error
    except DefinitionError as error:  # not the request's fault: the function is not the one of the champion
        raise RequestError(error.what, where=error.where, fix=error.fix, http_status=503) from error


def _moment(table: Events, column: str, raw: Mapping[str, Any], reasons: list[str]) -> int:
    text = str(raw.get(column) or "").strip(BLANKS)
    if not text:
        reasons.append(f"{column} is missing")
        return 0
    try:
        moment = datetime.fromisoformat(text if re.fullmatch(MOMENT, text) else "")
    except ValueError:
        reasons.append(f"{column} is not a time")
        return 0
    if moment.tzinfo is not None:
        return clock.to_micros(moment)
    if table.zone is None:
        reasons.append(f"{column} has no time zone; append Z or an offset")
        return 0
    # an hour that the clock shows twice is taken as the second, one that it skips as if it had not: as the engine does
    local = moment.replace(tzinfo=ZoneInfo(table.zone))
    return max(clock.to_micros(local), clock.to_micros(local.replace(fold=1)))
