"""Walk sorted events and observations once and give every window aggregate at every observation.

A window's rows are those between two cursors that only move forward: `tail` (time >= t + start) and `head`
(time >= t + end). A row enters its running state once and leaves it once, so the cost grows with events +
observations and never with the window's length.

A past window also asks `known < t`. A row that the head cursor passes before it is known waits in the entity's list of
late rows, ordered by `known`, and enters when its time comes. Whether a row is inside needs no flag: a row between the
cursors of the previous observation, at `before`, had entered if and only if `known < before`.

What a window holds (`state`) depends on its rows and not on how they came. Hence equal bits for any batching,
thread count or start. An entity is walked slot by slot: its events stay in the processor's cache, one slot's state too.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel import state
from keepfit.kernel.arguments import check_shapes, checked
from keepfit.kernel.compiling import called, compiled, entry
from keepfit.kernel.emit import emit
from keepfit.kernel.program import (
    NEEDS_RANKS,
    SLOT_COLUMN,
    SLOT_END,
    SLOT_OUTPUTS,
    SLOT_START,
    Encoding,
    Program,
)
from keepfit.kernel.state import Floats, Integers, Scratch, Slot

_POOL_FROM: Final = 50_000  # events + observations; below this a pool costs more than it saves
_RANGES_PER_THREAD: Final = 4  # so that a thread that was held up leaves work to the others
_KEPT_ROWS: Final = 4095  # scratch for entities up to this size is kept by its thread, 0.4 MB at most
_INT64: Final = np.dtype(np.int64)
_FLOAT64: Final = np.dtype(np.float64)
_NEVER: Final = -(2**63)
_ALL_NEEDS: Final = -1

_of_thread = threading.local()


def sweep(
    program: Program,
    time: Integers,
    known: Integers | None,
    values: Floats,
    event_offsets: Integers,
    t: Integers,
    observation_offsets: Integers,
    *,
    threads: int | None = None,
) -> Floats:
    """Compute every output of a program at every observation.

    Parameters
    ----------
    program : Program
        The aggregates.
    time : int64 [events]
        When each event happened, in µs; ascending inside an entity, ties in the order that `last` shall see.
    known : int64 [events] or None
        When each event became known, in µs, in any order. None: when it happened.
    values : float64 [columns, events]
        Value columns; NaN is a null.
    event_offsets : int64 [entities + 1]
        Entity e owns the events `event_offsets[e] : event_offsets[e + 1]`.
    t : int64 [observations]
        Times of observation in µs; ascending inside an entity.
    observation_offsets : int64 [entities + 1]
        Entity e owns the observations `observation_offsets[e] : observation_offsets[e + 1]`.
    threads : int, optional
        Most threads to use; all cores if not given. The result does not depend on it.

    Returns
    -------
    float64 [outputs, observations]

    Raises
    ------
    ValueError
        If shapes or types do not fit. That rows are sorted is the caller's promise: checking would cost a pass.
    """
    time = checked("time", time, _INT64, 1)
    known = time if known is None else checked("known", known, _INT64, 1)
    values = checked("values", values, _FLOAT64, 2)
    event_offsets = checked("event_offsets", event_offsets, _INT64, 1)
    t = checked("t", t, _INT64, 1)
    observation_offsets = checked("observation_offsets", observation_offsets, _INT64, 1)
    check_shapes(program, time, known, values, event_offsets, t, observation_offsets)

    out = np.empty((len(program.outputs), t.size))
    entities = event_offsets.size - 1
    encoding = program.encoding
    given: Any = (*encoding, time, known, values, event_offsets, t, observation_offsets)

    def run(first: int, stop: int) -> None:
        greatest = int(np.diff(event_offsets[first : stop + 1]).max())
        arguments: tuple[Any, ...] = (*state.new_scratch(program.needs, greatest), *given, first, stop, out)
        _sweep_entities(*arguments)

    if time.size <= _KEPT_ROWS and t.size < _POOL_FROM:
        arguments: tuple[Any, ...] = (*_kept_scratch(), *given, 0, entities, out)
        _sweep_entities(*arguments)
        return out
    workers = threads or os.cpu_count() or 1
    if workers == 1 or entities < 2 or time.size + t.size < _POOL_FROM:
        if entities:
            run(0, entities)
        return out
    with ThreadPoolExecutor(workers) as pool:
        bounds = _ranges(event_offsets + observation_offsets, workers * _RANGES_PER_THREAD)
        list(pool.map(run, bounds[:-1], bounds[1:]))
    return out


def sweep_one(
    program: Program, time: Integers, known: Integers | None, values: Floats, moment: Integers
) -> NDArray[np.float64]:
    """Return every output of a program for one entity at one moment, to the bits of `sweep`: float64 [outputs].

    For requests: no offsets to make and to check. `time`, `known`, `values` as `sweep` takes them; `moment` is its `t` of
    length 1.
    """
    events = time.size
    if events > _KEPT_ROWS:
        return sweep(program, time, known, values, _bounds(events), moment, _ONE, threads=1)[:, 0]
    time = checked("time", time, _INT64, 1)
    known = time if known is None else checked("known", known, _INT64, 1)
    values = checked("values", values, _FLOAT64, 2)
    if not (known.size == events == values.shape[1] and values.shape[0] >= program.columns and moment.size == 1):
        raise ValueError(f"{events} times, {known.size} known, values {values.shape}, {moment.size} moments do not fit")
    out = np.empty((len(program.outputs), 1))
    moment = checked("moment", moment, _INT64, 1)
    given: tuple[Any, ...] = (time, known, values, _bounds(events), moment, _ONE, 0, 1, out)
    arguments: tuple[Any, ...] = (*_kept_scratch(), *program.encoding, *given)
    _sweep_entities(*arguments)
    return out[:, 0]


def _bounds(rows: int) -> Integers:
    """Return the read-only offsets of one entity."""
    found = np.array([0, rows], np.int64)
    found.flags.writeable = False
    return found


_ONE: Final = _bounds(1)


def _kept_scratch() -> Scratch:
    """Return this thread's scratch for small entities and any program: a request allocates nothing."""
    scratch: Scratch | None = getattr(_of_thread, "scratch", None)
    if scratch is None:
        scratch = _of_thread.scratch = state.new_scratch(_ALL_NEEDS, _KEPT_ROWS)
    return scratch


