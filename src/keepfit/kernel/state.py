"""What a window holds: counts, exact sums, queues, ranks; rows enter and leave.

A slot is the running state of one (column, condition, window). A thread fills one slot at a time, in one `Scratch`.
The state is a function of the rows inside, not of how they came, late or in turn: sums are exact, the latest is the
greatest row, and values are ordered totally (-0.0 before +0.0).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel import decay, exact, moments, queues, ranks
from keepfit.kernel.compiling import called, compiled
from keepfit.kernel.program import (
    NEEDS_ENTROPY,
    NEEDS_EWM,
    NEEDS_MIN,
    NEEDS_ORDER,
    NEEDS_QUEUE,
    NEEDS_RANKS,
    NEEDS_SQUARES,
    NEEDS_SUM,
    NEEDS_TREND,
    SLOT_COLUMN,
    SLOT_CONDITION,
    SLOT_HALF_LIFE,
    SLOT_NEEDS,
    Encoding,
)

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Places in the tally: rows inside; greatest row that ever entered; different values; anchor of the weights; ranks of
# the entity; and where each of three queues starts and stops.
INSIDE, LATEST, DISTINCT, ANCHOR, RANKS, ENDS, _TALLIES = 0, 1, 2, 3, 4, 5, 11

# Rows of the digits.
SUMS, SQUARES, ENTROPY, WEIGHTED, WEIGHTS, PRODUCTS, TIMES, TIMES_SQUARED, WORK = range(9)

# Lanes have a place for each row of an entity. A queue's lane is QUEUE plus its side.
LATE, QUEUE, RANK, EXAMPLE, COUNTS, TREE, SPARE = 0, 1, 4, 5, 6, 7, 8
_LANES_WITH: Final = {NEEDS_QUEUE: RANK, NEEDS_RANKS: SPARE + 3}
_RARE: Final = NEEDS_RANKS | NEEDS_TREND | NEEDS_EWM


class Scratch(NamedTuple):
    """Running state of one thread, reused from slot to slot and from entity to entity."""

    tally: Integers  # [_TALLIES + ranks.HISTOGRAM]
    digits: Integers  # [accumulators, exact.WIDTH]
    lanes: Integers  # [lanes, rows + 1]


def new_scratch(needs: int, rows: int) -> Scratch:
    """Allocate what one thread needs for slots with these NEEDS_ flags, for entities of up to `rows` events."""
    if rows > exact.MAX_VALUES:
        raise ValueError(f"an entity has {rows} events; exact sums hold {exact.MAX_VALUES}: split it by time")
    digits = np.zeros((WORK + moments.WORK_ROWS, exact.WIDTH), np.int64)
    digits[:, exact.LOWEST], digits[:, exact.HIGHEST] = exact.DIGITS, -1
    lanes = max((lanes for need, lanes in _LANES_WITH.items() if needs & need), default=QUEUE)
    return Scratch(
        tally=np.zeros(_TALLIES + ranks.HISTOGRAM, np.int64),
        digits=digits,
        lanes=np.empty((lanes, rows + 1), np.int64),  # memory is taken as it is first written, not here
    )


class Slot(NamedTuple):
    """One (column, condition, window) of one entity, with the scratch that holds its state."""

    needs: int  # NEEDS_ flags of its outputs
    by_row: bool  # whether rows count without a value
    conditional: bool  # whether the condition applies
    half_life: int  # µs, of `ewm`
    begin: int  # the entity's first row
    time: Integers  # [events]
    column: Floats  # [events]
    condition: Floats  # [events]
    tally: Integers  # from here on as in Scratch
    digits: Integers
    lanes: Integers


@compiled
def open_slot(encoding: Encoding, scratch: Scratch, time: Integers, values: Floats, index: int, begin: int) -> Slot:
    """Return a slot for an entity; a column that it does not read is any column."""
    fields = encoding.slots[index]
    column, condition = fields[SLOT_COLUMN], fields[SLOT_CONDITION]
    return Slot(
        fields[SLOT_NEEDS],
        column < 0,
        condition >= 0,
        fields[SLOT_HALF_LIFE],
        begin,
        time,
        values[max(column, 0)],
        values[max(condition, 0)],
        scratch.tally,
        scratch.digits,
        scratch.lanes,
    )


@called
def rank(slot: Slot, end: int) -> None:
    """Rank the values of the entity, which ends before the row `end`, for this slot and those of its column."""
    slot.tally[RANKS] = ranks.rank_values(
        slot.column,
        slot.begin,
        end,
        slot.lanes[RANK],
        slot.lanes[EXAMPLE],
        slot.lanes[SPARE:],
        slot.tally[_TALLIES:],
    )


@called
def clear(slot: Slot) -> None:
    """Empty the state; what the slot does not use was left empty by the one before."""
    slot.tally[:RANKS] = 0
    slot.tally[ENDS:_TALLIES] = 0
    if slot.needs & NEEDS_RANKS:
        _clear_ranks(slot.needs, slot.tally, slot.lanes)


@called
def close(slot: Slot) -> None:
    """Leave the digits empty for the next slot; only touched digits cost."""
    if slot.needs & _RARE:
        _close_rare(slot.needs, slot.digits)
    if slot.needs & NEEDS_SUM:
        if slot.needs & NEEDS_SQUARES:
            moments.clear_squares(slot.digits[SQUARES], slot.digits[SUMS])
        exact.clear(slot.digits[SUMS])


@called
def _clear_ranks(needs: int, tally: Integers, lanes: Integers) -> None:
    lanes[COUNTS, : tally[RANKS]] = 0
    if needs & NEEDS_ORDER:
        lanes[TREE, : tally[RANKS] + 1] = 0


@called
def _close_rare(needs: int, digits: Integers) -> None:
    if needs & NEEDS_ENTROPY:
        exact.clear(digits[ENTROPY])
    if needs & NEEDS_TREND:
        moments.clear_moments(digits[PRODUCTS], digits[TIMES], digits[TIMES_SQUARED], digits[SUMS])
    if needs & NEEDS_EWM:
        exact.clear(digits[WEIGHTED])
        exact.clear(digits[WEIGHTS])


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
        x = slot.column[row]
        exact.add(slot.digits[SUMS], x, 1)
        if slot.needs & NEEDS_SQUARES:
            moments.add_square(slot.digits[SQUARES], x, 1)
    if slot.needs & NEEDS_QUEUE:
        for side in range(3):
            if slot.needs & (NEEDS_MIN << side):
                queues.enqueue(slot.lanes[QUEUE + side], slot.tally[ENDS + 2 * side :], slot.column, side, row)
    if slot.needs & _RARE:
        _update_rare(slot, row, 1)


@compiled
def exclude(slot: Slot, row: int) -> None:
    """Let the earliest row leave."""
    if not _counts(slot, row):
        return
    slot.tally[INSIDE] -= 1
    if slot.needs & NEEDS_SUM:
        x = slot.column[row]
        exact.add(slot.digits[SUMS], x, -1)
        if slot.needs & NEEDS_SQUARES:
            moments.add_square(slot.digits[SQUARES], x, -1)
    if slot.needs & NEEDS_QUEUE:
        for side in range(3):
            if slot.needs & (NEEDS_MIN << side):
                queues.dequeue(slot.lanes[QUEUE + side], slot.tally[ENDS + 2 * side :], row)
    if slot.needs & _RARE:
        _update_rare(slot, row, -1)
    if slot.tally[INSIDE] == 0:
        _forget(slot)


@compiled
def front(slot: Slot, side: int) -> int:
    """Return the row at the front of a queue; some row is inside."""
    return slot.lanes[QUEUE + side, slot.tally[ENDS + 2 * side]]  # type: ignore[no-any-return]


@compiled
def _forget(slot: Slot) -> None:
    """Note that nothing is inside any more, so that readings start narrow and queues at their lane's start."""
    slot.tally[ENDS:_TALLIES] = 0
    exact.forget_range(slot.digits[SUMS])
    exact.forget_range(slot.digits[ENTROPY])
    exact.forget_range(slot.digits[WEIGHTED])
    exact.forget_range(slot.digits[WEIGHTS])


