"""`POST /events`, with a schema for each table that the champion reads."""

from __future__ import annotations

from typing import Any

from keepfit.spec.columns import Column
from keepfit.spec.model import Model
from keepfit.spec.tables import Events
from keepfit.stages.serving.openapi.columns import Schema, closed, example_of, row_schema
from keepfit.stages.serving.openapi.shared import BODY, answer, body, example, operation, ref

ACCEPTED = closed({"accepted": {"type": "integer", "minimum": 0, "description": "how many were new"}}, ["accepted"])
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the same for each retry of a request: for a week, it is taken in once",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def events(model: Model | None, max_rows: int) -> tuple[Schema, Schema]:
    """Return the operation and the schemas it refers to."""
    tables = model.events() if model else []
    schemas = {_name(table): _row(table, alone=len(tables) == 1) for table in tables}
    one: Schema = {"oneOf": [ref(name) for name in schemas]} if schemas else {"type": "object"}
    described = operation(
        "addEvents",
        "events",
        "One event, or all of a list, under their tables' contracts; the next prediction reflects them",
        answer(202, "taken in", ref("Accepted"), {"one": example("One event", {"accepted": 1})}),
        (*BODY, 409),
        parameters=[KEY],
        requestBody=body(
            {"oneOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": max_rows}]}, _examples(tables)
        ),
        description="Of a list, all are taken in or none; `refusals` has the place of each that does not fit.",
    )
    return described, {**schemas, "Accepted": ACCEPTED}


def _name(table: Events) -> str:
    return f"Event.{table.name}"


def _row(table: Events, *, alone: bool) -> Schema:
    """Return what is accepted of a table; where there are several, each says which one it is for."""
    told = row_schema(table)
    return told if alone else {**told, "required": ["table", *told["required"]]}


def _examples(tables: list[Events]) -> Schema:
    shown = {
        table.name: example(f"One event of {table.name}", {"table": table.name, **_values(table)}) for table in tables
    }
    several = [one["value"] for one in shown.values()]
    return {**shown, "several": example("Several, all or none", several * (2 if len(several) == 1 else 1))}


def _values(table: Events) -> dict[str, Any]:
    contract: dict[str, Column] = dict(table.contract())
    return {name: example_of(column) for name, column in contract.items()}
