"""From settings and environment to what protects a server."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from keepfit.errors import ServingError

if TYPE_CHECKING:
    from keepfit.spec.serving import Serving
    from keepfit.stages.serving.protection import Protection
    from keepfit.stages.serving.tokens import Tokens
    from keepfit.stages.serving.tracing import Tracer

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"


def tokens_of(serving: Serving, folder: Path) -> Tokens:
    """Return the tokens of the environment and of the settings' file."""
    from keepfit.stages.serving.tokens import VARIABLE, Tokens

    return Tokens(os.environ.get(VARIABLE, ""), None if serving.tokens is None else folder / serving.tokens)


def checked(serving: Serving, folder: Path, host: str, *, insecure: bool) -> Tokens:
    """Return the tokens; without any, other machines are not listened to unless that is wanted."""
    tokens = tokens_of(serving, folder)
    if not (tokens.asked or insecure or _is_here(host)):
        raise ServingError(
            f"{host} is open to other machines, and no tokens are there",
            where="serving.tokens, KEEPFIT_TOKENS",
            fix="`keepfit token new --role predict --name NAME` makes one; --insecure lets everybody ask",
        )
    return tokens


@contextmanager
def protected(serving: Serving, tokens: Tokens, model: str, now: Callable[[], int]) -> Iterator[Protection]:
    """Yield what protects a server; what it logs goes to stderr, and its spans to a collector, if one is named."""
    from keepfit.stages.serving.logs import Handler, Log
    from keepfit.stages.serving.protection import Protection

    log, tracer = Log(serving.log, sys.stderr, now, serving.log_share), _tracer(model, now)
    handler = Handler(log)
    for name in ("keepfit.serving", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False
    logging.getLogger("keepfit.serving").setLevel(logging.INFO)
    try:
        yield Protection(serving, tokens, log, tracer)
    finally:
        log.flush()
        if tracer is not None:
            tracer.close()


def _tracer(model: str, now: Callable[[], int]) -> Tracer | None:
    if COLLECTOR not in os.environ:
        return None
    from keepfit.stages.serving.tracing import Tracer

    return Tracer(f"keepfit-{model}", now)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
