"""What an online store holds of one entity, as the kernel reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import ServingError
from keepfit.rows.evaluate import evaluate
from keepfit.spec.columns import Value
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Events, Records

EntityEvents = tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.float64]]
Record = dict[str, Value]
Block = NDArray[np.int64]  # [2 + columns, events]: time, known, the bits of each value column


class Held:
    """What a store holds of one entity at one moment.

    Parameters
    ----------
    blocks : dict of str to list of (columns, bytes)
        Events table -> runs of events in order of arrival: int64 time [n], int64 known [n], float64 [columns, n].
    posted : dict of str to list of str
        Events table -> rows that requests posted since, as JSON, in order of arrival.
    records : dict of str to list of (known, record)
        Records table -> its versions, column -> value each, by when they became known (microseconds).
    """

    def __init__(
        self,
        blocks: dict[str, list[tuple[tuple[str, ...], bytes]]],
        posted: dict[str, list[str]],
        records: dict[str, list[tuple[int, Record]]],
    ) -> None:
        self._blocks, self._posted, self._records = blocks, posted, records

    def knows(self, tables: Collection[str]) -> bool:
        """Whether one of these tables holds a row of the entity."""
        return any(name in tables for name in (*self._blocks, *self._posted, *self._records))

    def events(self, table: Events, columns: Mapping[str, RowExpression]) -> EntityEvents:
        """Return (time [n], known [n] or None, values [columns, n]), by time, then order of arrival.

        `columns` are by their texts, under which a store keeps them. `known` is None if the table's rows are known when they
        happen; null is NaN.

        Raises
        ------
        ServingError
            If a column was not published.
        """
        names = tuple(columns)
        blocks = [_block(content, stored, names) for stored, content in self._blocks.get(table.name, ())]
        blocks += [_posted_block(text, columns.values()) for text in self._posted.get(table.name, ())]
        block = blocks[0] if len(blocks) == 1 else _merged(blocks, len(columns))
        late = table.known or table.known_after
        return block[0], block[1] if late else None, block[2:].view(np.float64)

    def record(self, table: Records, t: int) -> Record | None:
        """Return the entity's record at t, column -> value: the newest that was known before; None if there is none."""
        found = None
        for known, record in self._records.get(table.name, ()):
            if known >= t:
                break
            found = record
        return found


def _block(content: bytes, stored: tuple[str, ...], columns: tuple[str, ...]) -> Block:
    """Return what a row of `block` holds, with the columns asked for."""
    held = np.frombuffer(content, np.int64).reshape(2 + len(stored), -1)
    if stored == columns:
        return held
    missing = [name for name in columns if name not in stored]
    if missing:
        what = f"the online store does not hold {missing[0]!r}"
        raise ServingError(what, where="online store", fix="run `keepfit publish`")
    return np.ascontiguousarray(held[[0, 1, *(2 + stored.index(name) for name in columns)]])


def _posted_block(text: str, columns: Collection[RowExpression]) -> Block:
    """Return a posted row as a run of one event; conditions and codes are computed as the engine does for a file."""
    row = json.loads(text)
    numbers = np.array([_number(evaluate(column, row)) for column in columns], np.float64)
    return np.concatenate([np.array([row["time"], row["known"]], np.int64), numbers.view(np.int64)])[:, np.newaxis]


def _number(value: Value) -> float:
    return math.nan if value is None else float(value)


def _merged(blocks: list[Block], columns: int) -> Block:
    """Return blocks, in order of arrival, as one sorted by time."""
    if not blocks:
        return np.empty((2 + columns, 0), np.int64)
    found = np.concatenate(blocks, axis=1)
    return np.ascontiguousarray(found[:, np.argsort(found[0], kind="stable")])
