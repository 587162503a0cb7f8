"""What another process holds for a moment is asked for again, while the loop answers other requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from keepfit.errors import ServingError

LONGEST_S, AGAIN_S = 2.0, 0.01

T = TypeVar("T")


class Busy(ServingError):
    """Others write into a file of the server for longer than a request waits; asked again later, it is taken."""

    http_status = 503


async def patiently(work: Callable[[], Awaitable[T]], longest_s: float = LONGEST_S) -> T:
    """Return what a step returns, which is taken again as long as others are writing.

    Raises
    ------
    Busy
        If they write for longer than `longest_s`, seconds.
    """
    end = time.perf_counter() + longest_s
    while True:
        try:
            return await work()
        except Busy:
            if time.perf_counter() > end:
                raise
        await asyncio.sleep(AGAIN_S)
