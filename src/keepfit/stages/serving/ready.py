"""A server of one artifact folder, as an exported image runs it: it answers rows of ready features, without store, lake and log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from keepfit import artifact as artifacts
from keepfit.artifact import Predictor
from keepfit.errors import KeepfitError
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.serving import openapi
from keepfit.stages.serving.metrics import Metrics
from keepfit.stages.serving.openapi.page import DocsRoute
from keepfit.stages.serving.rows import Ready, RowsRoute
from keepfit.stages.serving.turns import MAX_ROWS
from keepfit.stages.serving.wire import Guard, no_such_route, refused

SAID = "export.json"
DESCRIPTION = "Predictions of one model version, from rows of ready features."


def load_ready(folder: Path) -> Ready:
    """Return what answers from an artifact folder; every file is held against its digest, and one row of nulls is answered."""
    found, said = artifacts.read(folder), folder / SAID
    version = str(json.loads(said.read_bytes())["version"]) if said.is_file() else artifacts.digest(folder)[:16]
    ready = Ready(found, Predictor.load(folder), version)
    ready.predictor.score(np.full((1, len(found.features)), np.nan, np.float32))
    return ready


def create_ready_app(folder: Path, *, max_rows: int = MAX_ROWS) -> FastAPI:
    """Return the application that answers with the artifact in a folder, which is loaded before it returns."""
    ready, metrics = load_ready(folder), Metrics()
    app = FastAPI(title="keepfit", description=DESCRIPTION, redirect_slashes=False, docs_url=None, redoc_url=None)
    app.state.model = ready.artifact.model.name
    app.add_middleware(Guard, metrics=metrics)
    app.add_exception_handler(KeepfitError, refused)
    app.add_exception_handler(HTTPException, no_such_route)
    app.router.routes.insert(0, Route("/predict/rows", RowsRoute(lambda: ready, metrics, max_rows), methods=["POST"]))

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
        return Response(metrics.requests(), media_type="text/plain; version=0.0.4")

    described = openapi.rows_document(app.title, app.version, app.description, ready, max_rows)
    app.openapi = lambda: described  # type: ignore[method-assign]
    app.router.routes.append(Route("/docs", DocsRoute(app.openapi), methods=["GET"]))
    return app


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
