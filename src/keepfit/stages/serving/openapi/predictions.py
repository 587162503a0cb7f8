"""`POST /predict` and `POST /predict/rows`, as the version that answers has them."""

from __future__ import annotations

from typing import Any

from keepfit.artifact import FLAG, Artifact
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.stages.serving.openapi.columns import EXAMPLE_MOMENT, MOMENT, NUMBER, TEXT, Schema, closed, column_schema
from keepfit.stages.serving.openapi.shared import BODY, answer, body, example, operation, ref
from keepfit.stages.serving.rows import Ready

TAG = "predictions"
REQUEST_ID = "0636aa1b3c000f2d4b6c8e0a1c3e57"
LABEL = {"type": ["string", "null"]}
FLAGS = {"type": ["number", "boolean", "null"]}


def predict(found: Artifact | None, max_rows: int, at: str) -> tuple[Schema, Schema]:
    """Return the operation and the schemas it refers to; `at` is a moment that can be asked about."""
    schemas = {
        "Entity": _entity(found.model if found else None, at),
        "Prediction": _prediction(found),
        "Predictions": {
            "type": "object",
            "properties": {
                "answers": {"type": "array", "items": {"anyOf": [ref("Prediction"), ref("Problem")]}, "minItems": 1}
            },
            "required": ["answers"],
        },
    }
    asked = {"oneOf": [ref("Entity"), {"type": "array", "items": ref("Entity"), "minItems": 1, "maxItems": max_rows}]}
    described = operation(
        "predict",
        TAG,
        "The champion's prediction for one entity at one moment, or for each of a list",
        answer(
            200, "the answer; it is in the log", {"oneOf": [ref("Prediction"), ref("Predictions")]}, _answers(found)
        ),
        (*BODY, 404),
        parameters=[_explain()],
        requestBody=body(asked, _requests(schemas["Entity"], found, at)),
        description="Of a list, an entity of which nothing is known has its error in its place, and the others are answered. "
        "If one of them does not fit, the whole request is refused, with the place.",
    )
    return described, schemas


def rows(ready: Ready, max_rows: int, *, logged: bool) -> tuple[Schema, Schema]:
    """Return the operation and the schemas it refers to; answers that are logged have an id."""
    found = ready.artifact
    ids = {"request_id": TEXT} if logged else {}
    said = {**ids, **_said(found.model)}
    said.pop("threshold", None)
    schemas = {
        "Row": closed(_features(found, ready), list(found.features)),
        "RowAnswer": _all_of(said),
    }
    sent = {"rows": {"type": "array", "items": ref("Row"), "minItems": 1, "maxItems": max_rows}}
    told = {"model": TEXT, "version": TEXT, "answers": {"type": "array", "items": ref("RowAnswer"), "minItems": 1}}
    row = _feature_values(found)
    one = {name: value for name, value in _example_said(found).items() if name != "threshold"}
    shown = {
        "model": found.model.name,
        "version": ready.version,
        "answers": [{**dict.fromkeys(ids, REQUEST_ID), **one}],
    }
    described = operation(
        "predictRows",
        TAG,
        "An answer to each row of ready features, in their order",
        answer(200, "the answers", _all_of(told), {"one": example("One row", shown)}),
        BODY,
        requestBody=body(
            closed(sent, ["rows"]),
            {
                "one": example("One row", {"rows": [row]}),
                "several": example("Several; null where nothing is known", {"rows": [row, dict.fromkeys(row)]}),
            },
        ),
    )  # fmt: skip
    return described, schemas


def _all_of(told: Schema) -> Schema:
    return {"type": "object", "properties": told, "required": list(told)}


def _entity(model: Model | None, at: str) -> Schema:
    if model is None:
        return {"type": "object", "description": "what a model is asked by; none answers yet"}
    table = model.observe.of
    entity, key = table.entity, column_schema(table.key_column(), key=True)
    asked = {
        entity: key,
        "at": {
            **MOMENT,
            "example": at,
            "type": ["string", "null"],
            "description": "default: now; a date is its midnight",
        },
    }
    for name, sent in model.request_inputs().items():
        told = column_schema(sent.column)
        unit = f", {told['description']}" if "description" in told else ""
        asked[name] = {**told, "description": f"known only to the request{unit}; default: what the past says"}
    return closed(asked, [entity])  # fmt: skip


