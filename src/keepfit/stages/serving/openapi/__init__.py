"""The OpenAPI document: written from the definition of the version that answers, so that its names and bounds stand in it.

Each route's file says what it takes and answers; what is common to all stands in `shared.py`, a column's contract in `columns.py`.
"""

from __future__ import annotations

from typing import Any

from keepfit.artifact import Artifact
from keepfit.stages.serving.openapi.columns import Schema
from keepfit.stages.serving.openapi.events import events
from keepfit.stages.serving.openapi.predictions import predict, rows
from keepfit.stages.serving.openapi.shared import PROBLEM, responses
from keepfit.stages.serving.openapi.status import status
from keepfit.stages.serving.rows import Ready

TAGS = {
    "predictions": "for entities, from what is known of them, or for rows of ready features",
    "events": "what happened since the lake was read",
    "status": "what operators ask",
}


def document(
    title: str, version: str, description: str, found: Artifact | None, ready: Ready | None, max_rows: int, at: str
) -> Schema:
    """Return the document of a project's server, as of now.

    Parameters
    ----------
    title, version, description : str
        Of the application.
    found, ready : Artifact and Ready, or None
        The version that answers.
    max_rows : int
        How many entities, rows or events one request may hold.
    at : str
        A moment that can be asked about, for the examples.
    """
    asked, schemas = predict(found, max_rows, at)
    told, more = events(found.model if found else None, max_rows)
    paths: dict[str, Any] = {"/predict": {"post": asked}}
    schemas |= more
    if ready is not None:
        paths["/predict/rows"], more = _rows(ready, max_rows, logged=True)
        schemas |= more
    paths |= {"/events": {"post": told}, **status(store=True)}
    return _whole(title, version, description, paths, schemas)


def rows_document(title: str, version: str, description: str, ready: Ready, max_rows: int) -> Schema:
    """Return the document of a server of one artifact."""
    path, schemas = _rows(ready, max_rows, logged=False)
    paths = {"/predict/rows": path, **status(store=False)}
    return _whole(title, version, description, paths, schemas)


def _rows(ready: Ready, max_rows: int, *, logged: bool) -> tuple[Schema, Schema]:
    described, schemas = rows(ready, max_rows, logged=logged)
    return {"post": described}, schemas


def _whole(title: str, version: str, description: str, paths: Schema, schemas: Schema) -> Schema:
    used = {operation["tags"][0] for path in paths.values() for operation in path.values()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": what} for name, what in TAGS.items() if name in used],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "responses": responses(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "if the server was given tokens"}
            },
        },
        "security": [{}, {"token": []}],
    }
