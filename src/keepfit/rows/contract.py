"""The contract for one row, as `POST /events` holds it against a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from keepfit import clock
from keepfit.errors import DefinitionError, RequestError, SourceError, did_you_mean
from keepfit.rows.evaluate import evaluate
from keepfit.rows.python import derive_one
from keepfit.spec.columns import Column, Value
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

    A row of a table that looks columns up, or finds them in names of files, brings them along. Keys of the result are the
    table's column names but for its times, its entity, and `time` and `known`.

    Raises
    ------
    RequestError
        With every broken rule of the row, worded as in the quarantine.
    """
    contract = table.contract()
    unknown = sorted(set(raw) - {*contract, "table"})
    if unknown:
        raise RequestError(
            f"unknown column {unknown[0]!r} for {table.name}",
            where=unknown[0],
            fix=did_you_mean(unknown[0], contract, of=table.name),
        )
    values, reasons = _parsed(contract, raw)
    if reasons:
        raise RequestError(
            "; ".join(reasons), where=table.name, fix=f"send a row that meets the contract of {table.name}"
        )
    row = {name: value for name, value in values.items() if name not in table.time_columns()}
    row[table.entity] = str(values[table.entity])
    time = cast(int, values[table.time or ""])
    known = cast(int, values[table.known]) if table.known else time
    delay = clock.duration(table.known_after) if table.known_after else 0
    derived = {name: _derived(name, table, row) for name in table.derive}
    return {**row, **derived, "time": time, "known": max(known, time) + delay}


def _parsed(contract: Mapping[str, Column], raw: Mapping[str, Any]) -> tuple[dict[str, Value], list[str]]:
    """Return the typed values of what meets the contract, and the reasons of what does not."""
    values: dict[str, Value] = {}
    reasons = []
    for name, column in contract.items():
        try:
            values[name] = column.parse(raw.get(name))
        except ValueError as error:
            reasons.append(f"{name} {error}")
    return values, reasons


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
