"""How many threads a fit is worth.

Below some size a second one costs more in waiting than it brings, most of all on a busy machine.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import threadpool_limits

PARALLEL_CELLS = 2_000_000


def threads(cells: int) -> int:
    """Return the threads for a matrix of so many cells."""
    return 1 if cells < PARALLEL_CELLS else os.cpu_count() or 1


def limited(cells: int) -> AbstractContextManager[object]:
    """Hold the libraries that ask nobody (OpenMP, BLAS) to one thread, if a matrix is worth no more."""
    limits: AbstractContextManager[object] = threadpool_limits(1) if threads(cells) == 1 else nullcontext()
    return limits


def one_each() -> AbstractContextManager[object]:
    """Hold BLAS to one thread while several turns are under way: it adds in another order with several."""
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits
