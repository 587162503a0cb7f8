"""An application whose hot routes are reached without a framework: FastAPI answers, and describes, all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from keepfit.errors import KeepfitError
from keepfit.stages.serving.metrics import Metrics
from keepfit.stages.serving.wire import Guard, no_such_route, refused


class Application(FastAPI):
    """FastAPI with a guard around all of it and, inside, a dictionary in front.

    Parameters
    ----------
    hot : mapping of str to ASGI application
        Path -> what answers a POST there, errors of its own included.
    metrics : Metrics
        Where the guard counts.
    **described : Any
        As FastAPI takes it.
    """

    def __init__(self, hot: Mapping[str, ASGIApp], metrics: Metrics, **described: Any) -> None:
        super().__init__(title="keepfit", docs_url=None, redoc_url=None, **described)
        self._hot = dict(hot)
        self._guarded = Guard(self._answer, metrics)
        self.add_exception_handler(KeepfitError, refused)
        self.add_exception_handler(HTTPException, no_such_route)
        # another method of a hot path is told apart from a path that does not exist
        self.router.routes += [Route(path, route, methods=["POST"]) for path, route in self._hot.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        await self._guarded(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._hot:
            return await self._hot[scope["path"]](scope, receive, send)
        await super().__call__(scope, receive, send)
