"""A server of one artifact folder, as an exported image runs it: it answers rows of ready features, without store, lake and log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from numpy.typing import NDArray
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from keepfit import artifact as artifacts
from keepfit.answers import BOUNDS, chosen, score_of
from keepfit.artifact import Artifact, Predictor
from keepfit.errors import RequestError, did_you_mean
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.serving.application import Application
from keepfit.stages.serving.metrics import CONTENT_TYPE, Metrics, champion_gauges
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.wire import VERSION, Body, decoded, read_body, send_json

SAID = "export.json"
DESCRIPTION = "Predictions of one model version, from rows of ready features."
SEND = 'send {"rows": [{"feature": value, ...}]}'


@dataclass(frozen=True)
class Ready:
    """An artifact that answers.

    Attributes
    ----------
    version : str
        Its number, if the folder was exported; or else the beginning of its manifest's digest.
    """

    artifact: Artifact
    predictor: Predictor
    version: str


def load_ready(folder: Path) -> Ready:
    """Return what answers from an artifact folder; every file is held against its digest, and one row of nulls is answered."""
    found, said = artifacts.read(folder), folder / SAID
    version = str(json.loads(said.read_bytes())["version"]) if said.is_file() else artifacts.digest(folder)[:16]
    ready = Ready(found, Predictor.load(folder), version)
    answered(ready, {"rows": [dict.fromkeys(found.features)]})
    return ready


def create_ready_app(folder: Path, protection: Protection | None = None) -> FastAPI:
    """Return the application that answers with the artifact in a folder, which is loaded before it returns.

    Without `protection`, it has the default limits and no more.
    """
    ready, protection = load_ready(folder), protection or Protection()
    metrics = protection.metrics
    metrics.show(lambda: champion_gauges(ready.artifact.model.name, ready.version))
    app = Application({"/predict/rows": RowsRoute(ready, metrics)}, protection, description=DESCRIPTION)
    app.state.model = ready.artifact.model.name

    @app.get("/livez", summary="Whether the process answers", tags=["status"])
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", summary="Ready: the version is loaded before the server listens", tags=["status"])
    async def readyz() -> dict[str, str]:
        return {"status": "ready", "version": ready.version}

    @app.get("/model", summary="What answers, and what it was built from", tags=["status"])
    async def model() -> dict[str, Any]:
        return _model(ready)

    @app.get("/metrics", summary="Prometheus metrics", tags=["status"])
    def page() -> Response:
        return Response(metrics.page(), headers={"content-type": CONTENT_TYPE})

    app.openapi = lambda: _document(app, ready)  # type: ignore[method-assign]
    return app


class RowsRoute:
    """`POST /predict/rows`: an answer to each row, in their order."""

    def __init__(self, ready: Ready, metrics: Metrics) -> None:
        self._ready, self._count = ready, metrics.of(ready.artifact, ready.version)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope[VERSION] = self._ready.version
        body = decoded(await read_body(receive), SEND)
        answer = answered(self._ready, body)
        for row, one in zip(body["rows"], answer["answers"], strict=True):
            self._count.predicted(one["score"], row)
        self._count.batch("/predict/rows", len(body["rows"]))
        await send_json(send, 200, answer)


def answered(ready: Ready, body: Body) -> dict[str, Any]:
    """Return the answer to one request: for each row the score and, as the model has them, bounds, labels, decision.

    Raises
    ------
    RequestError
        422 if a row lacks a feature, has another field, or a value of another type; a null is a value.
    """
    rows = body.get("rows")
    if set(body) != {"rows"} or not isinstance(rows, list) or not rows:
        raise RequestError("the body holds no rows", where="rows", fix=SEND)
    found = ready.artifact
    columns = {name: np.empty(len(rows), object if name in found.categories else np.float64) for name in found.features}
    for place, row in enumerate(rows):
        _fill(columns, place, row)
    answers = ready.predictor.score(artifacts.encode(columns, found.features, found.categories))
    return {"model": found.model.name, "version": ready.version, "answers": _told(found, answers)}


def _fill(columns: Mapping[str, NDArray[Any]], place: int, row: object) -> None:
    if not isinstance(row, dict):
        raise RequestError(f"row {place} is no object", where=f"rows[{place}]", fix=SEND)
    for name in row:
        if name not in columns:
            where = f"rows[{place}].{name}"
            raise RequestError(f"unknown feature {name!r}", where=where, fix=did_you_mean(name, columns))
    for name, column in columns.items():
        where = f"rows[{place}].{name}"
        if name not in row:
            raise RequestError(f"{name!r} is missing", where=where, fix="send null where nothing is known")
        column[place] = _value(row[name], where, text=column.dtype == object)


def _value(value: object, where: str, *, text: bool) -> float | str | None:
    if value is None:
        return None if text else np.nan
    if text and isinstance(value, str):
        return value
    if not text and isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            pass
    wanted = "a text" if text else "a number"
    raise RequestError(f"{where} is not {wanted}", where=where, fix=f"send {wanted}, or null")


def _told(found: Artifact, answers: NDArray[np.float64]) -> list[dict[str, Any]]:
    labels = found.model.labels
    if labels:
        places = chosen(answers).tolist()
        rows = zip(places, answers.tolist(), strict=True)
        return [
            {"score": row[at], "label": labels[at], "scores": dict(zip(labels, row, strict=True))} for at, row in rows
        ]
    told: list[dict[str, Any]] = [{"score": score} for score in score_of(answers).tolist()]
    if answers.ndim > 1:
        bounds: Sequence[Sequence[float]] = answers[:, 1:].tolist()
        told = [one | dict(zip(BOUNDS, own, strict=True)) for one, own in zip(told, bounds, strict=True)]
    if found.model.task == CLASSIFICATION:
        told = [one | {"positive": one["score"] >= found.threshold} for one in told]
    return told


def _model(ready: Ready) -> dict[str, Any]:
    found = ready.artifact
    return {
        "name": found.model.name,
        "version": ready.version,
        "task": found.model.task,
        "target": found.model.target.name,
        **({"labels": list(found.model.labels)} if found.model.labels else {}),
        "features": list(found.features),
        "categories": {name: list(labels) for name, labels in found.categories.items()},
        "threshold": found.threshold if found.model.task == CLASSIFICATION else None,
        "lineage": found.lineage,
    }


def _document(app: FastAPI, ready: Ready) -> dict[str, Any]:
    described: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    found = ready.artifact
    kinds = {name: {"type": ["string" if name in found.categories else "number", "null"]} for name in found.features}
    row = {"type": "object", "properties": kinds, "required": list(kinds), "additionalProperties": False}
    rows = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": row, "minItems": 1}},
        "required": ["rows"],
    }
    described["paths"]["/predict/rows"] = {
        "post": {
            "summary": "An answer to each row of ready features, in their order",
            "tags": ["predictions"],
            "requestBody": {"required": True, "content": {"application/json": {"schema": rows}}},
            "responses": {
                "200": {"description": "the answers"},
                "400": {"description": "not JSON"},
                "413": {"description": "more than 1 MB"},
                "422": {"description": "does not fit"},
            },
        }
    }
    return described
