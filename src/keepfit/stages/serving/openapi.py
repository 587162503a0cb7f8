"""The OpenAPI document: FastAPI's own, and the bare routes with schemas made from the champion's definition."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from keepfit.spec.columns import Category, Column, Time
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.spec.tables import Events
from keepfit.stages.serving.scorer import Champion

Schema = dict[str, Any]
NUMBER: Schema = {"type": ["number", "null"]}
TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "format": "date-time", "example": "2025-06-01T00:00:00Z"}
TYPES: dict[str, Schema] = {
    "float": {"type": "number", "example": 19.9},
    "integer": {"type": "integer", "example": 17},
    "boolean": {"type": "boolean", "example": True},
}
ERROR = {"type": "object", "properties": dict.fromkeys(("error", "what", "where", "fix"), TEXT)}
PROBLEMS = {
    "400": "not JSON", "404": "nothing is known of the entity", "413": "more than 1 MB", "422": "does not fit",
    "503": "no champion yet",
}  # fmt: skip


def document(app: FastAPI, champion: Champion) -> Schema:
    """Return the document as of now: entity and columns are those of the champion's definition."""
    described: Schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    model = champion.current.artifact.model if champion.current else None
    described["paths"] = {
        "/predict": {"post": _predict(model)},
        "/events": {"post": _events(model)},
        **described["paths"],
    }
    return described


def _predict(model: Model | None) -> Schema:
    table = model.observe.of if model else None
    entity, key = (table.entity, _type(table.key_column())) if table else ("entity", TEXT)
    asked = {entity: key, "at": {**MOMENT, "description": "default: now"}}
    for name, sent in (model.request_inputs() if model else {}).items():
        asked[name] = {**_type(sent.column), "description": "known only to the request; default: what the past says"}
    answered = {
        "model": TEXT, "version": TEXT, "request_id": TEXT, entity: key, "at": MOMENT, "score": NUMBER,
        **_bounds(model), **_labels(model), **_decision(model),
        "features": {"type": "object", "additionalProperties": {"type": ["number", "string", "null"]}},
        "contributions": {
            "type": "object", "additionalProperties": {"type": "number"},
            "description": "with ?explain=true: what each feature adds to the raw score",
        },
        "base": {"type": "number", "description": "with ?explain=true: the raw score when nothing is known"},
    }  # fmt: skip
    explain = {"name": "explain", "in": "query", "schema": {"type": "boolean", "default": False}}
    return {
        "summary": "The champion's prediction for one entity at one moment",
        "tags": ["predictions"],
        "parameters": [explain],
        "requestBody": _json(asked, [entity]),
        "responses": _answers("200", "the prediction; it is in the log", answered),
    }


def _bounds(model: Model | None) -> Schema:
    share = model.training.interval if model else None
    if share is None:
        return {}
    told = f"bound of an interval that holds {share:.0%} of the rows"
    return {"low": {**NUMBER, "description": f"lower {told}"}, "high": {**NUMBER, "description": f"upper {told}"}}


def _decision(model: Model | None) -> Schema:
    if model is None or model.task != CLASSIFICATION:
        return {}
    return {"positive": {"type": "boolean"}, "threshold": NUMBER}


def _labels(model: Model | None) -> Schema:
    if model is None or not model.labels:
        return {}
    scores = {"type": "object", "properties": dict.fromkeys(model.labels, NUMBER), "description": "probabilities"}
    return {"label": {"type": "string", "enum": list(model.labels)}, "scores": scores}


def _events(model: Model | None) -> Schema:
    tables = model.events() if model else []
    rows = [_row(table) for table in tables]
    return {
        "summary": "One event, under its table's contract; the next prediction reflects it",
        "tags": ["events"],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"oneOf": rows} if rows else {"type": "object"}}},
        },
        "responses": _answers("202", "taken in", {"accepted": {"type": "integer", "example": 1}}),
    }


def _row(table: Events) -> Schema:
    contract = table.contract()
    first = [table.entity, *table.time_columns()]
    required = [*first, *(name for name, column in contract.items() if not column.nullable)]
    columns = {name: _type(contract[name]) for name in (*first, *contract)}
    return _object({"table": {"type": "string", "const": table.name}, **columns}, required)


def _type(column: Column) -> Schema:
    described = {"description": f"in {column.unit}"} if column.unit else {}
    if isinstance(column, Time):
        return MOMENT if column.format is None else {**TEXT, "description": f"a time, as {column.format} has it"}
    if isinstance(column, Category) and column.values:
        return {"type": "string", "enum": list(column.values), **described}
    pattern = getattr(column, "pattern", None)
    matched = {"pattern": f"^(?:{pattern})$"} if pattern else {"example": "17"}
    return {**TYPES.get(column.kind, {**TEXT, **matched}), **described}


def _object(properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(dict.fromkeys(required)),
        "additionalProperties": False,
    }


def _json(properties: Schema, required: list[str]) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": _object(properties, required)}}}


def _answers(status: str, meaning: str, properties: Schema) -> Schema:
    good = {"type": "object", "properties": properties}
    return {
        status: {"description": meaning, "content": {"application/json": {"schema": good}}},
        **{
            code: {"description": what, "content": {"application/json": {"schema": ERROR}}}
            for code, what in PROBLEMS.items()
        },
    }
