"""What a window holds: counts, exact sums, queues of minima and maxima; enter, leave, read.

A slot is the running state of one (window, column, condition); all slots of a thread live in one `Scratch`.
The state is a function of the rows inside, not of how they came, late or in turn: sums are exact, the latest is the
greatest row, and values are ordered totally (-0.0 before +0.0).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel import exact
from keepfit.kernel.exact import compiled
from keepfit.kernel.program import (
    COUNT,
    DAY_US,
    LAST,
    MAX,
    MEAN,
    MIN,
    NEEDS_MAX,
    NEEDS_MIN,
    NEEDS_SQUARES,
    NEEDS_SUM,
    STD,
    SUM,
    TIME_SINCE_LAST,
    Encoding,
)

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

INSIDE, LATEST = 0, 1  # of a tally


class Scratch(NamedTuple):
    """Running state of one thread, reused from entity to entity."""

    tail: Integers  # [windows] first row with time >= t + start
    head: Integers  # [windows] first row with time >= t + end
    tally: Integers  # [slots, 2] rows inside; greatest row that ever entered
    sums: Integers  # [slots, exact.SUM_WIDTH]
    squares: Integers  # [slots, exact.SQUARES_WIDTH], or [slots, 0] if no output is a std
    work: Integers  # exact.WORK_SHAPE
    queue: Integers  # [slots, 2, rows] rows that may still become the minimum (0) or maximum (1)
    ends: Integers  # [slots, 2, 2] where each queue starts and ends
    late: Integers  # [rows] the entity's late rows, ordered by known


def new_scratch(encoding: Encoding, rows: int) -> Scratch:
    """Allocate what one thread needs for entities of up to `rows` events; `clear` makes it ready."""
    if rows > exact.MAX_VALUES:
        raise ValueError(f"an entity has {rows} events; exact sums hold {exact.MAX_VALUES}: split it by time")
    windows, slots = encoding.start.size, encoding.column.size
    needs = int(np.bitwise_or.reduce(encoding.needs))
    squares = exact.SQUARES_WIDTH if needs & NEEDS_SQUARES else 0
    queued = rows if needs & (NEEDS_MIN | NEEDS_MAX) else 0
    return Scratch(
        tail=np.empty(windows, np.int64),
        head=np.empty(windows, np.int64),
        tally=np.empty((slots, 2), np.int64),
        sums=np.zeros((slots, exact.SUM_WIDTH), np.int64),
        squares=np.zeros((slots, squares), np.int64),
        work=np.empty(exact.WORK_SHAPE, np.int64),
        queue=np.empty((slots, 2, queued), np.int64),  # memory is taken as it is first written, not here
        ends=np.empty((slots, 2, 2), np.int64),
        late=np.empty(rows, np.int64),
    )


@compiled
def clear(scratch: Scratch, begin: int) -> None:
    """Empty the running state and put all cursors on an entity's first row."""
    scratch.tail[:] = begin
    scratch.head[:] = begin
    scratch.tally[:] = 0
    scratch.ends[:] = 0
    for slot in range(scratch.tally.shape[0]):
        exact.clear(scratch.sums[slot], scratch.squares[slot])


class Slot(NamedTuple):
    """The running state of one (window, column, condition), cut out of the scratch."""

    needs: int  # NEEDS_ flags of its outputs
    by_row: bool  # whether rows count without a value
    conditional: bool  # whether the condition applies
    column: Floats  # [events]
    condition: Floats  # [events]
    tally: Integers  # from here on as in Scratch, without [slots]
    sums: Integers
    squares: Integers
    queue: Integers
    ends: Integers


@compiled
def slot_at(encoding: Encoding, scratch: Scratch, values: Floats, index: int) -> Slot:
    """Cut one slot out of the scratch, as views; a column that it does not read is any column."""
    column, condition = encoding.column[index], encoding.condition[index]
    return Slot(
        encoding.needs[index],
        column < 0,
        condition >= 0,
        values[max(column, 0)],
        values[max(condition, 0)],
        scratch.tally[index],
        scratch.sums[index],
        scratch.squares[index],
        scratch.queue[index],
        scratch.ends[index],
    )


@compiled
def _counts(slot: Slot, row: int) -> bool:
    """Whether a row meets the slot's condition and has a value."""
    if slot.conditional and (math.isnan(slot.condition[row]) or slot.condition[row] == 0):
        return False
    return slot.by_row or not math.isnan(slot.column[row])


