"""The application: one model's champion behind HTTP. Read `create_app` first; each route has a file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI

from keepfit.stages.serving import openapi
from keepfit.stages.serving.application import Application
from keepfit.stages.serving.events import EventsRoute
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.predict import PredictRoute
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.scorer import Champion
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.status import gauges, status_routes
from keepfit.stages.serving.store import OnlineStore

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
        Written by `keepfit.artifact.write_pointer`; it need not exist yet.
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
    service = Service(Champion(pointer_path, store, now), store, outbox, now, protection.metrics)
    service.metrics.show(lambda: gauges(service))
    app = Application(
        {"/predict": PredictRoute(service), "/events": EventsRoute(service)},
        protection,
        description=DESCRIPTION,
        lifespan=lambda _: _following(service, refresh_s),
    )
    app.include_router(status_routes(service))
    app.openapi = lambda: openapi.document(app, service.champion)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _following(service: Service, refresh_s: float) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(service.champion.watch(refresh_s)), asyncio.create_task(_settling(service.outbox))]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _settling(outbox: Outbox, every_s: float = 5.0) -> None:
    while True:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(outbox.settle)
