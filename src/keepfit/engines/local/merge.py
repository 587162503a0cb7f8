"""Bring rows into the order of (entity, time, arrival) without sorting what lies in order already.

Entities are dense codes, so each row's entity is found by counting. The rows of a sorted file are a block of ascending
codes; blocks are taken by their first moment, so that files of one month each need no more than that. Inside an entity,
runs that still overlap are merged (a natural merge sort): n rows in k runs cost n log k, and rows in order one look at
each. Nothing is trusted: a file that was not sorted has more runs, and costs more.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.compiling import compiled, entry

Integers = NDArray[np.int64]
Rows = NDArray[Any]  # int32 while that is enough: half the memory of the largest array here

_POOL_FROM: Final = 50_000  # rows; below this a pool costs more than it saves
_RANGES_PER_THREAD: Final = 4  # so that a thread that was held up leaves work to the others
_SHORTEST_RUN: Final = 16
_MOST_BLOCKS: Final = 4096


def merged(
    codes: NDArray[np.int32], time: Integers, order: Integers, entities: int, threads: int
) -> tuple[Rows, Integers, Integers]:
    """Return the row numbers in the order of (entity, time, order), their times, and where each entity begins.

    Parameters
    ----------
    codes : int32 array [rows]
        Each row's entity: 0 to entities - 1.
    time, order : int64 arrays [rows]
        When each row happened, and the order of arrival, which tells rows of one moment apart.
    threads : int
        Most threads to use; the result does not depend on it.

    Returns
    -------
    rows : int array [rows]
    time : int64 array [rows]
    offsets : int64 array [entities + 1]
    """
    offsets = np.zeros(entities + 1, np.int64)
    np.cumsum(np.bincount(codes, minlength=entities), out=offsets[1:])
    rows, moments = np.empty(codes.size, np.int32 if codes.size < 2**31 else np.int64), np.empty_like(time)
    free = offsets[:-1].copy()
    for first, stop in _blocks(codes, time):
        _place(codes, time, first, stop, free, rows, moments)
    spare = np.empty_like(rows), np.empty_like(moments)  # an entity whose rows lie in order never touches its part

    def run(first: int, stop: int) -> None:
        _order_entities(order, offsets, first, stop, rows, moments, *spare)

    _in_threads(run, np.unique(np.searchsorted(offsets, _marks(codes.size, threads))), threads)
    return rows, moments, offsets


def gather(column: NDArray[Any], rows: Rows, out: NDArray[Any], threads: int) -> None:
    """Fill `out` with the column's values in the order of `rows`."""
    _in_threads(lambda first, stop: _gather(column, rows, first, stop, out), _marks(rows.size, threads), threads)


def _blocks(codes: NDArray[np.int32], time: Integers) -> list[tuple[int, int]]:
    """Return the bounds of the blocks of ascending codes, ordered by their first moment; all rows if they are many."""
    starts, firsts = np.empty(_MOST_BLOCKS, np.int64), np.empty(_MOST_BLOCKS, np.int64)
    count = _find_blocks(codes, time, starts, firsts)
    if count > _MOST_BLOCKS:
        return [(0, codes.size)]
    stops = np.append(starts[1:count], codes.size)
    return [(int(starts[block]), int(stops[block])) for block in np.argsort(firsts[:count], kind="stable")]


def _marks(rows: int, threads: int) -> Integers:
    parts = threads * _RANGES_PER_THREAD if rows >= _POOL_FROM else 1
    return np.linspace(0, rows, parts + 1).astype(np.int64)


def _in_threads(work: Callable[[int, int], None], bounds: Integers, threads: int) -> None:
    if bounds.size < 3 or threads == 1:
        work(int(bounds[0]), int(bounds[-1]))
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1].tolist(), bounds[1:].tolist()))


@entry
def _find_blocks(codes: NDArray[np.int32], time: Integers, starts: Integers, firsts: Integers) -> int:
    """List where blocks of ascending codes start, and the first moment in each; return how many, at most one too many."""
    count = 0
    for row in range(codes.size):
        if row == 0 or codes[row] < codes[row - 1]:
            if count == starts.size:
                return count + 1
            starts[count], firsts[count] = row, time[row]
            count += 1
        firsts[count - 1] = min(firsts[count - 1], time[row])
    return count


@entry
def _place(
    codes: NDArray[np.int32], time: Integers, first: int, stop: int, free: Integers, rows: Rows, moments: Integers
) -> None:
    """List each entity's rows of a block as they come; `free` is where each entity's next row goes."""
    for row in range(first, stop):
        place = free[codes[row]]
        rows[place], moments[place] = row, time[row]
        free[codes[row]] = place + 1


@entry
def _order_entities(
    order: Integers,
    offsets: Integers,
    first: int,
    stop: int,
    rows: Rows,
    moments: Integers,
    spare_rows: Rows,
    spare_moments: Integers,
) -> None:
    for entity in range(first, stop):
        begin, end = offsets[entity], offsets[entity + 1]
        if _run_end(order, rows, moments, begin, end) < end:
            _lengthen_runs(order, rows, moments, begin, end)
        while _run_end(order, rows, moments, begin, end) < end:
            _merge_neighbours(order, rows, moments, begin, end, spare_rows, spare_moments)


@compiled
def _lengthen_runs(order: Integers, rows: Rows, moments: Integers, begin: int, end: int) -> None:
    """Sort by insertion where runs are so short that merging them would cost more."""
    low = begin
    while low < end:
        high = _run_end(order, rows, moments, low, end)
        for place in range(high, min(low + _SHORTEST_RUN, end)):
            row, moment = rows[place], moments[place]
            while place > low and _comes_before(order, row, moment, rows[place - 1], moments[place - 1]):
                rows[place], moments[place] = rows[place - 1], moments[place - 1]
                place -= 1
            rows[place], moments[place] = row, moment
        low = max(high, min(low + _SHORTEST_RUN, end))


@compiled
def _merge_neighbours(
    order: Integers,
    rows: Rows,
    moments: Integers,
    begin: int,
    end: int,
    spare_rows: Rows,
    spare_moments: Integers,
) -> None:
    """Merge the first run with the second, the third with the fourth, and so on."""
    low = begin
    while low < end:
        middle = _run_end(order, rows, moments, low, end)
        high = _run_end(order, rows, moments, middle, end)
        left, right = low, middle
        for place in range(low, high):
            if right == high or (
                left < middle and not _comes_before(order, rows[right], moments[right], rows[left], moments[left])
            ):
                spare_rows[place], spare_moments[place] = rows[left], moments[left]
                left += 1
            else:
                spare_rows[place], spare_moments[place] = rows[right], moments[right]
                right += 1
        low = high
    for place in range(begin, end):  # numba copies a slice by way of memory that it may not allocate here
        rows[place], moments[place] = spare_rows[place], spare_moments[place]


@compiled
def _run_end(order: Integers, rows: Rows, moments: Integers, begin: int, end: int) -> int:
    """Return where the run ends that begins at `begin`."""
    place = begin + 1
    while place < end and not _comes_before(order, rows[place], moments[place], rows[place - 1], moments[place - 1]):
        place += 1
    return min(place, end)


@compiled
def _comes_before(order: Integers, row: int, moment: int, other_row: int, other_moment: int) -> bool:
    return moment < other_moment or (moment == other_moment and order[row] < order[other_row])


@entry
def _gather(column: NDArray[Any], rows: Rows, first: int, stop: int, out: NDArray[Any]) -> None:
    for place in range(first, stop):
        out[place] = column[rows[place]]
