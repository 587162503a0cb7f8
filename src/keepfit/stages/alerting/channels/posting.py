"""A POST of JSON to an address that may be a secret: nothing of it gets into errors or logs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from keepfit import clock
from keepfit.stages.alerting.channels.protocol import Undelivered

TIMEOUT_S = 10.0
OF_MESSAGE = (400, 413, 415, 422)
"""Statuses by which a server refuses this message and not whoever sends it."""
SHOWN = 200


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Send JSON and return once a status of 2xx came back; redirects are not followed.

    Raises
    ------
    Undelivered
        If it did not.
    """
    told = {"Content-Type": "application/json", "User-Agent": "keepfit", **(headers or {})}
    try:
        with _unlogged(), httpx.Client(timeout=TIMEOUT_S) as client:
            answer = client.post(url, content=body, headers=told)
    except (httpx.TimeoutException, httpx.TransportError) as error:
        # the words of an unsupported or missing scheme may hold the address
        said = "its address is no http:// or https://" if isinstance(error, httpx.UnsupportedProtocol) else str(error)
        raise Undelivered(f"it is not reached: {said.replace(url, '...') or type(error).__name__}") from None
    except (httpx.InvalidURL, ValueError):
        raise Undelivered("its address cannot be read") from None
    if answer.is_success:
        return
    words = " ".join(answer.text.split())[:SHOWN].replace(url, "...")
    raise Undelivered(
        f"it answered {answer.status_code}{f': {words}' if words else ''}",
        of_message=answer.status_code in OF_MESSAGE,
        pause=_pause(answer.headers.get("Retry-After", "")),
    )


def _pause(said: str) -> int:
    return min(int(said), 86400) * clock.SECOND if said.isdecimal() else 0


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what this thread asks out of httpx's log, whose lines name the address."""
    own, log = threading.get_ident(), logging.getLogger("httpx")

    def kept(record: logging.LogRecord) -> bool:
        return record.thread != own

    log.addFilter(kept)
    try:
        yield
    finally:
        log.removeFilter(kept)
