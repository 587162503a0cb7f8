"""What operators ask: alive, ready, healthy, how fast, which model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from keepfit import clock
from keepfit.stages.serving.scorer import NoChampion
from keepfit.stages.serving.service import Service


def status_routes(service: Service) -> APIRouter:
    """Return the routes that say how the server is; they are plain functions, so they run beside the hot path."""
    router = APIRouter(tags=["status"])

    @router.get("/livez", summary="Whether the process answers")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Whether a champion is loaded and warm; 503 with the reason if not")
    async def readyz(response: Response) -> dict[str, str]:
        try:
            scorer = service.champion.require()
        except NoChampion as error:
            response.status_code = error.http_status
            return {"status": "not ready", **error.as_dict()}
        return {"status": "ready", "version": scorer.pointer.version}

    @router.get("/health", summary="The champion, the online store and the prediction log")
    def health() -> dict[str, Any]:
        return health_of(service)

    @router.get("/model", summary="What answers, and what it was built from")
    async def model() -> dict[str, Any]:
        return model_of(service)

    @router.get("/metrics", summary="Prometheus metrics")
    def metrics() -> Response:
        page = service.metrics.page(service.champion, service.outbox)
        return Response(page, headers={"content-type": CONTENT_TYPE_LATEST})

    return router


def health_of(service: Service) -> dict[str, Any]:
    """Return the state of the server: `ok`, `degraded` if a newer version was refused, or `waiting` for a first one."""
    champion = service.champion
    scorer = champion.current
    return {
        "status": "waiting" if scorer is None else "ok" if champion.refused is None else "degraded",
        "model": scorer and scorer.pointer.model,
        "version": scorer and scorer.pointer.version,
        "since": None if champion.since is None else clock.show(champion.since),
        "refused": champion.refused,
        "store_rows": service.store.rows(),
        "outbox_backlog": service.outbox.backlog(),
    }


def model_of(service: Service) -> dict[str, Any]:
    """Return what the champion is.

    Raises
    ------
    NoChampion
        If there is none.
    """
    scorer = service.champion.require()
    artifact = scorer.artifact
    return {
        "name": scorer.pointer.model,
        "version": scorer.pointer.version,
        "task": artifact.model.task,
        "entity": scorer.table.entity,
        "target": artifact.model.target.name,
        **({"labels": list(artifact.model.labels)} if artifact.model.labels else {}),
        "features": list(artifact.features),
        "threshold": artifact.threshold if scorer.classifies else None,
        "lineage": artifact.lineage,
    }