@compiled
def include(slot: Slot, row: int) -> None:
    """Let a row enter: at the end, or between its neighbours if it is late."""
    if not _counts(slot, row):
        return
    slot.tally[LATEST] = max(slot.tally[LATEST], row)
    slot.tally[INSIDE] += 1
    if slot.needs & NEEDS_SUM:
        exact.add(slot.sums, slot.column[row], 1)
    if slot.needs & NEEDS_SQUARES:
        exact.add_square(slot.squares, slot.column[row], 1)
    if slot.needs & NEEDS_MIN:
        _enqueue(slot, 0, row)
    if slot.needs & NEEDS_MAX:
        _enqueue(slot, 1, row)


@compiled
def exclude(slot: Slot, row: int) -> None:
    """Let the earliest row leave."""
    if not _counts(slot, row):
        return
    slot.tally[INSIDE] -= 1
    if slot.needs & NEEDS_SUM:
        exact.add(slot.sums, slot.column[row], -1)
    if slot.needs & NEEDS_SQUARES:
        exact.add_square(slot.squares, slot.column[row], -1)
    if slot.needs & NEEDS_MIN:
        _dequeue(slot, 0, row)
    if slot.needs & NEEDS_MAX:
        _dequeue(slot, 1, row)
    if slot.tally[INSIDE] == 0:
        exact.forget_range(slot.sums)
        slot.ends[:] = 0


@compiled
def _dequeue(slot: Slot, side: int, row: int) -> None:
    """Take a row that leaves the window off the front of its queue, if it is still there."""
    front = slot.ends[side, 0]
    if front < slot.ends[side, 1] and slot.queue[side, front] == row:
        slot.ends[side, 0] = front + 1


@compiled
def _enqueue(slot: Slot, side: int, row: int) -> None:
    """Put a row into a monotonic queue: rows ascend, and each value beats all that follow it.

    A late row goes between its neighbours; it costs the rows behind it, so as much as it is late.
    """
    queue, column = slot.queue[side], slot.column
    front, back = slot.ends[side, 0], slot.ends[side, 1]
    rank = _rank(column[row], side)
    place = back
    while place > front and queue[place - 1] > row:
        place -= 1
    if place < back and _rank(column[queue[place]], side) <= rank:
        return  # a later row is as good for as long as this one is inside
    start = place
    while start > front and _rank(column[queue[start - 1]], side) >= rank:
        start -= 1
    if place < back:
        _shift(queue, place, back, start + 1)
    queue[start] = row
    slot.ends[side, 1] = back + start + 1 - place


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
def _rank(x: float, side: int) -> int:
    """Order doubles as integers, -0.0 before +0.0; reversed for the queue of maxima."""
    bits = int(np.float64(x).view(np.int64))
    return (bits ^ ((bits >> 63) & 0x7FFF_FFFF_FFFF_FFFF)) ^ -side


@compiled
def emit(encoding: Encoding, slot: Slot, index: int, work: Integers, time: Integers, now: int, out: Floats) -> None:
    """Write the outputs of one slot at one observation; `out` is that observation's [outputs]."""
    count, latest = slot.tally[INSIDE], slot.tally[LATEST]
    total, scale = 0.0, 0
    if slot.needs & NEEDS_SUM:
        total, scale = exact.total(slot.sums, work)
    for output in range(encoding.outputs[index], encoding.outputs[index + 1]):
        function = encoding.function[output]
        result = math.nan
        if function == COUNT:
            result = float(count)
        elif function == SUM:
            result = math.ldexp(total, scale)
        elif count == 0:
            pass
        elif function == MEAN:
            result = math.ldexp(total / count, scale)  # divided before scaling: the sum may overflow, its mean cannot
        elif function == STD:
            result = exact.deviation(slot.sums, slot.squares, count, work)
        elif function == MIN:
            result = slot.column[slot.queue[0, slot.ends[0, 0]]]
        elif function == MAX:
            result = slot.column[slot.queue[1, slot.ends[1, 0]]]
        elif function == LAST:
            result = slot.column[latest]
        elif function == TIME_SINCE_LAST:
            result = (now - time[latest]) / DAY_US
        out[encoding.place[output]] = result
