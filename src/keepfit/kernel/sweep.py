"""Walk sorted events and observations once and give every window aggregate at every observation.

A window's rows are those between two cursors that only move forward: `tail` (time >= t + start) and `head`
(time >= t + end). A row enters its running state once and leaves it once, so the cost grows with events +
observations and never with the window's length.

A past window also asks `known < t`. A row that the head cursor passes before it is known waits in the entity's list of
late rows, ordered by `known`, and enters when its time comes. Whether a row is inside needs no flag: a row between the
cursors of the previous observation, at `before`, had entered if and only if `known < before`.

What a window holds (`state`) depends on its rows and not on how they came. Hence equal bits for any batching,
thread count or start.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel import state
from keepfit.kernel.exact import compiled
from keepfit.kernel.program import Encoding, Program
from keepfit.kernel.state import Floats, Integers, Scratch

_POOL_FROM: Final = 50_000  # events + observations; below this a pool costs more than it saves
_RANGES_PER_THREAD: Final = 4  # so that a thread that was held up leaves work to the others
_NEVER: Final = -(2**63)


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
    time = _checked("time", time, np.int64, 1)
    known = time if known is None else _checked("known", known, np.int64, 1)
    values = _checked("values", values, np.float64, 2)
    event_offsets = _checked("event_offsets", event_offsets, np.int64, 1)
    t = _checked("t", t, np.int64, 1)
    observation_offsets = _checked("observation_offsets", observation_offsets, np.int64, 1)
    _check_shapes(program, time, known, values, event_offsets, t, observation_offsets)

    out = np.empty((len(program.outputs), t.size))
    entities = event_offsets.size - 1

    def run(first: int, stop: int) -> None:
        greatest = int(np.diff(event_offsets[first : stop + 1]).max())
        scratch = state.new_scratch(program.encoding, greatest)
        _sweep_entities(
            program.encoding, scratch, time, known, values, event_offsets, t, observation_offsets, first, stop, out
        )

    workers = threads or os.cpu_count() or 1
    if workers == 1 or entities < 2 or time.size + t.size < _POOL_FROM:
        if entities:
            run(0, entities)
        return out
    with ThreadPoolExecutor(workers) as pool:
        bounds = _ranges(event_offsets + observation_offsets, workers * _RANGES_PER_THREAD)
        list(pool.map(run, bounds[:-1], bounds[1:]))
    return out


def _checked(name: str, array: NDArray[Any], dtype: type[np.generic], dimensions: int) -> NDArray[Any]:
    """Return a read-only view, so that writable and read-only input run the same compiled code."""
    if array.dtype != dtype or array.ndim != dimensions or not array.flags.c_contiguous:
        raise ValueError(
            f"{name} is {array.dtype} with shape {array.shape}; the sweep reads contiguous {dtype.__name__} with "
            f"{dimensions} dimension(s): np.ascontiguousarray({name}, np.{dtype.__name__})"
        )
    view = array.view()
    view.flags.writeable = False
    return view


def _check_shapes(
    program: Program,
    time: Integers,
    known: Integers,
    values: Floats,
    event_offsets: Integers,
    t: Integers,
    observation_offsets: Integers,
) -> None:
    if not time.size == known.size == values.shape[1]:
        raise ValueError(f"{time.size} times, {known.size} known and {values.shape[1]} values; give one each per event")
    if values.shape[0] < program.columns:
        raise ValueError(
            f"the program reads {program.columns} value columns, values has {values.shape[0]}; add rows to it"
        )
    if event_offsets.size == 0 or event_offsets.size != observation_offsets.size:
        raise ValueError(
            f"{event_offsets.size} event offsets and {observation_offsets.size} observation offsets; "
            "give entities + 1 of each, an entity without rows repeats its offset"
        )
    for name, offsets, rows in (("event", event_offsets, time.size), ("observation", observation_offsets, t.size)):
        if offsets[0] != 0 or offsets[-1] != rows:
            raise ValueError(f"{name}_offsets run from {offsets[0]} to {offsets[-1]}; start at 0 and end at {rows}")
        if (offsets[1:] < offsets[:-1]).any():  # would read outside the arrays
            raise ValueError(f"{name}_offsets descend; give the bounds of each entity's rows, sorted by entity")


def _ranges(offsets: Integers, parts: int) -> list[int]:
    """Bounds of at most `parts` runs of entities with about equal numbers of rows."""
    marks = np.linspace(0, offsets[-1], parts + 1)
    return [int(bound) for bound in np.unique(np.searchsorted(offsets, marks))]


@compiled
def _sweep_entities(
    encoding: Encoding,
    scratch: Scratch,
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
    for entity in range(first, stop):
        begin, end = event_offsets[entity], event_offsets[entity + 1]
        state.clear(scratch, begin)
        late = scratch.late[: _find_late(scratch.late, time, known, begin, end)]
        heard, before = 0, _NEVER
        for i in range(observation_offsets[entity], observation_offsets[entity + 1]):
            now, hearing = t[i], heard
            while hearing < late.size and known[late[hearing]] < now:
                hearing += 1
            for window in range(encoding.start.size):
                _move(encoding, scratch, time, known, values, late[heard:hearing], window, end, before, now)
                for index in range(encoding.slots[window], encoding.slots[window + 1]):
                    slot = state.slot_at(encoding, scratch, values, index)
                    state.emit(encoding, slot, index, scratch.work, time, now, out[:, i])
            before, heard = now, hearing


@compiled
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


@compiled
def _move(
    encoding: Encoding,
    scratch: Scratch,
    time: Integers,
    known: Integers,
    values: Floats,
    newly_known: Integers,
    window: int,
    end: int,
    before: int,
    now: int,
) -> None:
    """Move a window from the observation at `before` to the one at `now`."""
    old_tail, old_head = scratch.tail[window], scratch.head[window]
    tail = _first_from(time, old_tail, end, now + encoding.start[window])
    head = _first_from(time, max(old_head, tail), end, now + encoding.end[window])
    future = encoding.future[window]
    for index in range(encoding.slots[window], encoding.slots[window + 1]):
        slot = state.slot_at(encoding, scratch, values, index)
        for row in range(old_tail, min(tail, old_head)):
            if future or known[row] < before:
                state.exclude(slot, row)
        if not future:
            for row in newly_known:
                if tail <= row < old_head:
                    state.include(slot, row)
        for row in range(max(old_head, tail), head):
            if future or known[row] < now:
                state.include(slot, row)
    scratch.tail[window], scratch.head[window] = tail, head


@compiled
def _first_from(time: Integers, row: int, end: int, moment: int) -> int:
    """Return the first row from `row` on that happened at `moment` or later."""
    while row < end and time[row] < moment:
        row += 1
    return row