@called
def _update_rare(slot: Slot, row: int, times: int) -> None:
    """Let a row enter (times=1) or leave (-1) what few slots need; each is a call."""
    if slot.needs & NEEDS_RANKS:
        _update_ranks(slot.needs, slot.tally, slot.digits, slot.lanes, slot.lanes[RANK, row - slot.begin], times)
    if slot.needs & NEEDS_TREND:
        moments.add_moment(
            slot.digits[PRODUCTS],
            slot.digits[TIMES],
            slot.digits[TIMES_SQUARED],
            slot.column[row],
            slot.time[row],
            times,
        )
    if slot.needs & NEEDS_EWM:
        _update_mean(slot.tally, slot.digits, slot.column[row], slot.time[row], slot.half_life, times)


@called
def _update_ranks(needs: int, tally: Integers, digits: Integers, lanes: Integers, rank: int, times: int) -> None:
    before = lanes[COUNTS, rank]
    after = before + times
    lanes[COUNTS, rank] = after
    tally[DISTINCT] += np.int64(after > 0) - np.int64(before > 0)
    if needs & NEEDS_ENTROPY:
        ranks.update_entropy(digits[ENTROPY], before, after)
    if needs & NEEDS_ORDER:
        ranks.update_tree(lanes[TREE], tally[RANKS], rank, times)


@called
def _update_mean(tally: Integers, digits: Integers, x: float, t: int, half_life: int, times: int) -> None:
    if times > 0:
        tally[ANCHOR] = decay.anchor_for(
            digits[WEIGHTED], digits[WEIGHTS], tally[ANCHOR], t, half_life, tally[INSIDE] == 1
        )
    decay.add_decayed(digits[WEIGHTED], digits[WEIGHTS], tally[ANCHOR], x, t, half_life, times)