def _prediction(found: Artifact | None) -> Schema:
    entity = found.model.observe.of.entity if found else "entity"
    told = {
        "model": TEXT, "version": TEXT, "request_id": TEXT, entity: {"type": ["string", "number"]},
        "at": MOMENT, **_said(found.model if found else None),
        "features": {"type": "object", "additionalProperties": {"type": ["number", "string", "null"]}},
    }  # fmt: skip
    if found:
        told["features"] = {
            "type": "object", "properties": _features(found), "required": list(found.features),
            "additionalProperties": False,
        }  # fmt: skip
    why = {
        "contributions": {
            "type": "object",
            "additionalProperties": {"type": "number"},
            "description": "with ?explain=true: what each feature adds to the raw score",
        },
        "base": {"type": "number", "description": "with ?explain=true: the raw score when nothing is known"},
    }
    return {"type": "object", "properties": {**told, **why}, "required": list(told)}


def _features(found: Artifact, ready: Ready | None = None) -> Schema:
    flags = {name for name, kind in ready.kinds.items() if kind == FLAG} if ready else ()
    return {name: LABEL if name in found.categories else FLAGS if name in flags else NUMBER for name in found.features}


def _said(model: Model | None) -> Schema:
    """Return the fields of what is predicted."""
    told: Schema = {"score": NUMBER}
    share = model.training.interval if model else None
    if model and share is not None:
        bound = f"bound of an interval that holds {share:.0%} of the rows"
        told |= {
            one: {**NUMBER, "description": f"{side} {bound}"} for one, side in (("low", "lower"), ("high", "upper"))
        }
    if model and model.labels:
        scores = {"type": "object", "properties": dict.fromkeys(model.labels, NUMBER), "description": "probabilities"}
        told |= {"label": {"type": "string", "enum": list(model.labels)}, "scores": scores}
    if model and model.task == CLASSIFICATION:
        told |= {"positive": {"type": "boolean"}, "threshold": NUMBER}
    return told


def _explain() -> Schema:
    return {
        "name": "explain",
        "in": "query",
        "description": "whether to say what each feature adds; of boosted trees",
        "schema": {"type": "boolean", "default": False},
    }


def _requests(entity: Schema, found: Artifact | None, at: str) -> Schema:
    """Return examples of requests, made from the definition."""
    if found is None:
        return {}
    fields = entity["properties"]
    key, *inputs = [name for name in fields if name != "at"]
    one = {key: fields[key].get("example", "17")}
    shown = {
        "one": example("One entity, now", one),
        "at": example("One entity, at a moment", {**one, "at": at}),
        "many": example("Many entities", [one, {**one, "at": at}]),
    }
    if inputs:
        sent = {name: fields[name]["example"] for name in inputs}
        shown["inputs"] = example("With what only the request knows", {**one, **sent})
    return shown


def _answers(found: Artifact | None) -> Schema:
    if found is None:
        return {}
    table, values = found.model.observe.of, _feature_values(found)
    start = {"model": found.model.name, "version": "3", "request_id": REQUEST_ID}
    key = {table.entity: column_schema(table.key_column(), key=True)["example"]}
    one = {**start, **key, "at": EXAMPLE_MOMENT, **_example_said(found), "features": values}
    unknown = {
        "error": "RequestError", "what": f"nothing is known of {table.entity} '4711'", "where": f"[1].{table.entity}",
        "fix": f"check {table.entity}, or POST /events with its first event",
    }  # fmt: skip
    added = {"contributions": dict.fromkeys(values, 0.25), "base": -1.5}
    return {
        "one": example("One entity", one),
        "explained": example("Explained: ?explain=true", {**one, **added}),
        "many": example("Many, of which one is not known", {"answers": [one, unknown]}),
    }


def _example_said(found: Artifact) -> dict[str, Any]:
    model, labels = found.model, found.model.labels
    if labels:
        shares = dict.fromkeys(labels, round(0.3 / max(1, len(labels) - 1), 3)) | {labels[0]: 0.7}
        return {"score": 0.7, "label": labels[0], "scores": shares}
    if model.task == CLASSIFICATION:
        return {"score": 0.71, "positive": found.threshold <= 0.71, "threshold": found.threshold}
    return {"score": 17.5, **({"low": 11.0, "high": 24.5} if model.training.interval is not None else {})}


def _feature_values(found: Artifact) -> dict[str, Any]:
    labels = {name: next(iter(each), None) for name, each in found.categories.items()}
    return {name: labels.get(name, 1.0) for name in found.features}
