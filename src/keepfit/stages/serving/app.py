"""The application: one model's champion behind HTTP. Read `create_app` first; each route has a file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

from keepfit import clock
from keepfit.artifact import watched_of
from keepfit.stages.serving import openapi
from keepfit.stages.serving.application import Application
from keepfit.stages.serving.challenger import Challenger
from keepfit.stages.serving.events import EventsRoute
from keepfit.stages.serving.openapi.page import DocsRoute
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.predict import PredictRoute
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.requested import moment_text
from keepfit.stages.serving.rows import RowsRoute
from keepfit.stages.serving.scorer import Champion
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.shadow import Shadow
from keepfit.stages.serving.status import gauges, status_routes
from keepfit.stages.serving.store import OnlineStore
from keepfit.stages.serving.watched import Following

DESCRIPTION = (
    "Predictions of one model's champion. Features are computed at request time by the kernel that trained it."
)


def create_app(
    pointer_path: Path,
    store: OnlineStore,
    outbox: Outbox,
    *,
    now: Callable[[], int],
    refresh_s: float = 1.0,
    protection: Protection | None = None,
) -> FastAPI:
    """Return the application that answers for the model whose champion `pointer_path` names.

    The caller opens and closes `store` and `outbox`. The champion is loaded in the background once the application
    starts, so that `/livez` answers at once and `/readyz` when it is warm; without one, `/predict` is a 503.

    Parameters
    ----------
    pointer_path : Path
        Written by `keepfit.artifact.write_pointer`; it need not exist yet. A second one beside it names the challenger.
    store : OnlineStore
        Filled by `publish`, and by `POST /events`.
    outbox : Outbox
        Where every answer is logged before it is sent.
    now : callable
        Microseconds UTC: the moment of a prediction that names none.
    refresh_s : float
        How often the pointer is looked at.
    protection : Protection, optional
        Tokens, limits, log; without it, the default limits and no more.
    """
    protection = protection or Protection()
    champion, said = Champion(pointer_path, store, now), protection.serving
    challenger = Challenger(champion, said.challenger)
    service = Service(champion, challenger, store, outbox, now, protection.metrics, said.max_rows)
    service.metrics.show(lambda: gauges(service))
    service.metrics.show(Following(watched_of(pointer_path)).gauges)
    hot: dict[str, ASGIApp] = {
        "/predict": PredictRoute(service, Shadow(service, protection.admission)),
        "/predict/rows": rows_route(service),
        "/events": EventsRoute(service),
    }
    following = lambda _: _following(service, refresh_s)  # noqa: E731
    app = Application(hot, protection, description=DESCRIPTION, lifespan=following)
    app.include_router(status_routes(service))
    app.openapi = lambda: _document(app, service)  # type: ignore[method-assign]
    app.router.routes.append(Route("/docs", DocsRoute(app.openapi), methods=["GET"]))
    return app


def rows_route(service: Service) -> RowsRoute:
    """Return the route that answers ready rows with the champion; each answer is logged."""
    return RowsRoute(
        lambda: service.champion.require().ready, service.metrics, service.max_rows, service.outbox, service.now
    )


def _document(app: FastAPI, service: Service) -> dict[str, Any]:
    """Return the document as of now; its examples ask about a moment that the store knows."""
    scorer, now = service.champion.current, service.now()
    at = moment_text(max(now - now % clock.DAY, service.store.answers_from()))
    found, ready = (scorer.artifact, scorer.ready) if scorer else (None, None)
    return openapi.document(app.title, app.version, app.description, found, ready, service.max_rows, at)


@asynccontextmanager
async def _following(service: Service, refresh_s: float) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_watching(service, refresh_s)), asyncio.create_task(_settling(service.outbox))]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watching(service: Service, refresh_s: float) -> None:
    """Look at the pointers every `refresh_s` seconds, for ever; loading does not hold up requests."""
    while True:
        await asyncio.to_thread(service.champion.refresh)
        await asyncio.to_thread(service.challenger.refresh)
        await asyncio.sleep(refresh_s)


async def _settling(outbox: Outbox, every_s: float = 5.0) -> None:
    while True:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(outbox.settle)
