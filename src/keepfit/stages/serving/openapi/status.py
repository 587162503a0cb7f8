"""What operators ask, and the document itself."""

from __future__ import annotations

from keepfit.stages.serving.openapi.columns import NUMBER, TEXT, Schema
from keepfit.stages.serving.openapi.shared import answer, operation

NAME: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
LIVE: Schema = {"status": {"const": "alive"}}
READY: Schema = {"status": {"const": "ready"}, "version": TEXT}
MODEL: Schema = {
    "name": TEXT, "version": TEXT, "task": TEXT, "target": TEXT, "features": {"type": "array", "items": TEXT},
    "threshold": NUMBER, "lineage": {"type": "object"},
}  # fmt: skip
CHALLENGER: Schema = {
    "type": ["object", "null"],
    "properties": {
        "version": NAME, "mode": {"enum": ["shadow", "canary"]}, "share": NUMBER, "refused": NAME,
    },
}  # fmt: skip
HEALTH: Schema = {
    "status": {"enum": ["ok", "degraded", "waiting"]}, "model": NAME, "version": NAME, "since": NAME, "refused": NAME,
    "challenger": CHALLENGER, "store": NAME, "outbox_backlog": COUNT,
    "store_rows": {"type": "object", "additionalProperties": COUNT},
}  # fmt: skip


def status(*, store: bool) -> Schema:
    """Return the operations by path; a server of one artifact has neither a store nor a log."""
    own: Schema = {"challenger": CHALLENGER} if store else {}
    found = {
        "/livez": _get("livez", "Whether the process answers", LIVE),
        "/readyz": _get("readyz", "Whether a version is loaded and warm; 503 with the reason if not", READY),
        "/model": _get("model", "What answers, and what it was built from", MODEL | own),
        "/metrics": {"get": operation("metrics", "status", "Prometheus metrics", _page("text/plain", "the metrics"))},
        "/docs": {"get": operation("docs", "status", "This document as a page", _page("text/html", "the page"))},
        "/openapi.json": _get("openapi", "This document", {"openapi": TEXT, "paths": {"type": "object"}}),
    }
    health = _get("health", "The champion, the online store and the prediction log", HEALTH)
    return {"/health": health, **found} if store else found


def _get(name: str, summary: str, properties: Schema) -> Schema:
    told = {"type": "object", "properties": properties, "required": list(properties)}
    return {"get": operation(name, "status", summary, answer(200, "as asked", told))}


def _page(kind: str, meaning: str) -> Schema:
    return {"200": {"description": meaning, "content": {kind: {"schema": TEXT}}}}