def _ranges(offsets: Integers, parts: int) -> list[int]:
    """Bounds of at most `parts` runs of entities with about equal numbers of rows."""
    marks = np.linspace(0, offsets[-1], parts + 1)
    return [int(bound) for bound in np.unique(np.searchsorted(offsets, marks))]


@entry
def _sweep_entities(
    tally: Integers,
    digits: Integers,
    lanes: Integers,
    slots: Integers,
    outputs: Integers,
    parameters: Floats,
    time: Integers,
    known: Integers,
    values: Floats,
    event_offsets: Integers,
    t: Integers,
    observation_offsets: Integers,
    first: int,
    stop: int,
    out: Floats,
) -> None:
    """Fill the columns of `out` that belong to the entities first : stop."""
    scratch, encoding = Scratch(tally, digits, lanes), Encoding(slots, outputs, parameters)
    for entity in range(first, stop):
        begin, end = event_offsets[entity], event_offsets[entity + 1]
        begin_t, end_t = observation_offsets[entity], observation_offsets[entity + 1]
        if begin_t == end_t:
            continue
        late = lanes[state.LATE, : _find_late(lanes[state.LATE], time, known, begin, end)]
        ranked = np.int64(-1)
        for index in range(slots.shape[0] - 1):
            slot = state.open_slot(encoding, scratch, time, values, index, begin)
            if slot.needs & NEEDS_RANKS and ranked != slots[index, SLOT_COLUMN]:
                ranked = slots[index, SLOT_COLUMN]
                state.rank(slot, end)
            state.clear(slot)
            _sweep_slot(encoding, slot, index, known, late, end, t[begin_t:end_t], out[:, begin_t:end_t])
            state.close(slot)


@called
def _sweep_slot(
    encoding: Encoding,
    slot: Slot,
    index: int,
    known: Integers,
    late: Integers,
    end: int,
    t: Integers,
    out: Floats,
) -> None:
    """Move one slot's window over the observations of one entity."""
    start, stop = encoding.slots[index, SLOT_START], encoding.slots[index, SLOT_END]
    first, last = encoding.slots[index, SLOT_OUTPUTS], encoding.slots[index + 1, SLOT_OUTPUTS]
    future = stop > 0
    old_tail = old_head = slot.begin
    heard, before = 0, _NEVER
    for i in range(t.size):
        now = t[i]
        tail = _first_from(slot.time, old_tail, end, now + start)
        head = _first_from(slot.time, max(old_head, tail), end, now + stop)
        for row in range(old_tail, min(tail, old_head)):
            if future or known[row] < before:
                state.exclude(slot, row)
        if not future:
            while heard < late.size and known[late[heard]] < now:
                if tail <= late[heard] < old_head:
                    _include_late(slot, late[heard])
                heard += 1
        for row in range(max(old_head, tail), head):
            if future or known[row] < now:
                state.include(slot, row)
        emit(encoding, slot, first, last, now, out[:, i])
        old_tail, old_head, before = tail, head, now


@called
def _find_late(late: Integers, time: Integers, known: Integers, begin: int, end: int) -> int:
    """List the rows that became known after they happened, ordered by when; return how many."""
    count, ordered = 0, True
    for row in range(begin, end):
        if known[row] > time[row]:
            ordered = ordered and (count == 0 or known[late[count - 1]] <= known[row])
            late[count] = row
            count += 1
    if not ordered:  # a constant delay keeps the order: only irregular delays pay for a sort
        _sort(late[:count], known)
    return count


@compiled
def _sort(rows: Integers, known: Integers) -> None:
    """Order rows by when they became known, in place (Shell's sort with Knuth's gaps)."""
    gap = 1
    while gap < rows.size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, rows.size):
            row, place = rows[i], i
            while place >= gap and known[rows[place - gap]] > known[row]:
                rows[place] = rows[place - gap]
                place -= gap
            rows[place] = row
        gap //= 3


@called
def _include_late(slot: Slot, row: int) -> None:
    state.include(slot, row)


@compiled
def _first_from(time: Integers, row: int, end: int, moment: int) -> int:
    """Return the first row from `row` on that happened at `moment` or later."""
    while row < end and time[row] < moment:
        row += 1
    return row
