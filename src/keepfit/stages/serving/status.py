"""What operators ask: alive, ready, healthy, how fast, which model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from keepfit import clock
from keepfit.errors import ServingError
from keepfit.stages.serving.counting import Labels
from keepfit.stages.serving.metrics import CONTENT_TYPE, Gauges, champion_gauges
from keepfit.stages.serving.scorer import NoChampion
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.store import OnlineStore


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
        page = service.metrics.page()
        return Response(page, headers={"content-type": CONTENT_TYPE})

    return router


def health_of(service: Service) -> dict[str, Any]:
    """Return the state of the server: `ok`, `degraded` if a newer version was refused, or `waiting` for a first one."""
    champion = service.champion
    scorer = champion.current
    rows, away = _rows(service)
    whole = champion.refused is None and away is None
    return {
        "status": "waiting" if scorer is None else "ok" if whole else "degraded",
        "model": scorer and scorer.pointer.model,
        "version": scorer and scorer.pointer.version,
        "since": None if champion.since is None else clock.show(champion.since),
        "refused": champion.refused,
        "challenger": challenger_of(service),
        "store": away,
        "store_rows": rows,
        "outbox_backlog": service.outbox.backlog(),
    }


def challenger_of(service: Service) -> dict[str, Any] | None:
    """Return who challenges and how, or why the version that is named cannot; None if nobody does."""
    challenger = service.challenger
    scorer, said = challenger.current, challenger.said
    if said is None or (scorer is None and challenger.refused is None):
        return None
    version = None if scorer is None else scorer.pointer.version
    return {"version": version, "mode": said.mode, "share": said.share, "refused": challenger.refused}


def _rows(service: Service) -> tuple[dict[str, int], str | None]:
    """Return how many rows each table of the online store holds, or why it does not answer."""
    try:
        return service.store.rows(), None
    except ServingError as error:
        return {}, error.what


def gauges(service: Service) -> Gauges:
    """Yield what a scrape reads off the champion, the online store and the prediction log."""
    champion, now, seconds = service.champion, service.now(), clock.SECOND
    scorer = champion.current
    if scorer is None:
        yield "keepfit_ready", "Whether a version is loaded", (), {(): 0}
    else:
        yield from champion_gauges(scorer.pointer.model, scorer.pointer.version)
    loaded: dict[Labels, float] = {} if champion.since is None else {(): champion.since / seconds}
    yield "keepfit_champion_loaded_timestamp_seconds", "Since when it answers", (), loaded
    yield "keepfit_champion_refused", "Whether a newer version cannot be loaded", (), {(): champion.refused is not None}
    yield from _challenger_gauges(service)
    yield from _store_gauges(service.store, now)
    outbox = service.outbox
    yield "keepfit_outbox_backlog", "Answers that wait to be moved to the lake", (), {(): outbox.backlog()}
    oldest = outbox.oldest()
    waits = 0.0 if oldest is None else (now - oldest) / seconds
    yield "keepfit_outbox_age_seconds", "Age of the oldest of them", (), {(): waits}


def _challenger_gauges(service: Service) -> Gauges:
    found = challenger_of(service)
    refused = found is not None and found["refused"] is not None
    yield "keepfit_challenger_refused", "Whether the challenger cannot be loaded", (), {(): refused}
    named: dict[Labels, float] = {} if found is None or refused else {(found["version"], found["mode"]): found["share"]}
    yield "keepfit_challenger_share", "Share of the entities that it answers for", ("version", "mode"), named


def _store_gauges(store: OnlineStore, now: int) -> Gauges:
    try:
        newest, filled, rows = store.newest(), store.filled(), store.rows()
    except ServingError:
        yield "keepfit_store_up", "Whether the online store answers", (), {(): 0}
        return
    yield "keepfit_store_up", "Whether the online store answers", (), {(): 1}
    ages: dict[Labels, float] = {(table,): (now - at) / clock.SECOND for table, at in newest.items()}
    yield "keepfit_event_age_seconds", "Age of the newest event held", ("table",), ages
    since: dict[Labels, float] = {} if filled is None else {(): (now - filled) / clock.SECOND}
    yield "keepfit_store_age_seconds", "Time since the store was filled from the lake", (), since
    yield (
        "keepfit_store_rows",
        "Rows of the online store",
        ("table",),
        {(table,): count for table, count in rows.items()},
    )


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
        "challenger": challenger_of(service),
    }
