"""Monotonic queues: the earliest of the smallest values, of the largest, and of all rows inside a window.

A queue is a lane of row numbers that ascend; each row beats all that follow it, so the front is the answer. Where it
starts and stops is in the tally, one pair for each queue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.compiling import called, compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LOWEST_VALUE, HIGHEST_VALUE, EARLIEST = 0, 1, 2
"""What a queue's front is; also its place among the queues."""


@compiled
def dequeue(queue: Integers, ends: Integers, row: int) -> None:
    """Take a row that leaves the window off the front of its queue, if it is still there."""
    front = ends[0]
    if front < ends[1] and queue[front] == row:
        ends[0] = front + 1


@compiled
def enqueue(queue: Integers, ends: Integers, column: Floats, side: int, row: int) -> None:
    """Put a row into its queue: at the end, after dropping what it beats, or between its neighbours if it is late."""
    front, back = ends[0], ends[1]
    if back > front and queue[back - 1] > row:
        _enqueue_late(queue, ends, column, side, row)
        return
    rank = _rank(column, row, side)
    while back > front and _rank(column, queue[back - 1], side) >= rank:
        back -= 1
    queue[back] = row
    ends[1] = back + 1


@called
def _enqueue_late(queue: Integers, ends: Integers, column: Floats, side: int, row: int) -> None:
    """Put a row between its neighbours; it costs the rows behind it, so as much as it is late."""
    front, back = ends[0], ends[1]
    rank = _rank(column, row, side)
    place = back
    while place > front and queue[place - 1] > row:
        place -= 1
    if _rank(column, queue[place], side) <= rank:
        return  # a later row is as good for as long as this one is inside
    start = place
    while start > front and _rank(column, queue[start - 1], side) >= rank:
        start -= 1
    _shift(queue, place, back, start + 1)
    queue[start] = row
    ends[1] = back + start + 1 - place


@compiled
def _shift(queue: Integers, first: int, stop: int, target: int) -> None:
    """Move queue[first : stop] to start at `target`, one place up or any number down."""
    if target <= first:
        for k in range(stop - first):
            queue[target + k] = queue[first + k]
    else:
        for k in range(stop - first - 1, -1, -1):
            queue[target + k] = queue[first + k]


@compiled
def _rank(column: Floats, row: int, side: int) -> int:
    """Order doubles as integers, -0.0 before +0.0, reversed for maxima; rows by their number for the earliest."""
    if side == EARLIEST:
        return row
    bits = int(np.float64(column[row]).view(np.int64))
    return (bits ^ ((bits >> 63) & 0x7FFF_FFFF_FFFF_FFFF)) ^ -side
