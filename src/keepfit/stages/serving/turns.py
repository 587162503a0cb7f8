"""Long requests in short turns, so that others are answered in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, TypeVar

from keepfit.errors import RequestError

TURN_S = 0.001
ALONE = 32
"""Up to as many rows, a step that is one call is done at once; beyond, beside the requests, in a thread."""

T = TypeVar("T")


async def turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items; whoever works on them lets other requests go ahead once a millisecond is spent."""
    until = time.perf_counter() + TURN_S
    for item in items:
        yield item
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + TURN_S


async def beside(rows: int, work: Callable[..., T], *arguments: Any) -> T:
    """Return what a function returns; a call for many rows that releases the lock of Python is made in a thread."""
    if rows <= ALONE:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def check_count(found: Sequence[Any], most: int, where: str, fix: str) -> None:
    """Refuse a list with nothing in it, or with more than `most`."""
    if not found:
        raise RequestError("the list is empty", where=where, fix=fix)
    if len(found) > most:
        what = f"the list holds {len(found):,}, a request may hold {most:,}"
        raise RequestError(what, where=where, fix="send several requests, or score a file with `keepfit predict --to`")


def placed(error: RequestError, place: str) -> RequestError:
    """Return an error of one element of a list, with the element's place: `[3].customer_id`."""
    where = f"{place}.{error.where}" if error.where else place
    return RequestError(error.what, where=where, fix=error.fix, http_status=error.http_status)
