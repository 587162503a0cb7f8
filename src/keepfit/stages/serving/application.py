"""An application whose hot routes are reached without a framework: FastAPI answers, and describes, all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from keepfit.errors import KeepfitError
from keepfit.stages.serving.guard import Guard
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.wire import no_such_route, refused


class Application(FastAPI):
    """FastAPI with a guard around all of it and, inside, a dictionary in front.

    Parameters
    ----------
    hot : mapping of str to ASGI application
        Path -> what answers a POST there; it may raise a `KeepfitError`, which is answered.
    protection : Protection
        What the guard holds requests to.
    **described : Any
        As FastAPI takes it.
    """

    def __init__(self, hot: Mapping[str, ASGIApp], protection: Protection, **described: Any) -> None:
        super().__init__(title="keepfit", **described)
        self._hot, self.protection = dict(hot), protection
        self._guarded = Guard(self._answer, protection)
        self.add_exception_handler(KeepfitError, refused)
        self.add_exception_handler(HTTPException, no_such_route)
        # another method of a hot path is told apart from a path that does not exist
        self.router.routes += [Route(path, route, methods=["POST"]) for path, route in self._hot.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        await self._guarded(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Return what FastAPI builds, without its own answer to what nobody foresaw: the guard has one."""
        outermost = super().build_middleware_stack()
        assert isinstance(outermost, ServerErrorMiddleware)
        return outermost.app

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._hot:
            return await self._hot[scope["path"]](scope, receive, send)
        await super().__call__(scope, receive, send)
